/* coro/stack/stack.c: sizes, what is resident, the cache, and pages that go back. Guards and
 * every way to run out are in test_slab.c. */
#include <string.h>

#include <bight/errors.h>

#include "tests/coro/stack/stack_fixture.h"
#include "tests/harness/suite.h"

/* Sizes and places. */

static void usable_bytes_are_never_fewer_than_asked_for(void)
{
    static const size_t sizes[] = {0,          1,          16384,   16385,    100000,
                                   256 * 1024, 256 * 1025, 1 << 20, 64 << 20, 1 << 30};
    const size_t count = sizeof sizes / sizeof sizes[0];
    struct bight_stack *stacks[sizeof sizes / sizeof sizes[0]];

    open_pool(4, NULL);
    for (size_t i = 0; i < count; i++) {
        struct bight_stack *stack = stacks[i] = get(sizes[i]);
        ck_assert_uint_ge(bight__stack_bytes(stack), sizes[i] ? sizes[i] : 256 * 1024);
        ck_assert_uint_eq((uintptr_t)&stack->context % 64, 0);
        ck_assert_ptr_eq(stack->low_water, stack);
        ck_assert_uint_eq(stack->uses, 1);
        stack->lo[0] = 1;
        ((char *)stack)[-1] = 1;
        ck_assert(bight__stack_contains(stack, stack->lo));
        ck_assert(bight__stack_contains(stack, (char *)stack + HEAD_BYTES - 1));
        ck_assert(!bight__stack_contains(stack, end_of(stack)));
        for (size_t j = 0; j < i; j++)
            ck_assert(!bight__stack_contains(stacks[j], stack));
    }
    ck_assert_uint_eq(pool.used, count);
    for (size_t i = 0; i < count; i++)
        bight__stack_put(&pool, stacks[i]);
    close_pool();
}

static void sizes_that_cannot_be_are_refused(void)
{
    struct bight_stack *stack = NULL;
    struct bight_stackpool_config config = {.head_bytes = HEAD_BYTES};

    config.stack_bytes = BIGHT_STACK_MAX + 1;
    ck_assert_int_eq(bight__stackpool_init(&pool, &config, NULL), BIGHT_EINVAL);
    config.stack_bytes = 0;
    config.guard_bytes = SIZE_MAX;
    ck_assert_int_eq(bight__stackpool_init(&pool, &config, NULL), BIGHT_EINVAL);
    config.guard_bytes = 0;
    config.head_bytes = sizeof(struct bight_stack) - 1;
    ck_assert_int_eq(bight__stackpool_init(&pool, &config, NULL), BIGHT_EINVAL);

    open_pool(4, NULL);
    ck_assert_int_eq(bight__stack_get(&pool, BIGHT_STACK_MAX + 1, &stack), BIGHT_EINVAL);
    ck_assert_int_eq(bight__stack_get(&pool, SIZE_MAX, &stack), BIGHT_EINVAL);
    ck_assert_ptr_null(stack);
    close_pool();
}

static void a_parked_task_is_one_resident_page(void)
{
    struct bight_stack *stacks[100];
    size_t colors[64] = {0};
    size_t colors_used = 0;

    open_pool(4, NULL);
    for (int i = 0; i < 100; i++) {
        stacks[i] = get(0);
        memset((char *)stacks[i] + sizeof *stacks[i], 1, HEAD_BYTES - sizeof *stacks[i]);
        use_down_to(stacks[i], PARKED_BYTES);
        ck_assert_uint_eq(resident(stacks[i]->lo, end_of(stacks[i])), 1);
        colors_used += colors[(uintptr_t)stacks[i] % pool.page_bytes / 64]++ == 0;
    }
    ck_assert_uint_ge(colors_used, 30);
    for (int i = 0; i < 64; i++)
        ck_assert_uint_le(colors[i], 100 / colors_used + 1);
    for (int i = 0; i < 100; i++)
        bight__stack_put(&pool, stacks[i]);
    close_pool();
}

/* The cache. */

static void cache_is_bounded_and_last_in_first_out(void)
{
    struct bight_stack *stacks[10];

    open_pool(4, NULL);
    for (int i = 0; i < 10; i++) {
        stacks[i] = get(0);
        use_down_to(stacks[i], PARKED_BYTES);
    }
    for (int i = 0; i < 10; i++) {
        ck_assert(bight__stack_put_is_cheap(&pool, stacks[i]) == (i < 4));
        bight__stack_put(&pool, stacks[i]);
        ck_assert_uint_eq(pool.cached, i < 4 ? i + 1 : 4);
    }
    for (int i = 0; i < 10; i++) {
        char *last = (char *)((uintptr_t)stacks[i] / pool.page_bytes * pool.page_bytes);
        ck_assert_uint_eq(resident(last, last + pool.page_bytes), i < 4 ? 1 : 0);
    }
    for (int i = 3; i >= 0; i--)
        ck_assert_ptr_eq(get(0), stacks[i]);
    ck_assert_uint_eq(pool.cached, 0);
    for (int i = 0; i < 4; i++)
        bight__stack_put(&pool, stacks[i]);
    close_pool();
}

