/* See api.h. A handler returns what it could not do, and `in_time` makes an answer of that. */
#include "samples/service/api.h"

#include <stdio.h>
#include <string.h>

#include <bight/errors.h>
#include <bight/scope.h>

#include "samples/service/find.h"
#include "samples/service/reply.h"
#include "samples/service/request.h"

#define PAGE 20
#define PAGE_MAX 100

/* --- notes ------------------------------------------------------------------------------------ */

static int reply_note(struct bight_exchange *exchange, int status, const struct note *note)
{
    char tag[32];
    int rc;

    (void)snprintf(tag, sizeof tag, "\"%lld\"", (long long)note->version);
    rc = bight_exchange_add_header(exchange, "ETag", tag);
    return rc ? rc : reply_json(exchange, status, note_json(note));
}

static int keep_new(struct bight_exchange *exchange, const struct service *service,
                    struct note *note)
{
    char path[40];
    int rc = service->store->ops->add(service->store, note);

    if (rc)
        return rc;
    (void)snprintf(path, sizeof path, "/notes/%lld", (long long)note->id);
    rc = bight_exchange_add_header(exchange, "Location", path);
    return rc ? rc : reply_note(exchange, 201, note);
}

static int add_note(struct bight_exchange *exchange, void *service)
{
    struct note note;
    int rc = request_note(exchange, &note);

    if (rc)
        return rc;
    rc = keep_new(exchange, service, &note);
    note_free(&note);
    return rc;
}

static int get_note(struct bight_exchange *exchange, void *arg)
{
    const struct service *service = arg;
    struct note note;
    int64_t id;
    int rc = request_id(exchange, &id);

    if (rc == 0)
        rc = service->store->ops->get(service->store, id, &note);
    if (rc)
        return rc;
    rc = reply_note(exchange, 200, &note);
    note_free(&note);
    return rc;
}

/* A note that is gone has not that version either. */
static int changed(struct bight_exchange *exchange, int64_t version, int rc)
{
    if (rc == BIGHT_ENOENT && version)
        return reply_error(exchange, 412, "the note has another version");
    return rc;
}

static int replace(struct bight_exchange *exchange, const struct service *service,
                   struct note *note, int64_t id, int64_t version)
{
    int rc;

    note->id = id;
    note->version = version;
    rc = service->store->ops->put(service->store, note);
    return rc ? changed(exchange, version, rc) : reply_note(exchange, 200, note);
}

static int put_note(struct bight_exchange *exchange, void *service)
{
    struct note note;
    int64_t id, version;
    int rc = request_id(exchange, &id);

    if (rc == 0)
        rc = request_if_match(exchange, &version);
    if (rc == 0)
        rc = request_note(exchange, &note);
    if (rc)
        return rc;
    rc = replace(exchange, service, &note, id, version);
    note_free(&note);
    return rc;
}

static int delete_note(struct bight_exchange *exchange, void *arg)
{
    const struct service *service = arg;
    int64_t id, version;
    int rc = request_id(exchange, &id);

    if (rc == 0)
        rc = request_if_match(exchange, &version);
    if (rc)
        return rc;
    rc = service->store->ops->remove(service->store, id, version);
    return rc ? changed(exchange, version, rc)
              : bight_exchange_answer(exchange, 204, NULL, NULL, 0);
}

/* --- several notes ---------------------------------------------------------------------------- */

/* There is one more note than the page has if there is another page. */
static json_t *page_json(const struct notes *notes, size_t most)
{
    size_t count = notes->count > most ? most : notes->count;
    json_t *items = json_array();

    for (size_t i = 0; i < count; i++)
        (void)json_array_append_new(items, note_json(&notes->items[i]));
    if (notes->count > most)
        return json_pack("{so sI}", "notes", items, "next", (json_int_t)notes->items[count - 1].id);
    return json_pack("{so sn}", "notes", items, "next");
}

static int list_notes(struct bight_exchange *exchange, void *arg)
{
    const struct service *service = arg;
    const struct bight_form *query;
    int64_t after = 0, most = PAGE;
    struct notes notes;
    int rc = bight_exchange_read_query(exchange, &query);

    if (rc == 0)
        rc = request_number(exchange, query, "after", INT64_MAX, &after);
    if (rc == 0)
        rc = request_number(exchange, query, "limit", PAGE_MAX, &most);
    if (rc == 0 && most == 0)
        rc = request_refuse(exchange, 400, "limit is not 0");
    if (rc == 0)
        rc = service->store->ops->list(service->store, after, (int)most + 1, &notes);
    if (rc)
        return rc;
    rc = reply_json(exchange, 200, page_json(&notes, (size_t)most));
    notes_free(&notes);
    return rc;
}

