/* See http_case.h. */
#include "tests/net/http/http_case.h"

struct http_server server, other;
struct bight_http_session *http_session;

void http_case_setup(void)
{
    http_server_start(&server);
    http_server_start(&other);
}

void http_case_teardown(void)
{
    http_server_stop(&server);
    http_server_stop(&other);
}

struct run {
    int (*fn)(struct bight_http_session *session);
    const struct bight_http_session_options *options;
};

static int run_main(void *arg)
{
    const struct run *run = arg;
    int fds, rc;

    /* libcurl and OpenSSL keep a few for good once they are initialised. */
    EXPECT(bight_http_session_new(&http_session, NULL) == 0);
    EXPECT(bight_http_session_end(http_session) == 0);
    fds = test_open_fds();
    EXPECT(bight_http_session_new(&http_session, run->options) == 0);
    rc = run->fn(http_session);
    if (http_session) {
        EXPECT(bight_http_session_end(http_session) == 0);
        ck_assert_int_eq(test_open_fds(), fds);
    }
    return rc;
}

static int nothing_main(void *arg)
{
    (void)arg;
    return 0;
}

void http_case_run_with(int (*fn)(struct bight_http_session *session),
                        const struct bight_http_session_options *options)
{
    struct run run = {fn, options};
    int fds;

    /* libuv's first loop leaves a pipe for good. */
    ck_assert_int_eq(bight_run(nothing_main, NULL), 0);
    fds = test_open_fds();

    ck_assert_int_eq(bight_run(run_main, &run), 0);
    ck_assert_int_eq(test_open_fds(), fds);
}

static int call_main(void *arg)
{
    struct http_case_call *call = arg;

    call->rc = call->stream
                   ? bight_http_open(&call->response, call->session, call->url, &call->request)
                   : bight_http_fetch(&call->response, call->session, call->url, &call->request);
    return 0;
}

void http_call_start(struct http_case_call *call, struct bight_http_session *session,
                     const char *url)
{
    call->session = session;
    call->url = url;
    call->request.error = &call->error;
    call->response = NULL;
    call->rc = 1;
    EXPECT(bight_spawn(&call->task, call_main, call) == 0);
}

int http_call_finish(struct http_case_call *call)
{
    EXPECT(bight_join(call->task, NULL) == 0);
    if (call->rc == 1)
        return BIGHT_ECANCELED; /* before its first step */
    EXPECT(call->error.code == call->rc);
    bight_http_response_free(call->response);
    call->response = NULL;
    return call->rc;
}

int http_try(struct bight_http_session *session, const char *url, struct bight_http_error *error)
{
    struct bight_http_request request = {.error = error};
    struct bight_http_response *response;
    int rc = bight_http_fetch(&response, session, url, &request);

    if (rc == 0)
        bight_http_response_free(response);
    return rc;
}

void http_expect(struct bight_http_session *session, const char *url, const char *body)
{
    struct bight_http_error error;
    struct bight_http_request request = {.error = &error};
    struct bight_http_response *response;
    size_t bytes;

    if (bight_http_fetch(&response, session, url, &request) < 0)
        ck_abort_msg("%s: %s", url, error.text);
    ck_assert_str_eq(bight_http_response_body(response, &bytes), body);
    ck_assert_uint_eq(bytes, strlen(body));
    bight_http_response_free(response);
}
