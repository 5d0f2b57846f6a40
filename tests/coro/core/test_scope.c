/* Scopes: deadlines, cancellation as a state, shields, and what happens to those left open. Time is
 * virtual. */
#include "tests/harness/expect.h"
#include "tests/harness/random.h"
#include "tests/harness/suite.h"
#include "tests/harness/world.h"

#include <math.h>
#include <stdlib.h>
#include <time.h>

static int sleeps(void *arg)
{
    return bight_sleep(*(int64_t *)arg);
}

static int times_out(void *arg)
{
    int64_t long_ms = 5000, short_ms = 10;

    (void)arg;
    ck_code(bight_timeout(1000, sleeps, &long_ms), BIGHT_ETIMEDOUT);
    ck_ok(bight_timeout(1000, sleeps, &short_ms));
    ck_ok(bight_timeout(-1, sleeps, &short_ms));
    ck_code(bight_timeout(0, sleeps, &short_ms), BIGHT_ETIMEDOUT); /* without a turn of the loop */
    ck_assert(!bight_cancelled());
    return 0;
}

static int nested(void *arg)
{
    struct bight_scope outer, inner;

    (void)arg;
    ck_ok(bight_scope_begin(&outer, 10, 0));
    ck_ok(bight_scope_begin(&inner, 10000, 0));
    ck_assert_int_le(bight_deadline_remaining_ms(), 10); /* the earliest holds */
    int rc = bight_sleep(-1);
    ck_code(rc, BIGHT_ECANCELED);
    ck_code(bight_yield(), BIGHT_ECANCELED); /* a state, not an event */
    rc = bight_scope_end(&inner, rc);
    ck_code(rc, BIGHT_ECANCELED); /* not the inner one's deadline */
    ck_assert(!inner.expired);
    ck_code(bight_scope_end(&outer, rc), BIGHT_ETIMEDOUT);
    ck_assert(outer.expired);
    ck_assert_int_eq(bight_deadline_remaining_ms(), -1);
    ck_ok(bight_yield());
    return 0;
}

static int own_cancel(void *arg)
{
    struct bight_scope outer, scope;

    (void)arg;
    ck_ok(bight_scope_begin(&scope, -1, 0));
    bight_scope_cancel(&scope);
    bight_scope_cancel(&scope); /* twice is once */
    ck_code(bight_sleep(1), BIGHT_ECANCELED);
    ck_ok(bight_scope_end(&scope, BIGHT_ECANCELED));
    ck_assert(scope.cancelled);
    ck_ok(bight_yield());

    /* Another code passes; of two cancelled scopes the outer one takes the cancellation. */
    ck_ok(bight_scope_begin(&outer, -1, 0));
    ck_ok(bight_scope_begin(&scope, -1, 0));
    bight_scope_cancel(&scope);
    bight_scope_cancel(&outer);
    ck_code(bight_scope_end(&scope, BIGHT_ECANCELED), BIGHT_ECANCELED);
    ck_code(bight_scope_end(&outer, BIGHT_EIO), BIGHT_EIO);
    return 0;
}

static int kept_result(void *arg)
{
    struct bight_scope scope;

    (void)arg;
    ck_ok(bight_scope_begin(&scope, 0, 0));
    ck_assert(scope.expired);
    ck_assert_int_eq(bight_scope_end(&scope, 17), 17);
    return 0;
}

static int moves_deadline(void *arg)
{
    struct bight_scope scope;

    (void)arg;
    ck_ok(bight_scope_begin(&scope, 10, 0));
    ck_ok(bight_scope_set_timeout(&scope, 100));
    ck_ok(bight_sleep(50));
    ck_ok(bight_scope_set_timeout(&scope, -1));
    ck_ok(bight_sleep(500));
    ck_ok(bight_scope_set_timeout(&scope, 20));
    ck_code(bight_sleep(50), BIGHT_ECANCELED);
    ck_code(bight_scope_set_timeout(&scope, 1000), BIGHT_EALREADY);
    ck_code(bight_scope_end(&scope, BIGHT_ECANCELED), BIGHT_ETIMEDOUT);
    ck_code(bight_scope_set_timeout(&scope, 1), BIGHT_EINVAL);
    return 0;
}

