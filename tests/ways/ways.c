/* See ways.h: the ways that have no file of their own, and the table of tables of the layers below
 * the HTTP server and client. In the order of docs/waiting.md. */
#include "tests/ways/ways.h"

#include <check.h>
#include <sched.h>
#include <signal.h>
#include <string.h>

#include "coro/core/task.h"

/* Groups: the seat opens one, and the task in it waits for the event. */

static int wait_event(void *arg)
{
    struct stage *stage = arg;

    return bight_event_wait(&stage->event);
}

static void event_open(struct stage *stage)
{
    bight_event_init(&stage->event);
}

static void event_wake(struct stage *stage)
{
    bight_event_set(&stage->event);
}

static void event_close(struct stage *stage)
{
    ck_assert(link_empty(&stage->event.waiters));
}

static int group_body(struct bight_group *group, void *arg)
{
    struct stage *stage = arg;

    ck_assert_int_eq(bight_group_spawn(NULL, group, NULL, wait_event, stage), 0);
    stage->no_memory = true;
    return 0;
}

static int group_wait(struct seat *seat)
{
    return bight_group_run(group_body, seat->stage);
}

static int group_end_wait(struct seat *seat)
{
    ck_assert_int_eq(bight_group_begin(&seat->group, 0), 0);
    ck_assert_int_eq(group_body(&seat->group, seat->stage), 0);
    return bight_group_end(&seat->group, 0);
}

/* Scopes: what is waited for inside is the event. */

static int timeout_wait(struct seat *seat)
{
    seat->stage->no_memory = true;
    return bight_timeout(60000, wait_event, seat->stage);
}

static int shield_wait(struct seat *seat)
{
    seat->stage->no_memory = true;
    return bight_shield(-1, wait_event, seat->stage);
}

/* Signals */

static void signal_open(struct stage *stage)
{
    ck_assert_int_eq(bight_signal_open(&stage->signal, SIGUSR1), 0);
}

static int signal_wait(struct seat *seat)
{
    seat->stage->no_memory = true;
    return bight_signal_wait(seat->stage->signal);
}

static int signal_case_wait(struct seat *seat)
{
    struct bight_case cases[2];
    int rc;

    bight_case_signal(&cases[0], seat->stage->signal);
    bight_case_sleep(&cases[1], -1);
    rc = bight_select(cases, 2, 0);
    if (rc == 0)
        ck_assert_int_eq(cases[0].status, 1);
    return rc;
}

static void signal_wake(struct stage *stage)
{
    (void)stage;
    raise(SIGUSR1);
}

/* What arrived and nobody was told is still there. */
static void signal_close(struct stage *stage)
{
    if (stage->given > stage->taken)
        ck_assert_int_eq(bight_signal_wait(stage->signal), (int)(stage->given - stage->taken));
    bight_signal_end(stage->signal);
}

/* Mutex and event: main holds the mutex. */

static void mutex_open(struct stage *stage)
{
    bight_mutex_init(&stage->mutex);
    ck_assert_int_eq(bight_mutex_try_lock(&stage->mutex), 0);
}

static int mutex_wait(struct seat *seat)
{
    seat->stage->no_memory = true;
    return bight_mutex_lock(&seat->stage->mutex);
}

static void mutex_wake(struct stage *stage)
{
    if (stage->given == 1)
        ck_assert_int_eq(bight_mutex_unlock(&stage->mutex), 0);
}

static void mutex_leave(struct seat *seat)
{
    ck_assert_int_eq(bight_mutex_unlock(&seat->stage->mutex), 0);
}

static void mutex_close(struct stage *stage)
{
    ck_assert_int_eq(bight_mutex_try_lock(&stage->mutex), stage->given ? 0 : BIGHT_EDEADLK);
    ck_assert_int_eq(bight_mutex_unlock(&stage->mutex), 0);
}

static int event_wait(struct seat *seat)
{
    seat->stage->no_memory = true;
    return bight_event_wait(&seat->stage->event);
}

/* Join: the child waits for the event. */

static void join_open(struct stage *stage)
{
    event_open(stage);
    ck_assert_int_eq(bight_spawn(&stage->child, wait_event, stage), 0);
}

static int join_wait(struct seat *seat)
{
    int status = 1;

    seat->stage->no_memory = true;
    int rc = bight_join(seat->stage->child, &status);
    ck_assert_int_eq(status, rc ? 1 : 0);
    return rc;
}

static int join_result_wait(struct seat *seat)
{
    struct bight_task_result result = {.status = 1};

    seat->stage->no_memory = true;
    int rc = bight_join_result(seat->stage->child, &result);
    ck_assert_int_eq(result.status, rc ? 1 : 0);
    return rc;
}

static void join_close(struct stage *stage)
{
    if (stage->taken)
        return;
    event_wake(stage);
    ck_assert_int_eq(bight_join(stage->child, NULL), 0); /* the handle is as good as before */
}

/* Sleep: what is given is time. */

static void nothing(struct stage *stage)
{
    (void)stage;
}

static int sleep_wait(struct seat *seat)
{
    seat->stage->no_memory = true;
    return bight_sleep(SLEEP_MS);
}

static void sleep_wake(struct stage *stage)
{
    ck_assert_int_eq(bight_test_clock_advance(stage->test.clock, SLEEP_MS), 0);
}

/* libuv: work in a thread that cannot be cancelled any more, and a handle that is closed. */

static void work_open(struct stage *stage)
{
    ck_assert_int_eq(sem_init(&stage->finish, 0, 0), 0);
    atomic_init(&stage->begun, false);
}

