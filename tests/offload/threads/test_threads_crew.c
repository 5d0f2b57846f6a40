/* The threads of an executor: when they start and end, what they are called, their initialiser, and
 * what happens when there are none. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "runtime/runtime.h"
#include "tests/harness/suite.h"
#include "tests/offload/threads/held.h"

static struct bight_executor *make(const struct bight_threads_options *options)
{
    struct bight_executor *threads;

    ck_assert_int_eq(bight_threads_new(&threads, options), 0);
    return threads;
}

static void end(struct bight_executor *executor)
{
    ck_assert_int_eq(bight_executor_end(executor), 0);
}

static struct bight_executor_stats stats_of(const struct bight_executor *executor)
{
    struct bight_executor_stats stats;

    ck_assert_int_eq(bight_executor_get_stats(executor, &stats), 0);
    return stats;
}

static int pass(void *arg)
{
    (void)arg;
    return 0;
}

static int get_name(void *arg)
{
    return pthread_getname_np(pthread_self(), arg, 16);
}

static int names(void *arg)
{
    static const char *const given[] = {NULL, "sql", "a-very-long-name"};
    static const char *const wanted[] = {"bight-thread-0", "sql-0", "a-very-long-n-0"};
    char name[16];

    (void)arg;
    for (int i = 0; i < 3; i++) {
        struct bight_executor *threads = make(&(struct bight_threads_options){.name = given[i]});

        ck_assert_int_eq(bight_threads_call(threads, get_name, name), 0);
        ck_assert_str_eq(name, wanted[i]);
        end(threads);
    }
    return 0;
}

static int get_mask(void *arg)
{
    return pthread_sigmask(SIG_SETMASK, NULL, arg);
}

static int get_stack_bytes(void *arg)
{
    pthread_attr_t attr;

    pthread_getattr_np(pthread_self(), &attr);
    pthread_attr_getstacksize(&attr, arg);
    pthread_attr_destroy(&attr);
    return 0;
}

static int surroundings(void *arg)
{
    struct bight_threads_options options = {.stack_bytes = (size_t)33 << 20};
    struct bight_executor *threads = make(&options);
    size_t stack_bytes;
    sigset_t mask;

    (void)arg;
    ck_assert_int_eq(bight_threads_call(threads, get_mask, &mask), 0);
    ck_assert(sigismember(&mask, SIGTERM) && sigismember(&mask, SIGUSR1));
    ck_assert_int_eq(bight_threads_call(threads, get_stack_bytes, &stack_bytes), 0);
    ck_assert_uint_ge(stack_bytes, options.stack_bytes);
    end(threads);
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    ck_assert(!sigismember(&mask, SIGTERM));
    return 0;
}

static int invalid_options(void *arg)
{
    static const struct bight_threads_options invalid[] = {
        {.threads_most = 1025},
        {.threads_least = 1025},
        {.threads_most = 1, .threads_least = 2},
        {.stack_bytes = 1},
    };
    struct bight_executor *threads = NULL;

    (void)arg;
    for (size_t i = 0; i < sizeof(invalid) / sizeof(invalid[0]); i++)
        ck_assert_int_eq(bight_threads_new(&threads, &invalid[i]), BIGHT_EINVAL);
    ck_assert_ptr_null(threads);
    return 0;
}

/* A thread starts for each call that finds all others busy, and none beyond. */
static int grows(void *arg)
{
    struct bight_executor *threads = held_threads(3);
    struct held calls[5];

    (void)arg;
    ck_assert_uint_eq(stats_of(threads).started, 0);
    for (unsigned i = 0; i < 3; i++) {
        held_start_standing(&calls[i], threads);
        /* One more may start where a thread is just about to take the call. */
        ck_assert_uint_ge(stats_of(threads).started, i + 1);
        ck_assert_uint_ge(stats_of(threads).ready, i + 1);
    }
    held_start(&calls[3], threads, held_pass);
    held_start(&calls[4], threads, held_pass);
    ck_assert_uint_eq(stats_of(threads).workers, 3);
    ck_assert_uint_eq(stats_of(threads).jobs, 5);
    for (int i = 0; i < 3; i++)
        held_open(&calls[i]);
    for (int i = 0; i < 5; i++)
        held_join(&calls[i]);
    ck_assert_uint_eq(stats_of(threads).started, 3);
    ck_assert_uint_eq(stats_of(threads).ended, 5);
    end(threads);
    return 0;
}

