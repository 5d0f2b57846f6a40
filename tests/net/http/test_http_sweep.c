/* Every allocation of net/ fails in turn, alone and with all that follow, and every suspension is
 * cancelled in turn: each program below ends with BIGHT_ENOMEM or BIGHT_ECANCELED, or without an
 * error where it can do without, and leaves nothing open. LeakSanitizer sees what is left of
 * memory. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <bight/curl.h>
#ifdef BIGHT_HAVE_JANSSON
#include <bight/http_json.h>
#include <jansson.h>
#endif

#include "net/http/session.h"
#include "net/resolve/resolve.h"
#include "tests/net/http/coded_text.h"
#include "tests/net/http/http_case.h"
#include "tests/harness/sweep.h"
#include "tests/harness/sweep_programs.h"

/* More than a hash table has buckets at the start. */
#define MANY 70

/* Run `fn` with a session, which is closed in any case. */
static int with_session(const struct bight_http_session_options *options,
                        int (*fn)(struct bight_http_session *session))
{
    struct bight_http_session *session;
    int rc = bight_http_session_new(&session, options);

    if (rc < 0)
        return rc;
    rc = fn(session);
    int closed = bight_http_session_end(session);
    return rc < 0 ? rc : closed;
}

static int read_all(struct bight_http_response *response)
{
    char buffer[1000];
    int64_t got;

    do {
        got = bight_http_read(response, buffer, sizeof buffer);
    } while (got > 0);
    return (int)got;
}

static int look_up(void *arg, const char *host, struct bight_address *addresses, size_t *count)
{
    (void)arg;
    (void)host;
    addresses[0] = (struct bight_address){.family = 4, .bytes = {127, 0, 0, 1}};
    *count = 1;
    return 0;
}

/* A URL that libcurl is asked about, headers, a body, a name, a hop to another origin, a stream.
 * The first comes first, since the number of allocations for a stream depends on its pieces. */
static int requests_with(struct bight_http_session *session)
{
    static const char *const headers[] = {"X: 1", NULL};
    struct bight_http_request request = {
        .method = "POST", .headers = headers, .body = "x", .body_bytes = 1};
    struct bight_http_response *response;
    char path[100];
    int rc;

    bight__resolver_set_lookup(session->resolver, look_up, NULL);
    snprintf(path, sizeof path, "HTTP://127.0.0.1:%u/ok", other.port);
    rc = bight_http_fetch(&response, session, path, NULL);
    if (rc < 0)
        return rc;
    bight_http_response_free(response);
    snprintf(path, sizeof path, "/to/http://name.test:%u/bytes/40000", other.port);
    rc = bight_http_fetch(&response, session, http_server_url(&server, path), &request);
    if (rc < 0)
        return rc;
    bight_http_response_free(response);
    rc = bight_http_open(&response, session, http_server_url(&server, "/chunked/50000"), NULL);
    if (rc < 0)
        return rc;
    rc = read_all(response);
    bight_http_response_free(response);
    return rc;
}

/* Nothing comes, so that the number of allocations does not depend on when it does. */
static int save_with(struct bight_http_session *session)
{
    struct bight_http_response *response;
    char path[64];
    int64_t got;
    int rc = bight_http_open(&response, session, http_server_url(&server, "/bytes/0"), NULL);

    if (rc)
        return rc;
    snprintf(path, sizeof path, "/tmp/bight-sweep-%d", (int)getpid());
    got = bight_http_save(response, path, NULL);
    bight_http_response_free(response);
    (void)unlink(path);
    return got < 0 ? (int)got : 0;
}

static int save(void)
{
    return with_session(NULL, save_with);
}

static int requests(void)
{
    return with_session(NULL, requests_with);
}

/* What a session adds to its requests, and a request to its URL and its body. */
static int defaults_with(struct bight_http_session *session)
{
    static const struct bight_http_field fields[] = {{"a", "b c"}, {"d", NULL}, {NULL, NULL}};
    const struct bight_http_request request = {.method = "POST", .query = fields, .form = fields};
    struct bight_http_response *response;
    const char *text;
    int rc = bight_http_fetch(&response, session, "../bytes/100#x", &request);

    if (rc)
        return rc;
    rc = bight_http_response_text(response, &text, NULL);
    bight_http_response_free(response);
    return rc;
}

static int defaults(void)
{
    static const char *const headers[] = {"X: 1", "Y: 2", NULL};
    const struct bight_http_session_options options = {
        .headers = headers, .base_url = http_server_url(&server, "/v2/")};

    return with_session(&options, defaults_with);
}