static void work(uv_work_t *req)
{
    struct stage *stage = container_of(req, struct stage, req.u.work);

    atomic_store(&stage->begun, true);
    while (sem_wait(&stage->finish))
        ;
}

static int await_wait(struct seat *seat)
{
    struct bight_uv_req *req = &seat->stage->req;
    int rc = bight_uv_req_init(req);

    if (rc)
        return rc;
    ck_assert_int_eq(uv_queue_work(bight_uv_loop(), &req->u.work, work, bight_uv_on_work), 0);
    /* Once it runs libuv cannot cancel it. The loop has to stand still until then. */
    while (!atomic_load(&seat->stage->begun))
        sched_yield();
    seat->stage->no_memory = true;
    return (int)bight_uv_await(req);
}

static void work_wake(struct stage *stage)
{
    sem_post(&stage->finish);
}

static void work_close(struct stage *stage)
{
    sem_destroy(&stage->finish);
}

static void close_open(struct stage *stage)
{
    uv_timer_init(bight_uv_loop(), &stage->timer);
}

static int close_wait(struct seat *seat)
{
    seat->stage->no_memory = true;
    return bight_uv_close((uv_handle_t *)&seat->stage->timer);
}

/* Park: a source that hands out the number 7, with a hook that lets go, and without. */

static int unlink_waiter(struct bight_waiter *waiter)
{
    link_remove(&waiter->link);
    return 0;
}

static const struct bight_waiter_ops polite_ops = {.name = "seven", .abort = unlink_waiter};
static const struct bight_waiter_ops stubborn_ops = {.name = "seven, in any case"};

/* The event's list is as good as another. */
static int park_with(struct seat *seat, const struct bight_waiter_ops *ops)
{
    struct bight_waiter waiter;

    seat->stage->no_memory = true;
    ck_assert_int_eq(bight_waiter_init(&waiter, ops), 0);
    link_append(&seat->stage->event.waiters, &waiter.link);
    return bight_park(&waiter);
}

static int polite_wait(struct seat *seat)
{
    return park_with(seat, &polite_ops);
}

static int stubborn_wait(struct seat *seat)
{
    return park_with(seat, &stubborn_ops);
}

static void park_wake(struct stage *stage)
{
    struct bight_link *link;

    while ((link = link_take(&stage->event.waiters))) {
        if (bight_unpark(container_of(link, struct bight_waiter, link), 7))
            return;
    }
}

/* call, seats, woken, lets_go, flags, open, wait, wake, leave, close */
static const struct way basic_ways[] = {
    {"bight_group_run", 1, 0, true, WAY_DRAINS_ON, event_open, group_wait, event_wake, NULL,
     event_close},
    {"bight_group_end", 1, 0, true, WAY_DRAINS_ON, event_open, group_end_wait, event_wake, NULL,
     event_close},
    {"bight_timeout", 2, 0, true, WAY_DRAINS_ON, event_open, timeout_wait, event_wake, NULL,
     event_close},
    {"bight_shield", 2, 0, false, 0, event_open, shield_wait, event_wake, NULL, event_close},
    {"bight_signal_wait", 1, 1, true, 0, signal_open, signal_wait, signal_wake, NULL, signal_close},
    {"bight_select", 1, 0, true, 0, signal_open, signal_case_wait, signal_wake, NULL, signal_close},
    {"bight_mutex_lock", 2, 0, true, 0, mutex_open, mutex_wait, mutex_wake, mutex_leave,
     mutex_close},
    {"bight_event_wait", 2, 0, true, 0, event_open, event_wait, event_wake, NULL, event_close},
    {"bight_join", 1, 0, true, 0, join_open, join_wait, event_wake, NULL, join_close},
    {"bight_join_result", 1, 0, true, 0, join_open, join_result_wait, event_wake, NULL, join_close},
    {"bight_sleep", 1, 0, true, 0, nothing, sleep_wait, sleep_wake, NULL, nothing},
    {"bight_uv_await", 1, 0, false, 0, work_open, await_wait, work_wake, NULL, work_close},
    {"bight_uv_close", 1, 0, false, WAY_BY_ITSELF, close_open, close_wait, nothing, NULL, nothing},
    {"bight_park", 2, 7, true, 0, event_open, polite_wait, park_wake, NULL, event_close},
    {"bight_park", 2, 7, false, 0, event_open, stubborn_wait, park_wake, NULL, event_close},
};

const struct way_table basic_way_table = {basic_ways, sizeof(basic_ways) / sizeof(basic_ways[0])};

/* One line per file of ways. */
/* clang-format off */
static const struct way_table *const tables[] = {
    &basic_way_table,
    &combine_way_table,
    &file_way_table,
    &net_way_table,
    &offload_way_table,
    &pass_way_table,
    &process_way_table,
    &queue_way_table, &select_way_table,
    &service_way_table,
    &shared_way_table,
    &stream_way_table,
    &sync_way_table,
    &task_way_table,
    &testing_way_table,
    &thread_way_table,
    &time_way_table,
    &udp_way_table,
};
/* clang-format on */

const int way_table_count = sizeof(tables) / sizeof(tables[0]);

const struct way_table *way_table_at(int index)
{
    return tables[index];
}

/* Those of the other layers: server and websocket have programs like this one, the rest has suites
 * of its own. */
bool ways_have_header(const char *header)
{
    static const char *const others[] = {
        "events",         "executor",  "form",    "http",      "http_json", "monitor_page",
        "job_process",    "multipart", "offload", "resolve",   "router",    "server",
        "server_testing", "static",    "tls",     "websocket", "workers"};

    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (strcmp(others[i], header) == 0)
            return false;
    return true;
}
