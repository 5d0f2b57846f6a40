/* A request that stays HTTP. Its body goes by a task of its own, its answer comes by
 * bight_http_open and bight_http_read, and each piece of either goes on before the next is read:
 * who is slow holds up the other side, and an event is on its way before the next one has come. */
#include "samples/reverse/proxy.h"

#include <bight/group.h>
#include <bight/scope.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PIECE_BYTES 32768

struct pass {
    struct bight_exchange *exchange;
    const struct proxy *proxy;
    const struct route *route;
    struct bight_http_error error;
    struct bight_http_request request;
    const char *url;
    struct bight_http_response *response;
    /* The request's body, when it has one, and whether all of it is sent. */
    struct bight_http_upload upload;
    bool sent;
    /* Around the wait for the answer's head; NULL before and after. */
    struct bight_scope *waiting;
    /* Of the answer: its length, negative where nobody knows it, and whether it may be silent. */
    int64_t bytes;
    bool events;
    /* The piece of its body that goes on, and how much has. */
    void *piece;
    int64_t count;
    int64_t passed;
};

/* --- the request ------------------------------------------------------------------------------ */

static const char *make_url(const struct pass *pass)
{
    const char *target = proxy_target(pass->exchange);
    size_t bytes = target ? strlen(pass->route->origin) + strlen(target) + 1 : 0;
    char *url = target ? bight_exchange_keep(pass->exchange, bytes) : NULL;

    if (url)
        (void)snprintf(url, bytes, "%s%s", pass->route->origin, target);
    return url;
}

/* "Name: value", as libcurl takes it; "Name;" where there is no value. */
static const char *make_line(struct bight_exchange *exchange, const struct field *field)
{
    size_t bytes = strlen(field->name) + strlen(field->value) + 3;
    char *line = bight_exchange_keep(exchange, bytes);

    if (line && *field->value)
        (void)snprintf(line, bytes, "%s: %s", field->name, field->value);
    else if (line)
        (void)snprintf(line, bytes, "%s;", field->name);
    return line;
}

/* What libcurl would say of itself unless it is told not to. */
static const char *const unsaid[] = {"Accept:", "Content-Type:", "Expect:"};

#define UNSAID_COUNT (sizeof unsaid / sizeof *unsaid)

/* Whether the fields have what the line `without` leaves out. */
static bool has_field(const struct fields *fields, const char *without)
{
    size_t bytes = strlen(without) - 1;

    for (size_t i = 0; i < fields->count; i++)
        if (strncasecmp(fields->all[i].name, without, bytes) == 0 && !fields->all[i].name[bytes])
            return true;
    return false;
}

static int make_lines(struct pass *pass)
{
    struct fields fields;
    const char **lines;
    size_t count = 0;
    int rc = fields_upward(&fields, pass->exchange, pass->route, pass->proxy->options.replace_host);

    if (rc)
        return rc;
    lines = bight_exchange_keep(pass->exchange, (fields.count + UNSAID_COUNT + 1) * sizeof *lines);
    if (!lines)
        return BIGHT_ENOMEM;
    for (size_t i = 0; i < fields.count; i++)
        if (!(lines[count++] = make_line(pass->exchange, &fields.all[i])))
            return BIGHT_ENOMEM;
    for (size_t i = 0; i < UNSAID_COUNT; i++)
        if (!has_field(&fields, unsaid[i]))
            lines[count++] = unsaid[i];
    lines[count] = NULL;
    pass->request.headers = lines;
    return 0;
}

/* A method that may be sent twice, when a kept connection turns out to be dead: RFC 9110 9.2.2.
 * bight knows of GET, HEAD, OPTIONS and TRACE. */
static bool is_idempotent(const char *method)
{
    return strcmp(method, "PUT") == 0 || strcmp(method, "DELETE") == 0;
}

static int prepare(struct pass *pass)
{
    struct bight_exchange *exchange = pass->exchange;
    const char *method = bight_exchange_method(exchange);
    int64_t bytes = bight_exchange_body_bytes(exchange);
    int rc = make_lines(pass);

    if (rc)
        return rc;
    pass->url = make_url(pass);
    if (!pass->url)
        return BIGHT_ENOMEM;
    pass->request.method = method;
    pass->request.idempotent = is_idempotent(method);
    pass->request.error = &pass->error;
    if (strcmp(method, "HEAD") == 0)
        return 0;
    if (bytes != 0) {
        bight_http_upload_init(&pass->upload, bytes);
        pass->request.upload = &pass->upload;
    } else if (bight_exchange_header(exchange, "Content-Length")) {
        pass->request.body = ""; /* "Content-Length: 0" is not the same as no word about it */
    }
    return 0;
}

/* How long the server behind may make us wait from now on. */
static void be_patient(const struct pass *pass, int64_t ms)
{
    if (pass->waiting)
        (void)bight_scope_set_timeout(pass->waiting, ms);
}

/* The task of the request's body. The client is not asked for it before the server behind is there
 * to take it. */
static int send_body(void *arg)
{
    struct pass *pass = arg;
    char *piece = bight_exchange_keep(pass->exchange, PIECE_BYTES);
    int64_t count = 1;
    int rc = piece ? bight_http_upload_write(&pass->upload, NULL, 0) : BIGHT_ENOMEM;

    while (rc == 0 && count > 0) {
        be_patient(pass, -1);
        count = bight_exchange_read(pass->exchange, piece, PIECE_BYTES);
        be_patient(pass, pass->proxy->options.silence_ms);
        if (count > 0)
            rc = bight_http_upload_write(&pass->upload, piece, (size_t)count);
    }
    if (rc == 0)
        rc = count < 0 ? (int)count : bight_http_upload_close(&pass->upload);
    pass->sent = rc == 0;
    return rc == BIGHT_EPIPE ? 0 : rc; /* the answer says why nobody wants it */
}

