/* A runtime inside of somebody else's loop: tasks from the host's callbacks and calls back into the
 * host, nested use, detach while the host goes on, two threads, and a host that polls the loop's
 * descriptor by itself. test_drive.c has how long the loop lives. */
#include <errno.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <bight.h>
#include <bight/uv.h>

#include "tests/harness/suite.h"
#include "tests/harness/support.h"
#include "tests/harness/world.h"

#define TICKS 5

static int does_nothing(void *arg)
{
    (void)arg;
    return 0;
}

/* The program around: it has a ticker of its own. */
struct host {
    uv_loop_t loop;
    uv_timer_t ticker;
    struct bight_runtime *runtime;
    int ticks;
    int answered; /* callbacks that tasks have asked for */
    int begun;    /* tasks that have */
    int ended;    /* the same */
    int cancelled;
    int detached;
};

static void host_open(struct host *host)
{
    ck_ok(uv_loop_init(&host->loop));
    ck_ok(uv_timer_init(&host->loop, &host->ticker));
    host->loop.data = host;
    host->ticker.data = host;
}

static void host_close(struct host *host)
{
    uv_close((uv_handle_t *)&host->ticker, NULL);
    ck_assert_int_eq(uv_run(&host->loop, UV_RUN_DEFAULT), 0);
    ck_ok(uv_loop_close(&host->loop));
}

static void on_detached(void *arg)
{
    struct host *host = arg;

    ck_assert_ptr_null(bight_uv_loop());
    host->detached++;
}

/* Calls back into the host: a timer of the host's, started by a task that its callback wakes. */
struct call {
    uv_timer_t timer;
    struct bight_event done;
    struct host *host;
};

static void host_answers(uv_timer_t *timer)
{
    struct call *call = timer->data;

    ck_assert_ptr_null(bight_self()); /* this is the host's stack */
    call->host->answered++;
    bight_event_set(&call->done);
}

static int asks_host(void *arg)
{
    struct call call = {.host = arg};

    bight_event_init(&call.done);
    ck_ok(uv_timer_init(bight_uv_loop(), &call.timer));
    call.timer.data = &call;
    ck_ok(uv_timer_start(&call.timer, host_answers, 1, 0));
    ck_ok(bight_event_wait(&call.done));
    ck_ok(bight_uv_close((uv_handle_t *)&call.timer));
    call.host->ended++;
    return 0;
}

static void attaches_and_spawns(uv_timer_t *ticker)
{
    struct host *host = ticker->data;

    if (++host->ticks == 1)
        ck_ok(bight_attach(&host->runtime, &host->loop, NULL));
    ck_ok(bight_spawn(NULL, asks_host, host));
    if (host->ticks == TICKS)
        uv_timer_stop(ticker);
}

static void callbacks_start_tasks_and_tasks_call_back(void)
{
    struct host host = {0};
    int before;

    ck_ok(bight_run(does_nothing, NULL)); /* libuv's signal pipe stays */
    before = test_open_fds();
    host_open(&host);
    ck_ok(uv_timer_start(&host.ticker, attaches_and_spawns, 1, 1));
    ck_assert_int_eq(uv_run(&host.loop, UV_RUN_DEFAULT), 0);
    ck_assert_int_eq(host.ended, TICKS);
    ck_assert_int_eq(host.answered, TICKS);
    ck_ok(bight_detach(host.runtime, on_detached, &host));
    host_close(&host);
    ck_assert_int_eq(host.detached, 1);
    ck_assert_int_eq(test_open_fds(), before);
}

/* Nested */

static int uses_nested(void *arg)
{
    struct host *host = arg;
    struct bight_runtime *other;
    uv_loop_t loop;

    ck_code(bight_run(does_nothing, NULL), BIGHT_EALREADY);
    ck_code(bight_attach(&other, &host->loop, NULL), BIGHT_EALREADY);
    ck_ok(uv_loop_init(&loop));
    ck_code(bight_attach(&other, &loop, NULL), BIGHT_EALREADY);
    ck_ok(uv_loop_close(&loop));
    host->ended++;
    return 0;
}

static void nested_use_is_refused(void)
{
    struct host host = {0};

    host_open(&host);
    ck_ok(bight_attach(&host.runtime, &host.loop, NULL));
    (void)uses_nested(&host); /* between the host's callbacks */
    ck_ok(bight_spawn(NULL, uses_nested, &host));
    ck_assert_int_eq(uv_run(&host.loop, UV_RUN_DEFAULT), 0);
    ck_assert_int_eq(host.ended, 2);
    ck_ok(bight_detach(host.runtime, on_detached, &host));
    host_close(&host);
    ck_assert_int_eq(host.detached, 1);
}

/* Detach */

