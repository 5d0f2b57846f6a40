/* The threads of an executor: they start when a call waits and none is idle, sleep when nothing
 * waits, the one that slept last being the first to be woken, and leave when they have slept for
 * long. Each joins the one that left before it, so that at most one is left to be joined. See
 * threads.h. */
#include "offload/threads/threads.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "coro/base/relax.h"
#include "coro/base/units.h"

/* After a thread could not be started, or not be initialised, while others live. */
#define RETRY_NS (100 * NS_PER_MS)

#define NS_PER_S (1000 * NS_PER_MS)

/* How often the loop looks again before it starts a thread beside others. */
#define LOOKS 200u

/* So many calls in a row are measured together, and are brisk if each took less than that. */
#define BRISK_CALLS 16u
#define BRISK_NS 4000u

static _Thread_local struct thread *this_thread __attribute__((tls_model("initial-exec")));

void *bight_threads_local(void)
{
    return this_thread ? this_thread->local : NULL;
}

bool bight_threads_cancelled(void)
{
    const struct call *call =
        this_thread ? atomic_load_explicit(&this_thread->call, memory_order_relaxed) : NULL;

    return call && __atomic_load_n(&call->cancelled, __ATOMIC_RELAXED) != 0;
}

void bight__crew_call_loop(struct threads *threads)
{
    int asleep = LOOP_ASLEEP;

    if (atomic_load(&threads->state) == LOOP_ASLEEP &&
        atomic_compare_exchange_strong(&threads->state, &asleep, LOOP_CALLED))
        (void)!bight_post_record(threads->runtime->mailbox, &threads->post); /* it is open */
}

void bight__crew_call_back(struct threads *threads)
{
    if (atomic_exchange(&threads->state, LOOP_CALLED) != LOOP_CALLED)
        (void)!bight_post_record(threads->runtime->mailbox, &threads->post);
}

static void tell(struct call *call)
{
    uint32_t nothing = 0;

    (void)__atomic_compare_exchange_n(&call->cancelled, &nothing, 1, false, __ATOMIC_RELAXED,
                                      __ATOMIC_RELAXED);
}

/* Give a call back that has run. It may be gone at once. */
static void give(struct threads *threads, struct call *call)
{
    returns_put(&threads->returns, call);
    bight__crew_call_loop(threads);
}

/* With the lock held: take the sleeper out that slept last. */
static struct thread *rouse(struct threads *threads)
{
    struct bight_link *link = link_take(&threads->sleepers);
    struct thread *thread;

    if (!link)
        return NULL;
    atomic_fetch_sub_explicit(&threads->sleeping, 1, memory_order_relaxed);
    thread = container_of(link, struct thread, link);
    thread->woken = true;
    pthread_cond_signal(&thread->cond);
    return thread;
}

void bight__crew_help(struct threads *threads)
{
    if (!ring_length(&threads->ring))
        return;
    pthread_mutex_lock(&threads->lock);
    if (!threads->spinning)
        rouse(threads);
    pthread_mutex_unlock(&threads->lock);
}

/* This thread has found a call. If there are more, somebody else is to look; while calls are brisk
 * only if the loop does not. Whoever sleeps now and is not seen here is seen by the loop, which
 * takes the lock before it sleeps. */
static void share(struct threads *threads)
{
    if (!atomic_load_explicit(&threads->sleeping, memory_order_relaxed) ||
        atomic_load_explicit(&threads->spinning, memory_order_relaxed))
        return;
    if (!atomic_load_explicit(&threads->brisk, memory_order_relaxed) ||
        atomic_load_explicit(&threads->state, memory_order_relaxed) == LOOP_ASLEEP)
        bight__crew_help(threads);
}

/* This thread has run a call. */
static void measure(struct thread *thread)
{
    struct threads *threads = thread->threads;
    uint64_t now_ns;
    bool brisk;

    if (++thread->measured < BRISK_CALLS)
        return;
    now_ns = uv_hrtime();
    brisk = now_ns - thread->since_ns < BRISK_CALLS * BRISK_NS;
    thread->measured = 0;
    thread->since_ns = now_ns;
    if (brisk != atomic_load_explicit(&threads->brisk, memory_order_relaxed))
        atomic_store_explicit(&threads->brisk, brisk, memory_order_relaxed);
}

/* Look at the ring for a while, if nobody else does: what comes now costs no wake-up then. */
static bool spin(struct threads *threads)
{
    bool found = false;

    if (!threads->spins || atomic_exchange(&threads->spinning, true))
        return false;
    for (unsigned i = 0; i < threads->spins && !found; i++) {
        relax();
        found = ring_length(&threads->ring) > 0;
    }
    atomic_store(&threads->spinning, false);
    return found;
}

static struct timespec idle_until(const struct threads *threads)
{
    uint64_t ns = ns_after(uv_hrtime(), threads->options.idle_ms);

