/* Gather and map: results in their records, fail fast and collect, cancellation from either
 * side, the bound of map. */
#include "tests/harness/suite.h"
#include "tests/harness/world.h"

#include <bight/gather.h>

static uint64_t begin_ns;

static int elapsed_ms(void)
{
    return (int)((bight_now_ns() - begin_ns) / 1000000);
}

/* One call: sleep, then end with a code. */
struct step {
    int64_t sleep_ms;
    int code;
    int woken_ms; /* when the sleep was over, in whatever way */
};

static int step_run(void *arg)
{
    struct step *step = arg;
    int rc = bight_sleep(step->sleep_ms);

    step->woken_ms = elapsed_ms();
    return rc ? rc : step->code;
}

static void steps_gather(struct bight_gather *calls, struct step *steps, size_t count)
{
    begin_ns = bight_now_ns();
    for (size_t i = 0; i < count; i++)
        calls[i] = (struct bight_gather){.fn = step_run, .arg = &steps[i]};
}

static int in_order(void *arg)
{
    struct step steps[] = {{20, 2, 0}, {10, 1, 0}, {30, 3, 0}};
    struct bight_gather calls[3];
    unsigned flags = *(unsigned *)arg;

    steps_gather(calls, steps, 3);
    ck_ok(bight_gather_all(calls, 3, flags));
    ck_assert_int_eq(elapsed_ms(), 30);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(calls[i].status, steps[i].code);
        ck_assert(calls[i].started);
    }
    return 0;
}

static void gather_has_results_in_the_order_of_the_calls(int i)
{
    unsigned flags = i ? BIGHT_GATHER_COLLECT : 0;

    ck_ok(world_run(in_order, &flags, NULL));
}

static int fails_fast(void *arg)
{
    struct step steps[] = {{50, 0, 0}, {10, BIGHT_EIO, 0}, {5, 7, 0}, {-1, 0, 0}};
    struct bight_gather calls[4];

    (void)arg;
    steps_gather(calls, steps, 4);
    ck_code(bight_gather_all(calls, 4, 0), BIGHT_EIO);
    ck_assert_int_eq(elapsed_ms(), 10);
    ck_code(calls[0].status, BIGHT_ECANCELED);
    ck_code(calls[1].status, BIGHT_EIO);
    ck_assert_int_eq(calls[2].status, 7);
    ck_code(calls[3].status, BIGHT_ECANCELED);
    return bight_checkpoint();
}

static int fails_at_once(void *arg)
{
    struct step steps[] = {{0, 0, 0}, {0, 0, 0}};
    struct bight_gather calls[] = {{.fn = world_return, .arg = &(int){BIGHT_EIO}},
                                   {.fn = step_run, .arg = &steps[1]}};

    (void)arg;
    ck_code(bight_gather_all(calls, 2, 0), BIGHT_EIO);
    ck_assert(calls[0].started);
    ck_assert(!calls[1].started);
    ck_code(calls[1].status, BIGHT_ECANCELED);
    return 0;
}

static int collects(void *arg)
{
    struct step steps[] = {{50, 5, 0}, {10, BIGHT_EIO, 0}, {20, BIGHT_EPERM, 0}};
    struct bight_gather calls[3];

    (void)arg;
    steps_gather(calls, steps, 3);
    ck_assert_int_eq(bight_gather_all(calls, 3, BIGHT_GATHER_COLLECT), 2);
    ck_assert_int_eq(elapsed_ms(), 50);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(calls[i].status, steps[i].code);
    return bight_checkpoint();
}

static int refuses(void *arg)
{
    struct bight_gather none = {.fn = NULL};
    struct bight_gather call = {.fn = world_forever};

    (void)arg;
    ck_ok(bight_gather_all(NULL, 0, 0));
    ck_code(bight_gather_all(&none, 1, 0), BIGHT_EINVAL);
    ck_code(bight_gather_all(&call, 1, 8), BIGHT_EINVAL);
    ck_assert(!call.started);
    ck_code(call.status, BIGHT_ECANCELED);
    ck_code(bight_map(NULL, &none, sizeof none, 1, 1, 0), BIGHT_EINVAL);
    ck_code(bight_map(world_forever, &none, sizeof none, 1, 0, 0), BIGHT_EINVAL);
    ck_code(bight_map(world_forever, &none, sizeof none, 1, 1, 8), BIGHT_EINVAL);
    ck_ok(bight_map(world_forever, NULL, 1, 0, 1, 0));
    return 0;
}

