/* Generator: a producer task and a consumer that meet over at most one value. The producer sleeps
 * in a yield (or before its first step) until it is asked; the consumer sleeps in next until there
 * is a value. A value that nobody waits for stays where it is, in the frame of the yield, until it
 * is taken or withdrawn. */
#include "coro/core/source.h"

#include <bight/generator.h>

#include <stdio.h>

struct bight_generator {
    struct bight_task *task; /* NULL after its end has been awaited */
    int (*fn)(struct bight_generator *generator, void *arg);
    void *arg;
    struct generator_wait *producer; /* sleeps until asked */
    struct generator_wait *consumer; /* sleeps until there is a value */
    bool closed;
    bool closing;  /* a task is in close */
    bool ended;    /* the body has returned, or will never run */
    bool told;     /* its failure has reached the consumer */
    bool gave_way; /* its status says that it was cancelled, and it was */
    int status;
};

/* The result of a consumer's wait that the producer's end has ended. */
#define NEXT_ENDED 1

struct generator_wait {
    struct bight_waiter waiter;
    struct bight_generator *generator;
    void *value;
    int end; /* for the consumer, woken with NEXT_ENDED: what it is told */
    /* For the producer. */
    bool offers;    /* the value is not taken yet */
    bool in_flight; /* the value is taken, but the consumer has not run since */
    bool refused;   /* a cancellation came while it was in flight */
};

/* The value may lie in the frame of the yield, so the producer stays there until the consumer could
 * look at it. */
static int yield_abort(struct bight_waiter *waiter)
{
    struct generator_wait *wait = container_of(waiter, struct generator_wait, waiter);

    if (wait->in_flight) {
        wait->refused = true;
        return BIGHT_EBUSY;
    }
    wait->generator->producer = NULL;
    return 0;
}

static int next_abort(struct bight_waiter *waiter)
{
    container_of(waiter, struct generator_wait, waiter)->generator->consumer = NULL;
    return 0;
}

static struct bight_task *next_waits_for(const struct bight_waiter *waiter)
{
    return container_of(waiter, struct generator_wait, waiter)->generator->task;
}

static void next_describe(const struct bight_waiter *waiter, char *text, size_t text_bytes)
{
    const struct bight_task *task = next_waits_for(waiter);

    snprintf(text, text_bytes, "#%llu %s", (unsigned long long)task->id, task->name);
}

static const struct bight_waiter_ops yield_ops = {
    .name = "generator's next",
    .abort = yield_abort,
    .flags = BIGHT_WAITER_MAY_REFUSE,
};
static const struct bight_waiter_ops next_ops = {
    .name = "generator's value",
    .abort = next_abort,
    .waits_for = next_waits_for,
    .describe = next_describe,
};

static void wake_producer(struct bight_generator *generator, int result)
{
    struct generator_wait *producer = generator->producer;

    if (!producer)
        return;
    generator->producer = NULL;
    bight_unpark(&producer->waiter, result);
}

static void wake_consumer(struct bight_generator *generator, int result)
{
    struct generator_wait *consumer = generator->consumer;

    if (!consumer)
        return;
    generator->consumer = NULL;
    bight_unpark(&consumer->waiter, result);
}

/* Sleep as the producer until the consumer asks. */
static int await_question(struct bight_generator *generator, struct generator_wait *wait)
{

    bight__waiter_begin(&wait->waiter, &yield_ops);
    wait->generator = generator;
    generator->producer = wait;
    return bight_park(&wait->waiter);
}

/* The answer to a consumer that asks beyond the end. */
static int end_code(struct bight_generator *generator)
{
    bool failed = generator->status < 0 && !generator->gave_way;

    if (!failed || generator->told || generator->status == BIGHT_ECLOSED)
        return BIGHT_ECLOSED;
    generator->told = true;
    return generator->status;
}

static void producer_ended(struct bight_generator *generator, int status, bool cancelled)
{
    generator->ended = true;
    generator->status = status;
    generator->gave_way = status == BIGHT_ECANCELED && cancelled;
    if (!generator->consumer)
        return;
    generator->consumer->end = end_code(generator);
    wake_consumer(generator, NEXT_ENDED);
}

