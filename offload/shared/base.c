/* See base.h. The order of things in a wait is the same for all: say that somebody waits, then look
 * whether the word is still what it was. A change is the other way round. So one of the two sees
 * the other; both are sequentially consistent. */
#include "offload/shared/base.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "coro/base/units.h"

/* The wait of a task; its waiter's link is the place in segment->waits. */
struct shared_wait {
    struct bight_waiter waiter;
    struct bight_shared *segment;
    struct bight__shared_base *base;
    uint32_t seen;
};

static struct shared_wait *wait_of(struct bight_link *link)
{
    return container_of(link, struct shared_wait, waiter.link);
}

struct bight_shared *bight__shared_of(const struct bight__shared_base *base, size_t bytes,
                                      enum shared_kind kind)
{
    struct bight_shared *segment = bight__shared_find(base, bytes);

    return segment && shared_load(base->kind) == (uint32_t)kind ? segment : NULL;
}

uint64_t bight__shared_self(const struct bight_shared *segment)
{
    const struct bight_runtime *runtime = bight__runtime();
    const struct bight_task *task = runtime ? runtime->sched.current : NULL;
    uint64_t self;

    /* Tasks of two runtimes may have the same number. */
    if (task && runtime == segment->runtime)
        self = (task->id & ((UINT64_C(1) << 29) - 1)) | UINT64_C(1) << 29;
    else
        self = (uint64_t)syscall(SYS_gettid);
    return (uint64_t)segment->member << 32 | self;
}

/* Nobody waits for `base` any more, as far as `segment` knows. */
static void forget_tasks(struct bight_shared *segment, struct bight__shared_base *base)
{
    for (struct bight_link *at = segment->waits.next; at != &segment->waits; at = at->next) {
        if (wait_of(at)->base == base)
            return;
    }
    shared_store(base->tasks, 0);
}

int bight__shared_abort(struct bight_waiter *waiter)
{
    link_remove(&waiter->link);
    return 0;
}

void bight__shared_wake_tasks(struct bight_shared *segment, bool all)
{
    struct bight_link *at, *next;

    for (at = segment->waits.next; at != &segment->waits; at = next) {
        struct shared_wait *wait = wait_of(at);

        next = at->next;
        if (!all && shared_load(wait->base->sequence) == wait->seen)
            continue;
        link_remove(at);
        (void)bight_unpark(&wait->waiter, 0); /* it never shares its park */
    }
}

/* Sleep until the word is not `seen` any more, or the loop has some other reason to look. */
static int park(const struct shared_call *call, uint32_t seen)
{
    struct bight_shared *segment = call->segment;
    struct shared_wait wait = {.segment = segment, .base = call->base, .seen = seen};
    int rc = 0;

    segment
        ->inside++; /* it is not to be freed meanwhile, nor before this task has seen why it woke */
    shared_store(call->base->tasks, 1);
    if (shared_load(call->base->sequence) == seen) {
        rc = bight_waiter_init(&wait.waiter, call->ops);
        if (!rc) {
            link_append(&segment->waits, &wait.waiter.link);
            rc = bight_park(&wait.waiter);
        }
    } else {
        rc = bight_checkpoint(); /* whoever changes it all the time must not stop the loop */
    }
    forget_tasks(segment, call->base);
    segment->inside--;
    return rc;
}

static int task_call(struct shared_call *call)
{
    for (;;) {
        uint32_t seen = shared_load(call->base->sequence);
        int rc = call->attempt(call);

        if (rc != BIGHT_EAGAIN)
            return rc;
        if (call->segment->runtime != bight__runtime())
            return BIGHT_EPERM;
        rc = park(call, seen);
        if (rc)
            return rc;
    }
}

static int call_in_scope(struct shared_call *call, int64_t timeout_ms)
{
    struct bight_scope scope;

    /* It cannot fail: this is a task, and the scope is new. */
    (void)!bight_scope_begin(&scope, timeout_ms, BIGHT_SCOPE_INHERIT);
    return bight_scope_end(&scope, task_call(call));
}

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 * NS_PER_MS + (uint64_t)now.tv_nsec;
}

static int sleep_while(struct bight__shared_base *base, uint32_t seen, uint64_t deadline_ns)
{
    const struct timespec deadline = {.tv_sec = (time_t)(deadline_ns / (1000 * NS_PER_MS)),
                                      .tv_nsec = (long)(deadline_ns % (1000 * NS_PER_MS))};
    long rc;

    __atomic_add_fetch(&base->sleepers, 1, __ATOMIC_SEQ_CST);
    rc = syscall(SYS_futex, &base->sequence, FUTEX_WAIT_BITSET, seen,
                 deadline_ns == UINT64_MAX ? NULL : &deadline, NULL, FUTEX_BITSET_MATCH_ANY);
    rc = rc < 0 ? -errno : 0;
    __atomic_sub_fetch(&base->sleepers, 1, __ATOMIC_SEQ_CST);
    if (rc == -EAGAIN || rc == -EINTR)
        return 0;
    return (int)rc;
}

static int thread_call(struct shared_call *call, int64_t timeout_ms)
{
    uint64_t deadline_ns = timeout_ms < 0 ? UINT64_MAX : ns_after(now_ns(), timeout_ms);

    for (;;) {
        uint32_t seen = shared_load(call->base->sequence);
        int rc = call->attempt(call);

        if (rc != BIGHT_EAGAIN)
            return rc;
        if (deadline_ns != UINT64_MAX && now_ns() >= deadline_ns)
            return BIGHT_ETIMEDOUT;
        rc = sleep_while(call->base, seen, deadline_ns);
        if (rc && rc != -ETIMEDOUT)
            return rc;
    }
}

int bight__shared_call(struct shared_call *call, int64_t timeout_ms)
{
    int rc = call->attempt(call);

    if (rc != BIGHT_EAGAIN)
        return rc;
    if (timeout_ms == 0)
        return BIGHT_ETIMEDOUT;
    if (!bight__sched)
        return thread_call(call, timeout_ms);
    return timeout_ms < 0 ? task_call(call) : call_in_scope(call, timeout_ms);
}

/* The tasks that wait are those of this thread, or their loop has to be woken. A full socket does
 * that too. */
static void ring(struct bight_shared *segment)
{
    static const char byte = 'r';

    if (segment->runtime && segment->runtime == bight__runtime())
        bight__shared_wake_tasks(segment, false);
    else
        (void)!send(segment->bell, &byte, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void bight__shared_stir(struct bight__shared_base *base)
{
    __atomic_add_fetch(&base->sequence, 1, __ATOMIC_SEQ_CST);
    if (shared_load(base->sleepers))
        (void)syscall(SYS_futex, &base->sequence, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

void bight__shared_changed(struct bight_shared *segment, struct bight__shared_base *base)
{
    bight__shared_stir(base);
    if (shared_load(base->tasks))
        ring(segment);
}
