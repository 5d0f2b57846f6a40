/* The mailbox of <bight/mailbox.h>: a list under a lock, and one async handle that wakes the loop.
 * Owns its memory by reference count: one reference is the runtime's, one the handle's until libuv
 * has closed it, the others their holders'. The handle is closed under the lock, so no poster ever
 * touches a closed one. What is posted runs on the loop's thread, from libuv's callback or, for
 * what came in time, from bight__mailbox_close. Where calls are queued it becomes one of them,
 * to keep its place in their order: it is collected before a call is queued, and behind those
 * that are. Notices are in a list of their own, whose post, the bell, stands for all that come
 * until the loop has heard it; so one that is taken back is just unlinked. */
#include "runtime/runtime.h"

#include <stdatomic.h>

/* The references that are not somebody else's while the mailbox is open: runtime and handle. */
#define OWN_REFS 2

/* So many notices make one post, as far as the time of a slice goes. */
#define NOTICES_MOST 64

struct bight_mailbox {
    uv_mutex_t lock;
    size_t refs;
    bool closed;
    struct bight_post *first;
    struct bight_post **end;
    size_t count;             /* of them */
    atomic_bool waiting;      /* whether there is a first: to be asked without the lock */
    struct bight_post *taken; /* out of the list and about to be run: the loop's thread's own */
    struct bight_link notices;
    struct bight_post bell;
    bool rung; /* the bell is on its way */
    struct bight_seams seams;
    struct bight_runtime *runtime; /* for the loop's thread, until the handle is closed */
    uv_async_t async;
};

/* The record behind bight_post_call. */
struct posted_call {
    struct bight_post post;
    void (*fn)(void *arg);
    void *arg;
};

/* With the lock held. */
static struct bight_post *take_all(struct bight_mailbox *mailbox)
{
    struct bight_post *first = mailbox->first;

    mailbox->first = NULL;
    mailbox->end = &mailbox->first;
    mailbox->count = 0;
    atomic_store_explicit(&mailbox->waiting, false, memory_order_relaxed);
    return first;
}

/* fn may reuse the record, and collect or close the mailbox. */
static void run_taken(struct bight_mailbox *mailbox)
{
    struct bight_sched *sched = &mailbox->runtime->sched;
    struct bight_post *post = mailbox->taken;

    mailbox->taken = post->next;
    bight__slow_begin(sched);
    post->fn(post);
    bight__slow_end(sched);
}

static struct bight_post *lock_and_take(struct bight_mailbox *mailbox)
{
    uv_mutex_lock(&mailbox->lock);
    struct bight_post *posts = take_all(mailbox);
    uv_mutex_unlock(&mailbox->lock);
    return posts;
}

static void called(struct bight_call *call)
{
    struct bight_post *post = container_of(call, struct bight_post, call);

    post->fn(post);
}

static void queue_as_calls(struct bight_sched *sched, struct bight_post *post)
{
    for (; post; post = post->next) {
        bight_call_init(&post->call, called);
        bight__call_queue(sched, &post->call);
    }
}

/* What was taken out before came before what is in the list. */
static void queue_taken(struct bight_mailbox *mailbox)
{
    struct bight_post *taken = mailbox->taken;

    mailbox->taken = NULL;
    queue_as_calls(&mailbox->runtime->sched, taken);
}

void bight__mailbox_collect(struct bight_runtime *runtime)
{
    struct bight_mailbox *mailbox = runtime->mailbox;

    /* When it closes, no more calls are made: bight__mailbox_close runs the posts. */
    if (runtime->closing)
        return;
    queue_taken(mailbox);
    if (atomic_load_explicit(&mailbox->waiting, memory_order_relaxed))
        queue_as_calls(&runtime->sched, lock_and_take(mailbox));
}

/* As many as there is time for; the others become calls. Where a task runs the loop itself, time is
 * not looked at: its slice goes on meanwhile. */
static void run_some(struct bight_mailbox *mailbox)
{
    struct bight_sched *sched = &mailbox->runtime->sched;
    struct bight_pace *pace = &sched->pace;

    if (sched->current) {
        while (mailbox->taken)
            run_taken(mailbox);
        return;
    }
    bight__pace_begin_posts(sched);
    while (mailbox->taken && (pace->left || bight__pace_look(sched))) {
        pace->left--;
        run_taken(mailbox);
    }
    bight__pace_end(sched);
    queue_taken(mailbox);
}