static int producer_body(void *arg)
{
    const struct bight_task *self = bight_self();
    struct bight_generator *generator = arg;
    struct generator_wait wait = {.offers = false};
    /* The consumer may have asked before the first step. */
    int rc = generator->consumer ? 0 : await_question(generator, &wait);

    if (rc == 0)
        rc = generator->fn(generator, generator->arg);
    /* The status that the task will end with. */
    if (self->scope != &self->base && rc >= 0)
        rc = BIGHT_ESCOPE;
    producer_ended(generator, rc, bight__scope_was_cancelled(&self->base));
    return generator->gave_way ? rc : 0; /* the consumer gets the failure */
}

static void producer_dropped(void *arg)
{
    producer_ended(arg, BIGHT_ECANCELED, true);
}

static int generator_new(struct bight_generator **out, struct bight_group *group,
                         const struct bight_spawn_options *options,
                         int (*fn)(struct bight_generator *generator, void *arg), void *arg,
                         const void *site)
{
    struct bight_spawn_options with = {.name = "generator"};
    struct bight_generator *generator;
    struct bight_sched *sched = bight__sched;
    int rc;

    if (options)
        with = *options;
    if (!out || !fn || with.drop)
        return BIGHT_EINVAL;
    if (!sched)
        return BIGHT_ENORUNTIME;
    if (group ? group->scope.magic != SCOPE_MAGIC || !group->scope.task : sched->closing)
        return BIGHT_ECLOSED;
    if (group && bight__is_foreign(group->scope.task))
        return BIGHT_EPERM;
    with.drop = producer_dropped;
    generator = bight__alloc_zero(&sched->seams, sizeof(*generator));
    if (!generator)
        return BIGHT_ENOMEM;
    generator->fn = fn;
    generator->arg = arg;
    rc = bight__spawn(sched, group ? group : &sched->root, &generator->task, &with, producer_body,
                      generator, site);
    if (rc)
        bight__free(generator);
    else
        *out = generator;
    return rc;
}

int bight_generator_new(struct bight_generator **out,
                        int (*fn)(struct bight_generator *generator, void *arg), void *arg)
{
    return generator_new(out, NULL, NULL, fn, arg, __builtin_return_address(0));
}

int bight_generator_new_in(struct bight_generator **out, struct bight_group *group,
                           const struct bight_spawn_options *options,
                           int (*fn)(struct bight_generator *generator, void *arg), void *arg)
{
    return generator_new(out, group, options, fn, arg, __builtin_return_address(0));
}

int bight_generator_yield(struct bight_generator *generator, void *value)
{
    struct generator_wait wait = {.value = value};
    struct bight_task *self;
    int rc;

    if (unlikely(!generator))
        return BIGHT_EINVAL;
    rc = bight__checkpoint(&self);
    if (unlikely(rc))
        return rc;
    if (generator->closed)
        return BIGHT_ECLOSED;
    if (generator->task && bight__is_foreign(generator->task))
        return BIGHT_EPERM;
    if (generator->producer)
        return BIGHT_EALREADY;
    wait.offers = !generator->consumer;
    if (generator->consumer) {
        wait.in_flight = true;
        generator->consumer->value = value;
        wake_consumer(generator, 0);
    }
    rc = await_question(generator, &wait);
    return wait.refused ? bight__deliver(self, true) : rc;
}

/* The consumer runs again and has its value. */
static void arrived(struct bight_generator *generator)
{
    struct generator_wait *producer = generator->producer;

    if (!producer)
        return;
    producer->in_flight = false;
    if (generator->closed)
        wake_producer(generator, BIGHT_ECLOSED);
    else if (producer->refused)
        wake_producer(generator, 0);
}

/* Sleep as the consumer until there is a value; the producer goes on. */
static int await_value(struct bight_generator *generator, void **value)
{
    struct generator_wait wait = {.generator = generator};
    int rc;

    bight__waiter_begin(&wait.waiter, &next_ops);
    generator->consumer = &wait;
    wake_producer(generator, 0);
    rc = bight_park(&wait.waiter);
    if (rc == 0) {
        *value = wait.value;
        arrived(generator);
    }
    return rc == NEXT_ENDED ? wait.end : rc;
}

