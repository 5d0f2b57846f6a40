/* What the suites of the HTTP client share: tests that run in a task with a server at hand, and
 * that must leave no descriptor behind. */
#ifndef TESTS_NET_HTTP_HTTP_CASE_H
#define TESTS_NET_HTTP_HTTP_CASE_H

#include <bight.h>
#include <bight/http.h>
#include <string.h>

#include "tests/net/http/http_server.h"
#include "tests/harness/expect.h"
#include "tests/harness/suite.h"
#include "tests/harness/support.h"

/* The server of this test's process, and one more origin. */
extern struct http_server server, other;

/* Fixtures of a test case. */
void http_case_setup(void);
void http_case_teardown(void);

/* Run `fn` with a new session in a task of a new runtime; the session is closed afterwards
 * unless fn has set it to NULL, and all descriptors must be back. */
void http_case_run_with(int (*fn)(struct bight_http_session *session),
                        const struct bight_http_session_options *options);
/* The session of http_case_run_with; NULL: closed by the test. */
extern struct bight_http_session *http_session;

#define HTTP_TEST(name) HTTP_TEST_WITH(name, NULL)
#define HTTP_TEST_WITH(name, options)                                                              \
    static int name##_main(struct bight_http_session *session);                                    \
    static void name(void)                                                                         \
    {                                                                                              \
        http_case_run_with(name##_main, options);                                                  \
    }                                                                                              \
    static int name##_main(__attribute__((unused)) struct bight_http_session *session)

/* A request in a task of its own. */
struct http_case_call {
    struct bight_http_session *session;
    const char *url;
    struct bight_http_request request;
    struct bight_http_error error;
    struct bight_http_response *response;
    struct bight_task *task;
    bool stream;
    int rc;
};

void http_call_start(struct http_case_call *call, struct bight_http_session *session,
                     const char *url);
/* Join it, free its response; the code of the call. */
int http_call_finish(struct http_case_call *call);

/* GET and free; the code. Fills *error when it is not NULL. */
int http_try(struct bight_http_session *session, const char *url, struct bight_http_error *error);
/* GET; the body must be `body`. */
void http_expect(struct bight_http_session *session, const char *url, const char *body);

#endif
