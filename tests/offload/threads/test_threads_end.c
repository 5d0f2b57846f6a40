/* The end of an executor of threads, by its own call or with its runtime; other clocks, loops. */
#include <bight/uv.h>

#include <pthread.h>
#include <sched.h>

#include "tests/harness/expect.h"
#include "tests/harness/suite.h"
#include "tests/harness/support.h"
#include "tests/offload/threads/held.h"

static struct {
    struct bight_executor *executor;
    int rc;
    bool over;
} ender;

static int end_task(void *arg)
{
    (void)arg;
    ender.rc = bight_executor_end(ender.executor);
    ender.over = true;
    return 0;
}

/* It waits for what runs and for what waits, and takes no more. */
static int waits_for_calls(void *arg)
{
    struct bight_executor *threads = held_threads(1);
    struct held held, queued, refused;
    struct bight_task *task;

    (void)arg;
    ender.executor = threads;
    held_start_standing(&held, threads);
    held_start(&queued, threads, held_pass);
    ck_assert_int_eq(bight_spawn(&task, end_task, NULL), 0);
    held_turn();
    ck_assert(!ender.over);
    ck_assert_int_eq(bight_executor_end(threads), BIGHT_EALREADY);
    held_start(&refused, threads, held_pass);
    held_join(&refused);
    ck_assert_int_eq(refused.rc, BIGHT_ECLOSED);
    bight_task_cancel(task); /* it goes on */
    held_turn();
    ck_assert(!ender.over);
    held_open(&held);
    ck_assert_int_eq(bight_join(task, NULL), 0);
    ck_assert_int_eq(ender.rc, 0);
    held_join(&held);
    held_join(&queued);
    ck_assert_int_eq(held.rc, 17);
    ck_assert_int_eq(queued.rc, 1);
    return 0;
}

/* Withdrawing the last call is what lets the executor end. */
static int ends_when_withdrawn(void *arg)
{
    struct bight_executor *threads = held_threads(1);
    struct held held, queued;
    struct bight_task *task;

    (void)arg;
    ender.executor = threads;
    held_start_standing(&held, threads);
    held_start(&queued, threads, held_pass);
    ck_assert_int_eq(bight_spawn(&task, end_task, NULL), 0);
    held_open(&held);
    held_join(&held);
    if (!queued.ended)
        bight_scope_cancel(&queued.scope);
    held_join(&queued);
    ck_assert_int_eq(bight_join(task, NULL), 0);
    return ender.rc;
}

static int threads_now(void)
{
    char line[256];
    FILE *file = fopen("/proc/self/status", "r");
    int threads = 0;

    ck_assert_ptr_nonnull(file);
    while (fgets(line, sizeof(line), file))
        if (sscanf(line, "Threads: %d", &threads) == 1)
            break;
    fclose(file);
    return threads;
}

static int ends_idle(void *arg)
{
    int fds = test_open_fds();

    (void)arg;
    for (int i = 0; i < 20; i++) {
        struct bight_executor *threads = held_threads(4);
        struct held calls[4];

        for (int j = 0; j < i % 5 && j < 4; j++)
            held_start(&calls[j], threads, held_pass);
        for (int j = 0; j < i % 5 && j < 4; j++)
            held_join(&calls[j]);
        ck_assert_int_eq(bight_executor_end(threads), 0);
    }
    ck_assert_int_eq(test_open_fds(), fds);
    return 0;
}

static atomic_int torn_down;

static void teardown(void *local)
{
    (void)local;
    atomic_fetch_add(&torn_down, 1);
}

static const struct bight_threads_options kept = {
    .threads_most = 3, .threads_least = 3, .teardown = teardown};

static struct held left;

static void destroy(void *arg)
{
    atomic_fetch_add(&((struct held *)arg)->destroyed, 1);
}

static int leave_call(void *arg)
{
    struct held *held = arg;

    return bight_threads_call_owned(held->executor, held_stand, held, destroy);
}

static sem_t may_open;

static void *open_later(void *arg)
{
    while (sem_wait(&may_open))
        ;
    held_open(arg);
    return NULL;
}

/* The call is begun, its caller cancelled by the end of main, and the executor left open. */
static int leaves_open(void *arg)
{
    (void)arg;
    ck_assert_int_eq(bight_threads_new(&left.executor, &kept), 0);
    ck_assert_int_eq(bight_spawn(NULL, leave_call, &left), 0);
    ck_assert_int_eq(bight_yield(), 0);
    held_turn();
    while (!left.runs) /* the loop stands still: it is not handed back */
        sched_yield();
    sem_post(&may_open);
    return 0;
}

static void the_runtime_ends_with_an_executor_open(void)
{
    pthread_t opener;

    sem_init(&left.entered, 0, 0);
    sem_init(&left.gate, 0, 0);
    sem_init(&may_open, 0, 0);
    ck_assert_int_eq(pthread_create(&opener, NULL, open_later, &left), 0);
    ck_assert_int_eq(bight_run(leaves_open, NULL), 0);
    ck_assert_int_eq(left.runs, 1);
    ck_assert_int_eq(left.destroyed, 1);
    ck_assert_int_eq(torn_down, 3);
    ck_assert_int_eq(pthread_join(opener, NULL), 0);
}

