/* Barriers that nobody breaks: parties, their places, rounds. */
#include "tests/conformance/conf.h"

#define PARTIES 5

struct meeting {
    struct bight_barrier barrier;
    int places; /* a bit for each place, of those who passed */
    int first;  /* how often the first round was passed */
    int second;
};

static void ck_barrier(const struct bight_barrier *barrier, enum bight_barrier_state state,
                       int waiting)
{
    ck_assert_int_eq(bight_barrier_get_state(barrier), state);
    ck_assert_int_eq(bight_barrier_waiting(barrier), waiting);
}

static int passes(void *arg)
{
    struct meeting *meeting = arg;
    int place = bight_barrier_wait(&meeting->barrier);

    if (place < 0)
        return place;
    ck_assert_int_eq(meeting->places & (1 << place), 0);
    meeting->places |= 1 << place;
    return 0;
}

static void open_meeting(struct meeting *meeting, int parties)
{
    *meeting = (struct meeting){.places = 0};
    ck_ok(bight_barrier_init(&meeting->barrier, parties));
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

static int five_pass(void *arg)
{
    struct bight_task *tasks[PARTIES];
    struct meeting meeting;

    (void)arg;
    open_meeting(&meeting, PARTIES);
    ck_assert_int_eq(bight_barrier_parties(&meeting.barrier), PARTIES);
    ck_barrier(&meeting.barrier, BIGHT_BARRIER_FILLING, 0);
    start(&meeting, passes, tasks, PARTIES);
    join_all(tasks, PARTIES);
    ck_assert_int_eq(meeting.places, (1 << PARTIES) - 1);
    ck_barrier(&meeting.barrier, BIGHT_BARRIER_FILLING, 0);
    return 0;
}

static void barrier_01_a_barrier_is_for_one_party_at_least(void)
{
    struct bight_barrier barrier;

    ck_code(bight_barrier_init(&barrier, 0), BIGHT_EINVAL);
    ck_code(bight_barrier_init(&barrier, -4), BIGHT_EINVAL);
    conf_ok(five_pass);
}

static int three_places(void *arg)
{
    struct bight_task *tasks[3];
    struct meeting meeting;

    (void)arg;
    open_meeting(&meeting, 3);
    start(&meeting, passes, tasks, 3);
    join_all(tasks, 3);
    ck_assert_int_eq(meeting.places, 7);
    ck_barrier(&meeting.barrier, BIGHT_BARRIER_FILLING, 0);
    return 0;
}

static int is_first(void *arg)
{
    struct meeting *meeting = arg;

    ck_assert_int_eq(bight_barrier_wait(&meeting->barrier), 0);
    meeting->first++;
    return 0;
}

static int for_one(void *arg)
{
    struct bight_task *tasks[2];
    struct meeting meeting;

    (void)arg;
    open_meeting(&meeting, 1);
    start(&meeting, is_first, tasks, 2);
    ck_assert_int_eq(bight_barrier_wait(&meeting.barrier), 0);
    ck_assert_int_eq(meeting.first, 0); /* nobody else ran */
    ck_barrier(&meeting.barrier, BIGHT_BARRIER_FILLING, 0);
    for (int i = 0; i < 2; i++) {
        conf_join(tasks[i], 0);
        ck_barrier(&meeting.barrier, BIGHT_BARRIER_FILLING, 0);
    }
    ck_assert_int_eq(meeting.first, 2);
    return 0;
}

static int one_by_one(void *arg)
{
    struct bight_task *tasks[3];
    struct meeting meeting;

    (void)arg;
    open_meeting(&meeting, 3);
    for (int i = 0; i < 2; i++) {
        start(&meeting, passes, tasks + i, 1);
        ck_ok(bight_yield());
        ck_barrier(&meeting.barrier, BIGHT_BARRIER_FILLING, i + 1);
        ck_assert_int_eq(meeting.places, 0);
    }
    start(&meeting, passes, tasks + 2, 1);
    ck_ok(bight_yield());
    ck_barrier(&meeting.barrier, BIGHT_BARRIER_DRAINING, 0);
    ck_ok(bight_yield());
    for (int i = 0; i < 3; i++)
        ck_assert(bight_task_done(tasks[i]));
    join_all(tasks, 3);
    ck_assert_int_eq(meeting.places, 7);
    ck_barrier(&meeting.barrier, BIGHT_BARRIER_FILLING, 0);
    return 0;
}

static int passes_twice(void *arg)
{
    struct meeting *meeting = arg;

    ck_assert_int_ge(bight_barrier_wait(&meeting->barrier), 0);
    ck_assert_int_eq(meeting->second, 0);
    meeting->first++;
    ck_ok(passes(meeting));
    ck_assert_int_eq(meeting->first, PARTIES); /* no round is mixed with another */
    meeting->second++;
    return 0;
}

static int twice_in_a_row(void *arg)
{
    struct bight_task *tasks[PARTIES];
    struct meeting meeting;

    (void)arg;
    open_meeting(&meeting, PARTIES);
    start(&meeting, passes_twice, tasks, PARTIES);
    join_all(tasks, PARTIES);
    ck_assert_int_eq(meeting.first, PARTIES);
    ck_assert_int_eq(meeting.second, PARTIES);
    ck_assert_int_eq(meeting.places, (1 << PARTIES) - 1);
    ck_barrier(&meeting.barrier, BIGHT_BARRIER_FILLING, 0);
    return 0;
}

static int one_cancelled(void *arg)
{
    struct bight_task *tasks[4];
    struct meeting meeting;

    (void)arg;
    open_meeting(&meeting, 3);
    start(&meeting, passes, tasks, 2);
    ck_ok(bight_yield());
    ck_barrier(&meeting.barrier, BIGHT_BARRIER_FILLING, 2);
    bight_task_cancel(tasks[0]);
    ck_ok(bight_yield());
    ck_barrier(&meeting.barrier, BIGHT_BARRIER_FILLING, 1);
    ck_assert(bight_task_done(tasks[0]));
    conf_join(tasks[0], BIGHT_ECANCELED);
    start(&meeting, passes, tasks + 2, 1);
    ck_ok(bight_yield());
    ck_barrier(&meeting.barrier, BIGHT_BARRIER_FILLING, 2);
    ck_assert_int_eq(meeting.places, 0);
    start(&meeting, passes, tasks + 3, 1);
    join_all(tasks + 1, 3);
    ck_assert_int_eq(meeting.places, 7);
    ck_barrier(&meeting.barrier, BIGHT_BARRIER_FILLING, 0);
    return 0;
}

static const struct suite_case cases[] = {
    plain_case(barrier_01_a_barrier_is_for_one_party_at_least),
    conf_case(barrier_02_each_party_gets_an_index_of_its_own, three_places),
    conf_case(barrier_03_a_barrier_for_one_never_blocks, for_one),
    conf_case(barrier_04_the_number_of_waiting_parties_grows_one_by_one, one_by_one),
    conf_case(barrier_05_it_can_be_passed_twice_in_a_row, twice_in_a_row),
    conf_case(barrier_08_a_cancelled_party_leaves_the_count, one_cancelled),
};

test_suite("sync, barriers", cases);