/* Until the head of the answer has come. */
static int open_answer(struct pass *pass)
{
    struct bight_scope waiting;
    int rc = bight_scope_begin(&waiting, pass->proxy->options.silence_ms, 0);

    if (rc)
        return rc;
    pass->waiting = &waiting;
    rc = bight_http_open(&pass->response, pass->proxy->session, pass->url, &pass->request);
    pass->waiting = NULL;
    return bight_scope_end(&waiting, rc);
}

/* --- the answer ------------------------------------------------------------------------------- */

/* The body's length, where both sides will count it the same way. */
static int64_t length_of(const struct bight_http_response *response)
{
    const char *length = bight_http_response_header(response, "Content-Length");
    int status = bight_http_response_status(response);

    if (status == 204 || status == 304)
        return 0;
    if (!length || bight_http_response_header(response, "Transfer-Encoding"))
        return -1;
    return strtoll(length, NULL, 10); /* bight has looked at it */
}

static bool is_event_stream(const struct bight_http_response *response)
{
    static const char type[] = "text/event-stream";
    const char *given = bight_http_response_header(response, "Content-Type");

    return given && strncasecmp(given, type, sizeof type - 1) == 0;
}

/* Whether the client has the whole answer although it has not sent its whole request, so that the
 * server behind need not have that either. */
static bool is_early(const struct pass *pass)
{
    return pass->request.upload && !pass->sent && pass->passed == pass->bytes;
}

static int read_piece(void *arg)
{
    struct pass *pass = arg;

    pass->count = bight_http_read(pass->response, pass->piece, PIECE_BYTES);
    return pass->count < 0 ? (int)pass->count : 0;
}

/* The next piece of the body, or none at its end. */
static int next_piece(struct pass *pass)
{
    pass->count = 0;
    if (is_early(pass))
        return 0;
    return bight_timeout(pass->events ? -1 : pass->proxy->options.silence_ms, read_piece, pass);
}

/* What is said of the body. */
static int look_at(struct pass *pass)
{
    pass->bytes = length_of(pass->response);
    pass->events = is_event_stream(pass->response);
    pass->piece = bight_exchange_keep(pass->exchange, PIECE_BYTES);
    return pass->piece ? 0 : BIGHT_ENOMEM;
}

/* Whether nobody knows when there will be a byte of the body, or an end. */
static bool is_open(const struct pass *pass)
{
    return pass->bytes < 0 || pass->events;
}

/* The head of the answer. Of an open one it goes out at once, and the server behind is let go as
 * soon as the client has ended its half. */
static int begin_answer(struct pass *pass)
{
    const struct bight_http_response *response = pass->response;
    struct bight_exchange *exchange = pass->exchange;
    struct fields fields;
    int rc = fields_of_response(&fields, exchange, response);

    if (rc == 0)
        rc = fields_downward(exchange, &fields, bight_http_response_version(response));
    if (rc == 0)
        rc = bight_exchange_begin(exchange, bight_http_response_status(response), pass->bytes);
    if (rc || !is_open(pass))
        return rc;
    rc = bight_exchange_cancel_on_end(exchange, true);
    return rc ? rc : bight_exchange_flush(exchange);
}

/* The body, of which there is a piece already if the answer is not open. */
static int pass_body(struct pass *pass)
{
    int code = is_open(pass) ? next_piece(pass) : 0;

    while (code == 0 && pass->count > 0) {
        int rc = bight_exchange_write(pass->exchange, pass->piece, (size_t)pass->count);

        if (rc)
            return rc;
        pass->passed += pass->count;
        code = next_piece(pass);
    }
    return code ? proxy_break_off(pass->exchange, pass->route, code, bight_strerror(code)) : 0;
}

/* One that is not open is begun when its first byte is there: until then it can be another. */
static int answer(struct pass *pass)
{
    int rc = look_at(pass);

    if (rc == 0 && !is_open(pass))
        rc = next_piece(pass);
    if (rc)
        return proxy_refuse(pass->exchange, pass->route, rc, bight_strerror(rc));
    rc = begin_answer(pass);
    if (rc == BIGHT_EPROTOCOL)
        return proxy_refuse(pass->exchange, pass->route, rc, "its answer has a malformed field");
    return rc ? rc : pass_body(pass);
}

static int ask(struct pass *pass)
{
    int rc = open_answer(pass);

    if (rc)
        return proxy_refuse(pass->exchange, pass->route, rc,
                            rc == BIGHT_ETIMEDOUT ? bight_strerror(rc) : pass->error.text);
    rc = answer(pass);
    bight_http_response_free(pass->response);
    return rc;
}

/* What is wrong with the body is what the client is told: its task's failure cancels the rest. */
static int ask_with_body(struct pass *pass)
{
    struct bight_group group;
    int rc = bight_group_begin(&group, 0);

    if (rc)
        return rc;
    rc = bight_group_spawn(NULL, &group, NULL, send_body, pass);
    if (rc == 0)
        rc = ask(pass);
    bight_scope_cancel(&group.scope);
    return bight_group_end(&group, rc);
}

int proxy_pass(struct bight_exchange *exchange, const struct proxy *proxy,
               const struct route *route)
{
    struct pass pass = {.exchange = exchange, .proxy = proxy, .route = route};
    int rc = prepare(&pass);

    if (rc)
        return rc;
    return pass.request.upload ? ask_with_body(&pass) : ask(&pass);
}
