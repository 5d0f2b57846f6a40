/* The loops of <bight/many.h>. The calling thread has the first of them, and joins the others. What
 * one asks of another is a post in that one's mailbox, whose record lies in the block of all loops
 * and outlives them. A loop can be reached from the begin of its main to the end of it; what is
 * asked before stands in the block, where main finds it. As long as main runs the block
 * holds a reference to its mailbox, if there are other loops: what main waits for may come from one
 * of them. */
#include <bight/many.h>

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#include "runtime/threads/thread_wait.h"

#define NONE_FAILED UINT_MAX

struct loop {
    struct many *many;
    unsigned index;
    pthread_t thread;
    int status;
    struct bight_task *main; /* the loop's thread's own; NULL before and after */
    /* With the lock held. */
    struct bight_mailbox *mailbox; /* NULL: main has not begun, or has ended */
    bool ended;
    bool told_cancel, told_drain;
    struct bight_post cancel, drain;
};

struct many {
    const struct bight_many_options *options;
    struct bight_runtime_options runtime; /* but for the first loop's interrupt_signal */
    int (*fn)(void *arg);
    void *arg;
    cpu_set_t cpus;
    pthread_mutex_t lock;
    /* With the lock held. */
    unsigned failed; /* the index of the first that did */
    bool cancelled;
    bool drained;
    unsigned count;
    struct loop loops[];
};

static _Thread_local struct loop *this_loop;

/* --- what one asks of the others -------------------------------------------------------------- */

static void on_cancel(struct bight_post *post)
{
    struct loop *loop = container_of(post, struct loop, cancel);

    if (loop->main)
        bight_task_cancel(loop->main);
}

static void on_drain(struct bight_post *post)
{
    (void)post;
    (void)bight_runtime_drain();
}

/* With the lock held. */
static void tell_loop(struct loop *loop)
{
    if (!loop->mailbox)
        return;
    if (loop->many->drained && !loop->told_drain) {
        loop->told_drain = true;
        (void)!bight_post_record(loop->mailbox, &loop->drain); /* it is open while main runs */
    }
    if (loop->many->cancelled && !loop->told_cancel) {
        loop->told_cancel = true;
        (void)!bight_post_record(loop->mailbox, &loop->cancel);
    }
}

static void tell_all(struct many *many)
{
    for (unsigned i = 0; i < many->count; i++)
        tell_loop(&many->loops[i]);
}

/* The loop has ended with `rc`, or is about to. */
static void note_end(struct loop *loop, int rc)
{
    struct many *many = loop->many;

    if (rc == 0)
        return;
    pthread_mutex_lock(&many->lock);
    if (rc == BIGHT_EDRAIN && many->drained) {
        pthread_mutex_unlock(&many->lock);
        return;
    }
    if (many->failed == NONE_FAILED)
        many->failed = loop->index;
    many->cancelled = true;
    loop->told_cancel = true; /* not itself, which is at its end */
    tell_all(many);
    pthread_mutex_unlock(&many->lock);
}

/* --- a loop ----------------------------------------------------------------------------------- */

/* Whether main is to begin. */
static bool open_loop(struct loop *loop)
{
    struct many *many = loop->many;
    struct bight_mailbox *mailbox = NULL;
    bool drained, cancelled;

    if (many->count > 1)
        (void)!bight_mailbox_get(&mailbox); /* there is a runtime */
    loop->main = bight_self();
    pthread_mutex_lock(&many->lock);
    loop->mailbox = mailbox;
    drained = loop->told_drain = many->drained;
    cancelled = loop->told_cancel = many->cancelled;
    pthread_mutex_unlock(&many->lock);
    if (drained)
        (void)bight_runtime_drain();
    return !cancelled;
}

static void close_loop(struct loop *loop)
{
    struct bight_mailbox *mailbox = loop->mailbox;

    pthread_mutex_lock(&loop->many->lock);
    loop->mailbox = NULL;
    loop->ended = true;
    pthread_mutex_unlock(&loop->many->lock);
    bight_mailbox_unref(mailbox);
    loop->main = NULL;
}

static int loop_main(void *arg)
{
    struct loop *loop = arg;
    int rc = open_loop(loop) ? loop->many->fn(loop->many->arg) : BIGHT_ECANCELED;

    close_loop(loop);
    /* What it started is cancelled and joined now, which takes its time. */
    note_end(loop, rc);
    return rc;
}

static int pin(const struct many *many, unsigned index)
{
    unsigned left = index % (unsigned)CPU_COUNT(&many->cpus);
    int cpu = 0;
    cpu_set_t one;

    for (;; cpu++)
        if (CPU_ISSET((size_t)cpu, &many->cpus) && left-- == 0)
            break;
    CPU_ZERO(&one);
    CPU_SET((size_t)cpu, &one);
    return sched_setaffinity(0, sizeof(one), &one) ? -errno : 0;
}

static void run_loop(struct loop *loop)
{
    struct many *many = loop->many;
    struct bight_runtime_options options = many->runtime;
    int rc = many->options->pin ? pin(many, loop->index) : 0;

    if (loop->index > 0)
        options.interrupt_signal = 0;
    this_loop = loop;
    if (rc == 0)
        rc = bight_run_with(&options, loop_main, loop);
    this_loop = NULL;
    loop->status = rc;
    note_end(loop, rc);
}

static void *thread_main(void *arg)
{
    struct loop *loop = arg;
    char name[16];

    (void)snprintf(name, sizeof(name), "%s-%u",
                   loop->many->options->name ? loop->many->options->name : "bight-loop",
                   loop->index);
    (void)pthread_setname_np(pthread_self(), name);
    run_loop(loop);
    return NULL;
}

