/* Clocks that a test moves, settling, steps in an order, and the order of ready tasks. */
#include "tests/conformance/conf.h"

#include <string.h>
#include <uv.h>

#define MS_NS UINT64_C(1000000)
#define SECOND_NS UINT64_C(1000000000)

static struct conf_notes notes;

/* Run in test mode, on `clock` where there is one. */
static void test_ok(struct bight_test_clock *clock, int (*fn)(void *arg), void *arg)
{
    const struct bight_test_options options = {.clock = clock};

    ck_ok(bight_test_run(&options, fn, arg, NULL));
}

static void shows(const struct bight_test_clock *clock, uint64_t ms)
{
    ck_assert_uint_eq(bight_test_clock_now_ns(clock), ms * MS_NS);
}

static int read_and_jump(void *arg)
{
    struct bight_test_clock *clock = arg;
    uint64_t start_ns = bight_now_ns();

    ck_ok(bight_test_clock_advance(clock, 3150));
    shows(clock, 1200 + 3150);
    ck_assert_uint_eq(bight_now_ns() - start_ns, 3150 * MS_NS);
    ck_ok(bight_yield());
    ck_assert_uint_eq(bight_now_ns() - start_ns, 3150 * MS_NS);
    ck_code(bight_test_clock_advance(clock, -1000), BIGHT_EINVAL);
    ck_assert_uint_eq(bight_now_ns() - start_ns, 3150 * MS_NS);
    return 0;
}

static void tclock_01_a_virtual_clock_moves_when_told_and_never_back(void)
{
    struct bight_test_clock clock;

    bight_test_clock_init(&clock);
    shows(&clock, 0);
    ck_ok(bight_test_clock_advance(&clock, 1200));
    shows(&clock, 1200);
    ck_code(bight_test_clock_advance(&clock, -1000), BIGHT_EINVAL);
    shows(&clock, 1200);
    test_ok(&clock, read_and_jump, &clock);
}

static uint64_t given_real(void *arg)
{
    return *(uint64_t *)arg;
}

static void real_waits(const struct bight_test_clock *clock, uint64_t until_4200_ms)
{
    ck_assert_uint_eq(bight_test_clock_real_ns_until(clock, 3100 * MS_NS), 0);
    ck_assert_uint_eq(bight_test_clock_real_ns_until(clock, 3200 * MS_NS), 0);
    ck_assert_uint_eq(bight_test_clock_real_ns_until(clock, 4200 * MS_NS), until_4200_ms * MS_NS);
}

static void tclock_02_a_rate_bends_the_time_without_a_jump(void)
{
    struct bight_test_clock clock;
    uint64_t real_ns = 123;

    bight_test_clock_init(&clock);
    bight_test_clock_set_real(&clock, given_real, &real_ns);
    ck_ok(bight_test_clock_advance(&clock, 1200));
    ck_assert_uint_eq(bight_test_clock_real_ns_until(&clock, 1300 * MS_NS), UINT64_MAX);
    ck_code(bight_test_clock_set_rate(&clock, -1), BIGHT_EINVAL);
    ck_ok(bight_test_clock_set_rate(&clock, 2));
    shows(&clock, 1200);
    real_ns += SECOND_NS;
    shows(&clock, 3200);
    real_waits(&clock, 500);
    ck_ok(bight_test_clock_set_rate(&clock, 0.5));
    shows(&clock, 3200);
    real_waits(&clock, 2000);
    ck_ok(bight_test_clock_advance(&clock, 800));
    shows(&clock, 4000);
    real_ns += SECOND_NS;
    shows(&clock, 4500);
}

static int sleep_in_turn(void *arg)
{
    (void)arg;
    for (int64_t ms = 0; ms < 100000; ms += 10000) {
        uint64_t before_ns = bight_now_ns();

        ck_ok(bight_sleep(ms));
        ck_assert_uint_eq(bight_now_ns() - before_ns, (uint64_t)ms * MS_NS);
    }
    return 0;
}

