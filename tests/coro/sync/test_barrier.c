/* Barrier: rounds, those who leave, reset and abort at every moment of a round. */
#include "tests/harness/suite.h"
#include "tests/harness/world.h"

#include <string.h>

#define MANY 5

struct shared {
    struct bight_barrier barrier;
    struct bight_barrier second;
    int places; /* one bit each, of those who passed */
    int passed;
    int broken;
    int again[2]; /* of those who passed the second, the third time */
    int out;      /* how many have left the first round */
};

static void shared_init(struct shared *shared, int parties)
{
    memset(shared, 0, sizeof(*shared));
    ck_ok(bight_barrier_init(&shared->barrier, parties));
    ck_ok(bight_barrier_init(&shared->second, parties));
}

/* Passes, or notes that it was broken. */
static int passes(void *arg)
{
    struct shared *shared = arg;
    int place = bight_barrier_wait(&shared->barrier);

    if (place == BIGHT_EBROKEN)
        shared->broken++;
    if (place < 0)
        return place;
    shared->passed++;
    shared->places |= 1 << place;
    return 0;
}

static void start(struct shared *shared, struct bight_task **tasks, int count, int (*fn)(void *arg))
{
    for (int i = 0; i < count; i++)
        ck_ok(bight_spawn(&tasks[i], fn, shared));
}

static void join_all(struct bight_task **tasks, int count)
{
    for (int i = 0; i < count; i++)
        ck_ok(bight_join(tasks[i], NULL));
}

static void ck_state(const struct shared *shared, enum bight_barrier_state state, int waiting)
{
    ck_assert_int_eq(bight_barrier_get_state(&shared->barrier), state);
    ck_assert_int_eq(bight_barrier_waiting(&shared->barrier), waiting);
}

/* Run `fn` in MANY tasks to their ends. */
static void play(struct shared *shared, int (*fn)(void *arg))
{
    struct bight_task *tasks[MANY];

    shared_init(shared, MANY);
    start(shared, tasks, MANY, fn);
    join_all(tasks, MANY);
}

static void barrier_has_at_least_one_party(void)
{
    struct bight_barrier barrier;

    ck_code(bight_barrier_init(&barrier, 0), BIGHT_EINVAL);
    ck_code(bight_barrier_init(&barrier, -4), BIGHT_EINVAL);
    ck_ok(bight_barrier_init(&barrier, 5));
    ck_assert_int_eq(bight_barrier_parties(&barrier), 5);
    ck_code(bight_barrier_wait(&barrier), BIGHT_ENOTASK);
    ck_assert_int_eq(bight_barrier_waiting(&barrier), 0);
}

static int refused(void *arg)
{
    struct bight_barrier barrier;
    struct bight_scope scope;

    (void)arg;
    ck_ok(bight_barrier_init(&barrier, 2));
    ck_ok(bight_scope_begin(&scope, 0, 0));
    ck_code(bight_barrier_wait(&barrier), BIGHT_ECANCELED);
    ck_code(bight_scope_end(&scope, BIGHT_ECANCELED), BIGHT_ETIMEDOUT);
    ck_assert_int_eq(bight_barrier_waiting(&barrier), 0);
    bight_barrier_abort(&barrier);
    ck_code(bight_barrier_wait(&barrier), BIGHT_EBROKEN);
    bight_barrier_reset(&barrier);
    ck_assert_int_eq(bight_barrier_get_state(&barrier), BIGHT_BARRIER_FILLING);
    return 0;
}

static int one_by_one(void *arg)
{
    struct bight_task *tasks[4];
    struct shared shared;
    int status;

    (void)arg;
    shared_init(&shared, 3);
    start(&shared, tasks, 2, passes);
    world_settle();
    ck_state(&shared, BIGHT_BARRIER_FILLING, 2);
    bight_task_cancel(tasks[0]);
    ck_state(&shared, BIGHT_BARRIER_FILLING, 1);
    ck_ok(bight_join(tasks[0], &status));
    ck_code(status, BIGHT_ECANCELED);
    start(&shared, tasks + 2, 1, passes);
    world_settle();
    ck_state(&shared, BIGHT_BARRIER_FILLING, 2);
    ck_assert_int_eq(bight_barrier_wait(&shared.barrier), 2);
    ck_state(&shared, BIGHT_BARRIER_DRAINING, 0);
    bight_task_cancel(tasks[1]); /* it was let go on: kept */
    join_all(tasks + 1, 2);
    ck_assert_int_eq(shared.places, 3); /* each place once, although one had left */
    ck_state(&shared, BIGHT_BARRIER_FILLING, 0);
    ck_code(bight_timeout(10, passes, &shared), BIGHT_ETIMEDOUT);
    ck_state(&shared, BIGHT_BARRIER_FILLING, 0);
    return 0;
}