/* What init and teardown see. */
static struct {
    sem_t gone;
    atomic_int begun;
    atomic_int ended;
    atomic_int fails; /* with this code */
} crew;

static int init(void *arg, void **local)
{
    if (crew.fails)
        return crew.fails;
    atomic_fetch_add(&crew.begun, 1);
    *local = arg;
    return 0;
}

static void teardown(void *local)
{
    if (local == &crew)
        atomic_fetch_add(&crew.ended, 1);
    sem_post(&crew.gone);
}

static struct bight_threads_options crew_options(unsigned least, unsigned most, int64_t idle_ms)
{
    memset(&crew, 0, sizeof(crew));
    sem_init(&crew.gone, 0, 0);
    return (struct bight_threads_options){.threads_most = most,
                                          .threads_least = least,
                                          .idle_ms = idle_ms,
                                          .init = init,
                                          .init_arg = &crew,
                                          .teardown = teardown};
}

static int shrinks(void *arg)
{
    struct bight_threads_options options = crew_options(0, 1, 1);
    struct bight_executor *threads = make(&options);

    (void)arg;
    for (unsigned i = 1; i <= 3; i++) {
        ck_assert_int_eq(bight_threads_call(threads, pass, NULL), 0);
        sem_wait(&crew.gone);
        ck_assert_uint_eq(stats_of(threads).ready, 0);
        ck_assert_uint_eq(stats_of(threads).started, i);
    }
    end(threads);
    ck_assert_int_eq(crew.ended, 3);
    return 0;
}

/* Three threads, of which one is to stay. */
static int keeps_the_least(void *arg)
{
    struct bight_threads_options options = crew_options(1, 3, 1);
    struct bight_executor *threads = make(&options);
    struct held calls[3];

    (void)arg;
    ck_assert_uint_eq(stats_of(threads).started, 1);
    for (int i = 0; i < 3; i++)
        held_start_standing(&calls[i], threads);
    for (int i = 0; i < 3; i++)
        held_open(&calls[i]);
    for (int i = 0; i < 3; i++)
        held_join(&calls[i]);
    sem_wait(&crew.gone);
    sem_wait(&crew.gone);
    ck_assert_uint_eq(stats_of(threads).ready, 1);
    ck_assert_int_eq(bight_threads_call(threads, pass, NULL), 0);
    ck_assert_uint_eq(stats_of(threads).started, 3);
    ck_assert_int_eq(crew.ended, 2);
    end(threads);
    ck_assert_int_eq(crew.ended, 3);
    return 0;
}

static int check_local(void *arg)
{
    return bight_threads_local() == arg ? 0 : 1;
}

static int check_job_local(struct bight_job *job)
{
    if (job->local != &crew)
        return 1;
    bight_job_set_local(job, crew_options);
    return bight_threads_local() == crew_options ? 0 : 2;
}

static const struct bight_job_def local_job = {.name = "local", .fn = check_job_local};

static int has_locals(void *arg)
{
    struct bight_threads_options options = crew_options(0, 1, 0);
    struct bight_executor *threads = make(&options);
    struct bight_result result;

    (void)arg;
    ck_assert_ptr_null(bight_threads_local());
    ck_assert_int_eq(bight_threads_call(threads, check_local, &crew), 0);
    ck_assert_int_eq(bight_execute(threads, &local_job, NULL, 0, &result), 0);
    ck_assert_int_eq(result.code, 0);
    ck_assert_int_eq(bight_threads_call(threads, check_local, crew_options), 0);
    end(threads);
    ck_assert_int_eq(crew.begun, 1);
    ck_assert_int_eq(crew.ended, 0); /* it got what was set last */
    sem_wait(&crew.gone);
    return 0;
}