static void a_stack_of_another_size_is_cached_with_its_like(void)
{
    open_pool(4, NULL);
    struct bight_stack *small = get(0);
    struct bight_stack *large = get(1 << 20);
    bight__stack_put(&pool, small);
    bight__stack_put(&pool, large);
    ck_assert_ptr_eq(get(0), small);
    ck_assert_ptr_eq(get((1 << 20) - 5000), large);
    bight__stack_put(&pool, small);
    bight__stack_put(&pool, large);
    close_pool();
}

static void what_was_given_back_is_used_before_anything_fresh(void)
{
    struct bight_stack *stacks[40];

    open_pool(0, NULL);
    for (int i = 0; i < 40; i++)
        stacks[i] = get(0);
    for (int i = 10; i < 30; i++)
        bight__stack_put(&pool, stacks[i]);
    for (int i = 10; i < 30; i++) {
        struct bight_stack *again = get(0);
        bool known = false;
        for (int j = 10; j < 30; j++)
            known = known || again == stacks[j];
        ck_assert(known);
        /* Its record was gone with its page; this was remembered elsewhere. */
        ck_assert_uint_eq(again->uses, 2);
    }
    ck_assert_uint_eq(pool.used, 40);
    for (int i = 0; i < 40; i++)
        bight__stack_put(&pool, stacks[i]);
    close_pool();
}

/* Pages that deep use leaves behind. */

#define WARM_PAGES                                                                                 \
    (16384 / pool.page_bytes + 2) /* 16 KiB below the record, and where it begins and ends */

static void deep_use_seen_at_a_switch_is_given_back(void)
{
    open_pool(4, NULL);
    struct bight_stack *stack = get(0);
    use_down_to(stack, 200000);
    stack->low_water = (char *)stack - 200000;
    ck_assert_uint_ge(resident(stack->lo, end_of(stack)), 200000 / pool.page_bytes);
    ck_assert(!bight__stack_put_is_cheap(&pool, stack));
    bight__stack_put(&pool, stack);
    ck_assert_uint_eq(pool.cached, 1);
    ck_assert_uint_le(resident(stack->lo, end_of(stack)), WARM_PAGES);
    ck_assert_uint_ge(resident(stack->lo, end_of(stack)), 16384 / pool.page_bytes);
    ck_assert_ptr_eq(get(0), stack);
    ck_assert_ptr_eq(stack->low_water, stack);
    bight__stack_put(&pool, stack);
    close_pool();
}

static void shallow_use_keeps_its_pages(void)
{
    open_pool(4, NULL);
    struct bight_stack *stack = get(0);
    use_down_to(stack, 15000);
    stack->low_water = (char *)stack - 15000;
    const size_t before = resident(stack->lo, end_of(stack));
    ck_assert(bight__stack_put_is_cheap(&pool, stack));
    bight__stack_put(&pool, stack);
    ck_assert_uint_eq(resident(stack->lo, end_of(stack)), before);
    close_pool();
}

static void deep_use_between_switches_is_given_back_at_the_256th_reuse(void)
{
    open_pool(4, NULL);
    struct bight_stack *stack = get(0);
    use_down_to(stack, 200000);
    for (uint32_t use = 1; use < 256; use++) {
        ck_assert_uint_eq(stack->uses, use);
        ck_assert(bight__stack_put_is_cheap(&pool, stack));
        bight__stack_put(&pool, stack);
        ck_assert_ptr_eq(get(0), stack);
    }
    ck_assert_uint_ge(resident(stack->lo, end_of(stack)), 200000 / pool.page_bytes);
    ck_assert(!bight__stack_put_is_cheap(&pool, stack));
    bight__stack_put(&pool, stack);
    ck_assert_uint_le(resident(stack->lo, end_of(stack)), WARM_PAGES);
    close_pool();
}

static void stacks_not_cached_keep_no_page(void)
{
    struct bight_stack *stacks[50];
    char *low[50];
    char *end[50];

    open_pool(0, NULL);
    for (int i = 0; i < 50; i++) {
        stacks[i] = get(0);
        low[i] = stacks[i]->lo;
        end[i] = end_of(stacks[i]);
        use_down_to(stacks[i], 50000);
    }
    for (int i = 0; i < 50; i++)
        bight__stack_put(&pool, stacks[i]);
    for (int i = 0; i < 50; i++)
        ck_assert_uint_eq(resident(low[i], end[i]), 0);
    close_pool();
}

static const struct suite_case cases[] = {
    plain_case(usable_bytes_are_never_fewer_than_asked_for),
    plain_case(sizes_that_cannot_be_are_refused),
    plain_case(a_parked_task_is_one_resident_page),
    plain_case(cache_is_bounded_and_last_in_first_out),
    plain_case(a_stack_of_another_size_is_cached_with_its_like),
    plain_case(what_was_given_back_is_used_before_anything_fresh),
    plain_case(deep_use_seen_at_a_switch_is_given_back),
    plain_case(shallow_use_keeps_its_pages),
    plain_case(deep_use_between_switches_is_given_back_at_the_256th_reuse),
    plain_case(stacks_not_cached_keep_no_page),
};

test_suite("stack", cases);
