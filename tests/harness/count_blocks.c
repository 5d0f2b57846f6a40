/* See count_blocks.h. */
#include "tests/harness/count_blocks.h"

#include <uv.h>

#include <check.h>

static _Atomic long blocks; /* jobs on threads take and free some */
static _Thread_local const _Atomic bool *counting;
static _Thread_local size_t taken;

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *memory, size_t bytes);
void __real_free(void *memory);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *memory, size_t bytes);
void __wrap_free(void *memory);

static void took(bool any)
{
    blocks += any;
    if (counting && *counting)
        taken += any;
}

void *__wrap_malloc(size_t bytes)
{
    void *memory = __real_malloc(bytes);

    took(memory != NULL);
    return memory;
}

void *__wrap_calloc(size_t count, size_t bytes)
{
    void *memory = __real_calloc(count, bytes);

    took(memory != NULL);
    return memory;
}

void __wrap_free(void *memory)
{
    blocks -= memory != NULL;
    __real_free(memory);
}

/* Nobody here asks for 0 bytes, which would free the block. */
void *__wrap_realloc(void *memory, size_t bytes)
{
    void *moved = __real_realloc(memory, bytes);

    took(!memory && moved);
    return moved;
}

void count_blocks_of_libuv(void)
{
    ck_assert_int_eq(
        uv_replace_allocator(__wrap_malloc, __wrap_realloc, __wrap_calloc, __wrap_free), 0);
}

long counted_blocks(void)
{
    return blocks;
}

void count_taken_while(const _Atomic bool *window)
{
    counting = window;
    taken = 0;
}

size_t counted_taken(void)
{
    return taken;
}