static int get_main(void *arg)
{
    struct bight_http_response *response;
    int rc = bight_http_fetch(&response, arg, http_server_url(&server, "/bytes/20000"), NULL);

    if (rc == 0)
        bight_http_response_free(response);
    return rc;
}

/* Tasks that wait for the limits, in a group that fails with its first. */
static int crowd_with(struct bight_http_session *session)
{
    struct bight_group group;
    int rc = bight_group_begin(&group, 0);

    if (rc < 0)
        return rc;
    for (int i = 0; rc == 0 && i < 4; i++)
        rc = bight_group_spawn(NULL, &group, NULL, get_main, session);
    return bight_group_end(&group, rc);
}

static int crowd(void)
{
    static const struct bight_http_session_options two = {.max_total = 2, .max_per_host = 1};

    return with_session(&two, crowd_with);
}

struct sending {
    struct bight_http_upload upload;
    struct bight_group group;
};

/* If it is cancelled alone, nobody is left who would write. */
static int write_upload(void *arg)
{
    static const char piece[1000] = "abc";
    struct sending *sending = arg;
    int rc = bight_http_upload_write(&sending->upload, NULL, 0);

    for (int i = 0; i < 3 && rc == 0; i++)
        rc = bight_http_upload_write(&sending->upload, piece, sizeof piece);
    if (rc == 0)
        rc = bight_http_upload_close(&sending->upload);
    if (rc == BIGHT_ECANCELED)
        bight_scope_cancel(&sending->group.scope);
    return rc == BIGHT_EPIPE ? 0 : rc; /* the request says why */
}

/* A body that is written by another task. */
static int upload_with(struct bight_http_session *session)
{
    static const char *const headers[] = {"Expect:", NULL};
    struct sending sending;
    struct bight_http_request request = {
        .method = "PUT", .headers = headers, .upload = &sending.upload};
    struct bight_http_response *response;
    int rc = bight_group_begin(&sending.group, 0);

    if (rc < 0)
        return rc;
    bight_http_upload_init(&sending.upload, 3000);
    rc = bight_group_spawn(NULL, &sending.group, NULL, write_upload, &sending);
    if (rc == 0)
        rc = bight_http_fetch(&response, session, http_server_url(&server, "/echo"), &request);
    if (rc == 0)
        bight_http_response_free(response);
    return bight_group_end(&sending.group, rc);
}

static int upload(void)
{
    return with_session(NULL, upload_with);
}

static int64_t pour(void *arg, void *buffer, size_t bytes)
{
    size_t *left = arg;
    int rc = bight_checkpoint();

    if (rc)
        return rc;
    bytes = bytes < *left ? bytes : *left;
    memset(buffer, 'x', bytes);
    *left -= bytes;
    return (int64_t)bytes;
}

/* A body from a source. */
static int source_with(struct bight_http_session *session)
{
    static const char *const headers[] = {"Expect:", NULL};
    size_t left = 3000;
    const struct bight_http_source source = {pour, &left, 3000};
    const struct bight_http_request request = {
        .method = "PUT", .headers = headers, .source = &source};
    struct bight_http_response *response;
    int rc = bight_http_fetch(&response, session, http_server_url(&server, "/echo"), &request);

    if (rc == 0)
        bight_http_response_free(response);
    return rc;
}

static int source(void)
{
    return with_session(NULL, source_with);
}

/* A body of parts. */
static int parts_with(struct bight_http_session *session)
{
    static const char *const headers[] = {"Expect:", NULL};
    static const struct bight_http_part list[] = {
        {.name = "a\"b", .value = "c"}, {.name = "file", .path = "/etc/passwd"}, {.name = NULL}};
    const struct bight_http_request request = {.method = "POST", .headers = headers, .parts = list};
    struct bight_http_response *response;
    int rc = bight_http_fetch(&response, session, http_server_url(&server, "/echo"), &request);

    if (rc == 0)
        bight_http_response_free(response);
    return rc;
}

static int parts(void)
{
    return with_session(NULL, parts_with);
}

#ifdef BIGHT_HAVE_JANSSON
static int json_with(struct bight_http_session *session)
{
    json_t *list = json_pack("[i]", 1);
    struct bight_http_response *response;
    const char *url = http_server_url(&server, "/bytes/10");
    int rc = bight_http_fetch_json(&response, session, url, NULL, list);

    json_decref(list);
    if (rc == 0)
        bight_http_response_free(response);
    return rc;
}

static int json(void)
{
    return with_session(NULL, json_with);
}
#endif

