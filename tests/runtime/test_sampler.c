/* Where a slow turn was: runtime/sampler.c notes it while the turn runs, in real time; and how
 * reports and places read. */
#include <bight.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/harness/suite.h"
#include "tests/harness/world.h"

#define SLOW_MS 10
#define SPIN_MS 60
/* The functions below are shorter than that. */
#define FUNCTION_BYTES 256

static _Thread_local struct {
    int count;
    char task[BIGHT_TASK_NAME_BYTES];
    size_t places;
    bool in_spin;
    bool in_outer;
} seen;

static int64_t clock_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static __attribute__((noinline)) int spin(int64_t for_ms)
{
    int64_t until_ms = clock_ms() + for_ms;
    volatile int rounds = 0;

    while (clock_ms() < until_ms)
        rounds = (rounds + 1) % 1000;
    return rounds < 0;
}

static __attribute__((noinline)) int outer(int64_t for_ms)
{
    volatile int rc = spin(for_ms); /* no tail call */

    return rc;
}

static bool lies_in(const void *place, int (*function)(int64_t for_ms))
{
    return (uintptr_t)place - (uintptr_t)function < FUNCTION_BYTES;
}

static void on_report(void *arg, const struct bight_report *report)
{
    (void)arg;
    if (report->kind != BIGHT_REPORT_SLOW_TURN || report->count < SPIN_MS / 2 ||
        strcmp(report->task_name, "main") == 0)
        return; /* on a busy machine any turn may be slow */
    seen.count++;
    snprintf(seen.task, sizeof(seen.task), "%s", report->task_name);
    seen.places = report->place_count;
    for (size_t i = 0; i < report->place_count; i++) {
        seen.in_spin |= lies_in(report->places[i], spin);
        seen.in_outer |= lies_in(report->places[i], outer);
    }
}

static int run(int signum, int (*fn)(void *arg), void *arg)
{
    const struct bight_runtime_options options = {
        .slow_ms = SLOW_MS, .slow_signal = signum, .on_report = on_report};

    memset(&seen, 0, sizeof(seen));
    return bight_run_with(&options, fn, arg);
}

static int spins(void *arg)
{
    (void)arg;
    return outer(SPIN_MS);
}

static int spawns_spinner(void *arg)
{
    const struct bight_spawn_options named = {.name = "spinner"};
    struct bight_task *task;
    int rc = bight_spawn_with(&task, &named, spins, arg);

    return rc ? rc : bight_join(task, NULL);
}

static void expect_places(const char *task)
{
    ck_assert_int_eq(seen.count, 1);
    ck_assert_str_eq(seen.task, task);
#if defined(__x86_64__) || defined(__aarch64__)
    ck_assert_uint_ge(seen.places, 2);
    ck_assert(seen.in_outer);
#endif
}

static void a_slow_turn_tells_where_it_was(void)
{
    ck_ok(run(SIGRTMIN + 3, spawns_spinner, NULL));
    expect_places("spinner");
}

static void without_a_signal_it_does_not(void)
{
    ck_ok(run(0, spawns_spinner, NULL));
    ck_assert_int_eq(seen.count, 1);
    ck_assert_uint_eq(seen.places, 0);
}

static void calls_spin(struct bight_call *call)
{
    (void)call;
    (void)outer(SPIN_MS);
}

static int has_call(void *arg)
{
    struct bight_call call;
    int rc;

    (void)arg;
    bight_call_init(&call, calls_spin);
    rc = bight_call_soon(&call);
    return rc ? rc : bight_yield();
}

static void a_slow_call_tells_too(void)
{
    ck_ok(run(SIGRTMIN + 3, has_call, NULL));
    expect_places("");
}

/* The timer goes off while tasks take turns, and while the loop sleeps. */
static int is_quick(void *arg)
{
    int rc = 0;

    (void)arg;
    for (int i = 0; i < 20 && !rc; i++) {
        for (int j = 0; j < 200 && !rc; j++)
            rc = bight_yield();
        rc = rc ? rc : bight_sleep(SLOW_MS / 4);
    }
    return rc;
}

static void quick_turns_go_on_as_without(void)
{
    ck_ok(run(SIGRTMIN + 3, is_quick, NULL));
    ck_assert_int_eq(seen.count, 0);
}

static int looks_at_handler(void *arg)
{
    return sigaction(SIGRTMIN + 3, NULL, arg) ? -errno : 0;
}