static int shielded(void *arg)
{
    int64_t ms = 20;

    ck_ok(bight_shield(-1, sleeps, &ms)); /* lasts, though the task is cancelled meanwhile */
    *(int *)arg = 1;
    ck_code(bight_yield(), BIGHT_ECANCELED);
    ms = 1000;
    ck_code(bight_shield(10, sleeps, &ms), BIGHT_ETIMEDOUT); /* the budget */
    return bight_yield();
}

static int cancels_shielded(void *arg)
{
    struct bight_task *task;
    int got_through = 0, status;

    (void)arg;
    ck_ok(bight_spawn(&task, shielded, &got_through));
    world_settle();
    bight_task_cancel(task);
    ck_ok(bight_join(task, &status));
    ck_code(status, BIGHT_ECANCELED);
    ck_assert_int_eq(got_through, 1);
    return 0;
}

static int mistakes(void *arg)
{
    struct bight_scope scope, other;

    (void)arg;
    ck_code(bight_scope_begin(&scope, -1, 1u << 9), BIGHT_EINVAL);
    ck_code(bight_scope_end(&scope, 0), BIGHT_ESCOPE);
    ck_ok(bight_scope_begin(&scope, -1, 0));
    ck_code(bight_scope_begin(&scope, -1, 0), BIGHT_EALREADY);
    ck_ok(bight_scope_begin(&other, 5, 0));
    /* Out of order: the inner one is closed with it, and that is told once. */
    ck_code(bight_scope_end(&scope, 7), BIGHT_ESCOPE);
    ck_assert_int_eq(bight_scope_end(&other, 7), 7);
    ck_code(bight_scope_end(&other, 7), BIGHT_ESCOPE);
    ck_ok(bight_scope_begin(&scope, -1, 0));
    ck_ok(bight_scope_begin(&other, 5, 0));
    ck_code(bight_scope_end(&scope, BIGHT_EIO), BIGHT_EIO); /* a failure is not covered up */
    ck_ok(bight_sleep(20));                                 /* its deadline is gone with it */
    return 0;
}

static void scopes_out_of_order_are_told(void)
{
    struct world_reports reports;
    struct bight_scope scope;

    ck_code(bight_scope_begin(&scope, -1, 0), BIGHT_ENOTASK);
    ck_ok(world_run(mistakes, NULL, &reports));
    ck_assert_uint_eq(reports.count[BIGHT_REPORT_SCOPE_LEFT_OPEN], 2);
}

static __attribute__((noinline)) int leaves_scope(int64_t timeout_ms)
{
    struct bight_scope scope;

    return bight_scope_begin(&scope, timeout_ms, 0);
}

static __attribute__((noinline)) int writes_over(void)
{
    volatile char frame[1024];

    for (size_t i = 0; i < sizeof(frame); i++)
        frame[i] = 0x55;
    return frame[7];
}

static int child(void *arg)
{
    struct bight_cancel_cause cause;
    int rc = bight_sleep(-1);

    ck_assert(bight_cancel_get_cause(&cause));
    ck_assert_int_eq(cause.kind, BIGHT_CAUSE_LEFT_OPEN);
    *(int *)arg = rc;
    return rc;
}

static int ended;

static __attribute__((noinline)) int leaves_group(void)
{
    struct bight_group group;
    int rc = bight_group_begin(&group, 0);

    if (!rc)
        rc = bight_group_spawn(NULL, &group, NULL, child, &ended);
    return rc ? rc : bight_yield(); /* the child begins */
}

static int leaves_body(struct bight_group *group, void *arg)
{
    (void)group;
    (void)arg;
    return leaves_group();
}