/* The next value. 1: the producer has to be asked for it. */
static int take_next(struct bight_generator *generator, void **value, const struct bight_task *self)
{
    struct generator_wait *producer;

    if (generator->closed)
        return BIGHT_ECLOSED;
    if (generator->task && bight__is_foreign(generator->task))
        return BIGHT_EPERM;
    producer = generator->producer;
    if (generator->consumer || (producer && producer->in_flight))
        return BIGHT_EALREADY;
    if (producer && producer->offers) {
        producer->offers = false;
        *value = producer->value;
        return 0;
    }
    if (generator->ended)
        return end_code(generator);
    return bight__join_would_deadlock(generator->task, self) ? BIGHT_EDEADLK : 1;
}

int bight_generator_next(struct bight_generator *generator, void **value)
{
    struct bight_task *self;
    int rc;

    if (unlikely(!generator || !value))
        return BIGHT_EINVAL;
    rc = bight__observe(&self);
    if (unlikely(rc))
        return rc;
    rc = take_next(generator, value, self);
    if (rc > 0)
        return await_value(generator, value);
    bight__breathe(self);
    return rc;
}

/* For closing: a wait for the end of the producer's task. */
struct close_wait {
    struct bight_waiter waiter;
    struct bight_end_watch watch;
    struct bight_task *task;
};

/* The wait goes on, but passes the cancellation to the producer. */
static int close_abort(struct bight_waiter *waiter)
{
    bight_task_cancel(container_of(waiter, struct close_wait, waiter)->task);
    return BIGHT_EBUSY;
}

static struct bight_task *close_waits_for(const struct bight_waiter *waiter)
{
    return container_of(waiter, struct close_wait, waiter)->task;
}

static const struct bight_waiter_ops close_ops = {
    .name = "end of a generator",
    .abort = close_abort,
    .waits_for = close_waits_for,
    .flags = BIGHT_WAITER_MAY_REFUSE,
};

static void producer_is_done(struct bight_end_watch *watch, struct bight_task *task)
{
    (void)task;
    bight_unpark(&container_of(watch, struct close_wait, watch)->waiter, 0);
}

static int await_end(struct bight_task *task)
{
    struct close_wait wait = {.task = task, .watch.ended = producer_is_done};

    if (task->flags & TASK_DONE)
        return 0;
    bight__waiter_begin(&wait.waiter, &close_ops);
    bight__watch_end(task, &wait.watch);
    return bight_park(&wait.waiter);
}

/* Make the producer end, wait for that, and free its handle. */
static int stop_producer(struct bight_generator *generator)
{
    struct bight_task *task = generator->task;
    int rc;

    if (!generator->producer && !generator->ended)
        bight_task_cancel(task);
    else if (generator->producer && !generator->producer->in_flight)
        wake_producer(generator, BIGHT_ECLOSED);
    rc = await_end(task);
    if (rc)
        return rc;
    if (task->status < 0 && generator->status >= 0) /* a handler left a scope open */
        generator->status = task->status;
    link_cut(&task->member);
    bight__task_free(task);
    generator->task = NULL;
    return 0;
}

int bight_generator_end(struct bight_generator *generator)
{
    struct bight_task *self = bight_self();
    int rc = 0;

    if (!generator)
        return BIGHT_EINVAL;
    if (!self)
        return BIGHT_ENOTASK;
    bight__scopes_check(self, __builtin_frame_address(0));
    if (generator->closing)
        return BIGHT_EALREADY;
    if (generator->task && bight__is_foreign(generator->task))
        return BIGHT_EPERM;
    if (generator->task && bight__join_would_deadlock(generator->task, self))
        return BIGHT_EDEADLK;
    generator->closed = true;
    generator->closing = true; /* others that run meanwhile must not free it */
    bight__breathe(self);
    wake_consumer(generator, BIGHT_ECLOSED);
    if (generator->task)
        rc = stop_producer(generator);
    generator->closing = false;
    if (rc)
        return rc;
    rc = end_code(generator);
    return rc == BIGHT_ECLOSED ? 0 : rc;
}

int bight_generator_free(struct bight_generator *generator)
{
    if (!generator)
        return 0;
    if (generator->task || generator->consumer || generator->closing)
        return BIGHT_EBUSY;
    bight__free(generator);
    return 0;
}
