/* See fresh_stack.h. Uses ucontext: this happens once per zygote and has to work everywhere. */
#include "offload/child/fresh_stack.h"

#include <stddef.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <ucontext.h>
#include <unistd.h>

#ifdef BIGHT_ASAN
#include <sanitizer/common_interface_defs.h>
#endif

#define DEFAULT_BYTES ((size_t)8 << 20)
#define MOST_BYTES ((size_t)256 << 20)
#define GUARD_BYTES ((size_t)64 << 10)

/* A static, because makecontext passes ints only; a process makes one such switch. */
static struct {
    void (*fn)(void *arg);
    void *arg;
} target;

static void enter(void)
{
#ifdef BIGHT_ASAN
    __sanitizer_finish_switch_fiber(NULL, NULL, NULL);
#endif
    target.fn(target.arg);
    _exit(1);
}

static size_t wanted_bytes(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_STACK, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY)
        return DEFAULT_BYTES;
    if (limit.rlim_cur < DEFAULT_BYTES / 8)
        return DEFAULT_BYTES / 8;
    return limit.rlim_cur < MOST_BYTES ? (size_t)limit.rlim_cur : MOST_BYTES;
}

_Noreturn void bight__on_fresh_stack(void (*fn)(void *arg), void *arg)
{
    size_t bytes = (wanted_bytes() + GUARD_BYTES - 1) / GUARD_BYTES * GUARD_BYTES;
    char *low = mmap(NULL, bytes + GUARD_BYTES, PROT_NONE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    static ucontext_t context;

    if (low == MAP_FAILED || mprotect(low + GUARD_BYTES, bytes, PROT_READ | PROT_WRITE) < 0 ||
        getcontext(&context) < 0)
        _exit(1);
    target.fn = fn;
    target.arg = arg;
    context.uc_stack.ss_sp = low + GUARD_BYTES;
    context.uc_stack.ss_size = bytes;
    context.uc_link = NULL;
    makecontext(&context, enter, 0);
#ifdef BIGHT_ASAN
    __sanitizer_start_switch_fiber(NULL, low + GUARD_BYTES, bytes);
#endif
    (void)setcontext(&context);
    _exit(1);
}