static void tclock_03_each_sleep_advances_the_clock_by_exactly_its_length(void)
{
    struct bight_test_clock clock;
    uint64_t real_ns = uv_hrtime();

    bight_test_clock_init(&clock);
    bight_test_clock_set_autojump(&clock, 0);
    test_ok(&clock, sleep_in_turn, NULL);
    shows(&clock, 450000);
    test_ok(NULL, sleep_in_turn, NULL); /* the clock of a run jumps by itself */
    ck_assert_uint_lt(uv_hrtime() - real_ns, 100 * SECOND_NS);
}

static int sleep_10000_s(void *arg)
{
    (void)arg;
    return bight_sleep(10000000);
}

static void tclock_07_a_cushion_can_be_changed_before_the_clock_is_used(void)
{
    struct bight_test_clock clock;
    uint64_t real_ns = uv_hrtime();

    bight_test_clock_init(&clock);
    bight_test_clock_set_autojump(&clock, 60000);
    bight_test_clock_set_autojump(&clock, 10);
    test_ok(&clock, sleep_10000_s, NULL);
    shows(&clock, 10000000);
    ck_assert_uint_ge(uv_hrtime() - real_ns, 10 * MS_NS);
    ck_assert_uint_lt(uv_hrtime() - real_ns, 60 * SECOND_NS);
}

static int yawns(void *arg)
{
    ck_ok(bight_sleep(100000));
    conf_note(arg, "yawn");
    return 0;
}

static int settles_and_sleeps(void *arg)
{
    ck_ok(bight_test_settle(0));
    conf_note(arg, "woke");
    ck_ok(bight_sleep(1000000));
    conf_note(arg, "done");
    return 0;
}

static int settles_beside_sleeper(struct bight_group *group, void *arg)
{
    ck_ok(bight_group_spawn(NULL, group, NULL, yawns, arg));
    return bight_group_spawn(NULL, group, NULL, settles_and_sleeps, arg);
}

static int settle_or_jump(void *arg)
{
    return bight_group_run(settles_beside_sleeper, arg);
}

static void tclock_08_settling_comes_before_jumping(void)
{
    struct bight_test_clock clock;

    bight_test_clock_init(&clock);
    bight_test_clock_set_autojump(&clock, 0);
    test_ok(&clock, settle_or_jump, &notes);
    ck_assert_str_eq(notes.text, " woke yawn done");
}

static int read_real_clock(void *arg)
{
    uint64_t first_ns = bight_now_ns();

    (void)arg;
    ck_ok(bight_sleep(1));
    ck_assert_uint_ge(bight_now_ns(), first_ns + MS_NS);
    return 0;
}

static int busy(void *arg)
{
    for (int i = 0; i < 10; i++)
        ck_ok(bight_yield());
    conf_note(arg, "busy");
    return 0;
}

static int settles(void *arg)
{
    ck_ok(bight_test_settle(0));
    conf_note(arg, "settled");
    return 0;
}

static int settles_beside_busy(struct bight_group *group, void *arg)
{
    ck_ok(bight_group_spawn(NULL, group, NULL, settles, arg));
    ck_ok(bight_group_spawn(NULL, group, NULL, busy, arg));
    return bight_group_spawn(NULL, group, NULL, settles, arg);
}

static int settle_beside_busy(void *arg)
{
    return bight_group_run(settles_beside_busy, arg);
}

static void tsettle_01_settling_waits_for_busy_tasks(void)
{
    test_ok(NULL, settle_beside_busy, &notes);
    ck_assert_str_eq(notes.text, " busy settled settled");
}

static int sleeps_thrice(void *arg)
{
    (void)arg;
    conf_note(&notes, "start");
    for (int i = 0; i < 3; i++)
        ck_ok(bight_sleep(10));
    conf_note(&notes, "end");
    return 0;
}

struct cushion {
    int64_t ms;
    const char *name;
};

