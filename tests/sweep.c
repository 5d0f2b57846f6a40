/* See sweep.h: what a run leaves behind. */
#include "tests/sweep.h"

#include <uv.h>

#include "tests/support.h"

static long blocks;

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *memory, size_t bytes);
void __real_free(void *memory);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *memory, size_t bytes);
void __wrap_free(void *memory);

void *__wrap_malloc(size_t bytes)
{
    void *memory = __real_malloc(bytes);

    blocks += memory != NULL;
    return memory;
}

void *__wrap_calloc(size_t count, size_t bytes)
{
    void *memory = __real_calloc(count, bytes);

    blocks += memory != NULL;
    return memory;
}

void __wrap_free(void *memory)
{
    blocks -= memory != NULL;
    __real_free(memory);
}

/* Nobody here asks for 0 bytes, which would free. */
void *__wrap_realloc(void *memory, size_t bytes)
{
    void *moved = __real_realloc(memory, bytes);

    blocks += !memory && moved;
    return moved;
}

void sweep_count_libuv(void)
{
    ck_assert_int_eq(
        uv_replace_allocator(__wrap_malloc, __wrap_realloc, __wrap_calloc, __wrap_free), 0);
}

long sweep_blocks(void)
{
    return blocks;
}

int sweep_maps(void)
{
#if defined(BIGHT_ASAN) || defined(BIGHT_TSAN)
    return 0;
#else
    return test_maps();
#endif
}
