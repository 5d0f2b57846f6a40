/* The page of tasks as somebody sees it in Chromium. LOOK is the path of look.py; with
 * BIGHT_SCREENSHOT=FILE in the environment a picture of it is kept there. */
#include <bight.h>
#include <bight/monitor_page.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness/browser.h"
#include "tests/harness/suite.h"
#include "tests/harness/world.h"

/* Longer than what the loop does besides, such as starting a process under a sanitizer. */
#define KEPT_NS 300000000

/* Tasks to be seen */

static struct bight_mutex mutex;
static struct bight_event never;

static void spawn(const char *name, int (*fn)(void *arg), void *arg)
{
    ck_ok(bight_spawn_with(NULL, &(struct bight_spawn_options){.name = name}, fn, arg));
}

static int waits(void *arg)
{
    (void)arg;
    return bight_event_wait(&never);
}

static int holds(void *arg)
{
    int rc = bight_mutex_lock(&mutex);

    (void)arg;
    if (rc)
        return rc;
    rc = bight_event_wait(&never);
    bight_mutex_unlock(&mutex);
    return rc;
}

static int wants(void *arg)
{
    int rc = bight_mutex_lock(&mutex);

    (void)arg;
    if (rc == 0)
        bight_mutex_unlock(&mutex);
    return rc;
}

static int has_children(void *arg)
{
    static const char *const names[] = {"client 192.0.2.7", "<b>bold</b>",
                                        "<img src=x onerror=harmed=1>"};
    struct bight_group group;
    int rc = bight_group_begin(&group, 0);

    (void)arg;
    for (size_t i = 0; rc == 0 && i < sizeof(names) / sizeof(*names); i++)
        rc = bight_group_spawn(NULL, &group, &(struct bight_spawn_options){.name = names[i]}, waits,
                               NULL);
    return bight_group_end(&group, rc);
}

static int keeps_the_loop(void *arg)
{
    uint64_t until_ns = bight_now_ns() + KEPT_NS;

    (void)arg;
    while (bight_now_ns() < until_ns)
        continue;
    return bight_event_wait(&never);
}

static int serves(void *listener)
{
    return bight_http_serve(listener, bight_monitor_page, NULL, NULL);
}

static const char *const expected[] = {
    "#1 main | waiting | process ",
    "\n#2 page | ",
    "\n#3 holds | waiting | event (holder)\n",
    "\n#4 wants | waiting | mutex (held by #3 holds)\n",
    "\n#5 requests | waiting | end of group",
    "\n  #9 client 192.0.2.7 | waiting | event\n",
    "\n  #10 <b>bold</b> | waiting | event\n",
    "\n  #11 <img src=x onerror=harmed=1> | waiting | event\n",
    "\n#6 reindex | waiting | event\n",
    "\nlinks #task-3\n",
    " mutex=1 ",
    "\nturns 1 #6 reindex\n",
    "\nexecutor 1 threads 0 2\n",
    "\nmarkup 0 undefined\n",
    "\nagain answered\n",
    NULL,
};

static void compare(const char *said)
{
    const char *at = said;

    for (const char *const *part = expected; *part; part++) {
        at = strstr(at, *part);
        if (!at)
            ck_abort_msg("no \"%s\" in its place in:\n%s", *part, said);
        at += strlen(*part) - (strchr(*part, '\n') != strrchr(*part, '\n'));
    }
}

static void look_at(uint16_t port)
{
    char url[64];
    const char *argv[] = {BROWSER_PYTHON, "-B", LOOK, url, getenv("BIGHT_SCREENSHOT"), NULL};
    struct bight_process_result result;

    snprintf(url, sizeof(url), "http://127.0.0.1:%u/tasks", (unsigned)port);
    ck_ok(bight_process_run(&result, &(struct bight_process_options){.argv = argv}, NULL));
    ck_assert_msg(result.status.code == 0, "%s", result.error);
    compare(result.output);
    bight_process_result_free(&result);
}

static int is_seen(void *arg)
{
    struct bight_executor *executor;
    struct bight_listener *listener;
    struct bight_address address;

    (void)arg;
    bight_mutex_init(&mutex);
    bight_event_init(&never);
    ck_ok(bight_runtime_set_measuring(true));
    ck_ok(bight_threads_new(&executor, &(struct bight_threads_options){.threads_most = 2}));
    ck_ok(bight_tcp_listen(&listener, "127.0.0.1", 0, NULL));
    ck_ok(bight_listener_address(listener, &address));
    spawn("page", serves, listener);
    spawn("holds", holds, NULL);
    spawn("wants", wants, NULL);
    spawn("requests", has_children, NULL);
    spawn("reindex", keeps_the_loop, NULL);
    look_at(address.port);
    ck_ok(bight_listener_close(listener));
    return bight_executor_end(executor);
}

static void the_page_shows_who_waits_for_whom(void)
{
    ck_ok(bight_run(is_seen, NULL));
}

static const struct suite_case cases[] = {
    plain_case(the_page_shows_who_waits_for_whom),
};

test_suite("page browser", cases, .begin = browser_needed);