static void on_async(uv_async_t *async)
{
    struct bight_mailbox *mailbox = async->data;

    /* The calls that were queued before come first; usually there is none. */
    if (mailbox->runtime->sched.calls_queued || mailbox->taken)
        bight__mailbox_collect(mailbox->runtime);
    else {
        mailbox->taken = lock_and_take(mailbox);
        run_some(mailbox); /* what these post comes with the next wake-up */
    }
}

/* With the lock held, and the mailbox open. */
static void push(struct bight_mailbox *mailbox, struct bight_post *post)
{
    bool idle = !mailbox->first;

    post->next = NULL;
    *mailbox->end = post;
    mailbox->end = &post->next;
    mailbox->count++;
    atomic_store_explicit(&mailbox->waiting, true, memory_order_relaxed);
    if (idle)
        uv_async_send(&mailbox->async);
}

/* With the lock held. */
static void ring(struct bight_mailbox *mailbox)
{
    if (!mailbox->rung)
        push(mailbox, &mailbox->bell);
    mailbox->rung = true;
}

/* Those of `notices` come before the others, with the next wake-up. */
static void put_off(struct bight_mailbox *mailbox, struct bight_link *notices)
{
    uv_mutex_lock(&mailbox->lock);
    link_splice(notices, &mailbox->notices);
    link_splice(&mailbox->notices, notices);
    ring(mailbox);
    uv_mutex_unlock(&mailbox->lock);
}

/* What a notice makes the loop do may withdraw others of these, and bring new ones. */
static void on_bell(struct bight_post *bell)
{
    struct bight_mailbox *mailbox = container_of(bell, struct bight_mailbox, bell);
    struct bight_link notices, *link;

    link_init(&notices);
    uv_mutex_lock(&mailbox->lock);
    mailbox->rung = false;
    link_splice(&notices, &mailbox->notices);
    uv_mutex_unlock(&mailbox->lock);
    for (int left = NOTICES_MOST; left && (link = link_take(&notices)); left--) {
        struct bight_notice *notice = container_of(link, struct bight_notice, link);

        notice->fn(notice);
    }
    if (!link_empty(&notices))
        put_off(mailbox, &notices);
}

int bight__mailbox_new(struct bight_mailbox **out, struct bight_runtime *runtime)
{
    struct bight_mailbox *mailbox = bight__alloc_zero(&runtime->sched.seams, sizeof *mailbox);

    if (!mailbox)
        return BIGHT_ENOMEM;
    const struct bight_seams *seams = &runtime->sched.seams;
    int rc = bight__call_fails(seams, "uv_mutex_init") ? -errno : uv_mutex_init(&mailbox->lock);
    if (rc)
        goto free_mailbox;
    rc = bight__call_fails(seams, "uv_async_init")
             ? -errno
             : uv_async_init(runtime->loop, &mailbox->async, on_async);
    if (rc)
        goto destroy_lock;
    mailbox->async.data = mailbox;
    uv_unref((uv_handle_t *)&mailbox->async);
    bight__handle_opened(runtime);
    mailbox->refs = OWN_REFS;
    mailbox->end = &mailbox->first;
    link_init(&mailbox->notices);
    mailbox->bell.fn = on_bell;
    mailbox->seams = runtime->sched.seams;
    mailbox->runtime = runtime;
    *out = mailbox;
    return 0;

destroy_lock:
    uv_mutex_destroy(&mailbox->lock);
free_mailbox:
    bight__free(mailbox);
    return rc;
}

static void on_closed(uv_handle_t *handle)
{
    struct bight_mailbox *mailbox = handle->data;
    struct bight_runtime *runtime = mailbox->runtime;

    runtime->mailbox = NULL;
    bight_mailbox_unref(mailbox);
    bight__handle_closed(runtime);
}

void bight__mailbox_close(struct bight_mailbox *mailbox)
{
    uv_mutex_lock(&mailbox->lock);
    mailbox->closed = true;
    struct bight_post *posts = take_all(mailbox);
    uv_close((uv_handle_t *)&mailbox->async, on_closed);
    uv_mutex_unlock(&mailbox->lock);
    while (mailbox->taken)
        run_taken(mailbox);
    mailbox->taken = posts;
    while (mailbox->taken)
        run_taken(mailbox);
    bight_mailbox_unref(mailbox);
}

