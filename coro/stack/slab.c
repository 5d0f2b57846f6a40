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

/* A fiber that is destroyed hides races. */
#ifdef BIGHT_TSAN
#define SLABS_STAY true
#else
#define SLABS_STAY false
#endif

/* Guards are made for this part of a slab at a time. */
#define GUARDS_PART 16

/* One call for advice about several ranges: Linux 5.10 for some of it, 6.13 for all when they are
 * one's own, and 6.14 for a number that stands for oneself, so that no descriptor is needed and a
 * child means itself. Older headers do not have these. */
#ifndef SYS_process_madvise
#define SYS_process_madvise 440
#endif
#define PIDFD_OF_SELF (-10000)

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

/* Advise on all ranges in one call. Returns how many of them, from the first on, it was done for:
 * none where the kernel refuses such a call, which is then not asked again. */
static size_t advise_together(struct bight_stackpool *pool, const struct iovec *ranges,
                              size_t count, int advice)
{
    size_t done = 0;
    long bytes;

    if (count < 2 || pool->advice_apart)
        return 0;
    bytes = bight__call_fails(pool->seams, "process_madvise")
                ? -1
                : syscall(SYS_process_madvise, PIDFD_OF_SELF, ranges, count, advice, 0);
    if (bytes < 0)
        pool->advice_apart = true;
    while (done < count && bytes >= (long)ranges[done].iov_len)
        bytes -= (long)ranges[done++].iov_len;
    return done;
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

/* Make guards for the fresh stacks that come next, in one call, where they are sure to work. How
 * many hangs on the slab's size, which grows with the stacks there are: those of a small program
 * have them one by one. Returns whether there was any. */
static bool guard_some(struct bight_stackpool *pool, struct bight_slab *slab)
{
    struct iovec guards[BIGHT_SLAB_BATCH];
    size_t count = slab->count / GUARDS_PART;

    if (pool->guard != BIGHT_GUARD_INSTALL)
        return false;
    if (count > BIGHT_SLAB_BATCH)
        count = BIGHT_SLAB_BATCH;
    if (count > slab->count - slab->guarded)
        count = slab->count - slab->guarded;
    for (uint32_t i = 0; i < count; i++)
        guards[i] =
            (struct iovec){bight__slab_guard(slab, slab->guarded + i), slab->class->guard_bytes};
    count = advise_together(pool, guards, count, ADVICE_GUARD_INSTALL);
    slab->guarded += (uint32_t)count;
    return count > 0;
}

/* See to it that the next fresh stack has its guard. */
static int guard_fresh(struct bight_stackpool *pool, struct bight_slab *slab)
{
    int rc;

    if (slab->guarded > slab->fresh || guard_some(pool, slab))
        return 0;
    rc = guard(pool, bight__slab_guard(slab, slab->fresh), slab->class->guard_bytes);
    slab->guarded += rc == 0;
    return rc;
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
        const int rc = guard_fresh(pool, slab);
        if (rc)
            return rc;
        *index = slab->fresh++;
    }
    if (!slab->cold && slab->fresh == slab->count) {
        class->open = slab->next_open;
        slab->open = false;
    }
    slab->out++;
    *out = slab;
    return 0;
}

/* Where the stack lies, without its guard. */
static struct iovec usable(const struct bight_slab *slab, uint32_t index)
{
    return (struct iovec){bight__slab_guard(slab, index) + slab->class->guard_bytes,
                          slab->class->bytes};
}

/* Keeps a guard made by advice. Locked memory refuses this, and stays as it is. */
static __attribute__((noinline)) void give(const struct bight_stackpool *pool, struct iovec range)
{
    if (!bight__call_fails(pool->seams, "madvise"))
        (void)madvise(range.iov_base, range.iov_len, MADV_DONTNEED);
}

/* The stack may be taken again. */
static void put_cold(struct bight_slab *slab, uint32_t index)
{
    struct bight_stack_class *class = slab->class;

    slab->out--;
    slab->slots[index].next = slab->cold;
    slab->cold = index + 1;
    if (!slab->open) {
        slab->next_open = class->open;
        class->open = slab;
        slab->open = true;
    }
}

void bight__slab_give(const struct bight_stackpool *pool, struct bight_slab *slab, uint32_t index)
{
    give(pool, usable(slab, index));
    put_cold(slab, index);
}

bool bight__slab_batch_add(struct bight_slab_batch *batch, struct bight_slab *slab, uint32_t index)
{
    batch->ranges[batch->count++] = usable(slab, index);
    put_cold(slab, index);
    return batch->count == BIGHT_SLAB_BATCH;
}

void bight__slab_batch_give(struct bight_stackpool *pool, struct bight_slab_batch *batch)
{
    size_t done = advise_together(pool, batch->ranges, batch->count, MADV_DONTNEED);

    for (; done < batch->count; done++)
        give(pool, batch->ranges[done]);
    batch->count = 0;
}

static void slab_free(struct bight_slab *slab)
{
#ifdef BIGHT_TSAN
    for (uint32_t i = 0; i < slab->fresh; i++)
        if (slab->slots[i].fiber)
            __tsan_destroy_fiber(slab->slots[i].fiber);
#endif
    if (slab->count)
        munmap(slab->base, slab->stride * slab->count);
    bight__free(slab);
}

struct bight_slab *bight__slab_take_idle(struct bight_stack_class *class, uint32_t least)
{
    struct bight_slab **all = &class->slabs, **open = &class->open, *idle;

    while (*all && (SLABS_STAY || (*all)->out || (*all)->count <= least))
        all = &(*all)->next;
    idle = *all;
    if (!idle)
        return NULL;
    /* The next one begins where growing was before this one. */
    if (idle->count < class->grow)
        class->grow = idle->count;
    *all = idle->next;
    while (*open != idle)
        open = &(*open)->next_open;
    *open = idle->next_open;
    return idle;
}

bool bight__slab_shrink(struct bight_slab *slab, size_t count)
{
    if (count >= slab->count) {
        slab_free(slab);
        return true;
    }
    slab->count -= (uint32_t)count;
    munmap(slab->base + slab->stride * slab->count, slab->stride * count);
    return false;
}

void bight__slab_free_all(struct bight_stack_class *class)
{
    struct bight_slab *next;

    for (struct bight_slab *slab = class->slabs; slab; slab = next) {
        next = slab->next;
        slab_free(slab);
    }
    class->slabs = NULL;
    class->open = NULL;
}
