/* Barriers that are reset or aborted, at every moment of a round. How many are still inside
 * while a round drains is told by how many have come out. */
#include "tests/conformance/conf.h"

#define PARTIES 5

struct meeting {
    struct bight_barrier barrier;
    struct bight_barrier other;
    int out;          /* how many have passed the first round */
    int broken;       /* those who noted that they did not pass */
    int broken_again; /* a second kind of those */
    int second;       /* passed the second round */
    int third;
};

static void open_meeting(struct meeting *meeting)
{
    *meeting = (struct meeting){.out = 0};
    ck_ok(bight_barrier_init(&meeting->barrier, PARTIES));
    ck_ok(bight_barrier_init(&meeting->other, PARTIES));
}

static void ck_barrier(const struct bight_barrier *barrier, enum bight_barrier_state state,
                       int waiting)
{
    ck_assert_int_eq(bight_barrier_get_state(barrier), state);
    ck_assert_int_eq(bight_barrier_waiting(barrier), waiting);
}

/* Whether it was passed; else it was broken. */
static bool passed(struct bight_barrier *barrier)
{
    int place = bight_barrier_wait(barrier);

    if (place < 0)
        ck_code(place, BIGHT_EBROKEN);
    return place >= 0;
}

static void start(struct meeting *meeting, int (*fn)(void *arg), struct bight_task **tasks,
                  int count)
{
    for (int i = 0; i < count; i++)
        ck_ok(bight_spawn(&tasks[i], fn, meeting));
}

static void join_all(struct bight_task **tasks, int count)
{
    for (int i = 0; i < count; i++)
        conf_join(tasks[i], 0);
}

/* A meeting from its beginning to its end. */
static void meet(struct meeting *meeting, int (*fn)(void *arg))
{
    struct bight_task *tasks[PARTIES];

    open_meeting(meeting);
    start(meeting, fn, tasks, PARTIES);
    join_all(tasks, PARTIES);
}

static int third_out_resets(void *arg)
{
    struct meeting *meeting = arg;

    if (!passed(&meeting->barrier)) {
        meeting->broken++;
    } else if (PARTIES - ++meeting->out == 2) {
        bight_barrier_reset(&meeting->barrier);
        ck_barrier(&meeting->barrier, BIGHT_BARRIER_RESETTING, 0);
    }
    return 0;
}

static int reset_while_leaving(void *arg)
{
    struct meeting meeting;

    (void)arg;
    meet(&meeting, third_out_resets);
    ck_assert_int_eq(meeting.broken, 2);
    ck_assert_int_eq(meeting.out, 3);
    ck_barrier(&meeting.barrier, BIGHT_BARRIER_FILLING, 0);
    return 0;
}

static int broken_then_again(void *arg)
{
    struct meeting *meeting = arg;

    if (!passed(&meeting->barrier))
        meeting->broken++;
    ck_assert(passed(&meeting->barrier));
    meeting->second++;
    return 0;
}

static int comes_late(void *arg)
{
    struct meeting *meeting = arg;

    ck_assert(passed(&meeting->barrier));
    meeting->second++;
    return 0;
}

static int reset_while_waiting(void *arg)
{
    struct bight_task *tasks[PARTIES];
    struct meeting meeting;

    (void)arg;
    open_meeting(&meeting);
    start(&meeting, broken_then_again, tasks, PARTIES - 1);
    ck_ok(bight_yield());
    ck_barrier(&meeting.barrier, BIGHT_BARRIER_FILLING, PARTIES - 1);
    bight_barrier_reset(&meeting.barrier);
    ck_ok(bight_yield());
    ck_assert_int_eq(meeting.broken, PARTIES - 1);
    ck_assert_int_eq(meeting.second, 0);
    start(&meeting, comes_late, tasks + PARTIES - 1, 1);
    join_all(tasks, PARTIES);
    ck_assert_int_eq(meeting.broken, PARTIES - 1);
    ck_assert_int_eq(meeting.second, PARTIES);
    ck_barrier(&meeting.barrier, BIGHT_BARRIER_FILLING, 0);
    return 0;
}

static int last_out_resets(void *arg)
{
    struct meeting *meeting = arg;

    ck_assert(passed(&meeting->barrier));
    if (++meeting->out == PARTIES) {
        bight_barrier_reset(&meeting->barrier);
        ck_assert(passed(&meeting->barrier));
    } else if (passed(&meeting->barrier)) {
        meeting->second++;
    } else {
        meeting->broken++;
    }
    ck_assert(passed(&meeting->barrier));
    meeting->third++;
    return 0;
}

static int reset_by_the_last(void *arg)
{
    struct meeting meeting;

    (void)arg;
    meet(&meeting, last_out_resets);
    ck_assert_int_eq(meeting.second, PARTIES - 1);
    ck_assert_int_eq(meeting.broken, 0);
    ck_assert_int_eq(meeting.third, PARTIES);
    ck_barrier(&meeting.barrier, BIGHT_BARRIER_FILLING, 0);
    return 0;
}

