/* The pool of stacks: classes of size, the warm cache, and the record at the top of each stack.
 * Owns no address space: that is slab.c. Read stack.h first.
 *
 * From the guard upward a stack has what was asked for and a head of whole pages, in which
 * record and color lie: so the usable bytes are never fewer than asked for. The head's size is
 * chosen such that the distance between stacks is an odd number of pages; an even one would use
 * only a part of the sets of the processor's translation cache. */
#include "coro/base/likely.h"
#include "coro/stack/slab.h"
#include "coro/stack/valgrind.h"

#include <sys/mman.h>
#include <unistd.h>

#include <bight/errors.h>

#ifdef BIGHT_ASAN
#include <sanitizer/asan_interface.h>
#endif

#define DEFAULT_GUARD_BYTES ((size_t)64 << 10)
#define GUARD_MAX ((size_t)1 << 30)
#define HEAD_MAX ((size_t)64 << 10)

/* Stacks in the first slab of the default class. */
#define FIRST_SLAB 16

/* Heads are shifted by whole cache lines, by up to this many bytes. */
#define COLOR_BYTES BIGHT_STACK_LINE
#define COLOR_SPAN 4096
/* A record begins so many bytes before a cache line does. */
#define BEFORE_LINE offsetof(struct bight_stack, context)
/* What the frames of a parked task typically take: head, color and these fit into one page, which
 * is the only one resident. */
#define PARKED_FRAME_BYTES 768

/* Below the stack pointer, for what the ABI lets a leaf function keep there, and for frames of the
 * call that gives memory back itself. */
#define RED_ZONE_BYTES 1024

/* Of how many pages mincore is asked at a time. */
#define PAGES_ASKED 64

static size_t round_up(size_t bytes, size_t unit)
{
    return (bytes + unit - 1) / unit * unit;
}

static void class_init(const struct bight_stackpool *pool, struct bight_stack_class *class,
                       size_t bytes, uint32_t grow)
{
    const size_t page = pool->page_bytes;
    const size_t head = pool->config.head_bytes + (size_t)COLOR_BYTES * (pool->colors - 1);

    *class = (struct bight_stack_class){
        .bytes = round_up(bytes, page) + round_up(head, page),
        .guard_bytes = round_up(pool->config.guard_bytes, page),
        .grow = grow,
    };
    if ((class->bytes + class->guard_bytes) / page % 2 == 0)
        class->guard_bytes += page;
}

int bight__stackpool_init(struct bight_stackpool *pool, const struct bight_stackpool_config *config,
                          const struct bight_seams *seams)
{
    *pool = (struct bight_stackpool){.config = *config, .limit = config->cache_max, .seams = seams};
    pool->advice_apart = bight__valgrind_runs();
    pool->page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    if (!pool->config.stack_bytes)
        pool->config.stack_bytes = BIGHT_STACK_DEFAULT;
    if (!pool->config.guard_bytes)
        pool->config.guard_bytes = DEFAULT_GUARD_BYTES;
    if (pool->config.stack_bytes < BIGHT_STACK_MIN)
        pool->config.stack_bytes = BIGHT_STACK_MIN;
    if (pool->config.stack_bytes > BIGHT_STACK_MAX || pool->config.guard_bytes > GUARD_MAX ||
        config->head_bytes < sizeof(struct bight_stack) || config->head_bytes > HEAD_MAX)
        return BIGHT_EINVAL;
    pool->config.head_bytes =
        BEFORE_LINE + round_up(config->head_bytes - BEFORE_LINE, BIGHT_STACK_LINE);

    size_t span = 0;
    if (pool->config.head_bytes + PARKED_FRAME_BYTES < pool->page_bytes)
        span = pool->page_bytes - pool->config.head_bytes - PARKED_FRAME_BYTES;
    if (span > COLOR_SPAN)
        span = COLOR_SPAN;
    pool->colors = (uint32_t)(span / COLOR_BYTES) + 1;

    class_init(pool, &pool->classes[0], pool->config.stack_bytes, FIRST_SLAB);
    for (int i = 1; i < BIGHT_STACK_CLASSES; i++)
        class_init(pool, &pool->classes[i], BIGHT_STACK_MIN << (i - 1), 1);
    return 0;
}