static void gather_of_nothing_is_done_and_misuse_is_refused(void)
{
    struct bight_gather call = {.fn = world_forever};

    ck_code(bight_gather_all(&call, 1, 0), BIGHT_ENOTASK);
    ck_code(bight_map(world_forever, NULL, 1, 0, 1, 0), BIGHT_ENOTASK);
    ck_ok(world_run(refuses, NULL, NULL));
}

/* Cancellation */

struct cancelled {
    struct step steps[2];
    struct bight_gather calls[2];
    unsigned flags;
    int rc;
};

static int gathers(void *arg)
{
    struct cancelled *it = arg;

    it->rc = bight_gather_all(it->calls, 2, it->flags);
    return it->rc;
}

static int cancelled_around(void *arg)
{
    struct cancelled it = {.steps = {{10, BIGHT_EIO, 0}, {100, 0, 0}}, .flags = *(unsigned *)arg};
    struct bight_task *task;
    int status;

    it.steps[0].code = it.flags ? BIGHT_EIO : 0;
    steps_gather(it.calls, it.steps, 2);
    ck_ok(bight_spawn(&task, gathers, &it));
    ck_ok(bight_sleep(20));
    bight_task_cancel(task);
    ck_ok(bight_join(task, &status));
    ck_code(status, BIGHT_ECANCELED);
    ck_assert_int_eq(it.steps[1].woken_ms, 20);
    ck_assert_int_eq(it.calls[0].status, it.steps[0].code);
    ck_code(it.calls[1].status, BIGHT_ECANCELED);
    return 0;
}

static void gather_passes_a_cancellation_on_and_returns_it(int i)
{
    unsigned flags = i ? BIGHT_GATHER_COLLECT : 0;

    ck_ok(world_run(cancelled_around, &flags, NULL));
}

/* The gathering is cancelled when its last call has ended: it is too late. */
static int too_late(void *arg)
{
    struct cancelled it = {.steps = {{10, 42, 0}, {10, 43, 0}}};
    struct bight_task *task;
    int status;

    (void)arg;
    steps_gather(it.calls, it.steps, 2);
    ck_ok(bight_spawn(&task, gathers, &it));
    ck_ok(bight_sleep(5));
    while (!it.calls[1].status || it.calls[1].status == BIGHT_ECANCELED)
        ck_ok(bight_sleep(it.steps[0].woken_ms ? 0 : 5));
    bight_task_cancel(task);
    ck_ok(bight_join(task, &status));
    ck_ok(it.rc);
    ck_assert_int_eq(it.calls[0].status, 42);
    ck_assert_int_eq(it.calls[1].status, 43);
    return 0;
}

static int cancels_itself(void *arg)
{
    bight_task_cancel(bight_self());
    return world_forever(arg);
}

static int one_cancelled(void *arg)
{
    struct step step = {10, 3, 0};
    struct bight_gather calls[] = {{.fn = cancels_itself}, {.fn = step_run, .arg = &step}};

    (void)arg;
    ck_ok(bight_gather_all(calls, 2, 0));
    ck_code(calls[0].status, BIGHT_ECANCELED);
    ck_assert_int_eq(calls[1].status, 3);
    ck_ok(bight_gather_all(calls, 2, BIGHT_GATHER_COLLECT)); /* nor does it count as a failure */
    ck_code(calls[0].status, BIGHT_ECANCELED);
    return bight_checkpoint();
}

static int leaves_a_scope_open(void *arg)
{
    struct bight_scope scope;

    (void)arg;
    return bight_scope_begin(&scope, -1, 0);
}

static int scope_left_open(void *arg)
{
    struct bight_gather call = {.fn = leaves_a_scope_open};

    (void)arg;
    ck_code(bight_gather_all(&call, 1, 0), BIGHT_ESCOPE);
    ck_code(call.status, BIGHT_ESCOPE);
    return 0;
}

static void gather_records_what_the_task_ended_with(void)
{
    struct world_reports reports;

    ck_ok(world_run(scope_left_open, NULL, &reports));
    ck_assert_uint_eq(reports.count[BIGHT_REPORT_SCOPE_LEFT_OPEN], 1);
}

/* Map */

struct item {
    int64_t sleep_ms;
    int code;
    int order; /* of its beginning, from 1 */
    int rc;
};

static int running, most, begun;

static int item_run(void *arg)
{
    struct item *item = arg;

    item->order = ++begun;
    if (++running > most)
        most = running;
    item->rc = bight_sleep(item->sleep_ms);
    running--;
    return item->rc ? item->rc : item->code;
}

static void map_reset(void)
{
    begin_ns = bight_now_ns();
    running = most = begun = 0;
}

