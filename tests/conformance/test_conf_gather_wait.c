/* Gathering calls, racing alternatives, and shields around what is waited for. */
#include "tests/conformance/conf.h"

#define E BIGHT_EIO

/* Gather */

/* A call that waits for a future and returns what it was set to. */
struct cell {
    struct bight_future future;
    int value;
};

static int waits_for_cell(void *arg)
{
    struct cell *cell = arg;
    int status = 0;
    int rc = bight_future_wait(&cell->future, &status, NULL);

    if (rc)
        return rc;
    return status ? status : cell->value;
}

static void cell_set(struct cell *cell, int value)
{
    cell->value = value;
    ck_ok(bight_future_set(&cell->future, NULL));
}

struct gathering {
    struct cell cells[3];
    struct bight_gather calls[3];
    size_t count;
    unsigned flags;
    int ends; /* how often the gathering has ended */
};

static int gathers(void *arg)
{
    struct gathering *gathering = arg;
    int rc = bight_gather_all(gathering->calls, gathering->count, gathering->flags);

    gathering->ends++;
    return rc;
}

static void gathering_init(struct gathering *gathering, size_t count, unsigned flags)
{
    *gathering = (struct gathering){.count = count, .flags = flags};
    for (size_t i = 0; i < count; i++) {
        bight_future_init(&gathering->cells[i].future);
        gathering->calls[i] =
            (struct bight_gather){.fn = waits_for_cell, .arg = &gathering->cells[i]};
    }
}

static void results_in_order(unsigned flags)
{
    struct gathering gathering;
    struct bight_task *task;

    gathering_init(&gathering, 3, flags);
    ck_ok(bight_spawn(&task, gathers, &gathering));
    world_settle();
    cell_set(&gathering.cells[1], 1);
    cell_set(&gathering.cells[0], 2);
    world_settle();
    ck_assert(!bight_task_done(task));
    ck_assert_int_eq(gathering.ends, 0);
    cell_set(&gathering.cells[2], 3);
    world_settle();
    ck_assert_int_eq(gathering.ends, 1);
    conf_join(task, 0);
    ck_assert_int_eq(gathering.calls[0].status, 2);
    ck_assert_int_eq(gathering.calls[1].status, 1);
    ck_assert_int_eq(gathering.calls[2].status, 3);
}

static int orders(void *arg)
{
    (void)arg;
    results_in_order(0);
    results_in_order(BIGHT_GATHER_COLLECT);
    return 0;
}

static int gathers_nothing(void *arg)
{
    (void)arg;
    ck_ok(bight_gather_all(NULL, 0, 0));
    ck_ok(bight_gather_all(NULL, 0, BIGHT_GATHER_COLLECT));
    ck_assert_int_eq(conf_now_ms(), 0);
    return 0;
}

static void gather_06_nothing_to_gather_is_done_but_only_in_a_task(void)
{
    ck_code(bight_gather_all(NULL, 0, 0), BIGHT_ENOTASK);
    conf_ok(gathers_nothing);
}

static int adds_one(void *arg)
{
    ++*(int *)arg;
    return 7;
}

static int gathers_inside(void *arg)
{
    struct bight_gather calls[] = {{.fn = adds_one, .arg = arg}, {.fn = adds_one, .arg = arg}};

    ck_ok(bight_gather_all(calls, 2, 0));
    ck_assert_int_eq(calls[0].status, 7);
    ck_assert_int_eq(calls[1].status, 7);
    return 0;
}

static void gather_09_bodies_are_gathered_only_in_a_task(void)
{
    int count = 0;
    struct bight_gather calls[] = {{.fn = adds_one, .arg = &count}};

    ck_code(bight_gather_all(calls, 1, 0), BIGHT_ENOTASK);
    ck_assert_int_eq(count, 0);
    ck_assert(!calls[0].started);
    ck_ok(world_run(gathers_inside, &count, NULL));
    ck_assert_int_eq(count, 2);
}

static int cancelled_too_late(void *arg)
{
    struct gathering gathering;
    struct bight_task *task;

    (void)arg;
    gathering_init(&gathering, 1, 0);
    ck_ok(bight_spawn(&task, gathers, &gathering));
    world_settle();
    cell_set(&gathering.cells[0], 42);
    ck_ok(bight_yield()); /* the child has ended, its gatherer is ready */
    ck_assert_int_eq(gathering.calls[0].status, 42);
    ck_assert_int_eq(gathering.ends, 0);
    bight_task_cancel(task);
    conf_join(task, 0);
    ck_assert_int_eq(gathering.ends, 1);
    return 0;
}

