/* net/page: what the handlers answer to which request. */
#include <bight/metrics.h>
#include <bight/monitor_page.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/net/server/talk.h"

static struct bight_monitor_options few = {.tasks_max = 2};

static int page_of_few(struct bight_exchange *exchange, void *arg)
{
    (void)arg;
    return bight_monitor_page(exchange, &few);
}

static const char *ask(const char *method, const char *target, int status)
{
    char request[200];

    snprintf(request, sizeof(request), "%s %s HTTP/1.1\r\nHost: a\r\n\r\n", method, target);
    return talk_ask(request, status);
}

static void ck_has(const char *answer, const char *part)
{
    if (!strstr(answer, part))
        ck_abort_msg("no %s in %s", part, answer);
}

static void is_json(const char *answer)
{
    FILE *checker = popen("python3 -ISc 'import json, sys; json.load(sys.stdin)'", "w");

    ck_assert_ptr_nonnull(checker);
    fputs(strstr(answer, "\r\n\r\n") + 4, checker);
    ck_assert_int_eq(pclose(checker), 0);
}

static int parts(void *arg)
{
    static const char *const answers[] = {"ps", "pstree", "stats", "stacks"};
    char target[32];

    (void)arg;
    talk_begin(bight_monitor_page, NULL);
    ck_has(ask("GET", "/tasks", 200), "\r\nContent-Type: text/html; charset=utf-8\r\n");
    ck_has(ask("GET", "/tasks?", 200), "<!DOCTYPE html>");
    ck_has(ask("GET", "/tasks?script", 200),
           "\r\nContent-Type: text/javascript; charset=utf-8\r\n");
    ck_has(ask("GET", "/tasks?style", 200), "\r\nContent-Type: text/css; charset=utf-8\r\n");
    for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
        const char *answer;

        snprintf(target, sizeof(target), "/?%s", answers[i]);
        answer = ask("GET", target, 200);
        ck_has(answer, "\r\nContent-Type: application/json\r\n");
        is_json(answer);
    }
    return talk_end();
}

static int guarded(void *arg)
{
    static const char *const targets[] = {"/", "/?script", "/?ps", "/?metrics"};

    (void)arg;
    talk_begin(bight_monitor_page, NULL);
    for (size_t i = 0; i < sizeof(targets) / sizeof(*targets); i++) {
        const char *answer = ask("GET", targets[i], 200);

        ck_has(answer, "\r\nCache-Control: no-store\r\n");
        ck_has(answer, "\r\nContent-Security-Policy: default-src 'none'; ");
        ck_has(answer, "\r\nX-Content-Type-Options: nosniff\r\n");
    }
    return talk_end();
}

static int refused(void *arg)
{
    (void)arg;
    talk_begin(bight_monitor_page, NULL);
    ask("GET", "/?help", 404);
    ask("GET", "/?ps%20json", 404);
    ask("GET", "/?ps&x", 404);
    ck_has(ask("DELETE", "/?ps", 405), "\r\nAllow: GET, HEAD\r\n");
    ck_assert_ptr_null(strstr(ask("HEAD", "/", 200), "<!DOCTYPE"));
    return talk_end();
}

static int limited(void *arg)
{
    const char *answer;

    (void)arg;
    talk_begin(page_of_few, NULL);
    for (int i = 0; i < 3; i++)
        ck_ok(bight_spawn(NULL, world_forever, NULL));
    answer = ask("GET", "/?ps", 200);
    ck_has(answer, "{\"live\": 5, \"tasks\": [{\"id\": 1, ");
    ck_has(answer, "{\"id\": 2, ");
    ck_assert_ptr_null(strstr(answer, "{\"id\": 3, "));
    return talk_end();
}

static int metrics(void *arg)
{
    const char *answer;

    (void)arg;
    talk_begin(bight_metrics_answer, NULL);
    answer = ask("GET", "/metrics?anything", 200);
    ck_has(answer, "\r\nContent-Type: " BIGHT_METRICS_TYPE "\r\n");
    ck_has(answer, "\r\n\r\n# TYPE bight_tasks gauge\n");
    ck_assert_str_eq(answer + strlen(answer) - 7, "\n# EOF\n");
    return talk_end();
}

static const struct suite_case cases[] = {
    world_case(each_part_has_its_type, parts),
    world_case(nothing_is_stored_framed_or_mistaken, guarded),
    world_case(other_methods_and_queries_are_refused, refused),
    world_case(of_many_tasks_some_are_told, limited),
    world_case(a_collector_gets_the_metrics, metrics),
};

test_suite("page", cases);
