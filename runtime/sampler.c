/* Where a turn is that has lasted for bight_runtime_options.slow_ms: a timer of the kernel's
 * interrupts the thread, and the handler notes the chain of return addresses, nothing else. The
 * report is made when the turn is over, by coro/core/measure.c.
 *
 * The timer is not armed anew for each turn: it goes off once in slow_ms at most, and a handler
 * that finds a turn too young arms it for the rest. When no turn runs it stays off. */
#include "runtime/registers.h"
#include "runtime/runtime.h"
#include "coro/core/task.h"

#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define PLACES_MOST 64

/* Above the frame in which a call's turn begins lie those of its callers, more than that. */
#define CALLERS_BYTES 512
#define NS_PER_S (1000 * NS_PER_MS)

#ifndef sigev_notify_thread_id /* glibc's <signal.h> has the field, but not always its name */
#define sigev_notify_thread_id _sigev_un._tid
#endif

/* What frame pointers point at, on x86-64 and aarch64. */
struct frame_record {
    uintptr_t outer;
    uintptr_t returns_to;
};

struct bight_sampler {
    timer_t timer;
    uint64_t slow_ns;
    uintptr_t hi; /* of what a turn that is no task's has of the thread's own stack */
    /* Shared with the handler, which interrupts this very thread. */
    volatile bool armed;
    volatile uint64_t since_ns; /* when the turn began, in real time; 0: none runs */
    volatile size_t count;
    const void *places[PLACES_MOST];
};

/* The handling of signals belongs to the process, so this cannot be part of a runtime. */
static struct {
    pthread_mutex_t lock;
    size_t users[_NSIG];
    struct sigaction before[_NSIG];
} signals = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* The handler, and what it calls: async-signal-safe. */