/* Have the server say it, collected or read. */
static int get_coded(struct bight_http_session *session, const char *codings, const void *body,
                     size_t bytes, bool stream)
{
    char said[512];
    int head = snprintf(said, sizeof said,
                        "HTTP/1.1 200 OK\r\nContent-Encoding: %s\r\nContent-Length: %zu\r\n\r\n",
                        codings, bytes);
    const struct bight_http_request request = {
        .method = "POST", .body = said, .body_bytes = (size_t)head + bytes};
    struct bight_http_response *response;
    const char *url = http_server_url(&server, "/say");
    int rc;

    memcpy(said + head, body, bytes);
    rc = stream ? bight_http_open(&response, session, url, &request)
                : bight_http_fetch(&response, session, url, &request);
    if (rc < 0)
        return rc;
    rc = stream ? read_all(response) : 0;
    bight_http_response_free(response);
    return rc;
}

static int coded_with(struct bight_http_session *session)
{
    int rc = get_coded(session, "gzip, gzip", gzip_gzip_text, sizeof gzip_gzip_text, false);

    if (rc == 0)
        rc = get_coded(session, "br", br_text, sizeof br_text, true);
    return rc ? rc : get_coded(session, "zstd, identity", zstd_text, sizeof zstd_text, true);
}

static int coded(void)
{
    return with_session(NULL, coded_with);
}

static int refuse(void *arg, CURL *easy)
{
    (void)arg;
    (void)easy;
    return BIGHT_EPERM;
}

static int origins_with(struct bight_http_session *session)
{
    const struct bight_curl_hook hook = {refuse, NULL};
    struct bight_http_request request = {.curl = &hook};
    struct bight_http_response *response;
    char url[64];

    for (int i = 0; i < MANY; i++) {
        snprintf(url, sizeof url, "http://127.0.0.1:%d/", 1000 + i);
        int rc = bight_http_fetch(&response, session, url, &request);
        if (rc != BIGHT_EPERM)
            return rc;
    }
    return 0;
}

static int origins(void)
{
    return with_session(NULL, origins_with);
}

/* The port of a service, and the name of an address, which a system need not know. */
static int other_questions(struct bight_resolver *resolver)
{
    const struct bight_resolve_options options = {.service = "http", .fresh = true};
    const struct bight_address loopback = {.family = 4, .bytes = {127, 0, 0, 1}};
    struct bight_resolved_name named;
    struct bight_resolved result;
    int rc = bight_resolve_with(resolver, "name0.test", &options, &result);

    if (rc == 0 || rc == BIGHT_ERESOLVE)
        rc = bight_resolve_name(resolver, &loopback, &named);
    return rc == BIGHT_ERESOLVE ? 0 : rc;
}

static int names(void)
{
    const struct bight_resolver_options options = {.max_threads = 1};
    struct bight_resolver *resolver;
    struct bight_resolved result;
    char name[32];
    int rc = bight_resolver_new(&resolver, NULL);

    if (rc < 0)
        return rc;
    bight_resolver_free(resolver);
    rc = bight_resolver_new(&resolver, &options);
    if (rc < 0)
        return rc;
    bight__resolver_set_lookup(resolver, look_up, NULL);
    for (int i = 0; rc == 0 && i < MANY; i++) {
        snprintf(name, sizeof name, "name%d.test", i);
        rc = bight_resolve(resolver, name, &result);
    }
    if (rc == 0)
        rc = other_questions(resolver);
    bight_resolver_free(resolver);
    return rc;
}

const struct sweep_program sweep_programs[] = {
    {"requests", requests, 0}, {"crowd", crowd, 0},   {"coded", coded, 0},
    {"origins", origins, 0},   {"names", names, 0},   {"upload", upload, 0},
    {"defaults", defaults, 0}, {"source", source, 0}, {"parts", parts, 0},
    {"save", save, 0},
#ifdef BIGHT_HAVE_JANSSON
    {"json", json, 0},
#endif
};
const int sweep_programs_count = sizeof(sweep_programs) / sizeof(*sweep_programs);

static bool all_hit(void)
{
    static const char *const callees[] = {"bight__alloc", "bight__alloc_zero", NULL};
    static const char *const folders[] = {"net", NULL};

    return sweep_report(SWEEP_ONCE | SWEEP_FROM_THERE_ON, callees, folders);
}

static const struct suite_case cases[] = {
    SWEEP_PROGRAM_CASES,
};

test_suite("http_sweep", cases, .setup = http_case_setup, .teardown = http_case_teardown,
           .begin = sweep_share_sites, .holds = all_hit);