bool bight__mailbox_held(struct bight_mailbox *mailbox)
{
    uv_mutex_lock(&mailbox->lock);
    bool held = mailbox->refs > OWN_REFS || mailbox->first;
    uv_mutex_unlock(&mailbox->lock);
    return held;
}

size_t bight__mailbox_waiting(struct bight_mailbox *mailbox)
{
    const struct bight_post *post = mailbox->taken;

    uv_mutex_lock(&mailbox->lock);
    size_t count = mailbox->count;
    uv_mutex_unlock(&mailbox->lock);
    for (; post; post = post->next)
        count++;
    return count;
}

int bight_mailbox_get(struct bight_mailbox **out)
{
    struct bight_runtime *runtime = bight__runtime();

    if (!out)
        return BIGHT_EINVAL;
    if (!runtime || !runtime->mailbox)
        return BIGHT_ENORUNTIME;
    *out = bight_mailbox_ref(runtime->mailbox);
    return 0;
}

struct bight_mailbox *bight_mailbox_ref(struct bight_mailbox *mailbox)
{
    if (!mailbox)
        return NULL;
    uv_mutex_lock(&mailbox->lock);
    mailbox->refs++;
    uv_mutex_unlock(&mailbox->lock);
    return mailbox;
}

void bight_mailbox_unref(struct bight_mailbox *mailbox)
{
    if (!mailbox)
        return;
    uv_mutex_lock(&mailbox->lock);
    size_t refs = --mailbox->refs;
    /* The loop may sleep for nothing but a post from the holder that just went: have it look. On
     * its own thread it does not sleep now, and looks before it does. */
    if (refs == OWN_REFS && !mailbox->closed && bight__runtime() != mailbox->runtime)
        uv_async_send(&mailbox->async);
    uv_mutex_unlock(&mailbox->lock);
    if (refs)
        return;
    uv_mutex_destroy(&mailbox->lock);
    bight__free(mailbox);
}

int bight_post_record(struct bight_mailbox *mailbox, struct bight_post *post)
{
    if (!mailbox || !post || !post->fn)
        return BIGHT_EINVAL;
    uv_mutex_lock(&mailbox->lock);
    bool closed = mailbox->closed;
    if (!closed)
        push(mailbox, post);
    uv_mutex_unlock(&mailbox->lock);
    return closed ? BIGHT_ECLOSED : 0;
}

void bight__notice_post(struct bight_mailbox *mailbox, struct bight_notice *notice)
{
    uv_mutex_lock(&mailbox->lock);
    link_append(&mailbox->notices, &notice->link);
    ring(mailbox);
    uv_mutex_unlock(&mailbox->lock);
}

/* With the lock, although it may be in the list of on_bell. */
bool bight__notice_withdraw(struct bight_mailbox *mailbox, struct bight_notice *notice)
{
    uv_mutex_lock(&mailbox->lock);
    bool posted = !link_empty(&notice->link);
    link_remove(&notice->link);
    uv_mutex_unlock(&mailbox->lock);
    return posted;
}

static void run_call(struct bight_post *post)
{
    struct posted_call *call = container_of(post, struct posted_call, post);
    void (*fn)(void *arg) = call->fn;
    void *arg = call->arg;

    bight__free(call);
    fn(arg);
}

int bight_post_call(struct bight_mailbox *mailbox, void (*fn)(void *arg), void *arg)
{
    struct posted_call *call;
    int rc = 0;

    if (!mailbox || !fn)
        return BIGHT_EINVAL;
    /* A test's seams end with the runtime, so they are asked only while the mailbox is open. */
    uv_mutex_lock(&mailbox->lock);
    if (mailbox->closed) {
        rc = BIGHT_ECLOSED;
        goto unlock;
    }
    call = bight__alloc(&mailbox->seams, sizeof *call);
    if (!call) {
        rc = BIGHT_ENOMEM;
        goto unlock;
    }
    *call = (struct posted_call){.post.fn = run_call, .fn = fn, .arg = arg};
    push(mailbox, &call->post);

unlock:
    uv_mutex_unlock(&mailbox->lock);
    return rc;
}