static int settles_cushioned(void *arg)
{
    const struct cushion *cushion = arg;

    ck_ok(bight_test_settle(cushion->ms));
    conf_note(&notes, cushion->name);
    return 0;
}

static int cushions(struct bight_group *group, void *arg)
{
    static struct cushion all[] = {{60, "60"}, {40, "40"}, {0, "0"}, {40, "40"}};

    (void)arg;
    ck_ok(bight_test_set_rate(1));
    ck_ok(bight_test_set_autojump(-1));
    ck_ok(bight_group_spawn(NULL, group, NULL, sleeps_thrice, NULL));
    for (int i = 0; i < 4; i++)
        ck_ok(bight_group_spawn(NULL, group, NULL, settles_cushioned, &all[i]));
    return 0;
}

static int settle_cushioned(void *arg)
{
    return bight_group_run(cushions, arg);
}

/* In real time; the cushions are wider than the sleeps by enough for a machine that is busy. */
static void tsettle_04_the_wider_the_cushion_the_later(void)
{
    test_ok(NULL, settle_cushioned, NULL);
    ck_assert_str_eq(notes.text, " start 0 end 40 40 60");
}

struct stepper {
    struct bight_test_sequencer *sequencer;
    const char *steps; /* digits */
};

static void step(struct bight_test_sequencer *sequencer, const char *digit)
{
    ck_ok(bight_test_sequencer_enter(sequencer, (uint64_t)(*digit - '0')));
    conf_note(&notes, (const char[]){*digit, '\0'});
    ck_ok(bight_test_sequencer_leave(sequencer));
}

static int takes_steps(void *arg)
{
    const struct stepper *stepper = arg;

    for (const char *digit = stepper->steps; *digit; digit++)
        step(stepper->sequencer, digit);
    return 0;
}

static int enters_first(void *arg)
{
    const struct stepper *stepper = arg;

    return bight_test_sequencer_enter(stepper->sequencer, (uint64_t)(*stepper->steps - '0'));
}

static int sequence(void *arg)
{
    struct bight_test_sequencer sequencer;
    struct stepper f1 = {&sequencer, "134"}, f2 = {&sequencer, "02"};
    struct bight_task *tasks[2];

    (void)arg;
    bight_test_sequencer_init(&sequencer);
    ck_ok(bight_spawn(&tasks[0], takes_steps, &f1));
    ck_ok(bight_spawn(&tasks[1], takes_steps, &f2));
    step(&sequencer, "5");
    conf_join(tasks[0], 0);
    conf_join(tasks[1], 0);
    ck_assert_str_eq(notes.text, " 0 1 2 3 4 5");
    ck_code(bight_test_sequencer_enter(&sequencer, 5), BIGHT_EALREADY);
    return 0;
}

static int sequence_cancelled(void *arg)
{
    struct bight_test_sequencer sequencer;
    struct stepper waiting[] = {{&sequencer, "2"}, {&sequencer, "3"}};
    struct bight_task *tasks[2];

    (void)arg;
    bight_test_sequencer_init(&sequencer);
    for (int i = 0; i < 2; i++)
        ck_ok(bight_spawn(&tasks[i], enters_first, &waiting[i]));
    ck_ok(bight_test_settle(0));
    bight_task_cancel(tasks[1]);
    conf_join(tasks[1], BIGHT_ECANCELED);
    conf_join(tasks[0], BIGHT_EBROKEN);
    ck_code(bight_test_sequencer_enter(&sequencer, 0), BIGHT_EBROKEN);
    ck_code(bight_test_sequencer_enter(&sequencer, 1), BIGHT_EBROKEN);
    return 0;
}

static int both_sequences(void *arg)
{
    ck_ok(sequence(arg));
    return sequence_cancelled(arg);
}

static void tsettle_05_a_sequencer_forces_an_order_or_is_broken_for_all(void)
{
    test_ok(NULL, both_sequences, NULL);
}

