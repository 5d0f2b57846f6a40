/* Executors of own threads: how many threads there are, and what a call can know about its
 * caller. */
#include <sched.h>

#include <bight/threads.h>

#include "tests/conformance/conf_pool.h"

/* Let the loop run until a call has come so far. */
static void await_post(sem_t *sem)
{
    while (sem_trywait(sem))
        ck_ok(bight_sleep(1));
}

static uint64_t started(const struct bight_executor *threads)
{
    struct bight_executor_stats stats;

    ck_ok(bight_executor_get_stats(threads, &stats));
    return stats.started;
}

struct blocked {
    struct bight_executor *threads;
    sem_t begun;
    sem_t gate;
};

static int block(void *arg)
{
    struct blocked *blocked = arg;

    sem_post(&blocked->begun);
    sem_wait(&blocked->gate);
    return 0;
}

static int makes_blocked_call(void *arg)
{
    struct blocked *blocked = arg;

    return bight_threads_call(blocked->threads, block, blocked);
}

static int block_more_than_there_are(void *arg)
{
    struct blocked blocked;
    struct bight_group group;
    unsigned most;
    cpu_set_t set;

    (void)arg;
    ck_assert_int_eq(sched_getaffinity(0, sizeof set, &set), 0);
    most = (unsigned)CPU_COUNT(&set) + 4 < 32 ? (unsigned)CPU_COUNT(&set) + 4 : 32;
    ck_ok(bight_threads_new(&blocked.threads, NULL));
    sem_init(&blocked.begun, 0, 0);
    sem_init(&blocked.gate, 0, 0);
    ck_ok(bight_group_begin(&group, 0));
    for (unsigned i = 0; i < most + 3; i++)
        ck_ok(bight_group_spawn(NULL, &group, NULL, makes_blocked_call, &blocked));
    for (unsigned i = 0; i < most; i++)
        await_post(&blocked.begun);
    ck_assert_uint_eq(started(blocked.threads), most);
    for (unsigned i = 0; i < most + 3; i++)
        sem_post(&blocked.gate);
    ck_ok(bight_group_end(&group, 0));
    ck_assert_uint_eq(started(blocked.threads), most);
    ck_ok(bight_executor_end(blocked.threads));
    sem_destroy(&blocked.begun);
    sem_destroy(&blocked.gate);
    return 0;
}

static int quick(void *arg)
{
    (void)arg;
    return 0;
}

static int call_three_times(void *arg)
{
    struct bight_executor *threads;

    ck_ok(bight_threads_new(&threads, NULL));
    for (int i = 0; i < 3; i++) {
        ck_ok(bight_threads_call(threads, quick, arg));
        ck_ok(bight_sleep(20)); /* the thread is idle a moment after its call has ended */
    }
    /* One more may start where the thread is just about to take the call. */
    ck_assert_uint_lt(started(threads), 3);
    ck_ok(bight_executor_end(threads));
    return 0;
}

struct asked {
    struct bight_executor *threads;
    bool owned;
    bool before, after;
    sem_t begun;
    sem_t gate;
    sem_t ended;
};

static int ask_twice(void *arg)
{
    struct asked *asked = arg;

    asked->before = bight_threads_cancelled();
    sem_post(&asked->begun);
    sem_wait(&asked->gate);
    asked->after = bight_threads_cancelled();
    sem_post(&asked->ended);
    return asked->after ? BIGHT_ECANCELED : 0;
}

static int asks(void *arg)
{
    struct asked *asked = arg;

    return asked->owned ? bight_threads_call_owned(asked->threads, ask_twice, asked, NULL)
                        : bight_threads_call(asked->threads, ask_twice, asked);
}

static void ask(struct bight_executor *threads, bool owned, bool cancelled)
{
    struct asked asked = {.threads = threads, .owned = owned};
    struct bight_task *task;

    sem_init(&asked.begun, 0, 0);
    sem_init(&asked.gate, 0, 0);
    sem_init(&asked.ended, 0, 0);
    ck_ok(bight_spawn(&task, asks, &asked));
    await_post(&asked.begun);
    if (cancelled)
        bight_task_cancel(task);
    if (cancelled && owned) /* it does not wait for the call */
        conf_join(task, BIGHT_ECANCELED);
    else
        ck_ok(bight_yield());
    sem_post(&asked.gate);
    if (!cancelled || !owned)
        conf_join(task, cancelled ? BIGHT_ECANCELED : 0);
    await_post(&asked.ended);
    ck_assert(!asked.before);
    ck_assert(asked.after == cancelled);
}

static int ask_in_all_ways(void *arg)
{
    struct bight_executor *threads;

    (void)arg;
    ck_assert(!bight_threads_cancelled());
    ck_ok(bight_threads_new(&threads, NULL));
    for (int i = 0; i < 4; i++)
        ask(threads, i & 1, i & 2);
    ck_ok(bight_executor_end(threads));
    return 0;
}

static const struct suite_case cases[] = {
    conf_case(tpool_07_four_more_threads_than_processors_unless_told, block_more_than_there_are),
    conf_case(tpool_10_an_idle_thread_is_used_again, call_three_times),
    conf_case(wthread_05_a_call_can_ask_whether_its_caller_was_cancelled, ask_in_all_ways),
};

test_suite("executors of threads", cases);
