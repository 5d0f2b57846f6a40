/* Address space for stacks: see slab.h. All calls of mmap, mprotect and madvise but one (the
 * trimming of cached stacks in stack.c) are here. Does not know what lies on a stack. */
#include "coro/stack/slab.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bight/errors.h>

#ifdef BIGHT_ASAN
#include <sanitizer/asan_interface.h>
#endif

/* The kernel's heuristic overcommit accepts one mapping of this size, but refuses a larger one,
 * with MAP_NORESERVE or without. */
#define SLAB_MAX ((size_t)4 << 30)

/* Linux 6.13; older headers do not have it. */
#define ADVICE_GUARD_INSTALL 102

static void *map(const struct bight_seams *seams, size_t bytes)
{
    if (bight__call_fails(seams, "mmap"))
        return NULL;
    void *base = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (base == MAP_FAILED)
        return NULL;
    /* A huge page would make one touched stack resident 2 MiB wide. Where there are no huge pages,
     * the advice is refused and not needed. */
    if (!bight__call_fails(seams, "madvise"))
        (void)madvise(base, bytes, MADV_NOHUGEPAGE);
    return base;
}

/* After mmap gave ENOMEM: was it the number of mappings? Then not even a page without access can be
 * mapped; a limit on memory or address space is rarely that exact. */
static bool at_map_limit(const struct bight_stackpool *pool)
{
    void *page;

    if (bight__call_fails(pool->seams, "mmap"))
        return errno == ENOMEM;
    page = mmap(NULL, pool->page_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        return errno == ENOMEM;
    munmap(page, pool->page_bytes);
    return false;
}

/* Reserve for *count stacks, or for half as many until it fits: so the end of a limited address
 * space is used up to the last stack. */
static char *reserve(struct bight_stackpool *pool, size_t stride, uint32_t *count)
{
    for (uint32_t fits = *count; fits > 0; fits /= 2) {
        char *base = map(pool->seams, stride * fits);
        if (base) {
            *count = fits;
            return base;
        }
        if (errno != ENOMEM && errno != EAGAIN)
            break;
    }
    pool->map_limit = at_map_limit(pool);
    return NULL;
}

/* Whether a page that nobody touched is resident: then the process locks its memory (mlockall), and
 * each slab costs its whole size at once. */
static bool is_locked(const struct bight_stackpool *pool, const struct bight_slab *slab)
{
    unsigned char resident = 0;
    char *last = slab->base + slab->stride * slab->count - pool->page_bytes;

    if (bight__call_fails(pool->seams, "mincore"))
        return false;
    return mincore(last, pool->page_bytes, &resident) == 0 && (resident & 1);
}

/* noinline: its return address is the site that bight__may_map asks about. */
__attribute__((noinline)) static struct bight_slab *slab_new(struct bight_stackpool *pool,
                                                             struct bight_stack_class *class)
{
    const size_t stride = class->guard_bytes + class->bytes;
    uint32_t count = class->grow;
    struct bight_slab *slab =
        bight__alloc_zero(pool->seams, sizeof *slab + sizeof slab->slots[0] * count);

    if (!slab)
        return NULL;
    if (bight__may_map(pool->seams, __builtin_return_address(0)))
        slab->base = reserve(pool, stride, &count);
    if (!slab->base) {
        bight__free(slab);
        return NULL;
    }
#ifdef BIGHT_ASAN
    __asan_unpoison_memory_region(slab->base, stride * count);
#endif
    slab->class = class;
    slab->stride = stride;
    slab->count = count;
    /* Go on where the slab before ended, so that all colors are used alike. */
    slab->color = class->color;
    class->color = (class->color + count) % pool->colors;
    if (count == class->grow && !is_locked(pool, slab)) {
        const size_t most = SLAB_MAX / stride;
        class->grow = (uint32_t)(count * 2 < most ? count * 2 : most);
    }
    slab->next = class->slabs;
    class->slabs = slab;
    slab->next_open = class->open;
    class->open = slab;
    slab->open = true;
    return slab;
}

/* Whether the guard at `page` works: the advice may be accepted and ignored (qemu-user). Asks the
 * kernel to write there, by getrandom because that needs no file descriptor. */
static bool guard_works(const struct bight_stackpool *pool, char *page)
{
    if (bight__call_fails(pool->seams, "getrandom"))
        return false;
    return syscall(SYS_getrandom, page, 1, 0) < 0 && errno == EFAULT;
}

/* Make the guard of a stack that is used for the first time. */
static int guard(struct bight_stackpool *pool, char *low, size_t bytes)
{
    if (pool->guard != BIGHT_GUARD_MPROTECT) {
        const int rc = bight__call_fails(pool->seams, "madvise")
                           ? -1
                           : madvise(low, bytes, ADVICE_GUARD_INSTALL);
        if (pool->guard == BIGHT_GUARD_UNKNOWN)
            pool->guard =
                rc == 0 && guard_works(pool, low) ? BIGHT_GUARD_INSTALL : BIGHT_GUARD_MPROTECT;
        if (rc == 0 && pool->guard == BIGHT_GUARD_INSTALL)
            return 0;
        /* An old kernel, an ignored advice, or locked memory (EINVAL). */
    }
    if (!bight__call_fails(pool->seams, "mprotect") && mprotect(low, bytes, PROT_NONE) == 0)
        return 0;
    /* ENOMEM here means too many mappings: this call splits one, and needs no other memory. */
    pool->map_limit = errno == ENOMEM;
    return BIGHT_ENOMEM;
}

int bight__slab_take(struct bight_stackpool *pool, struct bight_stack_class *class,
                     struct bight_slab **out, uint32_t *index)
{
    /* Only the slab made last has fresh stacks, and it is the last in the list, because a new one
     * is made when the list is empty. So guards are made, and mappings asked for, only when no
     * stack is left that was given back. */
    struct bight_slab *slab = class->open;

    pool->map_limit = false;
    if (!slab)
        slab = slab_new(pool, class);
    if (!slab)
        return BIGHT_ENOMEM;
    if (slab->cold) {
        *index = slab->cold - 1;
        slab->cold = slab->slots[*index].next;
    } else {
        const int rc = guard(pool, bight__slab_guard(slab, slab->fresh), class->guard_bytes);
        if (rc)
            return rc;
        *index = slab->fresh++;
    }
    if (!slab->cold && slab->fresh == slab->count) {
        class->open = slab->next_open;
        slab->open = false;
    }
    *out = slab;
    return 0;
}

void bight__slab_give(const struct bight_stackpool *pool, struct bight_slab *slab, uint32_t index)
{
    struct bight_stack_class *class = slab->class;

    /* Keeps a guard made by advice. Locked memory refuses this, and stays as it is. */
    if (!bight__call_fails(pool->seams, "madvise"))
        (void)madvise(bight__slab_guard(slab, index) + class->guard_bytes, class->bytes,
                      MADV_DONTNEED);
    slab->slots[index].next = slab->cold;
    slab->cold = index + 1;
    if (!slab->open) {
        slab->next_open = class->open;
        class->open = slab;
        slab->open = true;
    }
}

void bight__slab_free_all(struct bight_stack_class *class)
{
    struct bight_slab *next;

    for (struct bight_slab *slab = class->slabs; slab; slab = next) {
        next = slab->next;
#ifdef BIGHT_TSAN
        for (uint32_t i = 0; i < slab->fresh; i++)
            if (slab->slots[i].fiber)
                __tsan_destroy_fiber(slab->slots[i].fiber);
#endif
        munmap(slab->base, slab->stride * slab->count);
        bight__free(slab);
    }
    class->slabs = NULL;
    class->open = NULL;
}