static int yields(void *arg)
{
    (void)arg;
    return bight_yield();
}

static int does_nothing(void *arg)
{
    (void)arg;
    return 0;
}

static int only_checks(void *arg)
{
    (void)arg;
    return bight_checkpoint();
}

static int only_lets_others_run(void *arg)
{
    return bight_shield(-1, yields, arg);
}

static int does_both(void *arg)
{
    ck_ok(only_checks(arg));
    return only_lets_others_run(arg);
}

static void passes(int (*fn)(void *arg), bool checkpoint, bool none)
{
    struct bight_test_passes before;

    ck_ok(bight_test_get_passes(&before));
    ck_ok(fn(NULL));
    ck_assert(bight_test_passed(&before) == checkpoint);
    ck_assert(bight_test_passed_none(&before) == none);
}

static int what_passes(void *arg)
{
    (void)arg;
    passes(yields, true, false);
    passes(does_nothing, false, true);
    passes(only_checks, false, false);
    passes(only_lets_others_run, false, false);
    passes(does_both, true, false);
    return 0;
}

static void tsettle_06_a_checkpoint_both_checks_and_lets_others_run(void)
{
    test_ok(NULL, what_passes, NULL);
}

#define TRACE (5 * 50)

struct tracer {
    char *trace; /* names, in the order of the turns */
    char name;
};

static int traces(void *arg)
{
    struct tracer *tracer = arg;

    for (int i = 0; i < 50; i++) {
        char *end = tracer->trace + strlen(tracer->trace);
        *end = tracer->name;
        ck_ok(bight_yield());
    }
    return 0;
}

static int trace_five(struct bight_group *group, void *arg)
{
    static struct tracer tracers[5];

    for (int i = 0; i < 5; i++) {
        tracers[i] = (struct tracer){arg, (char)('a' + i)};
        ck_ok(bight_group_spawn(NULL, group, NULL, traces, &tracers[i]));
    }
    return 0;
}

static int trace_main(void *arg)
{
    return bight_group_run(trace_five, arg);
}

static void trace_ten(char traces[10][TRACE + 1], const struct bight_test_options *options)
{
    for (int i = 0; i < 10; i++) {
        ck_ok(bight_test_run(options, trace_main, traces[i], NULL));
        ck_assert_uint_eq(strlen(traces[i]), TRACE);
    }
}

static void tsettle_07_the_order_of_ready_tasks_is_the_seeds(void)
{
    char fresh[10][TRACE + 1] = {{0}}, seeded[10][TRACE + 1] = {{0}};

    trace_ten(fresh, &(struct bight_test_options){.fresh_seed = true});
    trace_ten(seeded, &(struct bight_test_options){.seed = 42});
    for (int i = 1; i < 10; i++) {
        for (int j = 0; j < i; j++)
            ck_assert_str_ne(fresh[i], fresh[j]);
        ck_assert_str_eq(seeded[i], seeded[0]);
    }
}

static const struct suite_case cases[] = {
    plain_case(tclock_01_a_virtual_clock_moves_when_told_and_never_back),
    plain_case(tclock_02_a_rate_bends_the_time_without_a_jump),
    plain_case(tclock_03_each_sleep_advances_the_clock_by_exactly_its_length),
    plain_case(tclock_07_a_cushion_can_be_changed_before_the_clock_is_used),
    plain_case(tclock_08_settling_comes_before_jumping),
    body_case(tclock_10_real_time_moves, bight_run, read_real_clock),
    plain_case(tsettle_01_settling_waits_for_busy_tasks),
    plain_case(tsettle_04_the_wider_the_cushion_the_later),
    plain_case(tsettle_05_a_sequencer_forces_an_order_or_is_broken_for_all),
    plain_case(tsettle_06_a_checkpoint_both_checks_and_lets_others_run),
    plain_case(tsettle_07_the_order_of_ready_tasks_is_the_seeds),
};

test_suite("trio clocks", cases);
