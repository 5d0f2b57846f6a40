/* See struct arena in channel.h. The free bytes are [head, end) and [0, tail) while head is beyond
 * tail, else [head, tail). */
#include "offload/wire/channel.h"

uint64_t bight__arena_find(const struct arena *arena, uint64_t bytes)
{
    if (arena->pieces == 0)
        return bytes <= arena->bytes ? 0 : UINT64_MAX;
    if (arena->head > arena->tail) {
        if (bytes <= arena->bytes - arena->head)
            return arena->head;
        return bytes <= arena->tail ? 0 : UINT64_MAX;
    }
    return bytes <= arena->tail - arena->head ? arena->head : UINT64_MAX;
}

void bight__arena_take(struct arena *arena, uint64_t at, uint64_t bytes)
{
    if (arena->pieces++ == 0)
        arena->tail = at;
    arena->head = at + bytes;
}

void bight__arena_give(struct arena *arena, uint64_t next)
{
    if (--arena->pieces == 0)
        arena->head = arena->tail = 0;
    else
        arena->tail = next;
}