static uint64_t real_ns(void)
{
    struct timespec now = {0};

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static void arm(struct bight_sampler *sampler, uint64_t after_ns)
{
    const struct itimerspec when = {
        .it_value = {.tv_sec = (time_t)(after_ns / NS_PER_S),
                     .tv_nsec = (long)(after_ns % NS_PER_S)},
    };

    sampler->armed = true;
    timer_settime(sampler->timer, 0, &when, NULL);
}

/* Follow the records, which lie further up from one to the next, below `hi`. Code that keeps no
 * frame pointers may have anything in the register: then the chain ends early. */
__attribute__((no_sanitize("address", "thread"))) static size_t
walk(const struct registers *at, uintptr_t hi, const void **places)
{
    uintptr_t frame = at->frame;
    size_t count = 0;

    if (at->pc)
        places[count++] = (const void *)(at->pc + 1); /* as if it had called */
    while (count < PLACES_MOST && frame >= at->sp && frame % sizeof(uintptr_t) == 0 &&
           frame + sizeof(struct frame_record) <= hi) {
        const struct frame_record *record = (const struct frame_record *)frame;

        if (!record->returns_to)
            break;
        places[count++] = (const void *)record->returns_to;
        if (record->outer <= frame)
            break;
        frame = record->outer;
    }
    return count;
}

/* Up to where the frames of the turn may lie, none when the thread is between two stacks. */
static uintptr_t frames_end(const struct bight_sampler *sampler, const struct bight_sched *sched,
                            uintptr_t sp)
{
    const struct bight_task *task = sched->current;

    if (!sched->step.task_id)
        return sampler->hi;
    if (!task || sp < (uintptr_t)task->stack.lo || sp >= (uintptr_t)task)
        return 0;
    return (uintptr_t)task;
}

static void look(struct bight_sampler *sampler, const struct bight_sched *sched,
                 const void *context)
{
    const struct registers at = registers_of(context);
    uint64_t since_ns = sampler->since_ns, age_ns;

    sampler->armed = false;
    if (!since_ns || sampler->count)
        return;
    age_ns = real_ns() - since_ns;
    if (age_ns < sampler->slow_ns)
        arm(sampler, sampler->slow_ns - age_ns);
    else
        sampler->count = walk(&at, frames_end(sampler, sched, at.sp), sampler->places);
}

static void on_signal(int signum, siginfo_t *info, void *context)
{
    const struct bight_sched *sched = bight__sched;
    const struct bight_runtime *runtime = bight__runtime();
    int error = errno;

    (void)info;
    if (runtime && runtime->sampler && sched->options.slow_signal == signum)
        look(runtime->sampler, sched, context);
    errno = error;
}

/* From here: on the thread, while no turn runs. */

void bight__sampler_turn(struct bight_sched *sched, bool runs)
{
    struct bight_sampler *sampler = ((struct bight_runtime *)sched)->sampler;

    if (runs) {
        sampler->count = 0;
        sampler->hi = (uintptr_t)__builtin_frame_address(0) + CALLERS_BYTES;
        sampler->since_ns = real_ns();
        if (!sampler->armed)
            arm(sampler, sampler->slow_ns);
        return;
    }
    sampler->since_ns = 0;
    sched->step.places = sampler->places;
    sched->step.place_count = sampler->count;
}

static int handler_take(const struct bight_seams *seams, int signum)
{
    struct sigaction action = {.sa_sigaction = on_signal,
                               .sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK};
    int rc = 0;

    sigemptyset(&action.sa_mask);
    pthread_mutex_lock(&signals.lock);
    if (signals.users[signum] == 0 && (bight__call_fails(seams, "sigaction") ||
                                       sigaction(signum, &action, &signals.before[signum])))
        rc = -errno;
    signals.users[signum] += rc == 0;
    pthread_mutex_unlock(&signals.lock);
    return rc;
}

static void handler_release(int signum)
{
    pthread_mutex_lock(&signals.lock);
    if (--signals.users[signum] == 0)
        sigaction(signum, &signals.before[signum], NULL);
    pthread_mutex_unlock(&signals.lock);
}

static int timer_make(const struct bight_seams *seams, struct bight_sampler *sampler, int signum)
{
    struct sigevent event = {
        .sigev_notify = SIGEV_THREAD_ID,
        .sigev_signo = signum,
    };

    event.sigev_notify_thread_id = (pid_t)syscall(SYS_gettid);
    if (bight__call_fails(seams, "timer_create") ||
        timer_create(CLOCK_MONOTONIC, &event, &sampler->timer))
        return -errno;
    return 0;
}

int bight__sampler_open(struct bight_runtime *runtime)
{
    const struct bight_runtime_options *options = &runtime->sched.options;
    const struct bight_seams *seams = &runtime->sched.seams;
    struct bight_sampler *sampler;
    int signum = options->slow_signal;
    int rc;

    if (!signum)
        return 0;
    if (signum < SIGRTMIN || signum > SIGRTMAX)
        return BIGHT_EINVAL;
    if (!options->slow_ms)
        return 0;
    sampler = bight__alloc_zero(seams, sizeof(*sampler));
    if (!sampler)
        return BIGHT_ENOMEM;
    sampler->slow_ns = options->slow_ms * NS_PER_MS;
    rc = timer_make(seams, sampler, signum);
    if (rc)
        goto free_sampler;
    rc = handler_take(seams, signum);
    if (rc)
        goto delete_timer;
    runtime->sampler = sampler;
    bight__measure(&runtime->sched, MEASURE_PLACES, true);
    return 0;

delete_timer:
    timer_delete(sampler->timer);
free_sampler:
    bight__free(sampler);
    return rc;
}

/* A signal that is on its way arrives before timer_delete returns, if at all: the thread sent for
 * it itself. */
void bight__sampler_close(struct bight_runtime *runtime)
{
    struct bight_sampler *sampler = runtime->sampler;

    if (!sampler)
        return;
    bight__measure(&runtime->sched, MEASURE_PLACES, false);
    timer_delete(sampler->timer);
    runtime->sampler = NULL;
    handler_release(runtime->sched.options.slow_signal);
    bight__free(sampler);
}
