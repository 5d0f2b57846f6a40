/* bight_threads_call. The call lies in the caller's frame, and the wait does not end before a
 * thread has run it or it was taken back. */
#include "offload/threads/threads.h"

#include <stdio.h>

struct plain {
    struct call call;
    struct bight_waiter waiter;
    struct threads *threads;
};

void bight__call_run(struct call *call, struct thread *thread)
{
    (void)thread;
    call->rc = call->fn(call->arg);
}

static void ended(struct call *call)
{
    bight__unpark_outside(&container_of(call, struct plain, call)->waiter);
}

static int abort_call(struct bight_waiter *waiter)
{
    struct plain *plain = container_of(waiter, struct plain, waiter);

    return bight__threads_withdraw(plain->threads, &plain->call) ? 0 : BIGHT_EBUSY;
}

static void describe_call(const struct bight_waiter *waiter, char *text, size_t text_bytes)
{
    const struct plain *plain = container_of(waiter, const struct plain, waiter);

    snprintf(text, text_bytes, "%s", call_waits(plain->threads, &plain->call) ? "queued" : "begun");
}

/* It refuses, but it never shares a park: so it has the one flag that bight__unpark_outside
 * wants. */
static const struct bight_waiter_ops call_ops = {
    .name = "thread call",
    .abort = abort_call,
    .describe = describe_call,
    .flags = BIGHT_WAITER_OUTSIDE,
};

static int call_on_thread(struct threads *threads, struct bight_task *self, int (*fn)(void *arg),
                          void *arg)
{
    struct plain plain;
    int rc;

    plain.call.run = bight__call_run;
    plain.call.fn = fn;
    plain.call.arg = arg;
    plain.call.ended = ended;
    plain.threads = threads;
    bight__waiter_begin_of(&plain.waiter, &call_ops, self);
    rc = bight__threads_take(threads, &plain.call);
    if (rc) {
        bight__breathe(self);
        return rc;
    }
    rc = bight_park(&plain.waiter);
    return rc ? rc : plain.call.rc;
}

int bight_threads_call(struct bight_executor *executor, int (*fn)(void *arg), void *arg)
{
    struct threads *threads;
    struct bight_task *self;
    int rc;

    if (!fn || !executor)
        return BIGHT_EINVAL;
    rc = bight__observe(&self);
    if (rc == 0)
        rc = bight__threads_of(executor, &threads);
    return rc ? rc : call_on_thread(threads, self, fn, arg);
}
