/* coro/stack/trim.c: what stays warm follows what was needed lately, and the rest goes portion by
 * portion. */
#include <string.h>

#include "coro/stack/slab.h"
#include "tests/coro/stack/trim_fixture.h"
#include "tests/harness/suite.h"
#include "tests/harness/support.h"

/* What stays */

static void all_stacks_of_a_burst_stay_warm(void)
{
    open_trimmed(NULL);
    get_all(MANY, 0);
    for (int i = 0; i < MANY; i++) {
        ck_assert(bight__stack_put_is_cheap(&pool, stacks[i]) == (i != FEW));
        bight__stack_put(&pool, stacks[i]);
    }
    ck_assert_uint_eq(pool.cached, MANY);
    ck_assert_uint_eq(crowds, 1);
    ck_assert_int_eq(resident_of(MANY), MANY);
    burst(MANY);
    ck_assert_uint_eq(crowds, 1);
    close_pool();
}

static void few_stacks_are_never_trimmed(void)
{
    open_trimmed(NULL);
    for (int i = 0; i < 100; i++)
        burst(FEW);
    ck_assert_uint_eq(crowds, 0);
    ck_assert_uint_eq(pool.cached, FEW);
    ck_assert_uint_eq(pool.reserved, 0);
    close_pool();
}

static void what_was_not_needed_for_two_ticks_goes(void)
{
    open_trimmed(NULL);
    burst(MANY);
    ck_assert(trim_goes_on());
    ck_assert_uint_eq(pool.reserved, MANY);
    ck_assert_int_eq(resident_of(MANY), MANY);
    ck_assert(!trim_goes_on());
    ck_assert_uint_eq(pool.cached, 0);
    ck_assert_uint_eq(pool.reserved, 0);
    ck_assert_int_eq(resident_of(MANY), 0);
    /* And all begins anew. */
    burst(MANY);
    ck_assert_uint_eq(crowds, 2);
    ck_assert_uint_eq(pool.cached, MANY);
    close_pool();
}

static void what_is_needed_at_each_tick_stays(void)
{
    open_trimmed(NULL);
    burst(MANY);
    for (int tick = 0; tick < 20; tick++) {
        ck_assert(trim_goes_on());
        burst(1000);
        if (tick > 1) {
            ck_assert_uint_eq(pool.cached, 1000);
            ck_assert_int_eq(resident_of(1000), 1000);
        }
    }
    ck_assert_uint_eq(crowds, 1);
    ck_assert(trim_goes_on());
    ck_assert(!trim_goes_on());
    ck_assert_uint_eq(pool.cached, 0);
    close_pool();
}

static void stacks_in_use_are_left_alone(void)
{
    open_trimmed(NULL);
    get_all(MANY, 0);
    memset((char *)stacks[7] - 4000, 0x77, 4000);
    for (int i = 0; i < MANY; i++)
        if (i % 100 != 7)
            bight__stack_put(&pool, stacks[i]);
    ck_assert(trim_goes_on());
    ck_assert(!trim_goes_on());
    ck_assert_uint_eq(pool.used, MANY / 100);
    ck_assert_int_eq(resident_of(MANY), MANY / 100);
    for (int i = 0; i < 4000; i++)
        ck_assert_int_eq(((char *)stacks[7])[-1 - i], 0x77);
    for (int i = 7; i < MANY; i += 100)
        bight__stack_put(&pool, stacks[i]);
    close_pool();
}

static void stacks_of_all_sizes_go(void)
{
    open_trimmed(NULL);
    get_all(100, 1 << 20);
    put_all(100);
    burst(FEW);
    ck_assert_uint_eq(pool.cached, 100 + FEW);
    ck_assert(trim_goes_on());
    /* Those are taken first of all. */
    get_all(20, 1 << 20);
    ck_assert_uint_eq(pool.cached, 80 + FEW);
    ck_assert_uint_eq(pool.reserved, 80 + FEW);
    put_all(20);
    ck_assert(trim_goes_on());
    ck_assert_uint_eq(pool.cached, 20);
    ck_assert(!trim_goes_on());
    ck_assert_uint_eq(pool.cached, 0);
    close_pool();
}

static void it_goes_in_portions(void)
{
    unsigned steps = 0;

    open_trimmed(NULL);
    burst(MANY);
    ck_assert(trim_goes_on());
    while (pool.reserved) {
        const size_t before = pool.reserved;

        ck_assert_uint_lt(bight__stackpool_trim(&pool), TICK);
        ck_assert_uint_le(before - pool.reserved, BIGHT_SLAB_BATCH);
        /* Meanwhile they may be needed after all. */
        if (steps == 10)
            burst(100);
        steps++;
    }
    ck_assert_uint_le(steps, 128);
    ck_assert_uint_ge(steps, (MANY - 100) / BIGHT_SLAB_BATCH);
    ck_assert_uint_eq(pool.cached, 100);
    close_pool();
}

static void a_fixed_limit_holds(void)
{
    open_pool(FEW, NULL);
    burst(MANY);
    ck_assert_uint_eq(pool.cached, FEW);
    ck_assert_int_eq(resident_of(MANY), FEW);
    bight__stackpool_keep_all(&pool);
    burst(100);
    ck_assert_uint_eq(pool.cached, FEW);
    close_pool();
}

static void before_the_end_all_stay(void)
{
    open_trimmed(NULL);
    get_all(100, 0);
    bight__stackpool_keep_all(&pool);
    put_all(100);
    ck_assert_uint_eq(crowds, 0);
    ck_assert_uint_eq(pool.cached, 100);
    close_pool();
}

#ifdef PLAIN
static void slabs_without_a_stack_in_use_are_unmapped(void)
{
    const int maps = test_maps();

    open_trimmed(NULL);
    struct bight_stack *first = get(0);
    burst(MANY);
    ck_assert(trim_goes_on());
    ck_assert(!trim_goes_on());
    for (const struct bight_slab *slab = pool.classes[0].slabs; slab; slab = slab->next)
        ck_assert_uint_le(slab->count, 64);
    ck_assert_uint_eq(pool.classes[0].grow, 128);
    ck_assert_int_le(test_maps(), maps + 3);
    burst(MANY);
    ck_assert_int_eq(resident_of(MANY), MANY);
    bight__stack_put(&pool, first);
    close_pool();
    ck_assert_int_eq(test_maps(), maps);
}

static void a_pool_may_end_while_a_slab_goes(void)
{
    const int maps = test_maps();

    open_trimmed(NULL);
    burst(MANY);
    ck_assert(trim_goes_on());
    while (!pool.going)
        ck_assert_uint_lt(bight__stackpool_trim(&pool), TICK);
    burst(500);
    close_pool();
    ck_assert_int_eq(test_maps(), maps);
}
#endif

static const struct suite_case cases[] = {
    plain_case(all_stacks_of_a_burst_stay_warm),
    plain_case(few_stacks_are_never_trimmed),
    plain_case(what_was_not_needed_for_two_ticks_goes),
    plain_case(what_is_needed_at_each_tick_stays),
    plain_case(stacks_in_use_are_left_alone),
    plain_case(stacks_of_all_sizes_go),
    plain_case(it_goes_in_portions),
    plain_case(a_fixed_limit_holds),
    plain_case(before_the_end_all_stay),
#ifdef PLAIN
    plain_case(slabs_without_a_stack_in_use_are_unmapped),
    plain_case(a_pool_may_end_while_a_slab_goes),
#endif
};

test_suite("trim", cases);
