/* coro/core/trim.c and what runtime/drive.c knows of its timer: stacks stay warm as long as they
 * are needed, and go within two periods of two seconds; nobody waits for that. */
#include "runtime/runtime.h"

#include <bight.h>

#include <string.h>

#include "tests/harness/suite.h"
#include "tests/harness/support.h"
#include "tests/harness/world.h"

#define MS UINT64_C(1000000)
#define PERIOD_MS 2000
#define BURST 1000
#define LARGE 10000

#if !defined(BIGHT_ASAN) && !defined(BIGHT_TSAN) && !defined(BIGHT_VALGRIND)
#define PLAIN 1 /* memory is ours alone */
#endif

static struct bight_test_result result;

static void run(const struct bight_runtime_options *runtime, int (*fn)(void *arg), int expected)
{
    const struct bight_test_options options = {.runtime = runtime, .expected = expected};

    ck_code(bight_test_run(&options, fn, NULL, &result), expected);
}

static size_t cached(void)
{
    struct bight_runtime_stats stats;

    ck_ok(bight_runtime_get_stats(&stats));
    return stats.stacks_cached;
}

static size_t timers(void)
{
    struct bight_runtime_stats stats;

    ck_ok(bight_runtime_get_stats(&stats));
    return stats.timers;
}

static int ends(void *arg)
{
    (void)arg;
    return 0;
}

static void burst(int count)
{
    static struct bight_task *tasks[LARGE];

    for (int i = 0; i < count; i++)
        ck_ok(bight_spawn(&tasks[i], ends, NULL));
    for (int i = 0; i < count; i++)
        ck_ok(bight_join(tasks[i], NULL));
}

/* When they go */

static int bursts_once(void *arg)
{
    (void)arg;
    burst(BURST);
    ck_assert_uint_eq(cached(), BURST);
    ck_assert_uint_eq(timers(), 0);
    ck_ok(bight_sleep(PERIOD_MS / 2 - 1));
    ck_assert_uint_eq(cached(), BURST);
    ck_ok(bight_sleep(PERIOD_MS));
    ck_assert_uint_eq(cached(), 0);
    burst(10);
    burst(BURST);
    ck_assert_uint_eq(cached(), BURST);
    return 0;
}

static void stacks_that_are_not_needed_again_go(void)
{
    run(NULL, bursts_once, 0);
}

static int bursts_again(void *arg)
{
    (void)arg;
    burst(BURST);
    for (int i = 0; i < 20; i++) {
        ck_ok(bight_sleep(PERIOD_MS / 3));
        ck_assert_uint_ge(cached(), BURST / 2);
        burst(BURST / 2);
    }
    ck_assert_uint_eq(cached(), BURST / 2);
    ck_ok(bight_sleep(2 * PERIOD_MS));
    ck_assert_uint_eq(cached(), 0);
    return 0;
}

static void stacks_that_are_needed_again_stay(void)
{
    run(NULL, bursts_again, 0);
}

static int bursts_under_a_limit(void *arg)
{
    (void)arg;
    burst(BURST);
    ck_assert_uint_eq(cached(), 100);
    ck_ok(bight_sleep(3600000));
    ck_assert_uint_eq(cached(), 100);
    return 0;
}

static void a_fixed_number_stays_and_no_more(void)
{
    const struct bight_runtime_options options = {.stack_cache = 100};

    run(&options, bursts_under_a_limit, 0);
}

static int bursts_while_all_is_looked_at(void *arg)
{
    (void)arg;
    burst(BURST);
    ck_assert_uint_eq(cached(), 0);
    return 0;
}

static void none_is_kept_while_their_use_is_measured(void)
{
    const struct bight_runtime_options options = {.checks = BIGHT_CHECK_STACKS};

    run(&options, bursts_while_all_is_looked_at, 0);
}

#ifdef PLAIN
static int is_small_again(void *arg)
{
    (void)arg;
    burst(32);
    const long quiet = test_resident_kib();
    burst(LARGE);
    ck_assert_int_ge(test_resident_kib(), quiet + LARGE * 4);
    ck_ok(bight_sleep(2 * PERIOD_MS));
    ck_assert_int_le(test_resident_kib(), quiet + quiet / 10);
    ck_assert_uint_le(bight__sched->ready_mask, 63);
    return 0;
}

static void resident_memory_is_that_of_the_quiet_state_again(void)
{
    run(NULL, ends, 0); /* what stays for ever is there by then */
    const int maps = test_maps();
    const int fds = test_open_fds();

    run(NULL, is_small_again, 0);
    ck_assert_int_eq(test_maps(), maps);
    ck_assert_int_eq(test_open_fds(), fds);
}
#endif