static struct bight_stack_class *class_for(struct bight_stackpool *pool, size_t bytes)
{
    size_t power = BIGHT_STACK_MIN;
    int i = 1;

    if (bytes == 0)
        return &pool->classes[0];
    if (bytes > BIGHT_STACK_MAX)
        return NULL;
    while (power < bytes) {
        power *= 2;
        i++;
    }
    if (bytes <= pool->config.stack_bytes && pool->config.stack_bytes <= power)
        i = 0;
    return &pool->classes[i];
}

/* A stack's memory belongs to a task from here on. */
static void annotate_taken(struct bight_stack *stack)
{
    (void)stack;
#ifdef BIGHT_ASAN
    const size_t bytes = bight__stack_bytes(stack);
    if (stack->uses > 1) /* frames that were left for ever are still poisoned */
        __asan_unpoison_memory_region(stack->lo, bytes);
    __lsan_register_root_region(stack->lo, bytes);
    stack->context.asan_fake = NULL;
    stack->context.asan_low = stack->lo;
    stack->context.asan_bytes = bytes;
#endif
}

/* What a cached stack points at is garbage: LeakSanitizer must not take it for reachable. */
static void annotate_put(struct bight_stack *stack)
{
    (void)stack;
#ifdef BIGHT_ASAN
    __lsan_unregister_root_region(stack->lo, bight__stack_bytes(stack));
#endif
}

/* Set up the record of a cold stack. */
static void record_init(struct bight_stackpool *pool, struct bight_slab *slab, uint32_t index,
                        struct bight_stack **out)
{
    const struct bight_stack_class *class = slab->class;
    char *lo = bight__slab_guard(slab, index) + class->guard_bytes;
    const size_t color = (slab->color + index) % pool->colors;
    char *head = lo + class->bytes - pool->config.head_bytes - COLOR_BYTES * color;
    struct bight_stack *stack = (struct bight_stack *)(void *)head;

    *stack = (struct bight_stack){
        .lo = lo, .slab = slab, .index = index, .uses = slab->slots[index].uses};
#ifdef BIGHT_TSAN
    if (!slab->slots[index].fiber)
        slab->slots[index].fiber = __tsan_create_fiber(0);
    stack->context.tsan_fiber = slab->slots[index].fiber;
#endif
    slab->slots[index].valgrind_id = bight__valgrind_stack_register(lo, head);
    *out = stack;
}

void bight__stack_record_fini(struct bight_stack *stack)
{
    struct bight_slot *slot = &stack->slab->slots[stack->index];

    slot->uses = stack->uses;
    bight__valgrind_stack_deregister(slot->valgrind_id);
}

void bight__stackpool_destroy(struct bight_stackpool *pool)
{
    if (pool->going)
        (void)bight__slab_shrink(pool->going, SIZE_MAX);
    pool->going = NULL;
    for (int i = 0; i < BIGHT_STACK_CLASSES; i++) {
        struct bight_stack_class *class = &pool->classes[i];
        for (struct bight_stack *stack = class->cache; stack; stack = stack->next)
            bight__stack_record_fini(stack);
        for (struct bight_stack *stack = class->reserve; stack; stack = stack->next)
            bight__stack_record_fini(stack);
        class->cache = NULL;
        class->reserve = NULL;
        bight__slab_free_all(class);
    }
    pool->cached = 0;
    pool->reserved = 0;
}

static struct bight_stack *take_warm(struct bight_stackpool *pool, struct bight_stack_class *class)
{
    const bool reserved = !class->cache;
    struct bight_stack **list = reserved ? &class->reserve : &class->cache;
    struct bight_stack *stack = *list;

    if (!stack)
        return NULL;
    *list = stack->next;
    pool->cached--;
    pool->reserved -= reserved;
    return stack;
}

int bight__stack_get_slow(struct bight_stackpool *pool, size_t bytes, struct bight_stack **out)
{
    struct bight_stack_class *class = class_for(pool, bytes);
    struct bight_stack *stack;

    if (!class)
        return BIGHT_EINVAL;
    stack = take_warm(pool, class);
    if (!stack) {
        struct bight_slab *slab;
        uint32_t index;
        const int rc = bight__slab_take(pool, class, &slab, &index);
        if (rc)
            return rc;
        record_init(pool, slab, index, &stack);
    }
    pool->used++;
    stack->uses++;
    stack->low_water = (char *)stack;
    annotate_taken(stack);
    *out = stack;
    return 0;
}

