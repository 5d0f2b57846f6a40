/* Runs in test mode: what they count, make fail and cancel, the order they choose. Lines, clocks,
 * streams and sequencers have suites of their own. */
#include "tests/harness/suite.h"
#include "tests/harness/support.h"
#include "tests/harness/world.h"

#include <string.h>
#include <unistd.h>

/* How many lines were said. */
static int said;

static void note(void *arg, const char *line)
{
    (void)arg;
    (void)line;
    said++;
}

static struct bight_test_result result;

static int run(struct bight_test_options options, int (*fn)(void *arg), void *arg)
{
    options.say = note;
    said = 0;
    return bight_test_run(&options, fn, arg, &result);
}

/* Order */

#define NAMES 5
#define ROUNDS 50

struct trace {
    char text[NAMES * ROUNDS + 1];
    size_t length;
};

struct tracer {
    struct trace *trace;
    char name;
};

static int trace_rounds(void *arg)
{
    struct tracer *tracer = arg;

    for (int i = 0; i < ROUNDS; i++) {
        tracer->trace->text[tracer->trace->length++] = tracer->name;
        ck_ok(bight_yield());
    }
    return 0;
}

static int tracers_body(struct bight_group *group, void *arg)
{
    static struct tracer tracers[NAMES];

    for (int i = 0; i < NAMES; i++) {
        tracers[i] = (struct tracer){.trace = arg, .name = (char)('a' + i)};
        ck_ok(bight_group_spawn(NULL, group, NULL, trace_rounds, &tracers[i]));
    }
    return 0;
}

static int trace_main(void *arg)
{
    return bight_group_run(tracers_body, arg);
}

static void trace(struct bight_test_options options, struct trace *trace)
{
    *trace = (struct trace){.length = 0};
    ck_assert_int_eq(run(options, trace_main, trace), 0);
    ck_assert_uint_eq(trace->length, NAMES * ROUNDS);
}

static void without_a_seed_ready_tasks_run_in_turn(void)
{
    struct trace fifo;

    trace((struct bight_test_options){0}, &fifo);
    for (size_t i = 0; i < fifo.length; i++)
        ck_assert_int_eq(fifo.text[i], 'a' + (int)(i % NAMES));
}

static void fresh_seeds_give_different_orders(void)
{
    struct trace traces[10];
    uint64_t seeds[10];

    for (int i = 0; i < 10; i++) {
        trace((struct bight_test_options){.fresh_seed = true}, &traces[i]);
        seeds[i] = result.seed;
        for (int j = 0; j < i; j++) {
            ck_assert_uint_ne(seeds[i], seeds[j]);
            ck_assert_str_ne(traces[i].text, traces[j].text);
        }
    }
}

static void one_seed_gives_one_order(void)
{
    struct trace first, again;

    trace((struct bight_test_options){.seed = 17}, &first);
    for (int i = 0; i < 10; i++) {
        trace((struct bight_test_options){.seed = 17}, &again);
        ck_assert_str_eq(first.text, again.text);
    }
    trace((struct bight_test_options){.seed = 18}, &again);
    ck_assert_str_ne(first.text, again.text);
}

static int draw_two(void *arg)
{
    uint64_t *values = arg;

    values[0] = bight_test_random();
    values[1] = bight_test_random();
    return 0;
}

static void random_numbers_follow_from_the_seed(void)
{
    uint64_t first[2], again[2], other[2];

    ck_assert_int_eq(run((struct bight_test_options){.seed = 3}, draw_two, first), 0);
    ck_assert_int_eq(run((struct bight_test_options){.seed = 3}, draw_two, again), 0);
    ck_assert_int_eq(run((struct bight_test_options){.seed = 4}, draw_two, other), 0);
    ck_assert_uint_ne(first[0], first[1]);
    ck_assert_mem_eq(first, again, sizeof first);
    ck_assert_uint_ne(first[0], other[0]);
    ck_assert_uint_eq(bight_test_random(), 0);
}

/* Allocations */

static int use_queue(void *arg)
{
    struct bight_queue *queue;
    int rc = bight_queue_new(&queue, 2);

    (void)arg;
    if (rc)
        return rc;
    bight_queue_close(queue);
    return bight_queue_free(queue);
}