/* --- all of them ------------------------------------------------------------------------------ */

static int start_thread(const pthread_attr_t *attr, struct loop *loop)
{
    return -pthread_create(&loop->thread, attr, thread_main, loop);
}

/* How many have a thread; those that have none do not run. */
static unsigned start_threads(struct many *many)
{
    size_t stack_bytes = many->options->thread_stack_bytes;
    unsigned started = 1;
    pthread_attr_t attr;
    int rc = -pthread_attr_init(&attr);

    if (rc == 0) {
        if (stack_bytes)
            rc = -pthread_attr_setstacksize(&attr, stack_bytes);
        while (rc == 0 && started < many->count) {
            rc = start_thread(&attr, &many->loops[started]);
            started += rc == 0;
        }
        (void)pthread_attr_destroy(&attr);
    }
    if (rc) {
        many->loops[started].status = rc;
        note_end(&many->loops[started], rc);
    }
    return started;
}

static int run_all(struct many *many)
{
    unsigned started = start_threads(many);

    if (started == many->count)
        run_loop(&many->loops[0]);
    for (unsigned i = 1; i < started; i++)
        (void)pthread_join(many->loops[i].thread, NULL);
    if (many->options->pin)
        (void)sched_setaffinity(0, sizeof(many->cpus), &many->cpus);
    for (unsigned i = 0; many->options->statuses && i < many->count; i++)
        many->options->statuses[i] = many->loops[i].status;
    return many->failed == NONE_FAILED ? 0 : many->loops[many->failed].status;
}

static void init_loop(struct many *many, unsigned index)
{
    many->loops[index] = (struct loop){
        .many = many,
        .index = index,
        .status = BIGHT_ECANCELED,
        .cancel = {.fn = on_cancel},
        .drain = {.fn = on_drain},
    };
}

static int cpus_of_thread(cpu_set_t *cpus)
{
    CPU_ZERO(cpus);
    return sched_getaffinity(0, sizeof(*cpus), cpus) == 0 ? CPU_COUNT(cpus) : -1;
}

unsigned bight_many_cpus(void)
{
    cpu_set_t cpus;
    int count = cpus_of_thread(&cpus);

    if (count < 0) /* more CPUs than such a set has room for */
        count = (int)sysconf(_SC_NPROCESSORS_ONLN);
    return count < 1 ? 1 : (unsigned)count;
}

int bight_run_many_with(const struct bight_many_options *options, unsigned count,
                        int (*fn)(void *arg), void *arg)
{
    static const struct bight_many_options defaults;
    struct many *many;
    int rc;

    if (count == 0)
        count = bight_many_cpus() < BIGHT_MANY_MOST ? bight_many_cpus() : BIGHT_MANY_MOST;
    if (!fn || count > BIGHT_MANY_MOST)
        return BIGHT_EINVAL;
    if (bight__sched)
        return BIGHT_EALREADY;
    many = bight__thread_alloc(sizeof(*many) + count * sizeof(many->loops[0]));
    if (!many)
        return BIGHT_ENOMEM;
    many->options = options ? options : &defaults;
    many->fn = fn;
    many->arg = arg;
    many->failed = NONE_FAILED;
    many->count = count;
    if (many->options->runtime)
        many->runtime = *many->options->runtime;
    for (unsigned i = 0; i < count; i++)
        init_loop(many, i);
    rc = many->options->pin && cpus_of_thread(&many->cpus) < 1 ? -errno : 0;
    if (rc == 0)
        rc = -pthread_mutex_init(&many->lock, NULL);
    if (rc == 0) {
        rc = run_all(many);
        (void)pthread_mutex_destroy(&many->lock);
    }
    bight__free(many);
    return rc;
}

int bight_run_many(unsigned count, int (*fn)(void *arg), void *arg)
{
    return bight_run_many_with(NULL, count, fn, arg);
}

/* --- inside ----------------------------------------------------------------------------------- */

unsigned bight_many_index(void)
{
    return this_loop ? this_loop->index : 0;
}

unsigned bight_many_count(void)
{
    return this_loop ? this_loop->many->count : 0;
}

int bight_many_drain(void)
{
    struct loop *self = this_loop;

    if (!self)
        return BIGHT_ENORUNTIME;
    pthread_mutex_lock(&self->many->lock);
    self->many->drained = true;
    self->told_drain = true;
    tell_all(self->many);
    pthread_mutex_unlock(&self->many->lock);
    return bight_runtime_drain();
}

int bight_many_cancel(void)
{
    struct loop *self = this_loop;

    if (!self)
        return BIGHT_ENORUNTIME;
    pthread_mutex_lock(&self->many->lock);
    self->many->cancelled = true;
    self->told_cancel = true;
    tell_all(self->many);
    pthread_mutex_unlock(&self->many->lock);
    if (self->main)
        bight_task_cancel(self->main);
    return 0;
}

int bight_many_mailbox(struct bight_mailbox **out, unsigned index)
{
    struct loop *self = this_loop, *loop;
    int rc = 0;

    if (!self)
        return BIGHT_ENORUNTIME;
    if (!out || index >= self->many->count)
        return BIGHT_EINVAL;
    if (index == self->index)
        return bight_mailbox_get(out);
    loop = &self->many->loops[index];
    pthread_mutex_lock(&self->many->lock);
    if (loop->mailbox)
        *out = bight_mailbox_ref(loop->mailbox);
    else
        rc = loop->ended ? BIGHT_ECLOSED : BIGHT_EAGAIN;
    pthread_mutex_unlock(&self->many->lock);
    return rc;
}
