/* runtime/process/run.c: processes from their start to their end, fed and listened to. */
#include "tests/runtime/process/children.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define MUCH_BYTES 1000000

/* What `/bin/sh -c command` gives. */
static int run(struct bight_process_result *result, const char *command,
               struct bight_process_run_options how)
{
    const char *const argv[] = {"/bin/sh", "-c", command, NULL};

    return bight_process_run(result, &(struct bight_process_options){.argv = argv}, &how);
}

static const struct bight_process_run_options plain;

static int collects(void *arg)
{
    struct bight_process_result result;

    (void)arg;
    ck_ok(run(&result, "cat; echo wrong >&2; exit 3",
              (struct bight_process_run_options){.input = "some data", .input_bytes = 9}));
    ck_assert_str_eq(result.output, "some data");
    ck_assert_uint_eq(result.output_bytes, 9);
    ck_assert_str_eq(result.error, "wrong\n");
    ck_assert_int_eq(result.status.state, BIGHT_PROCESS_EXITED);
    ck_assert_int_eq(result.status.code, 3);
    ck_assert(!result.output_truncated && !result.error_truncated && !result.pipes_held);
    bight_process_result_free(&result);
    ck_assert_ptr_null(result.output);
    ck_ok(run(&result, "cat; kill $$", plain));
    ck_assert_str_eq(result.output, "");
    ck_assert_int_eq(result.status.signum, SIGTERM);
    bight_process_result_free(&result);
    return 0;
}

/* In both directions, and for a process that reads none of it. */
static int much(void *arg)
{
    static char input[MUCH_BYTES];
    const struct bight_process_run_options how = {.input = input, .input_bytes = sizeof(input)};
    struct bight_process_result result;

    (void)arg;
    for (size_t i = 0; i < sizeof(input); i++)
        input[i] = (char)(i * i >> 7);
    ck_ok(run(&result, "tee /dev/stderr", how));
    ck_assert_uint_eq(result.output_bytes, sizeof(input));
    ck_assert_uint_eq(result.error_bytes, sizeof(input));
    ck_assert_int_eq(memcmp(result.output, input, sizeof(input)), 0);
    ck_assert_int_eq(memcmp(result.error, input, sizeof(input)), 0);
    bight_process_result_free(&result);
    ck_ok(run(&result, "exec true", how));
    ck_assert_int_eq(result.status.state, BIGHT_PROCESS_EXITED);
    bight_process_result_free(&result);
    return 0;
}

static int not_collected(void *arg)
{
    const char *const argv[] = {"/bin/sh", "-c", "echo out; echo err >&2", NULL};
    struct bight_process_options options = {.argv = argv, .output.kind = BIGHT_PROCESS_NULL};
    struct bight_process_result result;

    (void)arg;
    ck_ok(bight_process_run(&result, &options, NULL));
    ck_assert_ptr_null(result.output);
    ck_assert_str_eq(result.error, "err\n");
    bight_process_result_free(&result);
    options.output.kind = BIGHT_PROCESS_DEFAULT;
    options.error.kind = BIGHT_PROCESS_OUTPUT;
    ck_ok(bight_process_run(&result, &options, NULL));
    ck_assert_str_eq(result.output, "out\nerr\n");
    ck_assert_ptr_null(result.error);
    bight_process_result_free(&result);
    return 0;
}

static int limited(void *arg)
{
    struct bight_process_run_options how = {.output_limit_bytes = 5000};
    struct bight_process_result result;

    (void)arg;
    ck_code(run(&result, "exec cat /dev/zero", how), BIGHT_ETOOBIG);
    ck_assert_uint_eq(result.output_bytes, 5000);
    ck_assert(result.output_truncated && !result.error_truncated);
    ck_assert_int_eq(result.status.state, BIGHT_PROCESS_SIGNALED);
    bight_process_result_free(&result);
    how.flags = BIGHT_PROCESS_TRUNCATE;
    how.error_limit_bytes = 2;
    ck_ok(run(&result, "head -c 100000 /dev/zero; echo err >&2; exit 1", how));
    ck_assert_uint_eq(result.output_bytes, 5000);
    ck_assert_str_eq(result.error, "er");
    ck_assert(result.output_truncated && result.error_truncated);
    ck_assert_int_eq(result.status.code, 1);
    bight_process_result_free(&result);
    how.output_limit_bytes = -1;
    ck_ok(run(&result, "head -c 5001 /dev/zero", how));
    ck_assert_uint_eq(result.output_bytes, 5001);
    ck_assert(!result.output_truncated);
    bight_process_result_free(&result);
    how.output_limit_bytes = 5001;
    ck_ok(run(&result, "head -c 5001 /dev/zero", how));
    ck_assert(!result.output_truncated);
    bight_process_result_free(&result);
    return 0;
}

