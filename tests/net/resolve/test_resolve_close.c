/* net/resolve/resolve.c, threads.c: what ends first, the resolver, a call, the runtime or a
 * thread's lookup. */
#include <sched.h>

#include "tests/net/resolve/resolve_held.h"

IN_TASK(closing_ends_the_waits_and_not_the_threads)
{
    struct bight_resolver_options options = {.max_threads = 1};
    struct call stuck, queued;

    make(&options);
    start(&stuck, "one.test");
    start(&queued, "two.test");
    sem_wait(&begun);
    bight_resolver_free(resolver);
    EXPECT(finish(&stuck) == BIGHT_ECLOSED);
    EXPECT(finish(&queued) == BIGHT_ECLOSED);
    sem_post(&go);
    return 0;
}

static int leave_stuck_main(void *arg)
{
    struct call *call = arg;

    make(NULL);
    start(call, "one.test");
    sem_wait(&begun);
    bight_resolver_free(resolver);
    return finish(call);
}

static void a_thread_may_outlive_the_runtime(void)
{
    static struct call call;
    ck_assert_int_eq(bight_run(leave_stuck_main, &call), BIGHT_ECLOSED);
    sem_post(&go);
}

static int read_main(void *arg)
{
    struct call *call = arg;

    /* One of the first 128 calls that need not wait lets others run. */
    do {
        call->rc = bight_resolve(resolver, "127.0.0.1", &call->result);
    } while (call->rc == 0);
    return 0;
}

IN_TASK(closing_while_a_call_yields)
{
    struct call call = {0};

    make(NULL);
    EXPECT(bight_spawn(&call.task, read_main, &call) == 0);
    EXPECT(bight_yield() == 0);
    bight_resolver_free(resolver);
    EXPECT(finish(&call) == BIGHT_ECLOSED);
    return 0;
}

static int leave_open_main(void *arg)
{
    struct call *call = arg;

    make(NULL);
    start(call, "one.test");
    sem_wait(&begun);
    bight_task_cancel(call->task);
    return finish(call) == BIGHT_ECANCELED ? 0 : call->rc;
}

static void a_resolver_may_outlive_the_runtime_and_its_lookups(void)
{
    static struct call call;
    struct bight_resolver_stats stats;

    ck_assert_int_eq(bight_run(leave_open_main, &call), 0);
    sem_post(&go);
    do {
        sched_yield();
        bight_resolver_get_stats(resolver, &stats);
    } while (stats.busy); /* its post has failed */
    bight_resolver_free(resolver);
}

static const struct suite_case cases[] = {
    plain_case(closing_ends_the_waits_and_not_the_threads),
    plain_case(a_thread_may_outlive_the_runtime),
    plain_case(closing_while_a_call_yields),
    plain_case(a_resolver_may_outlive_the_runtime_and_its_lookups),
};

test_suite("resolve close", cases, .setup = prepare);