static int gone_scopes(void *arg)
{
    struct bight_scope outer;

    (void)arg;
    ck_ok(leaves_scope(5));
    ck_code(bight_yield(), BIGHT_ESCOPE); /* told once */
    ck_ok(bight_sleep(20));

    ck_ok(leaves_scope(5));
    ck_assert_int_eq(writes_over(), 0x55);
    ck_code(bight_yield(), BIGHT_ESCOPE);

    ck_ok(bight_scope_begin(&outer, -1, 0));
    ck_ok(leaves_scope(5));
    ck_code(bight_scope_end(&outer, 0), BIGHT_ESCOPE);
    ck_ok(bight_sleep(20));

    /* The task of a group that is lost is cancelled and waited for by the group around. */
    ended = 0;
    ck_code(bight_group_run(leaves_body, NULL), BIGHT_ESCOPE);
    ck_code(ended, BIGHT_ECANCELED);
    ended = 0;
    ck_ok(leaves_group());
    ck_assert_int_eq(writes_over(), 0x55);
    ck_code(bight_sleep(1), BIGHT_ESCOPE);
    world_settle();
    ck_code(ended, BIGHT_ECANCELED);
    return leaves_scope(1);
}

static void scopes_whose_frame_is_gone_are_noticed_and_closed(void)
{
    struct world_reports reports;

    ck_code(world_run(gone_scopes, NULL, &reports), BIGHT_ESCOPE);
    ck_assert_uint_eq(reports.count[BIGHT_REPORT_SCOPE_LEFT_OPEN], 6);
}

/* Left open in a function that the compiler puts into its caller: the record lies in the caller's
 * frame, and is gone with that one. AddressSanitizer knows earlier. */
static inline __attribute__((always_inline)) int leaves_inline(void)
{
    struct bight_scope scope;

    return bight_scope_begin(&scope, 5, 0);
}

static __attribute__((noinline)) int holds_inline(int *told)
{
    ck_ok(leaves_inline());
    *told += bight_yield() == BIGHT_ESCOPE;
    return 0;
}

static int inline_frame_gone(void *arg)
{
    int told = 0;

    (void)arg;
    ck_ok(holds_inline(&told));
    told += bight_yield() == BIGHT_ESCOPE;
    ck_assert_int_eq(told, 1);
    ck_ok(bight_sleep(20)); /* its deadline is gone */
    return 0;
}

static int inline_inside(void *arg)
{
    struct bight_scope outer;
    int told = 0;

    (void)arg;
    ck_ok(bight_scope_begin(&outer, -1, 0));
    ck_ok(leaves_inline());
    told += bight_yield() == BIGHT_ESCOPE;
    told += bight_scope_end(&outer, 0) == BIGHT_ESCOPE;
    ck_assert_int_eq(told, 1);
    ck_ok(bight_sleep(20));
    return 0;
}

static int inline_in_the_body(void *arg)
{
    int64_t remaining_ms;

    (void)arg;
    ck_ok(leaves_inline());
    remaining_ms = bight_deadline_remaining_ms(); /* looks, and does not fall over it */
    ck_assert(remaining_ms == -1 || remaining_ms == 5);
    return 0;
}

static void inlined_scopes_are_noticed_by_the_end_of_what_is_around(void)
{
    struct world_reports reports;
    int rc;

    ck_ok(world_run(inline_frame_gone, NULL, &reports));
    ck_assert_uint_eq(reports.count[BIGHT_REPORT_SCOPE_LEFT_OPEN], 1);
    ck_ok(world_run(inline_inside, NULL, &reports));
    ck_assert_uint_eq(reports.count[BIGHT_REPORT_SCOPE_LEFT_OPEN], 1);
    rc = world_run(inline_in_the_body, NULL, &reports);
    ck_assert(rc == BIGHT_ESCOPE || rc == 0);
    ck_assert_uint_eq(reports.count[BIGHT_REPORT_SCOPE_LEFT_OPEN], 1);
}

/* Nesting: some records in memory of the heap, the others in frames. */

#define RECORDS 40

