/* docs/waiting.md, played: every call that waits for something ends as the page says when it is
 * woken, cancelled, both in either order, drained, when a deadline passes, and when there is no
 * memory. The calls are those of the program's tables: ways.c, ways_server.c or ways_websocket.c.
 * The last holds of every scene: from the call on every allocation fails, and none is tried, but
 * for the few calls that take memory for what they give. The last test reads the page and finds
 * calls that are not played. */
#include "tests/ways/ways.h"

#include <stdio.h>
#include <string.h>

#include "coro/core/task.h"
#include "runtime/runtime.h"
#include "tests/harness/count_blocks.h"
#include "tests/harness/forked.h"
#include "tests/harness/suite.h"
#include "tests/harness/support.h"

static const char *page;

/* The seats */

static int sit(void *arg)
{
    struct seat *seat = arg;

    return seat->stage->way->wait(seat);
}

static int sit_stoppable(struct seat *seat)
{
    struct bight_scope scope;
    int rc = bight_scope_begin(&scope, -1, BIGHT_SCOPE_STOPPABLE);

    return rc ? rc : bight_scope_end(&scope, sit(seat));
}

static int sit_down(struct seat *seat)
{
    if (seat->stoppable)
        return sit_stoppable(seat);
    return seat->timeout_ms ? bight_timeout(seat->timeout_ms, sit, seat) : sit(seat);
}

static int seat_body(void *arg)
{
    struct seat *seat = arg;

    if (seat->cancelled)
        bight_task_cancel(bight_self());
    seat->rc = sit_down(seat);
    seat->end_ns = bight_now_ns();
    if (seat->rc == seat->stage->way->woken) {
        seat->stage->taken++;
        if (seat->stage->way->leave)
            seat->stage->way->leave(seat);
    }
    seat->after = bight_checkpoint();
    seat->done = true;
    return 0;
}

static void spawn_seat(struct stage *stage, int index)
{
    struct seat *seat = &stage->seats[index];

    seat->stage = stage;
    ck_assert_int_eq(bight_spawn(&seat->task, seat_body, seat), 0);
}

static void yield(void)
{
    ck_assert_int_eq(bight_yield(), 0);
}

/* All seats are taken, in order, and asleep. */
static void begin(struct stage *stage)
{
    for (int i = 0; i < stage->way->seats; i++)
        spawn_seat(stage, i);
    for (int i = 0; i < stage->way->seats; i++)
        while (!stage->seats[i].task->parked && !stage->seats[i].done)
            yield();
}

static void wake(struct stage *stage)
{
    stage->given++;
    stage->way->wake(stage);
}

static void await_seat(struct stage *stage, int index, int rc, int after)
{
    struct seat *seat = &stage->seats[index];

    ck_assert_int_eq(bight_join(seat->task, NULL), 0);
    ck_assert_int_eq(seat->rc, rc);
    ck_assert_int_eq(seat->after, after);
}

/* The other seat gets something, at last. */
static void await_second(struct stage *stage)
{
    if (stage->way->seats < 2)
        return;
    yield();
    yield();
    if (!stage->seats[1].done)
        wake(stage);
    await_seat(stage, 1, stage->way->woken, 0);
}

/* The scenes */

static void woken(struct stage *stage)
{
    begin(stage);
    wake(stage);
    await_seat(stage, 0, stage->way->woken, 0);
    await_second(stage);
}

static void still_waits(struct stage *stage)
{
    if (stage->way->flags & WAY_BY_ITSELF)
        return;
    for (int i = 0; i < 8; i++)
        yield();
    ck_assert(!stage->seats[0].done);
}

static void cancelled(struct stage *stage)
{
    const struct way *way = stage->way;

    begin(stage);
    bight_task_cancel(stage->seats[0].task);
    if (!way->lets_go) {
        still_waits(stage);
        wake(stage);
    }
    await_seat(stage, 0, way->lets_go ? BIGHT_ECANCELED : way->woken, BIGHT_ECANCELED);
    await_second(stage);
}

/* A drain ends what a cancellation would, with the same promises, but for calls that wait for tasks
 * that were given to them: WAY_DRAINS_ON. */
static void drained(struct stage *stage)
{
    const struct way *way = stage->way;
    bool lets_go = way->lets_go && !(way->flags & (WAY_DRAINS_ON | WAY_DRAIN_WAKES));

    stage->seats[0].stoppable = true;
    begin(stage);
    bight_task_drain(stage->seats[0].task);
    if (!lets_go && !(way->flags & WAY_DRAIN_WAKES)) {
        still_waits(stage);
        wake(stage);
    }
    await_seat(stage, 0, lets_go ? BIGHT_EDRAIN : way->woken, 0);
    await_second(stage);
}

static int yields_until(void *over)
{
    while (!*(bool *)over)
        yield();
    return 0;
}

/* The wake has arrived at the task, and it has not run yet. What the loop wakes runs before a task
 * that has used its time up while it alone was ready: so there is another. */