static int bounded(void *arg)
{
    struct item items[20];

    (void)arg;
    map_reset();
    for (int i = 0; i < 20; i++)
        items[i] = (struct item){.sleep_ms = 10};
    ck_ok(bight_map(item_run, items, sizeof items[0], 20, 4, 0));
    ck_assert_int_eq(most, 4);
    ck_assert_int_eq(elapsed_ms(), 50);
    for (int i = 0; i < 20; i++)
        ck_assert_int_eq(items[i].order, i + 1);
    map_reset();
    ck_ok(bight_map(item_run, items, sizeof items[0], 20, SIZE_MAX, 0));
    ck_assert_int_eq(most, 20);
    ck_assert_int_eq(elapsed_ms(), 10);
    return 0;
}

static int refills(void *arg)
{
    struct item items[] = {{100, 0, 0, 0}, {10, 0, 0, 0}, {10, 0, 0, 0}, {10, 0, 0, 0}};

    (void)arg;
    map_reset();
    ck_ok(bight_map(item_run, items, sizeof items[0], 4, 2, 0));
    ck_assert_int_eq(elapsed_ms(), 100); /* a slow one does not hold up the others */
    return 0;
}

static int map_fails(void *arg)
{
    struct item items[] = {{10, 0, 0, 0}, {20, BIGHT_EIO, 0, 0}, {50, 0, 0, 0}, {10, 0, 0, 0}};

    (void)arg;
    map_reset();
    ck_code(bight_map(item_run, items, sizeof items[0], 4, 2, 0), BIGHT_EIO);
    ck_assert_int_eq(elapsed_ms(), 20);
    ck_assert_int_eq(begun, 3);
    ck_code(items[2].rc, BIGHT_ECANCELED);
    map_reset();
    items[3].code = BIGHT_EPERM;
    ck_assert_int_eq(bight_map(item_run, items, sizeof items[0], 4, 2, BIGHT_GATHER_COLLECT), 2);
    ck_assert_int_eq(begun, 4);
    return bight_checkpoint();
}

static int map_out_of_time(void *arg)
{
    struct item items[] = {{10, 0, 0, 0}, {10, 0, 0, 0}, {10, 0, 0, 0}, {10, 0, 0, 0}};
    unsigned flags = *(unsigned *)arg;
    struct bight_scope scope;

    map_reset();
    ck_ok(bight_scope_begin(&scope, 25, 0));
    int rc = bight_map(item_run, items, sizeof items[0], 4, 1, flags);
    ck_code(rc, BIGHT_ECANCELED);
    ck_code(bight_scope_end(&scope, rc), BIGHT_ETIMEDOUT);
    ck_assert_int_eq(begun, 3);
    ck_code(items[2].rc, BIGHT_ECANCELED);
    return 0;
}

static void map_out_of_time_gives_way(int i)
{
    unsigned flags = i ? BIGHT_GATHER_COLLECT : 0;

    ck_ok(world_run(map_out_of_time, &flags, NULL));
}

static void deferred(void *arg)
{
    ck_ok(bight_sleep(10));
    --*(int *)arg;
}

static int defers(void *arg)
{
    (void)arg;
    ck_assert_int_eq(running, 0);
    running++;
    return bight_defer(deferred, &running);
}

static int map_defers(void *arg)
{
    char items[3];

    (void)arg;
    map_reset();
    ck_ok(bight_map(defers, items, 1, 3, 1, 0));
    ck_assert_int_eq(running, 0);
    return 0;
}

static const struct suite_case cases[] = {
    each_case(gather_has_results_in_the_order_of_the_calls, 2),
    world_case(gather_cancels_and_awaits_the_rest_when_one_fails, fails_fast),
    world_case(gather_does_not_begin_what_comes_after_a_failure, fails_at_once),
    world_case(gather_that_collects_counts_the_failures_and_waits_for_all, collects),
    plain_case(gather_of_nothing_is_done_and_misuse_is_refused),
    each_case(gather_passes_a_cancellation_on_and_returns_it, 2),
    world_case(gather_that_is_complete_keeps_its_results, too_late),
    world_case(gather_goes_on_when_one_call_is_cancelled, one_cancelled),
    plain_case(gather_records_what_the_task_ended_with),
    world_case(map_runs_no_more_than_its_limit_at_a_time, bounded),
    world_case(map_begins_the_next_item_as_soon_as_any_ends, refills),
    world_case(map_begins_no_more_after_a_failure_unless_it_collects, map_fails),
    each_case(map_out_of_time_gives_way, 2),
    world_case(map_counts_a_call_until_its_deferred_handlers_have_run, map_defers),
};

test_suite("gather", cases);