/* Results come while the runtime ends: the post that brings them finds nobody. */
static int leaves_many(void *arg)
{
    struct bight_executor *threads;

    (void)arg;
    ck_assert_int_eq(bight_threads_new(&threads, &kept), 0);
    for (int i = 0; i < 20; i++) {
        static struct held calls[20];

        calls[i] = (struct held){.executor = threads};
        sem_init(&calls[i].entered, 0, 0);
        sem_init(&calls[i].gate, 0, 1);
        ck_assert_int_eq(bight_spawn(NULL, leave_call, &calls[i]), 0);
    }
    return bight_sleep(0);
}

static void runtimes_end_while_results_come(void)
{
    for (int i = 0; i < 50; i++)
        ck_assert_int_eq(bight_run(leaves_many, NULL), 0);
    ck_assert_int_eq(torn_down, 150);
}

static int first_run(void *arg)
{
    struct bight_executor **threads = arg;

    ck_assert_int_eq(bight_threads_new(threads, &kept), 0);
    return bight_threads_call(*threads, held_pass, &left);
}

static int second_run(void *arg)
{
    struct bight_executor **threads = arg;
    int rc = bight_threads_call(*threads, held_pass, &left);

    ck_assert_int_eq(bight_executor_end(*threads), 0);
    return rc;
}

static void an_executor_lasts_from_run_to_run(void)
{
    struct bight_executor *threads;
    struct bight_runner *runner;

    ck_assert_int_eq(bight_runner_open(&runner, NULL), 0);
    ck_assert_int_eq(bight_runner_run(runner, first_run, &threads), 1);
    ck_assert_int_eq(bight_runner_run(runner, second_run, &threads), 2);
    ck_assert_int_eq(bight_runner_run(runner, first_run, &threads), 3);
    ck_assert_int_eq(bight_runner_end(&runner), 0);
    ck_assert_int_eq(torn_down, 6);
}

/* An idle executor keeps neither the virtual clock nor the stall detection waiting; a call does. */
static int on_virtual_time(void *arg)
{
    struct bight_executor *threads = held_threads(1);
    struct held call;
    uint64_t begin_ns = bight_now_ns();

    (void)arg;
    held_start(&call, threads, held_pass);
    held_join(&call);
    ck_assert_uint_lt(bight_now_ns() - begin_ns, UINT64_C(60000000000));
    ck_assert_int_eq(bight_sleep(3600000), 0);
    ck_assert_int_eq(bight_executor_end(threads), 0);
    return 0;
}

static int run_virtually(int (*fn)(void *arg), void *arg)
{
    struct bight_test_options options = {.name = "threads"};

    return bight_test_run(&options, fn, arg, NULL);
}

static int stalls(void *arg)
{
    struct bight_executor *threads = held_threads(1);
    struct bight_event event;
    struct held call;

    (void)arg;
    held_start(&call, threads, held_pass);
    held_join(&call);
    bight_event_init(&event);
    return bight_event_wait(&event);
}

static int host_task(void *arg)
{
    struct bight_executor *threads = held_threads(1);
    struct held *call = arg;

    held_start(call, threads, held_pass);
    held_join(call);
    return bight_executor_end(threads);
}

static void on_a_hosts_loop(void)
{
    struct bight_runtime *runtime;
    struct held call = {0};
    uv_loop_t loop;

    ck_assert_int_eq(uv_loop_init(&loop), 0);
    ck_assert_int_eq(bight_attach(&runtime, &loop, NULL), 0);
    ck_assert_int_eq(bight_spawn(NULL, host_task, &call), 0);
    uv_run(&loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(call.rc, 1);
    ck_assert_int_eq(bight_detach(runtime, NULL, NULL), 0);
    uv_run(&loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
}

static void no_thread_is_left(void)
{
    int before = threads_now();

    ck_assert_int_eq(bight_run(ends_idle, NULL), 0);
    ck_assert_int_le(threads_now(), before + 1); /* the last one may still be on its way out */
}

static void outside_of_a_runtime_is_an_error(void)
{
    struct bight_executor *threads = NULL;

    ck_assert_int_eq(bight_threads_new(&threads, NULL), BIGHT_ENORUNTIME);
    ck_assert_ptr_null(threads);
}

static const struct suite_case cases[] = {
    body_case(it_waits_for_calls_and_takes_no_more, bight_run, waits_for_calls),
    body_case(it_ends_when_the_last_call_is_withdrawn, bight_run, ends_when_withdrawn),
    plain_case(no_thread_is_left),
    plain_case(the_runtime_ends_with_an_executor_open),
    plain_case(runtimes_end_while_results_come),
    plain_case(an_executor_lasts_from_run_to_run),
    body_case(an_idle_executor_lets_a_virtual_clock_go, run_virtually, on_virtual_time),
    body_case(an_idle_executor_hides_no_deadlock, bight_run, stalls, .code = BIGHT_ESTALLED),
    plain_case(on_a_hosts_loop),
    plain_case(outside_of_a_runtime_is_an_error),
};

test_suite("threads_end", cases);
