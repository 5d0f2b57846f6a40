/* The loop's side of an executor of threads: calls are collected while tasks run, handed out at the
 * next turn, and ended when they have come back. While no call is about, nothing of this is called.
 * See threads.h. */
#include "offload/threads/threads.h"

/* So many calls are not kept until the turn is over: threads may begin meanwhile. */
#define COLLECTED_MOST 64u

/* So many of the calls that have come back are being fetched. */
#define FETCHED_AHEAD 8u

static void settle(struct threads *threads)
{
    struct bight_waiter *waiter = threads->ender;

    if (!waiter || !bight__threads_settled(threads))
        return;
    threads->ender = NULL;
    (void)bight_unpark(waiter, 0);
}

/* The call is over, or nobody wants it any more. */
static void count_ended(struct threads *threads)
{
    bight__executor_freed(&threads->base);
}

static void refuse(struct threads *threads, struct call *call, int rc, int init_code)
{
    call->rc = rc;
    call->init_code = init_code;
    count_ended(threads);
    call->ended(call);
}

/* End all calls that wait: there is no thread for them. */
void bight__threads_refuse(struct threads *threads, int rc, int init_code)
{
    struct bight_link *link;
    struct call *call;

    while ((call = ring_claim(&threads->ring))) {
        threads->posted--;
        refuse(threads, call, rc, init_code);
    }
    while ((link = link_take(&threads->collected)))
        refuse(threads, container_of(link, struct call, link), rc, init_code);
}

void bight__threads_forget(struct threads *threads)
{
    while (ring_claim(&threads->ring))
        threads->posted--;
    link_init(&threads->collected);
}

/* Put into the ring what it has room for, and what has room to come back. What is left comes when a
 * call has come back: there is one, since the ring is in use. */
static void post(struct threads *threads)
{
    uint64_t more = 0;

    while (!link_empty(&threads->collected) && threads->posted < RING_PLACES) {
        struct call *call = container_of(threads->collected.next, struct call, link);

        if (!ring_put(&threads->ring, more, call, &call->position))
            break;
        more++;
        threads->posted++;
        link_cut(&call->link);
        call->posted = true;
    }
    if (more)
        ring_publish(&threads->ring, more);
}

/* Whether a thread takes brisk calls out of the ring: it will come to those that wait before
 * another one would have woken up. */
static bool goes_on(struct threads *threads)
{
    uint64_t head = atomic_load_explicit(&threads->ring.head, memory_order_acquire);
    bool moved = head != threads->head;

    threads->head = head;
    return moved && atomic_load_explicit(&threads->brisk, memory_order_relaxed) &&
           atomic_load(&threads->idle) < atomic_load(&threads->count);
}

static void hand_out(struct threads *threads)
{
    int init_code = 0, rc;

    threads->uncounted = 0;
    post(threads);
    if (!ring_length(&threads->ring) || goes_on(threads))
        return;
    rc = bight__crew_wake(threads, &init_code);
    if (rc)
        bight__threads_refuse(threads, rc, init_code);
}

/* What the thread wrote is in its cache: have it fetched while others are ended. */
static void fetch(const struct call *call)
{
    if (!call)
        return;
    __builtin_prefetch(call);
    __builtin_prefetch((const char *)call + RING_LINE_BYTES);
    __builtin_prefetch((const char *)call + 2 * RING_LINE_BYTES);
}

void bight__threads_harvest(struct threads *threads)
{
    struct returns *returns = &threads->returns;
    struct call *call;

    for (unsigned i = 0; i < FETCHED_AHEAD; i++)
        fetch(returns_peek(returns, i));
    while ((call = returns_take(returns))) {
        fetch(returns_peek(returns, FETCHED_AHEAD - 1));
        threads->posted--;
        count_ended(threads);
        if (unlikely(atomic_load_explicit(&threads->reporting, memory_order_relaxed)))
            bight__reports_deliver(threads);
        call->ended(call);
    }
}

/* Whether there is something to do. */
static bool has_come(struct threads *threads)
{
    return returns_peek(&threads->returns, 0) || atomic_load(&threads->reporting) ||
           (threads->base.jobs && !atomic_load(&threads->count)) ||
           (threads->ender && bight__threads_settled(threads));
}

