/* net/resolve/resolve.c, threads.c: what ends first, the resolver, a call, the runtime or a
 * thread's lookup. */
#include <sched.h>
#include <stdio.h>

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

#define CALLS 8

/* The numbers of the calls, in the order in which the resolver's end woke them. */
struct order {
    char text[CALLS + 1];
    size_t count;
};

struct caller {
    struct order *order;
    char host[24];
};

static int note_end_main(void *arg)
{
    struct caller *caller = arg;
    struct bight_resolved result;
    int rc = bight_resolve(resolver, caller->host, &result);

    caller->order->text[caller->order->count++] = caller->host[0];
    return rc == BIGHT_ECLOSED ? 0 : BIGHT_EINVAL;
}

static int close_on_many_main(void *arg)
{
    struct bight_resolver_options options = {.max_threads = 1};
    struct caller callers[CALLS];
    struct bight_group group;

    make(&options);
    EXPECT(bight_group_begin(&group, 0) == 0);
    for (int i = 0; i < CALLS; i++) {
        callers[i] = (struct caller){.order = arg};
        snprintf(callers[i].host, sizeof callers[i].host, "%d.test", i);
        EXPECT(bight_group_spawn(NULL, &group, NULL, note_end_main, &callers[i]) == 0);
    }
    EXPECT(bight_test_settle(0) == 0);
    sem_wait(&begun);
    bight_resolver_free(resolver);
    return bight_group_end(&group, 0);
}

/* The lookup of the run that is over; not that of the next one. */
static void let_go(void)
{
    int left;

    sem_post(&go);
    do {
        sched_yield();
        sem_getvalue(&go, &left);
    } while (left);
}

/* In the order of a hash table, which has a number of its own outside of tests. */
static void one_seed_ends_the_waits_in_one_order(void)
{
    char before[CALLS + 1] = "";
    int orders = 0;

    for (uint64_t seed = 1; seed < 9; seed++) {
        const struct bight_test_options options = {.seed = seed};
        struct order orders_of[2] = {0};

        for (int i = 0; i < 2; i++) {
            ck_assert_int_eq(bight_test_run(&options, close_on_many_main, &orders_of[i], NULL), 0);
            let_go();
            ck_assert_uint_eq(orders_of[i].count, CALLS);
        }
        ck_assert_str_eq(orders_of[0].text, orders_of[1].text);
        orders += strcmp(before, orders_of[0].text) != 0;
        strcpy(before, orders_of[0].text);
    }
    ck_assert_int_gt(orders, 1);
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
    plain_case(one_seed_ends_the_waits_in_one_order),
    plain_case(a_resolver_may_outlive_the_runtime_and_its_lookups),
};

test_suite("resolve close", cases, .setup = prepare);
