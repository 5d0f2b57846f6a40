/* See thread_wait.h. Up to three threads take part in a wait: the one that waits, the waker's, and,
 * for a task, the loop's, which is the one that waits. The source's lock guards `woken` and the
 * link; the rest is written before the wait is linked, or handed over with the lock held. */
#include "runtime/threads/thread_wait.h"

static struct bight_thread_wait *of_waiter(struct bight_waiter *waiter)
{
    return container_of(waiter, struct bight_thread_wait, waiter);
}

int bight__thread_wait_abort(struct bight_waiter *waiter)
{
    struct bight_thread_wait *wait = of_waiter(waiter);

    uv_mutex_lock(wait->lock);
    bool woken = wait->woken;
    if (!woken)
        link_remove(&waiter->link);
    uv_mutex_unlock(wait->lock);
    return woken ? BIGHT_EBUSY : 0;
}

static void arrive(struct bight_post *post)
{
    struct bight_thread_wait *wait = container_of(post, struct bight_thread_wait, post);

    bight_unpark(&wait->waiter, wait->result);
}

static int park(struct bight_thread_wait *wait, int64_t timeout_ms)
{
    struct bight_scope scope;

    if (timeout_ms < 0)
        return bight_park(&wait->waiter);
    /* It cannot fail: this is a task, and the scope is new. */
    (void)!bight_scope_begin(&scope, timeout_ms, BIGHT_SCOPE_INHERIT);
    return bight_scope_end(&scope, bight_park(&wait->waiter));
}

static int task_wait(struct bight_link *list, struct bight_thread_wait *wait, int64_t timeout_ms)
{
    link_append(list, &wait->waiter.link);
    uv_mutex_unlock(wait->lock);
    return park(wait, timeout_ms);
}

static void sleep_until_woken(struct bight_thread_wait *wait, uint64_t deadline_ns)
{
    while (!wait->woken) {
        if (deadline_ns == UINT64_MAX) {
            uv_cond_wait(&wait->cond, wait->lock);
            continue;
        }
        uint64_t now = uv_hrtime();
        if (now >= deadline_ns)
            return;
        (void)uv_cond_timedwait(&wait->cond, wait->lock, deadline_ns - now);
    }
}

static int thread_wait(struct bight_link *list, struct bight_thread_wait *wait, int64_t timeout_ms)
{
    int rc = uv_cond_init(&wait->cond);

    if (rc) {
        uv_mutex_unlock(wait->lock);
        return rc;
    }
    link_append(list, &wait->waiter.link);
    sleep_until_woken(wait, ns_after(uv_hrtime(), timeout_ms));
    rc = wait->woken ? wait->result : BIGHT_ETIMEDOUT;
    if (!wait->woken)
        link_remove(&wait->waiter.link);
    uv_mutex_unlock(wait->lock);
    uv_cond_destroy(&wait->cond);
    return rc;
}

int bight__thread_wait_in(struct bight_link *list, uv_mutex_t *lock, struct bight_thread_wait *wait,
                          const struct bight_waiter_ops *ops, int64_t timeout_ms)
{
    struct bight_runtime *runtime = bight__runtime();
    int rc = 0;

    wait->lock = lock;
    wait->woken = false;
    wait->runtime = runtime;
    wait->mailbox = runtime ? runtime->mailbox : NULL;
    wait->post.fn = arrive;
    if (timeout_ms == 0)
        rc = BIGHT_ETIMEDOUT;
    else if (runtime)
        rc = bight_waiter_init(&wait->waiter, ops);
    if (rc) {
        uv_mutex_unlock(lock);
        return rc;
    }
    return runtime ? task_wait(list, wait, timeout_ms) : thread_wait(list, wait, timeout_ms);
}

struct bight_thread_wait *bight__thread_wait_first(struct bight_link *list)
{
    struct bight_link *link = link_take(list);

    return link ? container_of(link, struct bight_thread_wait, waiter.link) : NULL;
}

void bight__thread_wake(struct bight_thread_wait *wait, int result)
{
    wait->woken = true;
    wait->result = result;
    if (!wait->runtime)
        uv_cond_signal(&wait->cond);
    else if (wait->runtime == bight__runtime())
        bight_unpark(&wait->waiter, result); /* it never shares a park: no abort hook is called */
    else
        (void)!bight_post_record(wait->mailbox, &wait->post); /* open while the task lives */
}

void bight__thread_wake_all(struct bight_link *list, int result)
{
    struct bight_thread_wait *wait;

    while ((wait = bight__thread_wait_first(list)))
        bight__thread_wake(wait, result);
}

void *bight__thread_alloc(size_t bytes)
{
    return bight__alloc_zero(bight__sched ? &bight__sched->seams : NULL, bytes);
}

int bight__thread_lock_init(uv_mutex_t *lock)
{
    const struct bight_seams *seams = bight__sched ? &bight__sched->seams : NULL;

    return bight__call_fails(seams, "uv_mutex_init") ? -errno : uv_mutex_init(lock);
}