/* --- a search in a note ----------------------------------------------------------------------- */

static int search(struct bight_exchange *exchange, const struct service *service, int64_t id,
                  const char *phrase, unsigned mistakes)
{
    struct bight_result result = {0};
    struct note note;
    int rc = service->store->ops->get(service->store, id, &note);

    if (rc)
        return rc;
    rc = find_in(service->workers, note.text, phrase, mistakes, &result);
    note_free(&note);
    if (rc == BIGHT_EINVAL)
        rc = reply_error(exchange, 400, "the phrase has to be longer than the mistakes");
    else if (rc == 0)
        rc = bight_exchange_answer(exchange, 200, "application/json", result.output,
                                   result.output_bytes);
    bight_result_free(&result);
    return rc;
}

static int search_note(struct bight_exchange *exchange, void *service)
{
    const struct bight_form *query;
    const char *phrase = NULL;
    int64_t id, mistakes = 0;
    int rc = request_id(exchange, &id);

    if (rc == 0)
        rc = bight_exchange_read_query(exchange, &query);
    if (rc == 0)
        rc = request_number(exchange, query, "mistakes", FIND_MISTAKES_MAX, &mistakes);
    if (rc == 0) {
        phrase = bight_form_value(query, "q");
        if (!phrase || !*phrase || strlen(phrase) > FIND_PHRASE_BYTES)
            rc = request_refuse(exchange, 400, "q is the phrase to look for, of up to 400 bytes");
    }
    return rc ? rc : search(exchange, service, id, phrase, (unsigned)mistakes);
}

/* --- around them ------------------------------------------------------------------------------ */

/* The deadline ends before the failure is told, so that there is time to do so. */
static int in_time(struct bight_exchange *exchange, void *arg)
{
    const struct service *service = arg;
    struct bight_scope scope;
    int rc = bight_scope_begin(&scope, service->deadline_ms, 0);

    if (rc == 0)
        rc = bight_scope_end(&scope, bight_router_next(exchange));
    if (rc >= 0)
        return 0;
    if (bight_exchange_status(exchange))
        return rc;
    if (rc == BIGHT_ETIMEDOUT && !scope.caught)
        return rc; /* the client's time for its body was over, which the server says */
    return reply_failure(exchange, rc);
}

static int wrong_method(struct bight_exchange *exchange, void *allowed)
{
    int rc = bight_exchange_add_header(exchange, "Allow", allowed);

    if (rc)
        return rc;
    if (strcmp(bight_exchange_method(exchange), "OPTIONS") == 0)
        return bight_exchange_answer(exchange, 204, NULL, NULL, 0);
    return reply_error(exchange, 405, "the path has other methods");
}

static int no_route(struct bight_exchange *exchange, void *arg)
{
    (void)arg;
    return reply_error(exchange, 404, "there is nothing at that path");
}

static int add_routes(struct bight_router *router, struct service *service)
{
    static char one[] = "GET, HEAD, PUT, DELETE, OPTIONS", many[] = "GET, HEAD, POST, OPTIONS",
                read[] = "GET, HEAD, OPTIONS";
    const struct {
        const char *methods, *pattern;
        int (*handler)(struct bight_exchange *exchange, void *arg);
        void *arg;
    } routes[] = {
        {"GET", "/notes", list_notes, service},
        {"POST", "/notes", add_note, service},
        {"*", "/notes", wrong_method, many},
        {"GET", "/notes/{id}", get_note, service},
        {"PUT", "/notes/{id}", put_note, service},
        {"DELETE", "/notes/{id}", delete_note, service},
        {"*", "/notes/{id}", wrong_method, one},
        {"GET", "/notes/{id}/search", search_note, service},
        {"*", "/notes/{id}/search", wrong_method, read},
        {"GET", "/healthz", health, service},
        {"*", "/healthz", wrong_method, read},
        {"GET", "/metrics", metrics, service},
        {"*", "/metrics", wrong_method, read},
        {"*", "/{path...}", no_route, NULL},
    };
    int rc = bight_router_use(router, in_time, service);

    for (size_t i = 0; i < sizeof routes / sizeof *routes && rc == 0; i++)
        rc = bight_router_add(router, routes[i].methods, routes[i].pattern, routes[i].handler,
                              routes[i].arg);
    return rc;
}

int api_new(struct bight_router **out, struct service *service)
{
    int rc = bight_router_new(out);

    if (rc)
        return rc;
    rc = add_routes(*out, service);
    if (rc)
        bight_router_free(*out);
    return rc;
}
