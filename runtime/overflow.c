/* The line that names the task whose stack overflowed. Owns the process's SIGSEGV handler while any
 * runtime asks for it (bight_runtime_options.overflow_fd), and the alternate signal stacks of
 * their threads. The handler writes, puts the handler before it back and returns: the
 * instruction faults again and the process ends, or is debugged, as without us. */
#include "runtime/runtime.h"
#include "coro/core/task.h"

#include <execinfo.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ALTERNATE_BYTES ((size_t)64 << 10)

/* The handling of a signal belongs to the process, so this cannot be part of a runtime. */
static struct {
    pthread_mutex_t lock;
    size_t users;
    struct sigaction before;
} watch = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* The running task if the fault is in the guard of its stack, else NULL. */
static const struct bight_task *overflowed(const void *address)
{
    const struct bight_sched *sched = bight__sched;
    const struct bight_task *task = sched ? sched->current : NULL;

    if (!task || !bight__stack_contains(&task->stack, address) ||
        (const char *)address >= task->stack.lo)
        return NULL;
    return task;
}

/* glibc's snprintf of numbers and strings uses no lock and no heap; the process dies anyway. */
static void write_line(int fd, const struct bight_task *task)
{
    char line[192];
    int bytes =
        snprintf(line, sizeof(line), "bight: task #%llu %s overflowed its stack of %zu bytes",
                 (unsigned long long)task->id, task->name, bight__stack_bytes(&task->stack));

    if (bytes <= 0 || write(fd, line, (size_t)bytes) < 0)
        return;
    if (task->spawned_at) {
        void *site = (void *)(uintptr_t)task->spawned_at;

        if (write(fd, "; spawned at ", 13) < 0)
            return;
        backtrace_symbols_fd(&site, 1, fd); /* ends the line */
    } else if (write(fd, "\n", 1) < 0) {
        return;
    }
}

static void on_fault(int signum, siginfo_t *info, void *context)
{
    const struct bight_task *task = overflowed(info->si_addr);

    (void)context;
    if (task)
        write_line(task->sched->options.overflow_fd, task);
    sigaction(signum, &watch.before, NULL);
}

static int handler_take(const struct bight_seams *seams)
{
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    int rc = 0;

    sigemptyset(&action.sa_mask);
    pthread_mutex_lock(&watch.lock);
    if (watch.users == 0 &&
        (bight__call_fails(seams, "sigaction") || sigaction(SIGSEGV, &action, &watch.before)))
        rc = -errno;
    watch.users += rc == 0;
    pthread_mutex_unlock(&watch.lock);
    return rc;
}

static void handler_release(void)
{
    pthread_mutex_lock(&watch.lock);
    if (--watch.users == 0)
        sigaction(SIGSEGV, &watch.before, NULL);
    pthread_mutex_unlock(&watch.lock);
}

int bight__overflow_watch(struct bight_runtime *runtime)
{
    stack_t stack = {.ss_size = ALTERNATE_BYTES};
    const struct bight_seams *seams = &runtime->sched.seams;
    stack_t before;
    int rc;

    if (runtime->sched.options.overflow_fd <= 0)
        return 0;
    if (bight__call_fails(seams, "sigaltstack") || sigaltstack(NULL, &before))
        return -errno;
    if (before.ss_flags & SS_DISABLE) {
        stack.ss_sp = bight__alloc(seams, ALTERNATE_BYTES);
        if (!stack.ss_sp)
            return BIGHT_ENOMEM;
        if (bight__call_fails(seams, "sigaltstack") || sigaltstack(&stack, NULL)) {
            rc = -errno;
            bight__free(stack.ss_sp);
            return rc;
        }
        runtime->overflow_stack = stack.ss_sp;
    }
    rc = handler_take(seams);
    if (rc) {
        runtime->sched.options.overflow_fd = 0;
        bight__overflow_unwatch(runtime);
    }
    return rc;
}

void bight__overflow_unwatch(struct bight_runtime *runtime)
{
    stack_t none = {.ss_flags = SS_DISABLE};

    if (runtime->sched.options.overflow_fd > 0)
        handler_release();
    if (!runtime->overflow_stack)
        return;
    sigaltstack(&none, NULL);
    bight__free(runtime->overflow_stack);
    runtime->overflow_stack = NULL;
}