/* Give back the memory below `limit`. */
static void give_below(const struct bight_stackpool *pool, const struct bight_stack *stack,
                       uintptr_t limit)
{
    limit = limit / pool->page_bytes * pool->page_bytes;
    if (limit > (uintptr_t)stack->lo && !bight__call_fails(pool->seams, "madvise"))
        (void)madvise(stack->lo, limit - (uintptr_t)stack->lo, MADV_DONTNEED);
}

/* Give back the memory below the warm part. */
static void trim(const struct bight_stackpool *pool, struct bight_stack *stack)
{
    give_below(pool, stack, (uintptr_t)stack - BIGHT__WARM_BYTES);
}

void bight__stack_rest(const struct bight_stackpool *pool, struct bight_stack *stack,
                       const char *frame)
{
    if (pool->leaves)
        return;
    give_below(pool, stack, (uintptr_t)frame - RED_ZONE_BYTES);
    stack->low_water = (char *)(uintptr_t)frame;
}

static void keep(struct bight_stackpool *pool, struct bight_stack *stack)
{
    struct bight_stack_class *class = stack->slab->class;

    stack->next = class->cache;
    class->cache = stack;
    pool->cached++;
}

/* The slow cases: the cache is full, or the stack has to be trimmed. */
static __attribute__((noinline)) void give_back(struct bight_stackpool *pool,
                                                struct bight_stack *stack)
{
    if (pool->cached >= pool->limit && pool->config.crowded) {
        pool->limit = SIZE_MAX;
        pool->config.crowded(pool);
    }
    if (pool->cached < pool->limit) {
        if (!bight__stack_put_is_cheap(pool, stack))
            trim(pool, stack);
        keep(pool, stack);
        return;
    }
    struct bight_slab *slab = stack->slab;
    const uint32_t index = stack->index;
    if (pool->leaves)
        pool->leaves(pool, stack);
    bight__stack_record_fini(stack);
    bight__slab_give(pool, slab, index);
}

void bight__stack_put(struct bight_stackpool *pool, struct bight_stack *stack)
{
    pool->used--;
    annotate_put(stack);
    if (likely(bight__stack_put_is_cheap(pool, stack)))
        keep(pool, stack);
    else
        give_back(pool, stack);
}

/* The first byte in [from, to) that is not 0, or `to`. Both are multiples of a word's size. */
__attribute__((no_sanitize("address", "thread"))) static const char *first_used(const char *from,
                                                                                const char *to)
{
    const uintptr_t *word = (const void *)from;

    while ((const char *)word < to && *word == 0)
        word++;
    return (const char *)word;
}

static size_t deepest(const struct bight_stackpool *pool, const struct bight_stack *stack)
{
    const char *end = (const char *)stack, *page = stack->lo;
    unsigned char resident[PAGES_ASKED];

    while (page < end) {
        size_t left = ((size_t)(end - page) + pool->page_bytes - 1) / pool->page_bytes;
        size_t pages = left < PAGES_ASKED ? left : PAGES_ASKED;
        bool told = !bight__call_fails(pool->seams, "mincore") &&
                    mincore((char *)(uintptr_t)page, pages * pool->page_bytes, resident) == 0;

        for (size_t i = 0; i < pages; i++, page += pool->page_bytes) {
            const char *to = page + pool->page_bytes < end ? page + pool->page_bytes : end;
            const char *used = told && !(resident[i] & 1) ? to : first_used(page, to);

            if (used < to)
                return (size_t)(end - used);
        }
    }
    return 0;
}

size_t bight__stack_deepest(const struct bight_stackpool *pool, const struct bight_stack *stack)
{
    size_t bytes;

    bight__valgrind_errors(false);
    bytes = deepest(pool, stack);
    bight__valgrind_errors(true);
    return bytes;
}

size_t bight__stack_bytes(const struct bight_stack *stack)
{
    return (size_t)((const char *)stack - stack->lo);
}

bool bight__stack_contains(const struct bight_stack *stack, const void *address)
{
    const char *low = bight__slab_guard(stack->slab, stack->index);
    const char *at = address;

    return at >= low && at < low + stack->slab->stride;
}