static void each_allocation_fails_in_turn_and_that_is_no_failure_of_the_run(void)
{
    ck_assert_int_eq(run((struct bight_test_options){0}, use_queue, NULL), 0);
    uint64_t allocs = result.allocs;
    ck_assert_uint_gt(allocs, 0);
    ck_assert_uint_eq(result.faults, 0);
    for (uint64_t i = 1; i <= allocs; i++) {
        ck_assert_int_eq(run((struct bight_test_options){.alloc = i}, use_queue, NULL),
                         BIGHT_ENOMEM);
        ck_assert_uint_eq(result.faults, 1);
        ck_assert_int_eq(run((struct bight_test_options){.alloc = i, .alloc_count = UINT64_MAX},
                             use_queue, NULL),
                         BIGHT_ENOMEM);
    }
    ck_assert_int_eq(run((struct bight_test_options){.alloc = allocs + 1}, use_queue, NULL), 0);
    ck_assert_int_eq(said, 0);
}

/* Suspensions */

static int clean_up(void *arg)
{
    int rc = bight_sleep(1);

    *(int *)arg = rc;
    return rc;
}

static int sleep_and_clean_up(void *arg)
{
    int rc = bight_sleep(5);
    int cleaned = clean_up(arg);

    return rc ? rc : cleaned;
}

static void each_suspension_is_cancelled_in_turn(void)
{
    int cleaned;

    ck_assert_int_eq(run((struct bight_test_options){0}, sleep_and_clean_up, &cleaned), 0);
    uint64_t suspends = result.suspends;
    ck_assert_uint_eq(suspends, 4); /* a check and a park each */
    for (uint64_t i = 1; i <= suspends; i++) {
        ck_assert_int_eq(
            run((struct bight_test_options){.suspend = i}, sleep_and_clean_up, &cleaned),
            BIGHT_ECANCELED);
        ck_assert_int_eq(cleaned, BIGHT_ECANCELED); /* a state, not an event */
    }
    ck_assert_int_eq(
        run((struct bight_test_options){.suspend = suspends + 1}, sleep_and_clean_up, &cleaned), 0);
    ck_assert_int_eq(said, 0);
}

static int two_sleepers(struct bight_group *group, void *arg)
{
    static int cleaned[2];

    (void)arg;
    for (int i = 0; i < 2; i++)
        ck_ok(bight_group_spawn(NULL, group, NULL, sleep_and_clean_up, &cleaned[i]));
    return 0;
}

static int group_main(void *arg)
{
    return bight_group_run(two_sleepers, arg);
}

static void several_suspensions_in_a_row_are_cancelled(void)
{
    ck_assert_int_eq(run((struct bight_test_options){0}, group_main, NULL), 0);
    ck_assert_int_eq(
        run((struct bight_test_options){.suspend = 2, .suspend_count = 3}, group_main, NULL), 0);
    ck_assert_uint_eq(result.faults, 3);
}

/* System calls */

static void quiet(void *arg, const char *text, size_t bytes)
{
    (void)arg;
    (void)text;
    (void)bytes;
}

static int spawn_some(void *arg)
{
    struct bight_task *task;
    int rc = bight_spawn(&task, use_queue, arg);

    if (rc)
        return rc;
    ck_assert_int_eq(bight_dump(quiet, NULL), 0);
    return bight_join(task, NULL);
}

static void each_system_call_fails_in_turn(void)
{
    uint64_t failed = 0;

    ck_assert_int_eq(run((struct bight_test_options){0}, spawn_some, NULL), 0);
    uint64_t calls = result.calls;
    int fds = test_open_fds();
    ck_assert_uint_gt(calls, 10);
    for (uint64_t seed = 1; seed <= 3; seed++) {
        for (uint64_t i = 1; i <= calls; i++) {
            int rc = run((struct bight_test_options){.seed = seed, .call = i}, spawn_some, NULL);

            ck_assert_int_le(rc, 0);
            ck_assert_uint_eq(result.faults, 1);
            failed += rc < 0;
            ck_assert_int_eq(test_open_fds(), fds);
        }
    }
    ck_assert_uint_gt(failed, 10);
    ck_assert_int_eq(said, 0);
}

static void system_calls_fail_by_chance(void)
{
    uint64_t faults = 0;
    int passed = 0;

    for (uint64_t seed = 1; seed <= 200; seed++) {
        passed += run((struct bight_test_options){.seed = seed, .call_chance = 20000}, spawn_some,
                      NULL) == 0;
        faults += result.faults;
    }
    ck_assert_uint_gt(faults, 20);
    ck_assert_int_gt(passed, 20);
    ck_assert_int_eq(said, 0);
}

static int dump_into(void *arg)
{
    return bight_dump_fd(*(int *)arg);
}