static int waits(void *arg)
{
    struct host *host = arg;
    int rc;

    host->begun++;
    rc = bight_sleep(-1);
    host->cancelled += rc == BIGHT_ECANCELED;
    host->ended++;
    return rc;
}

static void attaches_again(void *arg)
{
    struct host *host = arg;

    on_detached(host);
    if (host->detached == TICKS) {
        uv_timer_stop(&host->ticker);
        return;
    }
    ck_ok(bight_attach(&host->runtime, &host->loop, NULL)); /* the loop is in the midst of a turn */
    ck_ok(bight_spawn(NULL, waits, host));
}

static void detaches(uv_timer_t *ticker)
{
    struct host *host = ticker->data;

    host->ticks++;
    if (host->begun > host->detached) /* its task waits */
        ck_ok(bight_detach(host->runtime, attaches_again, host));
}

static void the_host_goes_on_when_live_tasks_are_detached_and_attaches_again(void)
{
    struct host host = {0};

    host_open(&host);
    ck_ok(bight_attach(&host.runtime, &host.loop, NULL));
    ck_ok(bight_spawn(NULL, waits, &host));
    ck_ok(uv_timer_start(&host.ticker, detaches, 1, 1));
    ck_assert_int_eq(uv_run(&host.loop, UV_RUN_DEFAULT), 0);
    ck_assert_int_eq(host.detached, TICKS);
    ck_assert_int_eq(host.ended, TICKS);
    ck_assert_int_eq(host.cancelled, TICKS);
    ck_assert_int_ge(host.ticks, TICKS);
    host_close(&host);
}

/* Threads */

static void *host_thread(void *arg)
{
    struct host *host = arg;

    host_open(host);
    ck_ok(uv_timer_start(&host->ticker, attaches_and_spawns, 1, 1));
    ck_assert_int_eq(uv_run(&host->loop, UV_RUN_DEFAULT), 0);
    ck_ok(bight_detach(host->runtime, on_detached, host));
    host_close(host);
    return NULL;
}

static void two_threads_have_a_runtime_each(void)
{
    static struct host hosts[2];
    pthread_t thread;

    ck_assert_int_eq(pthread_create(&thread, NULL, host_thread, &hosts[1]), 0);
    (void)host_thread(&hosts[0]);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(hosts[i].ended, TICKS);
        ck_assert_int_eq(hosts[i].detached, 1);
    }
}

/* A host with an epoll of its own, to which the loop's descriptor is one among others. */

static int naps_and_writes(void *arg)
{
    const int *ends = arg;

    ck_ok(bight_sleep(2));
    ck_assert_int_eq(write(ends[1], "x", 1), 1);
    return 0;
}

static int reads(void *arg)
{
    const int *ends = arg;
    char byte;

    ck_assert_int_eq(bight_fd_wait(ends[0], BIGHT_FD_READ), BIGHT_FD_READ);
    ck_assert_int_eq(read(ends[0], &byte, 1), 1);
    ck_ok(bight_offload(does_nothing, NULL)); /* a thread of the pool ends it */
    return 0;
}

static void poll_host(struct host *host)
{
    struct epoll_event event = {.events = EPOLLIN};
    int epoll = epoll_create1(EPOLL_CLOEXEC);

    ck_assert_int_ge(epoll, 0);
    ck_assert_int_eq(epoll_ctl(epoll, EPOLL_CTL_ADD, uv_backend_fd(&host->loop), &event), 0);
    while (uv_run(&host->loop, UV_RUN_NOWAIT)) {
        host->ticks++;
        uv_update_time(&host->loop);
        while (epoll_wait(epoll, &event, 1, uv_backend_timeout(&host->loop)) < 0)
            ck_assert_int_eq(errno, EINTR);
    }
    close(epoll);
}

static void a_host_may_poll_the_loop_by_itself(void)
{
    struct host host = {0};
    int ends[2];

    host_open(&host);
    ck_assert_int_eq(pipe(ends), 0);
    ck_ok(bight_attach(&host.runtime, &host.loop, NULL));
    ck_ok(bight_spawn(NULL, reads, ends));
    ck_ok(bight_spawn(NULL, naps_and_writes, ends));
    poll_host(&host);
    ck_assert_int_lt(host.ticks, 100); /* it slept, and did not turn all the time */
    ck_ok(bight_detach(host.runtime, on_detached, &host));
    poll_host(&host);
    ck_assert_int_eq(host.detached, 1);
    host_close(&host);
    close(ends[0]);
    close(ends[1]);
}

static const struct suite_case cases[] = {
    plain_case(callbacks_start_tasks_and_tasks_call_back),
    plain_case(nested_use_is_refused),
    plain_case(the_host_goes_on_when_live_tasks_are_detached_and_attaches_again),
    plain_case(two_threads_have_a_runtime_each),
    plain_case(a_host_may_poll_the_loop_by_itself),
};

test_suite("embedding", cases);