static void woken_then_cancelled(struct stage *stage)
{
    const struct way *way = stage->way;
    struct bight_task *another;
    bool over = false;

    begin(stage);
    ck_assert_int_eq(bight_spawn(&another, yields_until, &over), 0);
    wake(stage);
    while (stage->seats[0].task->parked)
        yield();
    over = true;
    ck_assert(!stage->seats[0].done);
    bight_task_cancel(stage->seats[0].task);
    ck_assert_int_eq(bight_join(another, NULL), 0);
    await_seat(stage, 0, way->flags & WAY_HINT ? BIGHT_ECANCELED : way->woken, BIGHT_ECANCELED);
    await_second(stage);
}

/* What is given goes to the second seat, or stays where it is: see close. */
static void cancelled_then_woken(struct stage *stage)
{
    const struct way *way = stage->way;

    begin(stage);
    bight_task_cancel(stage->seats[0].task);
    wake(stage);
    if (way->seats == 2 && way->lets_go)
        await_seat(stage, 1, way->woken, 0);
    await_seat(stage, 0, way->lets_go ? BIGHT_ECANCELED : way->woken, BIGHT_ECANCELED);
    if (!way->lets_go)
        await_second(stage);
}

static void out_of_time(struct stage *stage)
{
    const struct way *way = stage->way;
    uint64_t deadline_ns = bight_now_ns() + SLEEP_MS / 2 * UINT64_C(1000000);

    stage->seats[0].timeout_ms = SLEEP_MS / 2;
    begin(stage);
    ck_assert_int_eq(bight_sleep(SLEEP_MS), 0);
    if (!way->lets_go) {
        ck_assert((way->flags & WAY_BY_ITSELF) || !stage->seats[0].done);
        wake(stage);
    }
    await_seat(stage, 0, way->lets_go ? BIGHT_ETIMEDOUT : way->woken, 0);
    if (way->lets_go)
        ck_assert_uint_ge(stage->seats[0].end_ns, deadline_ns);
    await_second(stage);
}

/* There is something to have, but the call is not to have it. */
static void cancelled_before(struct stage *stage)
{
    const struct way *way = stage->way;

    wake(stage);
    stage->seats[0].cancelled = true;
    spawn_seat(stage, 0);
    if (!way->lets_go) {
        while (!stage->seats[0].task->parked && !stage->seats[0].done)
            yield();
        wake(stage);
    }
    /* A call that goes on still opens with a checkpoint if it has not begun anything. */
    ck_assert_int_eq(bight_join(stage->seats[0].task, NULL), 0);
    if (stage->seats[0].rc != way->woken || way->lets_go)
        ck_assert_int_eq(stage->seats[0].rc, BIGHT_ECANCELED);
    ck_assert_int_eq(stage->seats[0].after, BIGHT_ECANCELED);
}

/* Playing them */

struct play {
    struct stage *stage;
    void (*scene)(struct stage *stage);
};

static int perform(void *arg)
{
    const struct play *play = arg;
    struct stage *stage = play->stage;

    stage->way->open(stage);
    play->scene(stage);
    stage->no_memory = false;
    stage->way->close(stage);
    return 0;
}

static bool fail_alloc(void *ctx, const void *site)
{
    struct stage *stage = ctx;

    (void)site;
    stage->allocations += stage->no_memory;
    return stage->no_memory;
}

static int nothing(void *arg)
{
    (void)arg;
    return 0;
}

/* From 1.45 on it takes a block for what io_uring might tell, also where that is not in use. */
static size_t taken_by_libuv(const struct way *way)
{
    return uv_version() >= (1 << 16 | 45 << 8) && strcmp(way->call, "bight_file_fstat") == 0;
}

static void play_one(const struct way *way, void (*scene)(struct stage *stage))
{
    static struct stage stage;
    struct bight_seams seams = {.fail_alloc = fail_alloc};
    struct play it = {.stage = &stage, .scene = scene};

    int fds = test_open_fds();
    memset(&stage, 0, sizeof(stage));
    stage.way = way;
    bight__test_time(&stage.test, &seams);
    count_taken_while(&stage.no_memory);
    ck_assert_int_eq(bight__run_with_seams(NULL, &seams, perform, &it), 0);
    ck_assert_uint_eq(stage.allocations, 0);
    ck_assert_uint_le(counted_taken(), taken_by_libuv(way)); /* libuv's are counted too */
    count_taken_while(NULL);
    ck_assert_int_eq(test_open_fds(), fds);
}

/* With all ways of a file, in one process: to begin one takes longer than to play. */
static void play(int table, void (*scene)(struct stage *stage))
{
    const struct way_table *ways = way_table_at(table);

    count_blocks_of_libuv();
    ck_assert_int_eq(bight_run(nothing, NULL), 0); /* libuv opens its signal pipe once */
    for (int i = 0; i < ways->count; i++) {
        char about[64];

        snprintf(about, sizeof(about), "%s, row %d", ways->rows[i].call, i);
        forked_about(about);
        play_one(&ways->rows[i], scene);
        forked_about(NULL);
    }
}

static void woken_it_returns_what_it_was_given(int i)
{
    play(i, woken);
}

static void cancelled_it_lets_go_or_goes_on(int i)
{
    play(i, cancelled);
}