/* Nobody waits for it */

static int sleeps_beside(void *arg)
{
    (void)arg;
    burst(BURST);
    return bight_sleep(3600000);
}

static void a_clock_does_not_jump_to_it(void)
{
    run(NULL, sleeps_beside, 0);
    ck_assert_uint_eq(result.jumps, 1);
    ck_assert_uint_eq(result.elapsed_ns, 3600000 * MS);
}

static int waits_for_ever(void *arg)
{
    struct bight_event never;

    (void)arg;
    burst(BURST);
    bight_event_init(&never);
    return bight_event_wait(&never);
}

static void a_stall_is_seen_at_once(void)
{
    run(NULL, waits_for_ever, BIGHT_ESTALLED);
    ck_assert_uint_eq(result.jumps, 0);
    ck_assert_uint_eq(result.elapsed_ns, 0);
}

/* A clock that the tests move, and that says that it will go on by itself. */
static uint64_t now = 1000 * MS;

static uint64_t now_ns(void *ctx)
{
    (void)ctx;
    return now;
}

static uint64_t wait_ns(void *ctx, uint64_t deadline_ns)
{
    (void)ctx;
    return deadline_ns == UINT64_MAX ? UINT64_MAX : deadline_ns > now ? deadline_ns - now : 0;
}

static const struct bight_seams moved = {.now_ns = now_ns, .wait_ns = wait_ns};

static void a_stall_is_seen_where_time_passes_by_itself(void)
{
    ck_code(bight__run_with_seams(NULL, &moved, waits_for_ever, NULL), BIGHT_ESTALLED);
}

static int bursts(void *arg)
{
    (void)arg;
    burst(BURST);
    return 0;
}

static int finds_none(void *arg)
{
    (void)arg;
    ck_assert_uint_le(cached(), 1);
    return 0;
}

static void between_two_runs_it_waits_for_the_next(void)
{
    struct bight_runner *runner;

    ck_ok(bight__runner_open_with_seams(&runner, NULL, &moved));
    ck_ok(bight_runner_run(runner, bursts, NULL));
    now += 2 * PERIOD_MS * MS;
    ck_ok(bight_runner_run(runner, finds_none, NULL));
    ck_ok(bight_runner_end(&runner));
}

/* A host's loop */

static void on_prepare(uv_prepare_t *prepare)
{
    (void)prepare;
}

static void a_hosts_loop_ends_all_the_same(void)
{
    struct bight_runtime *runtime;
    uv_loop_t loop;
    uv_prepare_t other;

    ck_ok(uv_loop_init(&loop));
    ck_ok(bight__runtime_new(&runtime, &loop, NULL, &moved));
    for (int i = 0; i < BURST; i++)
        ck_ok(bight_spawn(NULL, ends, NULL));
    ck_assert_int_eq(uv_run(&loop, UV_RUN_DEFAULT), 0);
    ck_assert_uint_eq(cached(), BURST);
    ck_assert(!uv_loop_alive(&loop));

    /* While it runs for something else, they go. */
    ck_ok(uv_prepare_init(&loop, &other));
    ck_ok(uv_prepare_start(&other, on_prepare));
    now += 2 * PERIOD_MS * MS;
    ck_assert_int_ne(uv_run(&loop, UV_RUN_NOWAIT), 0);
    ck_assert_uint_eq(cached(), 0);
    uv_close((uv_handle_t *)&other, NULL);
    ck_ok(bight_detach(runtime, NULL, NULL));
    ck_assert_int_eq(uv_run(&loop, UV_RUN_DEFAULT), 0);
    ck_ok(uv_loop_close(&loop));
}

static const struct suite_case cases[] = {
    plain_case(stacks_that_are_not_needed_again_go),
    plain_case(stacks_that_are_needed_again_stay),
    plain_case(a_fixed_number_stays_and_no_more),
    plain_case(none_is_kept_while_their_use_is_measured),
#ifdef PLAIN
    plain_case(resident_memory_is_that_of_the_quiet_state_again),
#endif
    plain_case(a_clock_does_not_jump_to_it),
    plain_case(a_stall_is_seen_at_once),
    plain_case(a_stall_is_seen_where_time_passes_by_itself),
    plain_case(between_two_runs_it_waits_for_the_next),
    plain_case(a_hosts_loop_ends_all_the_same),
};

test_suite("stacks", cases);
