/* net/http/methods.c: each call sends the method that it is named after, and no other. */
#include <string.h>

#include "coro/core/task.h"
#include "tests/net/http/http_case.h"

struct method {
    const char *name;
    int (*call)(struct bight_http_response **out, struct bight_http_session *session,
                const char *url, const struct bight_http_request *request);
};

static const struct method methods[] = {
    {"GET", bight_http_get}, {"HEAD", bight_http_head},   {"POST", bight_http_post},
    {"PUT", bight_http_put}, {"PATCH", bight_http_patch}, {"DELETE", bight_http_delete},
};

enum { METHODS = sizeof methods / sizeof methods[0] };

/* The server answers HEAD with a length and no body, and every other method with what it was
 * sent. */
static void expect_method(struct bight_http_session *session, const struct method *method,
                          const struct bight_http_request *request)
{
    struct bight_http_response *response;
    const char *url = http_server_url(&server, "/echo");
    size_t name = strlen(method->name);

    EXPECT(method->call(&response, session, url, request) == 0);
    EXPECT(bight_http_response_status(response) == 200);
    const char *body = bight_http_response_body(response, NULL);
    if (!strcmp(method->name, "HEAD"))
        EXPECT(!strcmp(bight_http_response_header(response, "content-length"), "12345") && !*body);
    else
        EXPECT(!strncmp(body, method->name, name) && !strncmp(body + name, " /echo ", 7));
    bight_http_response_free(response);
}

HTTP_TEST(each_call_sends_its_method)
{
    for (int i = 0; i < METHODS; i++) {
        struct bight_http_request request = {.method = methods[i].name};
        expect_method(session, &methods[i], NULL);
        expect_method(session, &methods[i], &request);
        EXPECT(request.method == methods[i].name);
    }
    return 0;
}

HTTP_TEST(a_request_keeps_what_else_it_says)
{
    static const char *const headers[] = {"X-Kept: 1", NULL};
    struct bight_http_error error = {.code = 1};
    struct bight_http_request request = {
        .headers = headers, .body = "abc", .body_bytes = 3, .error = &error};

    for (int i = 2; i < METHODS; i++) {
        struct bight_http_response *response;
        const char *url = http_server_url(&server, "/echo");
        EXPECT(methods[i].call(&response, session, url, &request) == 0);
        EXPECT(error.kind == BIGHT_HTTP_OK && !request.method);
        EXPECT(strstr(bight_http_response_body(response, NULL), "X-Kept: 1\r\n"));
        EXPECT(strstr(bight_http_response_body(response, NULL), "Content-Length: 3\r\n"));
        bight_http_response_free(response);
    }
    return 0;
}

HTTP_TEST(a_request_with_another_method_is_invalid)
{
    struct bight_http_response *const untouched = (struct bight_http_response *)(void *)session;

    for (int i = 0; i < METHODS; i++) {
        struct bight_http_error error;
        struct bight_http_request request = {.method = methods[(i + 1) % METHODS].name,
                                             .error = &error};
        struct bight_http_response *response = untouched;
        EXPECT(methods[i].call(&response, session, "http://127.0.0.1:9/", &request) ==
               BIGHT_EINVAL);
        EXPECT(error.kind == BIGHT_HTTP_REQUEST && error.code == BIGHT_EINVAL && *error.text);
        EXPECT(response == untouched);
        request.error = NULL;
        EXPECT(methods[i].call(&response, session, "http://127.0.0.1:9/", &request) ==
               BIGHT_EINVAL);
    }
    return 0;
}

struct silent_call {
    const struct method *method;
    struct bight_http_session *session;
    int rc;
};

static int silent_main(void *arg)
{
    struct silent_call *silent = arg;
    struct bight_http_response *response;

    silent->rc =
        silent->method->call(&response, silent->session, http_server_url(&server, "/silent"), NULL);
    return 0;
}

HTTP_TEST(each_call_can_be_cancelled)
{
    for (int i = 0; i < METHODS; i++) {
        struct silent_call silent = {&methods[i], session, 1};
        struct bight_task *task;
        EXPECT(bight_spawn(&task, silent_main, &silent) == 0);
        while (!task->parked)
            EXPECT(bight_yield() == 0);
        EXPECT(bight_task_cancel(task));
        EXPECT(bight_join(task, NULL) == 0);
        EXPECT(silent.rc == BIGHT_ECANCELED);
    }
    return 0;
}

static const struct suite_case cases[] = {
    plain_case(each_call_sends_its_method),
    plain_case(a_request_keeps_what_else_it_says),
    plain_case(a_request_with_another_method_is_invalid),
    plain_case(each_call_can_be_cancelled),
};

test_suite("http_methods", cases, .setup = http_case_setup, .teardown = http_case_teardown);
