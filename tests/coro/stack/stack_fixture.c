/* See stack_fixture.h. */
#include "tests/coro/stack/stack_fixture.h"

#include <string.h>
#include <sys/mman.h>

#include <check.h>

struct bight_stackpool pool;

void open_pool(size_t cache_max, const struct bight_seams *seams)
{
    const struct bight_stackpool_config config = {.head_bytes = HEAD_BYTES, .cache_max = cache_max};
    ck_assert_int_eq(bight__stackpool_init(&pool, &config, seams), 0);
}

struct bight_stack *get(size_t bytes)
{
    struct bight_stack *stack;

    ck_assert_int_eq(bight__stack_get(&pool, bytes, &stack), 0);
    return stack;
}

void close_pool(void)
{
    ck_assert_uint_eq(pool.used, 0);
    bight__stackpool_destroy(&pool);
}

char *end_of(const struct bight_stack *stack)
{
    return (char *)(((uintptr_t)stack + pool.page_bytes - 1) / pool.page_bytes * pool.page_bytes);
}

size_t resident(const char *low, const char *high)
{
    static unsigned char map[1 << 16];
    const size_t pages = (size_t)(high - low) / pool.page_bytes;
    size_t count = 0;

    ck_assert_uint_le(pages, sizeof map);
    ck_assert_int_eq(mincore((void *)(uintptr_t)low, pages * pool.page_bytes, map), 0);
    for (size_t i = 0; i < pages; i++)
        count += map[i] & 1;
    return count;
}

void use_down_to(struct bight_stack *stack, size_t depth)
{
    memset((char *)stack - depth, 0x5a, depth);
}