/* Each call tries anew. */
static int fails_to_begin(void *arg)
{
    struct bight_threads_options options = crew_options(0, 2, 0);
    struct bight_executor *threads = make(&options);
    struct bight_result result;
    struct held calls[3];

    (void)arg;
    crew.fails = -77;
    ck_assert_int_eq(bight_threads_call(threads, pass, NULL), BIGHT_EINITFAILED);
    ck_assert_int_eq(bight_execute(threads, &local_job, NULL, 0, &result), BIGHT_EINITFAILED);
    ck_assert_int_eq(result.code, -77);
    ck_assert_uint_eq(result.attempts, 0);
    for (int i = 0; i < 3; i++)
        held_start(&calls[i], threads, held_pass);
    for (int i = 0; i < 3; i++) {
        held_join(&calls[i]);
        ck_assert_int_eq(calls[i].rc, BIGHT_EINITFAILED);
    }
    crew.fails = 0;
    ck_assert_int_eq(bight_threads_call(threads, pass, NULL), 0);
    end(threads);
    ck_assert_int_eq(crew.begun, crew.ended);
    return 0;
}

/* The calls go to the thread that is there. */
static int grows_in_vain(void *arg)
{
    struct bight_threads_options options = crew_options(0, 2, 0);
    struct bight_executor *threads = make(&options);
    struct held held, queued;

    (void)arg;
    held_start_standing(&held, threads);
    crew.fails = -77;
    held_start(&queued, threads, held_pass);
    while (stats_of(threads).started < 2)
        ck_assert_int_eq(bight_yield(), 0);
    held_open(&held);
    held_join(&held);
    held_join(&queued);
    ck_assert_int_eq(queued.rc, 1);
    end(threads);
    return 0;
}

/* pthread_create fails while this is set. */
static bool no_threads;

static bool fail_call(void *ctx, const void *site, const char *name, int *error, size_t *bytes)
{
    (void)ctx;
    (void)site;
    (void)bytes;
    if (!no_threads || strcmp(name, "pthread_create") != 0)
        return false;
    *error = EAGAIN;
    return true;
}

static int without_threads(void *arg)
{
    struct bight_threads_options least = {.threads_least = 1};
    struct bight_executor *threads = held_threads(2);
    struct bight_executor *none = NULL;
    struct held held, queued;

    (void)arg;
    no_threads = true;
    ck_assert_int_eq(bight_threads_new(&none, &least), BIGHT_EAGAIN);
    ck_assert_int_eq(bight_threads_call(threads, pass, NULL), BIGHT_EAGAIN);
    ck_assert_int_eq(bight_execute(threads, &local_job, NULL, 0, NULL), BIGHT_EAGAIN);
    no_threads = false;
    held_start_standing(&held, threads);
    no_threads = true;
    held_start(&queued, threads, held_pass);
    held_turn();
    ck_assert_uint_eq(stats_of(threads).started, 1);
    held_open(&held);
    held_join(&held);
    held_join(&queued);
    ck_assert_int_eq(queued.rc, 1);
    no_threads = false;
    end(threads);
    return 0;
}

static int run_failing(int (*fn)(void *arg), void *arg)
{
    struct bight_seams seams = {.fail_call = fail_call};

    return bight__run_with_seams(NULL, &seams, fn, arg);
}

static const struct suite_case cases[] = {
    body_case(threads_have_names_and_numbers, bight_run, names),
    body_case(threads_block_signals_and_have_the_stack_that_was_asked_for, bight_run, surroundings),
    body_case(options_out_of_range_are_refused, bight_run, invalid_options),
    body_case(threads_start_when_a_call_finds_none_idle, bight_run, grows),
    body_case(idle_threads_end, bight_run, shrinks),
    body_case(the_least_number_of_threads_stays, bight_run, keeps_the_least),
    body_case(calls_and_jobs_find_what_the_initialiser_set, bight_run, has_locals),
    body_case(without_an_initialised_thread_calls_end, bight_run, fails_to_begin),
    body_case(an_initialiser_that_fails_harms_no_other_thread, bight_run, grows_in_vain),
    body_case(without_threads_calls_end_and_with_one_they_wait, run_failing, without_threads),
};

test_suite("threads_crew", cases);