/* The loop is awake. */
static void come_round(struct threads *threads)
{
    int asleep = LOOP_ASLEEP;

    if (atomic_load_explicit(&threads->state, memory_order_relaxed) == LOOP_ASLEEP)
        (void)atomic_compare_exchange_strong(&threads->state, &asleep, LOOP_AWAKE);
    if (unlikely(atomic_load_explicit(&threads->reporting, memory_order_relaxed)))
        bight__reports_deliver(threads);
    bight__threads_harvest(threads);
    if (threads->base.jobs)
        hand_out(threads);
    settle(threads);
    if (!threads->base.jobs && !threads->ender)
        bight__threads_look_away(threads);
}

static void on_turn(struct bight_hook *hook)
{
    come_round(container_of(hook, struct threads, turn_hook));
}

/* The loop is about to sleep. What a thread has to say it either says to a loop that sleeps, or it
 * is seen here. */
static void on_idle(struct bight_hook *hook)
{
    struct threads *threads = container_of(hook, struct threads, idle_hook);
    int awake = LOOP_AWAKE;

    come_round(threads);
    if (list_empty(&hook->link) || bight__sched_busy(&threads->runtime->sched))
        return;
    (void)atomic_compare_exchange_strong(&threads->state, &awake, LOOP_ASLEEP);
    /* It was given before that, when nobody had to be called. */
    if (has_come(threads))
        bight__crew_call_loop(threads);
    else
        bight__crew_help(threads);
}

/* A thread has called. */
static void on_post(struct bight_post *post)
{
    struct threads *threads = container_of(post, struct threads, post);

    atomic_store(&threads->state, LOOP_AWAKE);
    if (threads->orphan)
        bight__threads_free(threads);
    else
        come_round(threads);
}

void bight__threads_turn_init(struct threads *threads)
{
    link_init(&threads->collected);
    bight_hook_init(&threads->turn_hook, on_turn);
    bight_hook_init(&threads->idle_hook, on_idle);
    threads->post.fn = on_post;
}

void bight__threads_look(struct threads *threads)
{
    /* They fail only where they are added already. */
    (void)!bight_hook_add_turn(&threads->turn_hook);
    (void)!bight_hook_add_idle(&threads->idle_hook);
}

void bight__threads_look_away(struct threads *threads)
{
    bight_hook_remove(&threads->turn_hook);
    bight_hook_remove(&threads->idle_hook);
}

/* Without any thread the call would wait for one that cannot be started. */
static int have_thread(struct threads *threads)
{
    int rc = 0;

    if (atomic_load_explicit(&threads->count, memory_order_relaxed))
        return 0;
    pthread_mutex_lock(&threads->lock);
    if (!threads->count)
        rc = bight__crew_start(threads);
    pthread_mutex_unlock(&threads->lock);
    return rc;
}

int bight__threads_take(struct threads *threads, struct call *call)
{
    int rc = bight__executor_full(&threads->base);

    return rc ? rc : bight__threads_put(threads, call);
}

int bight__threads_put(struct threads *threads, struct call *call)
{
    int rc = have_thread(threads);

    if (rc)
        return rc;
    call->posted = false;
    call->cancelled = 0;
    link_append(&threads->collected, &call->link);
    if (threads->base.jobs++ == 0)
        bight__threads_look(threads);
    if (unlikely(!bight__sched->current))
        bight__crew_call_back(threads); /* the loop may have been here, and sleep next */
    if (++threads->uncounted >= COLLECTED_MOST)
        hand_out(threads);
    return 0;
}

bool bight__threads_withdraw(struct threads *threads, struct call *call)
{
    if (!call->posted)
        link_remove(&call->link);
    else if (ring_take_back(&threads->ring, call, call->position))
        threads->posted--;
    else {
        if (!call->cancelled)
            __atomic_store_n(&call->cancelled, 1, __ATOMIC_RELAXED);
        return false;
    }
    count_ended(threads);
    settle(threads);
    return true;
}
