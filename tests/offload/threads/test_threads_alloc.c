/* Allocations and pthread_create fail, one after the other, in a program that does all that an
 * executor of threads can do. Whatever fails, calls end with a code, nothing is left, and
 * afterwards all goes on. */
#include <errno.h>
#include <string.h>

#include "runtime/runtime.h"
#include "tests/harness/expect.h"
#include "tests/harness/suite.h"
#include "tests/offload/threads/held.h"

/* Also touched by threads of the executor. */
static struct {
    atomic_bool counting;
    atomic_int seen;
    atomic_int hits;
    int failing; /* the number of what fails */
    bool calls;  /* not allocations, but threads */
    bool onwards;
} torture;

static bool fails(bool is_call)
{
    int number;

    if (is_call != torture.calls || !atomic_load(&torture.counting))
        return false;
    number = atomic_fetch_add(&torture.seen, 1);
    if (number != torture.failing && !(torture.onwards && number > torture.failing))
        return false;
    atomic_fetch_add(&torture.hits, 1);
    return true;
}

static bool fail_alloc(void *ctx, const void *site)
{
    (void)ctx;
    (void)site;
    return fails(false);
}

static bool fail_call(void *ctx, const void *site, const char *name, int *error, size_t *bytes)
{
    (void)ctx;
    (void)site;
    (void)bytes;
    *error = EAGAIN;
    return strcmp(name, "pthread_create") == 0 && fails(true);
}

static bool expected(int rc)
{
    return rc == (torture.calls ? BIGHT_EAGAIN : BIGHT_ENOMEM);
}

static int echo_twice(struct bight_job *job)
{
    int rc = bight_job_output_append(job, job->input, job->input_bytes);

    return rc ? rc : bight_job_output_append(job, job->input, job->input_bytes);
}

static const struct bight_job_def echo_job = {.name = "echo twice", .fn = echo_twice};

static void try_job(struct bight_executor *threads, size_t bytes)
{
    static const char input[3000];
    struct bight_result result;
    int rc = bight_execute(threads, &echo_job, input, bytes, &result);

    EXPECT(rc == 0 || expected(rc) || (rc == BIGHT_EJOBFAILED && expected(result.code)));
    EXPECT(rc || result.output_bytes == 2 * bytes);
    bight_result_free(&result);
}

static int seven(void *arg)
{
    (void)arg;
    return 7;
}

static int work(struct bight_executor *threads)
{
    int rc = bight_threads_call(threads, seven, NULL);

    EXPECT(rc == 7 || expected(rc));
    rc = bight_threads_call_owned(threads, seven, NULL, NULL);
    EXPECT(rc == 7 || expected(rc));
    try_job(threads, 10);
    try_job(threads, 3000);
    return 0;
}

/* Calls beside each other, so that several threads start. */
static int several(struct bight_executor *threads)
{
    struct held calls[3];
    int done = 0;

    for (int i = 0; i < 3; i++) {
        held_start(&calls[i], threads, held_stand);
        held_open(&calls[i]);
    }
    for (int i = 0; i < 3; i++) {
        held_join(&calls[i]);
        EXPECT(calls[i].rc == 17 || expected(calls[i].rc));
        done += calls[i].rc == 17;
    }
    return done;
}

static int tortured(void *arg)
{
    struct bight_threads_options options = {.threads_most = 3, .threads_least = 2};
    struct bight_executor *threads = NULL;
    int rc;

    (void)arg;
    atomic_store(&torture.counting, true);
    rc = bight_threads_new(&threads, &options);
    if (!rc)
        rc = work(threads);
    atomic_store(&torture.counting, false);
    EXPECT(!rc || expected(rc));
    if (!threads)
        return 0;
    atomic_store(&torture.counting, torture.calls);
    several(threads);
    atomic_store(&torture.counting, false);
    EXPECT(several(threads) == 3);
    EXPECT(!bight_executor_end(threads));
    return 0;
}

static int fail_each(bool calls, bool onwards)
{
    struct bight_seams seams = {.fail_alloc = fail_alloc, .fail_call = fail_call};
    int hits = 0;

    for (torture.failing = 0;; torture.failing++) {
        torture.calls = calls;
        torture.onwards = onwards;
        atomic_store(&torture.seen, 0);
        atomic_store(&torture.hits, 0);
        ck_assert_int_eq(bight__run_with_seams(NULL, &seams, tortured, NULL), 0);
        if (!torture.hits)
            break;
        hits++;
    }
    return hits;
}

static void every_allocation_may_fail(void)
{
    ck_assert_int_ge(fail_each(false, false), 8);
    ck_assert_int_ge(fail_each(false, true), 4);
}

static void every_thread_may_fail_to_start(void)
{
    ck_assert_int_ge(fail_each(true, false), 2);
    ck_assert_int_ge(fail_each(true, true), 2);
}

static int warm(void *arg)
{
    struct bight_executor *threads = held_threads(1);
    int seen;

    (void)arg;
    torture.failing = -1;
    EXPECT(work(threads) == 0);
    atomic_store(&torture.seen, 0);
    atomic_store(&torture.counting, true);
    for (int i = 0; i < 100; i++) {
        EXPECT(bight_threads_call(threads, seven, NULL) == 7);
        EXPECT(bight_threads_call_owned(threads, seven, NULL, NULL) == 7);
        EXPECT(bight_execute(threads, &echo_job, NULL, 0, NULL) == 0);
    }
    atomic_store(&torture.counting, false);
    seen = torture.seen;
    EXPECT(bight_executor_end(threads) == 0);
    ck_assert_int_eq(seen, 0);
    return 0;
}

static int run_counting(int (*fn)(void *arg), void *arg)
{
    struct bight_seams seams = {.fail_alloc = fail_alloc};

    return bight__run_with_seams(NULL, &seams, fn, arg);
}

static const struct suite_case cases[] = {
    plain_case(every_allocation_may_fail),
    plain_case(every_thread_may_fail_to_start),
    body_case(calls_take_no_memory_once_there_is_a_thread, run_counting, warm),
};

test_suite("threads_alloc", cases);