static void short_writes_lose_nothing(void)
{
    char whole[512] = "", text[512];
    int ends[2], shorter = 0;

    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(run((struct bight_test_options){0}, dump_into, &ends[1]), 0);
    ck_assert_int_gt(read(ends[0], whole, sizeof whole - 1), 0);
    uint64_t calls = result.calls;
    for (uint64_t seed = 1; seed <= 100; seed++) {
        memset(text, 0, sizeof text);
        int rc = run((struct bight_test_options){.seed = seed, .call = calls}, dump_into, &ends[1]);
        ck_assert_int_gt(read(ends[0], text, sizeof text - 1), 0);
        ck_assert_int_eq(strncmp(whole, text, strlen(text)), 0);
        ck_assert(rc < 0 || strcmp(whole, text) == 0);
        shorter += rc == 0;
    }
    ck_assert_int_gt(shorter, 5);
    close(ends[0]);
    close(ends[1]);
}

/* Checkpoints */

static int yield_once(void *arg)
{
    (void)arg;
    return bight_yield();
}

static void passes(int (*fn)(void *arg), bool checkpoint, bool none)
{
    struct bight_test_passes before;

    ck_ok(bight_test_get_passes(&before));
    ck_ok(fn(NULL));
    ck_assert_int_eq(bight_test_passed(&before), checkpoint);
    ck_assert_int_eq(bight_test_passed_none(&before), none);
}

static int nothing(void *arg)
{
    (void)arg;
    return 0;
}

static int only_check(void *arg)
{
    (void)arg;
    return bight_checkpoint();
}

static int only_yield(void *arg)
{
    return bight_shield(-1, yield_once, arg);
}

static int both(void *arg)
{
    int rc = only_check(arg);

    return rc ? rc : only_yield(arg);
}

static int check_passes(void *arg)
{
    (void)arg;
    passes(yield_once, true, false);
    passes(nothing, false, true);
    passes(only_check, false, false);
    passes(only_yield, false, false);
    passes(both, true, false);
    return 0;
}

static void a_checkpoint_is_a_check_and_a_turn(void)
{
    ck_assert_int_eq(run((struct bight_test_options){0}, check_passes, NULL), 0);
    ck_assert_int_eq(run((struct bight_test_options){.seed = 5}, check_passes, NULL), 0);
}

/* Outside */

static int ask_outside(void *arg)
{
    struct bight_test_passes before;
    char line[BIGHT_TEST_LINE_BYTES];

    (void)arg;
    ck_code(bight_test_settle(0), BIGHT_ENOTSUP);
    ck_code(bight_test_advance(1), BIGHT_ENOTSUP);
    ck_code(bight_test_set_rate(1), BIGHT_ENOTSUP);
    ck_code(bight_test_set_autojump(1), BIGHT_ENOTSUP);
    ck_code(bight_test_get_passes(&before), BIGHT_ENOTSUP);
    ck_code(bight_test_progress(&result), BIGHT_ENOTSUP);
    ck_code(bight_test_line(line, sizeof line), BIGHT_ENOTSUP);
    ck_code(bight_test_fail("no"), BIGHT_ENOTSUP);
    ck_assert_uint_eq(bight_test_elapsed_ns(), 0);
    ck_code(bight_test_run(NULL, nothing, NULL, NULL), BIGHT_EALREADY);
    return 0;
}

static int close_late(void *arg)
{
    return bight_mailbox_get(arg);
}

static void never(void *arg)
{
    (void)arg;
    ck_abort_msg("was called");
}

static void a_mailbox_that_outlives_the_run_asks_it_nothing(void)
{
    struct bight_mailbox *mailbox;

    ck_assert_int_eq(run((struct bight_test_options){.alloc = 1000}, close_late, &mailbox), 0);
    ck_assert_int_eq(bight_post_call(mailbox, never, NULL), BIGHT_ECLOSED);
    bight_mailbox_unref(mailbox);
}

static const struct suite_case cases[] = {
    plain_case(without_a_seed_ready_tasks_run_in_turn),
    plain_case(fresh_seeds_give_different_orders),
    plain_case(one_seed_gives_one_order),
    plain_case(random_numbers_follow_from_the_seed),
    plain_case(each_allocation_fails_in_turn_and_that_is_no_failure_of_the_run),
    plain_case(each_suspension_is_cancelled_in_turn),
    plain_case(several_suspensions_in_a_row_are_cancelled),
    plain_case(each_system_call_fails_in_turn),
    plain_case(system_calls_fail_by_chance),
    plain_case(short_writes_lose_nothing),
    plain_case(a_checkpoint_is_a_check_and_a_turn),
    body_case(an_ordinary_run_knows_of_no_test, bight_run, ask_outside),
    plain_case(a_mailbox_that_outlives_the_run_asks_it_nothing),
};

test_suite("testing", cases);