static int for_one(void *arg)
{
    struct shared shared;

    (void)arg;
    shared_init(&shared, 1);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(bight_barrier_wait(&shared.barrier), 0);
        ck_state(&shared, BIGHT_BARRIER_FILLING, 0);
    }
    return 0;
}

static int passes_often(void *arg)
{
    struct shared *shared = arg;

    for (int round = 0; round < 10; round++) {
        int place = bight_barrier_wait(&shared->barrier);

        ck_assert_int_ge(place, 0);
        /* Nobody is a round ahead of another who has not gone on. */
        ck_assert_int_eq(shared->passed++ / MANY, round);
        shared->places ^= 1 << place;
        if (shared->passed % MANY == 0)
            ck_assert_int_eq(shared->places, round % 2 ? 0 : (1 << MANY) - 1);
    }
    return 0;
}

static int rounds(void *arg)
{
    struct shared shared;

    (void)arg;
    play(&shared, passes_often);
    ck_assert_int_eq(shared.passed, 10 * MANY);
    ck_state(&shared, BIGHT_BARRIER_FILLING, 0);
    return 0;
}

/* More tasks than parties: those outside come in in their order. */
static int crowd(void *arg)
{
    struct bight_task *tasks[7];
    struct shared shared;

    (void)arg;
    shared_init(&shared, 2);
    start(&shared, tasks, 7, passes);
    ck_ok(bight_yield()); /* 0 waits, 1 goes on, 2 to 6 wait outside */
    ck_state(&shared, BIGHT_BARRIER_DRAINING, 0);
    bight_task_cancel(tasks[3]);
    world_settle();
    world_settle();
    ck_assert_int_eq(shared.passed, 6);
    ck_state(&shared, BIGHT_BARRIER_FILLING, 0);
    join_all(tasks, 7);
    return 0;
}

static int resets_with_two_inside(void *arg)
{
    struct shared *shared = arg;

    if (passes(shared) == 0 && ++shared->out == MANY - 2)
        bight_barrier_reset(&shared->barrier);
    return 0;
}

static int reset_while_draining(void *arg)
{
    struct shared shared;

    (void)arg;
    play(&shared, resets_with_two_inside);
    ck_assert_int_eq(shared.broken, 2);
    ck_state(&shared, BIGHT_BARRIER_FILLING, 0);
    return 0;
}

static int passes_again(void *arg)
{
    struct shared *shared = arg;

    (void)passes(shared);
    ck_assert_int_ge(bight_barrier_wait(&shared->barrier), 0);
    shared->again[0]++;
    return 0;
}

static int reset_while_filling(void *arg)
{
    struct bight_task *tasks[MANY];
    struct shared shared;

    (void)arg;
    shared_init(&shared, MANY);
    start(&shared, tasks, 4, passes_again);
    world_settle();
    bight_barrier_reset(&shared.barrier);
    ck_state(&shared, BIGHT_BARRIER_RESETTING, 0);
    ck_ok(bight_yield());
    ck_assert_int_eq(shared.broken, 4);
    ck_assert_int_ge(bight_barrier_wait(&shared.barrier), 0);
    join_all(tasks, 4);
    ck_assert_int_eq(shared.again[0], 4);
    ck_state(&shared, BIGHT_BARRIER_FILLING, 0);
    return 0;
}

static int last_one_resets(void *arg)
{
    struct shared *shared = arg;

    ck_assert_int_ge(bight_barrier_wait(&shared->barrier), 0);
    if (++shared->out == MANY) {
        bight_barrier_reset(&shared->barrier);
        ck_assert_int_ge(bight_barrier_wait(&shared->barrier), 0);
    } else if (passes(shared) == 0) {
        shared->again[0]++;
    }
    ck_assert_int_ge(bight_barrier_wait(&shared->barrier), 0);
    shared->again[1]++;
    return 0;
}

static int reset_by_the_last(void *arg)
{
    struct shared shared;

    (void)arg;
    play(&shared, last_one_resets);
    ck_assert_int_eq(shared.again[0], MANY - 1);
    ck_assert_int_eq(shared.broken, 0);
    ck_assert_int_eq(shared.again[1], MANY);
    ck_state(&shared, BIGHT_BARRIER_FILLING, 0);
    return 0;
}

static int third_one_aborts(void *arg)
{
    struct shared *shared = arg;
    int place = bight_barrier_wait(&shared->barrier);

    if (place == BIGHT_EBROKEN)
        shared->again[0]++;
    else if (++shared->out == 3)
        bight_barrier_abort(&shared->barrier);
    else
        (void)passes(shared);
    return 0;
}