    return (struct timespec){.tv_sec = (time_t)(ns / NS_PER_S), .tv_nsec = (long)(ns % NS_PER_S)};
}

static bool may_leave(const struct threads *threads)
{
    return threads->options.idle_ms >= 0 && threads->count > threads->options.threads_least;
}

/* With the lock held: sleep until woken, or until it has been for long. */
static void sleep_once(struct thread *thread)
{
    struct threads *threads = thread->threads;
    bool timed = may_leave(threads), over = false;
    struct timespec until = {0};

    if (timed)
        until = idle_until(threads);
    thread->woken = false;
    link_prepend(&threads->sleepers, &thread->link);
    atomic_fetch_add_explicit(&threads->sleeping, 1, memory_order_relaxed);
    while (!thread->woken && !over) {
        if (timed)
            over = pthread_cond_timedwait(&thread->cond, &threads->lock, &until) == ETIMEDOUT;
        else
            pthread_cond_wait(&thread->cond, &threads->lock);
    }
    if (thread->woken)
        return;
    link_remove(&thread->link);
    atomic_fetch_sub_explicit(&threads->sleeping, 1, memory_order_relaxed);
}

/* With the lock held: the thread, which is idle, takes no more calls. */
static void resign(struct threads *threads)
{
    atomic_fetch_sub(&threads->count, 1);
    atomic_fetch_sub(&threads->idle, 1);
    threads->ready--;
}

/* Sleep while nothing waits. False: the thread is to leave. */
static bool sleep_well(struct thread *thread)
{
    struct threads *threads = thread->threads;
    bool leaves = false;

    pthread_mutex_lock(&threads->lock);
    while (!leaves && !ring_length(&threads->ring)) {
        if (!threads->ending)
            sleep_once(thread);
        leaves = threads->ending || (!thread->woken && may_leave(threads));
        leaves = leaves && !ring_length(&threads->ring);
    }
    if (leaves)
        resign(threads);
    pthread_mutex_unlock(&threads->lock);
    return !leaves;
}

/* The next call of a thread that is not idle. NULL: there is none, and it is. */
static struct call *next_call(struct threads *threads)
{
    struct call *call = ring_claim(&threads->ring);

    if (call)
        share(threads);
    else
        atomic_fetch_add(&threads->idle, 1);
    return call;
}

/* From idle to idle. */
static void run_calls(struct thread *thread)
{
    struct threads *threads = thread->threads;
    struct call *call;

    thread->measured = 0;
    thread->since_ns = uv_hrtime();
    /* First, so that the loop either does not count it as idle, or has its call seen here. In
     * between the loop may start one more than is needed. */
    atomic_fetch_sub(&threads->idle, 1);
    atomic_thread_fence(memory_order_seq_cst);
    while ((call = next_call(threads))) {
        atomic_store(&thread->call, call);
        if (unlikely(atomic_load(&threads->killing)))
            tell(call); /* bight__crew_cancel may not have seen it */
        call->run(call, thread);
        atomic_store_explicit(&thread->call, NULL, memory_order_relaxed);
        give(threads, call);
        measure(thread);
    }
}

/* The end of the name gives way to the number. */
static void name_thread(const struct thread *thread)
{
    char name[THREAD_NAME_BYTES], number[THREAD_NAME_BYTES];
    size_t at, bytes = (size_t)snprintf(number, sizeof(number), "-%u", thread->number) + 1;

    memcpy(name, thread->threads->name, sizeof(name));
    at = strlen(name);
    if (at > sizeof(name) - bytes)
        at = sizeof(name) - bytes;
    memcpy(name + at, number, bytes);
    pthread_setname_np(pthread_self(), name);
}

/* Run the initialiser. False: it has failed. */
static bool begin(struct thread *thread)
{
    struct threads *threads = thread->threads;
    const struct bight_threads_options *options = &threads->options;
    int rc = options->init ? options->init(options->init_arg, &thread->local) : 0;

    pthread_mutex_lock(&threads->lock);
    threads->ready++;
    if (rc < 0) {
        resign(threads);
        threads->failed = true;
        threads->init_code = rc;
        threads->retry_ns = uv_hrtime() + RETRY_NS;
        bight__crew_call_loop(threads);
    }
    pthread_mutex_unlock(&threads->lock);
    return rc >= 0;
}

static void free_thread(struct thread *thread)
{
    pthread_cond_destroy(&thread->cond);
    bight__free(thread->input);
    bight__free(thread);
}

/* After the lock was released the executor is not touched: it may be gone. */
static void leave(struct thread *thread)
{
    struct threads *threads = thread->threads;
    pthread_t before;
    bool joins;

    pthread_mutex_lock(&threads->lock);
    link_remove(&thread->mate);
    before = threads->left;
    joins = threads->left_one;
    threads->left = pthread_self();
    threads->left_one = true;
    if (--threads->alive == 0) {
        pthread_cond_signal(&threads->gone);
        bight__crew_call_loop(threads);
    }
    pthread_mutex_unlock(&threads->lock);
    free_thread(thread);
    if (joins)
        pthread_join(before, NULL);
}