static int abort_idle(void *arg)
{
    struct bight_barrier barrier;

    (void)arg;
    ck_ok(bight_barrier_init(&barrier, 1));
    bight_barrier_abort(&barrier);
    ck_ok(bight_yield());
    ck_barrier(&barrier, BIGHT_BARRIER_BROKEN, 0);
    ck_code(bight_barrier_wait(&barrier), BIGHT_EBROKEN);
    return 0;
}

static int third_out_aborts(void *arg)
{
    struct meeting *meeting = arg;

    if (!passed(&meeting->barrier)) {
        meeting->broken++;
    } else if (++meeting->out == 3) {
        bight_barrier_abort(&meeting->barrier);
    } else {
        ck_assert_int_lt(meeting->out, 3);
        ck_assert(!passed(&meeting->barrier));
        meeting->broken_again++;
    }
    return 0;
}

static int abort_while_leaving(void *arg)
{
    struct meeting meeting;

    (void)arg;
    meet(&meeting, third_out_aborts);
    ck_assert_int_eq(meeting.broken, 2);
    ck_assert_int_eq(meeting.broken_again, 2);
    ck_assert_int_eq(meeting.out, 3);
    ck_barrier(&meeting.barrier, BIGHT_BARRIER_BROKEN, 0);
    return 0;
}

/* The one in the middle aborts, and is the one who mends when all know of it. That a party which
 * has not left yet is broken in its first wait makes no difference to what it does next. */
static int aborts_and_mends(void *arg)
{
    struct meeting *meeting = arg;
    int place = bight_barrier_wait(&meeting->barrier);

    if (place == 2)
        bight_barrier_abort(&meeting->barrier);
    else if (place < 0 || !passed(&meeting->barrier))
        meeting->broken++;
    place = bight_barrier_wait(&meeting->other);
    ck_assert_int_ge(place, 0);
    ck_barrier(&meeting->barrier, meeting->second ? BIGHT_BARRIER_FILLING : BIGHT_BARRIER_BROKEN,
               0);
    if (place == 2) {
        bight_barrier_reset(&meeting->barrier);
        meeting->second = 1;
    }
    ck_assert(passed(&meeting->other));
    ck_assert(passed(&meeting->barrier));
    meeting->third++;
    return 0;
}

static int abort_then_reset(void *arg)
{
    struct meeting meeting;

    (void)arg;
    meet(&meeting, aborts_and_mends);
    ck_assert_int_eq(meeting.broken, PARTIES - 1);
    ck_assert_int_eq(meeting.third, PARTIES);
    ck_barrier(&meeting.barrier, BIGHT_BARRIER_FILLING, 0);
    ck_barrier(&meeting.other, BIGHT_BARRIER_FILLING, 0);
    return 0;
}

static int waits(void *arg)
{
    struct meeting *meeting = arg;

    if (passed(&meeting->barrier))
        meeting->out++;
    else
        meeting->broken++;
    return 0;
}

static int states(void *arg)
{
    struct bight_task *tasks[9];
    struct meeting meeting;

    (void)arg;
    open_meeting(&meeting);
    start(&meeting, waits, tasks, 2);
    ck_ok(bight_yield());
    ck_barrier(&meeting.barrier, BIGHT_BARRIER_FILLING, 2);
    ck_assert_int_eq(bight_barrier_parties(&meeting.barrier), PARTIES);
    start(&meeting, waits, tasks + 2, 3);
    ck_ok(bight_yield());
    ck_barrier(&meeting.barrier, BIGHT_BARRIER_DRAINING, 0);
    start(&meeting, waits, tasks + 5, 2);
    ck_ok(bight_yield());
    bight_barrier_reset(&meeting.barrier);
    ck_barrier(&meeting.barrier, BIGHT_BARRIER_RESETTING, 0);
    start(&meeting, waits, tasks + 7, 2);
    ck_ok(bight_yield());
    bight_barrier_abort(&meeting.barrier);
    ck_barrier(&meeting.barrier, BIGHT_BARRIER_BROKEN, 0);
    join_all(tasks, 9);
    ck_assert_int_eq(meeting.out, PARTIES);
    ck_assert_int_eq(meeting.broken, 4);
    ck_barrier(&meeting.barrier, BIGHT_BARRIER_BROKEN, 0);
    return 0;
}

static const struct suite_case cases[] = {
    conf_case(barrier_11_a_reset_while_parties_leave_breaks_those_that_have_not_left,
              reset_while_leaving),
    conf_case(barrier_13_after_a_reset_the_same_tasks_can_pass, reset_while_waiting),
    conf_case(barrier_14_a_reset_by_the_last_that_leaves_disturbs_nobody, reset_by_the_last),
    conf_case(barrier_15_an_idle_barrier_can_be_aborted, abort_idle),
    conf_case(
        barrier_16_an_abort_while_parties_leave_breaks_those_inside_and_those_of_the_next_round,
        abort_while_leaving),
    conf_case(barrier_18_an_aborted_barrier_works_again_after_a_reset, abort_then_reset),
    conf_case(barrier_19_the_state_shows_filling_draining_resetting_and_broken, states),
};

test_suite("sync, broken barriers", cases);