static int hangs(void *arg)
{
    return run(arg, "trap '' TERM; echo begun; exec sleep 1000",
               (struct bight_process_run_options){.grace_ms = 20});
}

static int out_of_time(void *arg)
{
    struct bight_process_result result;

    (void)arg;
    ck_code(bight_timeout(300, hangs, &result), BIGHT_ETIMEDOUT);
    no_child_is_left();
    ck_assert_int_eq(result.status.state, BIGHT_PROCESS_SIGNALED);
    if (result.output_bytes) { /* it was that fast: then it does not care for SIGTERM */
        ck_assert_str_eq(result.output, "begun\n");
        ck_assert_int_eq(result.status.signum, SIGKILL);
    }
    bight_process_result_free(&result);
    ck_code(bight_timeout(0, hangs, &result), BIGHT_ETIMEDOUT);
    ck_assert_ptr_null(result.output);
    bight_process_result_free(&result);
    return 0;
}

static int held(void *arg)
{
    struct bight_process_result result;

    (void)arg;
    ck_ok(run(&result, "sleep 5 & echo early; exit 2",
              (struct bight_process_run_options){.linger_ms = 50}));
    ck_assert(result.pipes_held);
    ck_assert_str_eq(result.output, "early\n");
    ck_assert_int_eq(result.status.code, 2);
    bight_process_result_free(&result);
    ck_ok(run(&result, "(sleep 0.1; echo late) & echo early",
              (struct bight_process_run_options){.linger_ms = -1}));
    ck_assert(!result.pipes_held);
    ck_assert_str_eq(result.output, "early\nlate\n");
    bight_process_result_free(&result);
    return 0;
}

static int lingers(void *arg)
{
    return run(arg, "sleep 5 & exit 2", (struct bight_process_run_options){.linger_ms = -1});
}

/* While others hold the pipes: the process has long ended. */
static int cut_short(void *arg)
{
    struct bight_process_result result;

    (void)arg;
    ck_code(bight_timeout(300, lingers, &result), BIGHT_ETIMEDOUT);
    no_child_is_left();
    if (result.status.state == BIGHT_PROCESS_EXITED) {
        ck_assert(result.pipes_held);
        ck_assert_int_eq(result.status.code, 2);
    }
    bight_process_result_free(&result);
    return 0;
}

static int refused(void *arg)
{
    const char *const argv[] = {"/nowhere/at/all", NULL};
    const struct bight_process_options options = {.argv = argv};
    const struct bight_process_options no_pipe = {.argv = argv, .input.kind = BIGHT_PROCESS_NULL};
    struct bight_process_run_options how = {.input_bytes = 1};
    struct bight_process_result result;

    (void)arg;
    ck_code(bight_process_run(&result, &options, NULL), BIGHT_ENOENT);
    bight_process_result_free(&result);
    ck_code(bight_process_run(&result, &options, &how), BIGHT_EINVAL);
    how.input = "x";
    ck_code(bight_process_run(&result, &no_pipe, &how), BIGHT_EINVAL);
    how = (struct bight_process_run_options){.flags = 8};
    ck_code(bight_process_run(&result, &options, &how), BIGHT_EINVAL);
    bight_process_result_free(&result);
    bight_process_result_free(NULL);
    return 0;
}

static int many(void *arg)
{
    struct bight_process_result result;

    (void)arg;
    for (int i = 0; i < 20; i++) {
        ck_ok(run(&result, "cat",
                  (struct bight_process_run_options){.input = "data", .input_bytes = 4}));
        ck_assert_uint_eq(result.output_bytes, 4);
        bight_process_result_free(&result);
    }
    return 0;
}

static void *in_thread(void *rc)
{
    *(int *)rc = bight_run(many, NULL);
    return NULL;
}

static void threads_have_processes_of_their_own(void)
{
    pthread_t threads[2];
    int rcs[2];

    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, in_thread, &rcs[i]), 0);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
        ck_assert_int_eq(rcs[i], 0);
    }
    no_child_is_left();
}

static const struct suite_case cases[] = {
    child_case(a_process_is_fed_and_what_it_writes_is_collected, collects),
    child_case(nobody_waits_for_anybody_else, much),
    child_case(what_is_no_pipe_is_not_collected, not_collected),
    child_case(what_is_collected_has_limits, limited),
    child_case(a_deadline_ends_the_process, out_of_time),
    child_case(who_else_holds_a_pipe_is_waited_for_a_while, held),
    child_case(a_cancellation_ends_that_too, cut_short),
    child_case(what_cannot_be_run_leaves_an_empty_result, refused),
    plain_case(threads_have_processes_of_their_own),
};

test_suite("process_run", cases);
