/* bight_threads_call_owned: calls that are left alone when their caller is cancelled. The call lies
 * in a record of its own, which is used again; the waiter lies in the caller's frame. While calls
 * run that nobody waits for, the mailbox is held: they can still wake somebody, by `destroy`. */
#include "offload/threads/threads.h"

#include <stdio.h>

struct wait {
    struct bight_waiter waiter;
    struct owned *owned; /* while it can be resolved */
    bool taken;          /* it was let go, and a thread has the call */
    int rc;
};

struct owned {
    struct call call;
    struct owned *next; /* of the spare ones */
    struct threads *threads;
    struct wait *wait; /* NULL: nobody waits any more */
    void (*destroy)(void *arg);
};

static void keep(struct owned *owned)
{
    owned->next = owned->threads->spare;
    owned->threads->spare = owned;
}

/* A call that was left alone is over. */
static void end_abandoned(struct owned *owned)
{
    struct threads *threads = owned->threads;
    struct bight_mailbox *held = NULL;

    if (owned->destroy)
        owned->destroy(owned->call.arg);
    keep(owned);
    if (--threads->abandoned == 0) {
        held = threads->held;
        threads->held = NULL;
    }
    bight_mailbox_unref(held);
}

static void ended(struct call *call)
{
    struct owned *owned = container_of(call, struct owned, call);
    struct wait *wait = owned->wait;

    if (!wait) {
        end_abandoned(owned);
        return;
    }
    wait->rc = call->rc;
    wait->owned = NULL;
    keep(owned);
    bight__unpark_outside(&wait->waiter);
}

static void abandon(struct owned *owned)
{
    struct threads *threads = owned->threads;

    owned->wait = NULL;
    if (threads->abandoned++ == 0)
        threads->held = bight_mailbox_ref(threads->runtime->mailbox);
}

static int abort_owned(struct bight_waiter *waiter)
{
    struct wait *wait = container_of(waiter, struct wait, waiter);
    struct owned *owned = wait->owned;

    wait->taken = !bight__threads_withdraw(owned->threads, &owned->call);
    if (wait->taken)
        abandon(owned);
    else
        keep(owned);
    return 0;
}

static void describe_owned(const struct bight_waiter *waiter, char *text, size_t text_bytes)
{
    struct owned *owned = container_of(waiter, const struct wait, waiter)->owned;

    snprintf(text, text_bytes, "%s", call_waits(owned->threads, &owned->call) ? "queued" : "begun");
}

static const struct bight_waiter_ops owned_ops = {
    .name = "owned thread call",
    .abort = abort_owned,
    .describe = describe_owned,
    .flags = BIGHT_WAITER_OUTSIDE,
};

static struct owned *get_record(struct threads *threads)
{
    struct owned *spare = threads->spare;

    if (!spare)
        return bight__alloc(threads_seams(threads), sizeof(struct owned));
    threads->spare = spare->next;
    return spare;
}

void bight__threads_free_spare(struct threads *threads)
{
    struct owned *spare;

    while ((spare = threads->spare)) {
        threads->spare = spare->next;
        bight__free(spare);
    }
}

/* Begin to wait. An error: nothing was taken. */
static int take(struct threads *threads, struct wait *wait, const struct owned *what)
{
    struct owned *owned = get_record(threads);
    int rc;

    if (!owned)
        return BIGHT_ENOMEM;
    *owned = *what;
    owned->wait = wait;
    wait->owned = owned;
    rc = bight__threads_take(threads, &owned->call);
    if (rc)
        keep(owned);
    return rc;
}

static int call_owned(struct bight_executor *executor, const struct owned *what, bool *taken)
{
    struct owned owned = *what;
    struct wait wait = {.rc = 0};
    struct bight_task *self;
    int rc;

    rc = bight__observe(&self);
    if (rc)
        return rc;
    rc = bight__threads_of(executor, &owned.threads);
    if (rc)
        return rc;
    bight__waiter_begin_of(&wait.waiter, &owned_ops, self);
    rc = take(owned.threads, &wait, &owned);
    if (rc) {
        bight__breathe(self);
        return rc;
    }
    rc = bight_park(&wait.waiter);
    *taken = wait.taken;
    return rc ? rc : wait.rc;
}

int bight_threads_call_owned(struct bight_executor *executor, int (*fn)(void *arg), void *arg,
                             void (*destroy)(void *arg))
{
    struct owned what = {
        .call = {.run = bight__call_run, .ended = ended, .fn = fn, .arg = arg},
        .destroy = destroy,
    };
    bool taken = false;
    int rc;

    if (!fn || !executor)
        return BIGHT_EINVAL;
    rc = call_owned(executor, &what, &taken);
    if (bight_is_stop(rc) && !taken && destroy)
        destroy(arg);
    return rc;
}