static int gathers_again_and_again(void *arg)
{
    struct conf_sleeper sleeper = {.sleep_ms = 50};
    int rc = 0;

    (void)arg;
    for (int total = 0; total < 20 && rc == 0; total++) {
        struct bight_gather call = {.fn = conf_sleeper, .arg = &sleeper};

        rc = bight_gather_all(&call, 1, BIGHT_GATHER_COLLECT);
    }
    return rc;
}

static int cancelled_collecting(void *arg)
{
    (void)arg;
    conf_cancelled_after(220, gathers_again_and_again, NULL, BIGHT_ECANCELED);
    ck_assert_int_eq(conf_now_ms(), 220);
    return 0;
}

/* A call that waits for its cell and then fails, in spite of a cancellation. */
static int waits_and_fails(void *arg)
{
    struct cell *cell = arg;

    (void)!bight_future_wait(&cell->future, NULL, NULL);
    return cell->value;
}

static int two_failures(void *arg)
{
    struct gathering gathering;
    struct bight_task *task;

    (void)arg;
    gathering_init(&gathering, 2, 0);
    for (int i = 0; i < 2; i++)
        gathering.calls[i].fn = waits_and_fails;
    gathering.cells[1].value = BIGHT_EPIPE; /* its failure follows from the cancellation */
    ck_ok(bight_spawn(&task, gathers, &gathering));
    world_settle();
    cell_set(&gathering.cells[0], E);
    world_settle();
    conf_join(task, E);
    ck_assert_int_eq(gathering.calls[1].status, BIGHT_EPIPE);
    return 0; /* and nothing was reported */
}

/* Races */

struct runner {
    int returns;
    bool ran;
};

static int runs(void *arg)
{
    struct runner *runner = arg;

    runner->ran = true;
    return runner->returns;
}

/* A race without a delay: the next one starts only when the one before has failed. */
static int race(struct runner *runners, struct bight_gather *calls, size_t count, size_t *winner)
{
    for (size_t i = 0; i < count; i++)
        calls[i] = (struct bight_gather){.fn = runs, .arg = &runners[i]};
    return bight_race(calls, count, -1, winner);
}

static int races(void *arg)
{
    struct runner both[] = {{.returns = 5}, {.returns = 6}};
    struct runner second[] = {{.returns = E}, {.returns = 6}};
    struct runner neither[] = {{.returns = E}, {.returns = BIGHT_EPIPE}};
    struct bight_gather calls[2];
    size_t winner = 9;

    (void)arg;
    ck_code(bight_race(NULL, 0, -1, &winner), 0); /* RACE-01 */
    ck_assert_uint_eq(winner, 0);
    ck_assert_int_eq(race(both, calls, 2, &winner), 1); /* RACE-02 */
    ck_assert_uint_eq(winner, 0);
    ck_assert_int_eq(calls[0].status, 5);
    ck_assert(!calls[1].started && !both[1].ran);
    ck_assert_int_eq(race(second, calls, 2, &winner), 1); /* RACE-03 */
    ck_assert_uint_eq(winner, 1);
    ck_assert_int_eq(calls[0].status, E);
    ck_assert_int_eq(calls[1].status, 6);
    ck_code(race(neither, calls, 2, &winner), 0); /* RACE-05 */
    ck_assert_uint_eq(winner, 2);
    ck_assert_int_eq(calls[0].status, E);
    ck_assert_int_eq(calls[1].status, BIGHT_EPIPE);
    return 0;
}

/* Shields */

static int shields_cell(void *arg)
{
    return bight_shield(-1, waits_for_cell, arg);
}

static int shield_passes(void *arg)
{
    struct cell value, failed, done;
    struct bight_task *task;

    (void)arg;
    bight_future_init(&value.future);
    bight_future_init(&failed.future);
    bight_future_init(&done.future);
    ck_ok(bight_spawn(&task, shields_cell, &value)); /* SHIELD-01 */
    world_settle();
    cell_set(&value, 42);
    conf_join(task, 42);
    ck_ok(bight_spawn(&task, shields_cell, &failed)); /* SHIELD-02 */
    world_settle();
    ck_ok(bight_future_fail(&failed.future, E));
    conf_join(task, E);
    cell_set(&done, 42); /* SHIELD-05 */
    ck_assert_int_eq(shields_cell(&done), 42);
    return 0;
}