static int abort_while_draining(void *arg)
{
    struct shared shared;

    (void)arg;
    play(&shared, third_one_aborts);
    ck_assert_int_eq(shared.again[0], 2);
    ck_assert_int_eq(shared.broken, 2);
    ck_state(&shared, BIGHT_BARRIER_BROKEN, 0);
    ck_code(bight_barrier_wait(&shared.barrier), BIGHT_EBROKEN);
    bight_barrier_reset(&shared.barrier);
    ck_state(&shared, BIGHT_BARRIER_FILLING, 0);
    return 0;
}

static int aborted_and_mended(void *arg)
{
    struct shared *shared = arg;
    int place = bight_barrier_wait(&shared->barrier);

    if (place == 2)
        bight_barrier_abort(&shared->barrier);
    else if (place == BIGHT_EBROKEN)
        shared->broken++;
    else
        (void)passes(shared);
    if (bight_barrier_wait(&shared->second) == 2)
        bight_barrier_reset(&shared->barrier);
    ck_assert_int_ge(bight_barrier_wait(&shared->second), 0);
    ck_assert_int_ge(bight_barrier_wait(&shared->barrier), 0);
    shared->again[0]++;
    return 0;
}

static int mended(void *arg)
{
    struct shared shared;

    (void)arg;
    play(&shared, aborted_and_mended);
    ck_assert_int_eq(shared.broken, MANY - 1);
    ck_assert_int_eq(shared.again[0], MANY);
    ck_state(&shared, BIGHT_BARRIER_FILLING, 0);
    return 0;
}

static int visible_states(void *arg)
{
    struct bight_task *tasks[9];
    struct shared shared;

    (void)arg;
    shared_init(&shared, MANY);
    start(&shared, tasks, 2, passes);
    ck_ok(bight_yield());
    ck_state(&shared, BIGHT_BARRIER_FILLING, 2);
    start(&shared, tasks + 2, 3, passes);
    ck_ok(bight_yield());
    ck_state(&shared, BIGHT_BARRIER_DRAINING, 0);
    start(&shared, tasks + 5, 2, passes);
    ck_ok(bight_yield());
    bight_barrier_reset(&shared.barrier);
    ck_state(&shared, BIGHT_BARRIER_RESETTING, 0);
    start(&shared, tasks + 7, 2, passes);
    ck_ok(bight_yield());
    bight_barrier_abort(&shared.barrier);
    ck_state(&shared, BIGHT_BARRIER_BROKEN, 0);
    join_all(tasks, 9);
    ck_assert_int_eq(shared.passed, 5);
    ck_assert_int_eq(shared.broken, 4);
    return 0;
}

/* A reset finds tasks that were woken to come in and have not run: they come in afterwards. */
static int reset_while_entering(void *arg)
{
    struct bight_task *tasks[6];
    struct shared shared;

    (void)arg;
    shared_init(&shared, 3);
    start(&shared, tasks, 5, passes);
    ck_ok(bight_yield()); /* 0 and 1 go on, 3 and 4 wait outside */
    start(&shared, tasks + 5, 1, passes);
    ck_ok(bight_yield()); /* 3 and 4 are woken, 5 has come in before they run */
    ck_state(&shared, BIGHT_BARRIER_FILLING, 1);
    bight_barrier_reset(&shared.barrier);
    world_settle();
    ck_assert_int_eq(shared.passed, 3);
    ck_assert_int_eq(shared.broken, 1);
    ck_state(&shared, BIGHT_BARRIER_FILLING, 2);
    bight_task_cancel(tasks[3]);
    bight_task_cancel(tasks[4]);
    ck_state(&shared, BIGHT_BARRIER_FILLING, 0);
    join_all(tasks, 6);
    return 0;
}

static const struct suite_case cases[] = {
    plain_case(barrier_has_at_least_one_party),
    world_case(barrier_does_not_count_a_call_that_was_refused, refused),
    world_case(barrier_counts_those_who_came_and_did_not_leave, one_by_one),
    world_case(barrier_for_one_never_waits, for_one),
    world_case(barrier_gives_each_party_its_place_round_after_round, rounds),
    world_case(barrier_lets_in_a_crowd_round_by_round, crowd),
    world_case(barrier_reset_breaks_those_who_have_not_gone_on_yet, reset_while_draining),
    world_case(barrier_is_passed_after_a_reset, reset_while_filling),
    world_case(barrier_reset_by_the_last_one_out_disturbs_nobody, reset_by_the_last),
    world_case(barrier_abort_breaks_those_inside_and_outside, abort_while_draining),
    world_case(barrier_works_again_after_abort_and_reset, mended),
    world_case(barrier_states_follow_the_rounds, visible_states),
    world_case(barrier_reset_does_not_concern_those_who_are_about_to_come_in, reset_while_entering),
};

test_suite("barrier", cases);