static int opens_any(void *arg)
{
    struct bight_scope framed[RECORDS / 2] = {0}, *heap = calloc(RECORDS / 2, sizeof *heap);
    struct bight_scope *open[RECORDS];
    uint64_t state = *(uint64_t *)arg;
    size_t count = 0;

    ck_assert_ptr_nonnull(heap);
    for (int step = 0; step < 2000; step++) {
        size_t which = (size_t)(test_random(&state) >> 20) % RECORDS;
        struct bight_scope *scope =
            which % 2 ? &framed[which / 2] : &heap[which / 2]; /* in no order */
        bool is_open = false;

        for (size_t i = 0; i < count; i++)
            is_open = is_open || open[i] == scope;
        ck_code(bight_scope_begin(scope, -1, 0), is_open ? BIGHT_EALREADY : 0);
        if (!is_open)
            open[count++] = scope;
        while (count && (test_random(&state) >> 20) % 3 == 0)
            ck_ok(bight_scope_end(open[--count], 0));
    }
    while (count)
        ck_ok(bight_scope_end(open[--count], 0));
    free(heap);
    return 0;
}

static void a_scope_that_is_open_is_refused_wherever_it_lies(void)
{
    for (uint64_t seed = 1; seed < 20; seed++)
        ck_ok(world_run(opens_any, &seed, NULL));
}

#define DEEP 10000

struct nest {
    int depth;
    bool from_heap;  /* the outermost */
    bool from_heaps; /* all */
};

static int nests(struct nest *nest, int depth)
{
    bool from_heap = nest->from_heaps || (nest->from_heap && depth == nest->depth);
    struct bight_scope framed, *scope = from_heap ? malloc(sizeof *scope) : &framed;
    int rc;

    EXPECT(scope && bight_scope_begin(scope, -1, 0) == 0); /* ck_assert would be most of it */
    rc = bight_scope_end(scope, depth > 1 ? nests(nest, depth - 1) : 0);
    if (from_heap)
        free(scope);
    return rc;
}

/* CPU time for each scope of a nest of that depth, the best of some. */
static double nest_ns(struct nest *nest, int depth)
{
    double best = INFINITY;

    nest->depth = depth;
    for (int i = 0; i < 3; i++) {
        struct timespec begin, end;
        double ns;

        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begin);
        for (int round = 0; round < DEEP / depth; round++)
            EXPECT(nests(nest, depth) == 0);
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
        ns = (double)(end.tv_sec - begin.tv_sec) * 1e9 + (double)(end.tv_nsec - begin.tv_nsec);
        best = ns < best ? ns : best;
    }
    return best / DEEP;
}

/* With a look at all that are open it would be 50 times as much. */
static int nests_deep(void *arg)
{
    static struct nest kinds[] = {{.depth = 0}, {.from_heap = true}, {.from_heaps = true}};

    (void)arg;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        double deep = 1, flat = 0;

        for (int tried = 0; tried < 20 && deep >= 10 * flat; tried++) { /* a machine may be busy */
            deep = nest_ns(&kinds[i], DEEP);
            flat = nest_ns(&kinds[i], DEEP / 100);
        }
        ck_assert_msg(deep < 10 * flat, "%zu: %.0f ns and %.0f ns", i, deep, flat);
    }
    return 0;
}

static int spawns_deep(void *arg)
{
    const struct bight_spawn_options options = {.stack_bytes = 64 << 20};
    struct bight_task *task;

    ck_ok(bight_spawn_with(&task, &options, nests_deep, arg));
    return bight_join(task, NULL);
}

static const struct suite_case cases[] = {
    world_case(a_deadline_turns_cancellation_into_a_timeout, times_out),
    world_case(of_nested_deadlines_the_earliest_holds_and_its_scope_tells, nested),
    world_case(a_scope_absorbs_its_own_cancellation_only, own_cancel),
    world_case(a_result_that_was_complete_is_kept_though_expired, kept_result),
    world_case(a_deadline_can_be_moved_until_it_has_passed, moves_deadline),
    world_case(a_shield_keeps_cancellation_out_for_its_budget, cancels_shielded),
    plain_case(scopes_out_of_order_are_told),
    plain_case(scopes_whose_frame_is_gone_are_noticed_and_closed),
    plain_case(inlined_scopes_are_noticed_by_the_end_of_what_is_around),
    plain_case(a_scope_that_is_open_is_refused_wherever_it_lies),
    world_case(a_scope_costs_the_same_at_any_depth, spawns_deep),
};

test_suite("scope", cases);