static void the_handler_goes_with_the_runtime(void)
{
    struct sigaction before, during, after;

    sigaction(SIGRTMIN + 3, NULL, &before);
    ck_ok(run(SIGRTMIN + 3, looks_at_handler, &during));
    sigaction(SIGRTMIN + 3, NULL, &after);
    ck_assert(during.sa_handler != before.sa_handler);
    ck_assert(after.sa_handler == before.sa_handler);
}

static void other_signals_are_refused(void)
{
    ck_code(run(SIGUSR1, spins, NULL), BIGHT_EINVAL);
    ck_code(run(SIGRTMAX + 1, spins, NULL), BIGHT_EINVAL);
    ck_code(run(-1, spins, NULL), BIGHT_EINVAL);
}

static void *runs(void *arg)
{
    *(int *)arg = run(SIGRTMIN + 3, spawns_spinner, NULL);
    return (void *)(intptr_t)(seen.count == 1 && (seen.places == 0 || seen.in_outer));
}

static void several_runtimes_share_a_signal(void)
{
    pthread_t threads[3];
    int codes[3];

    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, runs, &codes[i]), 0);
    for (int i = 0; i < 3; i++) {
        void *told;

        ck_assert_int_eq(pthread_join(threads[i], &told), 0);
        ck_ok(codes[i]);
        ck_assert_ptr_nonnull(told);
    }
}

/* What is written of it */

static void text_of(const struct bight_report *report, char *text, size_t text_bytes)
{
    int ends[2];
    ssize_t bytes;

    ck_assert_int_eq(pipe(ends), 0);
    ck_ok(bight_report_write_fd(report, ends[1]));
    close(ends[1]);
    bytes = read(ends[0], text, text_bytes - 1);
    ck_assert_int_ge(bytes, 0);
    text[bytes] = '\0';
    close(ends[0]);
}

static void a_report_reads_as_text(void)
{
    const void *places[] = {(const char *)bight_report_write_fd + 1, NULL};
    const struct bight_report slow = {
        .kind = BIGHT_REPORT_SLOW_TURN,
        .count = 31,
        .task_id = 2,
        .task_name = "parser",
        .text = "kept the loop",
        .places = places,
        .place_count = 2,
    };
    const struct bight_report failure = {
        .kind = BIGHT_REPORT_UNSEEN_FAILURE, .code = BIGHT_EIO, .task_name = "", .text = "failed"};
    const struct bight_report unknown = {.kind = (enum bight_report_kind)1000};
    char text[512];

    text_of(&slow, text, sizeof(text));
    ck_assert_ptr_eq(strstr(text, "bight: slow turn: #2 parser: kept the loop, 31 ms\n    at "),
                     text);
    ck_assert_ptr_nonnull(strstr(text, "    at -\n"));
    text_of(&failure, text, sizeof(text));
    ck_assert_str_eq(text, "bight: unseen failure: failed, EIO\n");
    text_of(&unknown, text, sizeof(text));
    ck_assert_str_eq(text, "bight: report: \n");
    ck_code(bight_report_write_fd(&slow, -1), BIGHT_EBADF);
}

static void a_place_reads_as_text(void)
{
    char text[BIGHT_PLACE_BYTES], little[4] = "xyz";

    ck_assert_uint_eq(bight_place_describe(NULL, text, sizeof(text)), 1);
    ck_assert_str_eq(text, "-");
    ck_assert_uint_eq(bight_place_describe((const void *)0x1001, text, sizeof(text)), 6);
    ck_assert_str_eq(text, "0x1000");
    ck_assert_uint_gt(bight_place_describe((const char *)printf + 1, text, sizeof(text)), 0);
    ck_assert_ptr_nonnull(strstr(text, "+0x"));
    ck_assert_uint_eq(bight_place_describe((const void *)0x1001, little, sizeof(little)), 3);
    ck_assert_str_eq(little, "0x1");
    ck_assert_uint_eq(bight_place_describe(NULL, little, 0), 0);
    ck_assert_uint_eq(bight_place_describe(NULL, NULL, 4), 0);
}

static const struct suite_case cases[] = {
    plain_case(a_slow_turn_tells_where_it_was),
    plain_case(without_a_signal_it_does_not),
    plain_case(a_slow_call_tells_too),
    plain_case(quick_turns_go_on_as_without),
    plain_case(the_handler_goes_with_the_runtime),
    plain_case(other_signals_are_refused),
    plain_case(several_runtimes_share_a_signal),
    plain_case(a_report_reads_as_text),
    plain_case(a_place_reads_as_text),
};

test_suite("sampler", cases);
