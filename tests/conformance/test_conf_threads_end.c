/* The end of a runtime, of a process and of a fork, with calls in the pool of threads. */
#include "tests/conformance/conf_pool.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

struct ending_call {
    sem_t begun;
    atomic_int runs;
    atomic_bool ended;
};

static int takes_50_ms(void *arg)
{
    struct ending_call *call = arg;

    call->runs++;
    sem_post(&call->begun);
    usleep(50000);
    call->ended = true;
    return 0;
}

static int makes_call(void *arg)
{
    return bight_offload(takes_50_ms, arg);
}

static int cancels_and_ends(void *arg)
{
    struct ending_call *call = arg;
    struct bight_task *task;

    ck_ok(bight_spawn(&task, makes_call, call));
    ck_ok(bight_yield());
    sem_wait(&call->begun);
    bight_task_cancel(task);
    return bight_task_detach(task);
}

static void exec_02_the_run_outlives_a_cancelled_call_so_nothing_reaches_back(void)
{
    struct ending_call call = {.runs = 0};

    sem_init(&call.begun, 0, 0);
    ck_ok(world_run(cancels_and_ends, &call, NULL));
    ck_assert(call.ended);
    ck_assert_int_eq(call.runs, 1);
}

/* Nobody waits for the tasks. The pool has one thread: the first call has begun, the second has
 * not. */
static int hands_in_and_ends(void *arg)
{
    struct ending_call *calls = arg;

    for (int i = 0; i < 2; i++) {
        ck_ok(bight_spawn(NULL, makes_call, &calls[i]));
        ck_ok(bight_yield());
    }
    sem_wait(&calls[0].begun);
    return 0;
}

/* Nothing is reported, and the run ends after its calls. */
static void run_and_end(struct ending_call *calls)
{
    sem_init(&calls[0].begun, 0, 0);
    sem_init(&calls[1].begun, 0, 0);
    ck_ok(world_run(hands_in_and_ends, calls, NULL));
}

static int give_4(void *arg)
{
    (void)arg;
    return 4;
}

static int call_once(void *arg)
{
    (void)arg;
    return bight_offload(give_4, NULL);
}

static void xshut_02_a_call_that_runs_is_awaited_at_the_end(void)
{
    struct ending_call calls[2] = {{.runs = 0}};

    run_and_end(calls);
    ck_assert(calls[0].ended);
}

static void xshut_06_at_the_end_a_call_is_made_in_full_or_not_at_all(void)
{
    struct ending_call calls[2] = {{.runs = 0}};

    run_and_end(calls);
    ck_assert(calls[0].ended && calls[0].runs == 1);
    ck_assert(!calls[1].ended && calls[1].runs == 0);
    ck_assert_int_eq(world_run(call_once, NULL, NULL), 4); /* the thread has nothing else left */
    ck_assert_int_eq(calls[1].runs, 0);
}

/* Forks. Check's asserts have a lock of Check's, which the other thread may hold at the fork. */

/* The allocator of gcc 12's AddressSanitizer has locks that nobody releases in a child: one that
 * meets such a lock, as one in a hundred does, is ended and not counted. */
#ifdef BIGHT_ASAN
#define FORKS 8
#define FORKS_THAT_COUNT 1
#define MAY_HANG_S 10
#else
#define FORKS 50
#define FORKS_THAT_COUNT FORKS
#define MAY_HANG_S 0
#endif

static atomic_bool forks_over;

static int calls_on(void *arg)
{
    (void)arg;
    while (!forks_over)
        EXPECT(bight_offload(give_4, NULL) == 4);
    return 0;
}

static void *runs_on(void *arg)
{
    EXPECT(bight_run(calls_on, NULL) == 0);
    return arg;
}

static void tpool_14_processes_forked_beside_a_pool_at_work_have_pools_of_their_own(void)
{
    pthread_t thread;
    int counted = 0;

    ck_assert_int_eq(pthread_create(&thread, NULL, runs_on, NULL), 0);
    for (int i = 0; i < FORKS; i++) {
        int status;
        pid_t pid = fork();

        EXPECT(pid >= 0);
        if (pid == 0) {
            alarm(MAY_HANG_S);
            _exit(bight_run(call_once, NULL));
        }
        EXPECT(test_waitpid(pid, &status, 0) == pid);
        if (MAY_HANG_S && WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
            continue;
        EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 4);
        counted++;
    }
    EXPECT(counted >= FORKS_THAT_COUNT);
    forks_over = true;
    pthread_join(thread, NULL);
}

static void begin(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    conf_pool_threads(1);
}

static const struct suite_case cases[] = {
    plain_case(exec_02_the_run_outlives_a_cancelled_call_so_nothing_reaches_back),
    plain_case(xshut_02_a_call_that_runs_is_awaited_at_the_end),
    plain_case(xshut_06_at_the_end_a_call_is_made_in_full_or_not_at_all),
    plain_case(tpool_14_processes_forked_beside_a_pool_at_work_have_pools_of_their_own),
};

test_suite("the end of calls of threads", cases, .begin = begin);