static void drained_it_lets_go_or_goes_on(int i)
{
    play(i, drained);
}

static void woken_then_cancelled_it_keeps_what_it_was_given(int i)
{
    play(i, woken_then_cancelled);
}

static void cancelled_then_woken_it_passes_the_wake_on(int i)
{
    play(i, cancelled_then_woken);
}

static void out_of_time_only_the_scope_that_expired_says_so(int i)
{
    play(i, out_of_time);
}

static void cancelled_before_it_takes_nothing(int i)
{
    play(i, cancelled_before);
}

/* Calls that suspend but wait for nothing. */

static int no_request(void)
{
    static struct bight_uv_req req;

    return bight_uv_req_init(&req);
}

static int no_sleep(void)
{
    return bight_sleep(0);
}

static const struct {
    const char *call;
    int (*fn)(void);
} passes[] = {
    {"bight_yield", bight_yield},
    {"bight_checkpoint", bight_checkpoint},
    {"bight_uv_req_init", no_request},
    {"bight_sleep", no_sleep},
};

#define PASSES (int)(sizeof(passes) / sizeof(passes[0]))

static int cancel_main(void *arg)
{
    bight_scope_cancel(arg);
    return 0;
}

static int pass(void *arg)
{
    int (*fn)(void) = passes[*(int *)arg].fn;
    struct bight_scope scope;
    uint64_t slices;
    struct bight_runtime_stats stats;

    ck_assert_int_eq(fn(), 0);
    ck_assert_int_eq(bight_scope_begin(&scope, -1, 0), 0);
    ck_assert_int_eq(bight_spawn(NULL, cancel_main, &scope), 0);
    while (!scope.cancelled)
        ck_assert_int_ne(fn(), BIGHT_ENOTASK); /* by the budget at the latest, others get to run */
    ck_assert_int_eq(fn(), BIGHT_ECANCELED);
    /* A loop that ignores it does not keep the loop from turning. */
    ck_assert_int_eq(bight_runtime_get_stats(&stats), 0);
    slices = stats.slices;
    for (int i = 0; i < 1000; i++)
        ck_assert_int_eq(fn(), BIGHT_ECANCELED);
    ck_assert_int_eq(bight_runtime_get_stats(&stats), 0);
    ck_assert_uint_gt(stats.slices, slices);
    ck_assert_int_eq(bight_scope_end(&scope, BIGHT_ECANCELED), 0);
    return fn();
}

static void what_waits_for_nothing_observes_a_cancellation_all_the_same(int i)
{
    ck_assert_int_eq(passes[i].fn(), BIGHT_ENOTASK);
    ck_assert_int_eq(bight_run(pass, &i), 0);
    ck_assert_int_eq(passes[i].fn(), BIGHT_ENOTASK);
}

/* The page */

static bool is_played(const char *call)
{
    for (int table = 0; table < way_table_count; table++)
        for (int i = 0; i < way_table_at(table)->count; i++)
            if (strcmp(way_table_at(table)->rows[i].call, call) == 0)
                return true;
    for (int i = 0; i < PASSES; i++)
        if (strcmp(passes[i].call, call) == 0)
            return true;
    return false;
}

/* What has a suite of its own, or waits for nothing else than a name. */
static bool is_exempt(const char *call)
{
    static const char *const calls[] = {"bight_test_settle", "bight_udp_connect",
                                        "bight_service_run"};

    for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
        if (strcmp(call, calls[i]) == 0)
            return true;
    return false;
}

static void every_call_of_the_page_is_played(void)
{
    char line[1024], call[64], header[32];
    FILE *file = fopen(page, "r");
    int rows = 0;

    ck_assert_ptr_nonnull(file);
    while (fgets(line, sizeof line, file)) {
        if (sscanf(line, "| `%63[a-z_]` | `<bight/%31[a-z_].h>`", call, header) != 2)
            continue;
        rows++;
        if (ways_have_header(header) && !is_exempt(call) && !is_played(call))
            ck_abort_msg("%s is not played", call);
    }
    fclose(file);
    ck_assert_int_gt(rows, 20);
}

static void prepare(int argc, char **argv)
{
    page = argc > 1 ? argv[1] : "docs/waiting.md";
    forked_note_nothing(); /* the library's allocations are counted */
}

static const struct suite_case cases[] = {
    each_counted(woken_it_returns_what_it_was_given, way_table_count),
    each_counted(cancelled_it_lets_go_or_goes_on, way_table_count),
    each_counted(drained_it_lets_go_or_goes_on, way_table_count),
    each_counted(woken_then_cancelled_it_keeps_what_it_was_given, way_table_count),
    each_counted(cancelled_then_woken_it_passes_the_wake_on, way_table_count),
    each_counted(out_of_time_only_the_scope_that_expired_says_so, way_table_count),
    each_counted(cancelled_before_it_takes_nothing, way_table_count),
    each_case(what_waits_for_nothing_observes_a_cancellation_all_the_same, PASSES),
    plain_case(every_call_of_the_page_is_played),
};

test_suite("waits", cases, .begin = prepare);