static void *thread_main(void *arg)
{
    struct thread *thread = arg;
    struct threads *threads = thread->threads;

    this_thread = thread;
    name_thread(thread);
    if (begin(thread)) {
        do
            run_calls(thread);
        while (spin(threads) || sleep_well(thread));
        if (threads->options.teardown)
            threads->options.teardown(thread->local);
    }
    this_thread = NULL;
    leave(thread);
    return NULL;
}

/* Signals are the host's business: the thread blocks them all. */
static int create(struct threads *threads, struct thread *thread)
{
    sigset_t all, before;
    pthread_t id;
    int rc;

    if (bight__call_fails(threads_seams(threads), "pthread_create"))
        return -errno;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    rc = pthread_create(&id, &threads->attr, thread_main, thread);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return -rc;
}

/* Its condition goes by the clock of idle_until. None of these can fail on Linux: they only fill
 * memory. */
static void init_cond(pthread_cond_t *cond)
{
    pthread_condattr_t attr;

    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &attr);
    pthread_condattr_destroy(&attr);
}

int bight__crew_start(struct threads *threads)
{
    struct thread *thread = bight__alloc_zero(threads_seams(threads), sizeof(*thread));
    int rc;

    if (!thread)
        return BIGHT_ENOMEM;
    thread->threads = threads;
    thread->number = (unsigned)threads->started;
    link_init(&thread->link);
    init_cond(&thread->cond);
    rc = create(threads, thread);
    if (rc) {
        free_thread(thread);
        threads->retry_ns = uv_hrtime() + RETRY_NS;
        return rc;
    }
    link_append(&threads->crew, &thread->mate);
    threads->started++;
    threads->alive++;
    atomic_fetch_add(&threads->idle, 1);
    if (atomic_fetch_add(&threads->count, 1) == 0)
        threads->failed = false;
    return 0;
}

/* How many calls wait, once threads that have just begun to look have had the time to take them.
 * That is a moment, and a thread costs more. */
static uint64_t settled(struct threads *threads, uint64_t waiting)
{
    if (!threads->count || threads->count >= threads->options.threads_most)
        return waiting; /* there is none, or it makes no difference */
    for (unsigned i = 0; i < LOOKS && threads->idle < waiting; i++) {
        relax();
        waiting = ring_length(&threads->ring);
    }
    return waiting;
}

/* With the lock held: start threads for the calls that have none. */
static int grow(struct threads *threads, uint64_t waiting)
{
    int rc = 0;

    if (threads->count && threads->retry_ns && uv_hrtime() < threads->retry_ns)
        return 0;
    waiting = settled(threads, waiting);
    while (!rc && threads->count < threads->options.threads_most && threads->idle < waiting)
        rc = bight__crew_start(threads);
    return threads->count ? 0 : rc;
}

int bight__crew_wake(struct threads *threads, int *init_code)
{
    uint64_t waiting;
    int rc = 0;

    atomic_thread_fence(memory_order_seq_cst); /* see run_calls */
    pthread_mutex_lock(&threads->lock);
    waiting = ring_length(&threads->ring);
    if (waiting && !threads->count && threads->failed) {
        *init_code = threads->init_code;
        rc = BIGHT_EINITFAILED;
    } else if (waiting) {
        rc = grow(threads, waiting);
        if (!threads->spinning)
            rouse(threads);
    }
    pthread_mutex_unlock(&threads->lock);
    return rc;
}

/* A call that a thread has just given back is still there: the loop's thread has not ended it. */
void bight__crew_cancel(struct threads *threads)
{
    atomic_store(&threads->killing, true);
    pthread_mutex_lock(&threads->lock);
    for (struct bight_link *at = threads->crew.next; at != &threads->crew; at = at->next) {
        struct call *call = atomic_load(&container_of(at, struct thread, mate)->call);

        if (call)
            tell(call);
    }
    pthread_mutex_unlock(&threads->lock);
}

void bight__crew_dismiss(struct threads *threads)
{
    pthread_mutex_lock(&threads->lock);
    threads->ending = true;
    pthread_cond_broadcast(&threads->reported);
    while (rouse(threads))
        ;
    pthread_mutex_unlock(&threads->lock);
}

void bight__crew_join(struct threads *threads)
{
    pthread_t left;
    bool joins;

    pthread_mutex_lock(&threads->lock);
    while (threads->alive)
        pthread_cond_wait(&threads->gone, &threads->lock);
    left = threads->left;
    joins = threads->left_one;
    threads->left_one = false;
    pthread_mutex_unlock(&threads->lock);
    if (joins)
        pthread_join(left, NULL);
}