static int shields_cancelled_inside(void *arg)
{
    struct bight_scope inner;
    int rc;

    (void)arg;
    ck_ok(bight_scope_begin(&inner, -1, BIGHT_SCOPE_SHIELD));
    bight_scope_cancel(&inner);
    rc = bight_sleep(-1);
    ck_code(rc, BIGHT_ECANCELED);
    ck_ok(bight_scope_end(&inner, rc));
    ck_assert(inner.caught);
    return 0;
}

static int cancelled_future(void *arg)
{
    struct cell cell;
    struct bight_task *task;

    bight_future_init(&cell.future);
    ck_ok(bight_spawn(&task, shields_cell, &cell));
    world_settle();
    ck_ok(bight_future_cancel(&cell.future)); /* the inner one, by itself */
    conf_join(task, BIGHT_ECANCELED);
    return shields_cancelled_inside(arg);
}

/* One who waits for a task is cancelled; the task is not, and knows nothing of it. */
static int joins(void *task)
{
    return bight_join(task, NULL);
}

static int cancelled_outside(void *arg)
{
    struct bight_task *inner, *outer;
    struct cell cell;

    (void)arg;
    bight_future_init(&cell.future);
    ck_ok(bight_spawn(&inner, waits_for_cell, &cell));
    ck_ok(bight_spawn(&outer, joins, inner));
    world_settle();
    bight_task_cancel(outer);
    conf_join(outer, BIGHT_ECANCELED);
    ck_assert(!bight_task_done(inner));
    cell_set(&cell, 42);
    conf_join(inner, 42); /* nobody else waits for it any more */
    return 0;
}

static int shields_gathering(void *arg)
{
    int rc = bight_shield(-1, gathers, arg);

    ck_ok(rc);
    return bight_yield(); /* the cancellation is there again */
}

static int gathering_kept(void *arg)
{
    struct gathering gathering;
    struct bight_task *outer;

    (void)arg;
    gathering_init(&gathering, 2, 0);
    ck_ok(bight_spawn(&outer, shields_gathering, &gathering));
    world_settle();
    bight_task_cancel(outer);
    world_settle();
    cell_set(&gathering.cells[0], 1);
    cell_set(&gathering.cells[1], 2);
    conf_join(outer, BIGHT_ECANCELED);
    ck_assert_int_eq(gathering.ends, 1);
    ck_assert_int_eq(gathering.calls[0].status, 1);
    ck_assert_int_eq(gathering.calls[1].status, 2);
    return 0;
}

static int shields_inside(void *arg)
{
    int count = 0;

    (void)arg;
    ck_assert_int_eq(bight_shield(-1, adds_one, &count), 7);
    ck_assert_int_eq(count, 1);
    return 0;
}

static void shield_09_shielding_needs_a_task(void)
{
    int count = 0;

    ck_code(bight_shield(-1, adds_one, &count), BIGHT_ENOTASK);
    ck_assert_int_eq(count, 0);
    conf_ok(shields_inside);
}

static const struct suite_case cases[] = {
    conf_case(gather_01_results_stand_in_the_order_of_the_calls, orders),
    plain_case(gather_06_nothing_to_gather_is_done_but_only_in_a_task),
    plain_case(gather_09_bodies_are_gathered_only_in_a_task),
    conf_case(gather_12_a_cancellation_after_the_last_child_takes_nothing_away, cancelled_too_late),
    conf_case(gather_13_a_cancellation_is_no_entry_of_the_list, cancelled_collecting),
    conf_case(gather_14_a_second_failure_is_not_reported, two_failures),
    conf_case(race_02_alternatives_are_tried_until_one_succeeds, races),
    conf_case(shield_01_what_is_shielded_comes_through, shield_passes),
    conf_case(shield_03_what_is_shielded_can_be_cancelled_itself, cancelled_future),
    conf_case(shield_04_cancelling_who_waits_leaves_the_task_alone, cancelled_outside),
    conf_case(shield_07_a_shielded_gathering_keeps_its_children, gathering_kept),
    plain_case(shield_09_shielding_needs_a_task),
};

test_suite("gather, race, shield", cases);
