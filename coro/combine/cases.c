/* The kinds of cases of a select. Each keeps its place at the source in the case itself: a struct
 * that begins with the case's waiter and goes on in its record. The links in it are valid at any
 * time, since a case may be withdrawn before it is armed. */
#include "coro/combine/future.h"
#include "coro/queue/queue.h"
#include "coro/core/timed.h"

#include <assert.h>

#include <bight/select.h>

struct join_record {
    struct bight_waiter waiter;
    struct bight_end_watch watch;
    int status; /* the task may be gone when the select runs */
    bool cancelled;
};

struct future_record {
    struct bight_waiter waiter;
    struct bight_future_watch watch;
};

#define RECORD_MAX (sizeof(struct bight_case) - offsetof(struct bight_case, waiter))

static_assert(sizeof(struct bight__queue_wait) <= RECORD_MAX,
              "a case has room for a queue's waiter");
static_assert(sizeof(struct bight__timed) <= RECORD_MAX, "a case has room for a timer");
static_assert(sizeof(struct join_record) <= RECORD_MAX, "a case has room for a watch");
static_assert(sizeof(struct future_record) <= RECORD_MAX, "a case has room for a watch");

static void *record_of(struct bight_case *from)
{
    return (char *)from + offsetof(struct bight_case, waiter);
}

static void case_make(struct bight_case *to, const struct bight_case_ops *ops, void *source)
{
    to->status = 0;
    to->cancelled = false;
    to->value = NULL;
    to->source = source;
    to->ops = ops;
}

/* Whether a select can wait for such cases. */
static bool is_sound(const struct bight_case_ops *ops)
{
    return ops && ops->attempt && ops->arm && ops->wait && ops->wait->abort &&
           !(ops->wait->flags & BIGHT_WAITER_MAY_REFUSE);
}

/* A case without a source is invalid: it has no ops, and the select says so. */
static void source_make(struct bight_case *to, const struct bight_case_ops *ops, void *source)
{
    case_make(to, source ? ops : NULL, source);
}

void bight_case_custom(struct bight_case *to, const struct bight_case_ops *ops, void *source)
{
    if (!to)
        return;
    case_make(to, is_sound(ops) ? ops : NULL, source);
}

/* The end of a task */

static int join_abort(struct bight_waiter *waiter)
{
    link_remove(&container_of(waiter, struct join_record, waiter)->watch.link);
    return 0;
}

static const struct bight_waiter_ops join_wait = {.name = "select: task", .abort = join_abort};

static bool join_attempt(struct bight_case *chosen)
{
    if (bight__is_foreign(chosen->source)) {
        chosen->status = BIGHT_EPERM;
        return true;
    }
    chosen->cancelled = bight_task_was_cancelled(chosen->source);
    return bight_task_status(chosen->source, &chosen->status) == 0;
}

static void join_ended(struct bight_end_watch *watch, struct bight_task *task)
{
    struct join_record *record = container_of(watch, struct join_record, watch);

    record->status = task->status;
    record->cancelled = bight_task_was_cancelled(task);
    bight_unpark(&record->waiter, 0);
}

static int join_arm(struct bight_case *chosen)
{
    struct join_record *record = record_of(chosen);

    bight__watch_end(chosen->source, &record->watch);
    return 0;
}

static void join_settle(struct bight_case *chosen)
{
    const struct join_record *record = record_of(chosen);

    chosen->status = record->status;
    chosen->cancelled = record->cancelled;
}

static const struct bight_case_ops join_ops = {&join_wait, join_attempt, join_arm, join_settle};

void bight_case_join(struct bight_case *to, struct bight_task *task)
{
    struct join_record *record;

    if (!to)
        return;
    record = record_of(to);
    source_make(to, &join_ops, task);
    link_init(&record->watch.link);
    record->watch.ended = join_ended;
}

/* Queues */

/* A function of its own, so that a queue where nothing is found needs no frame. */
static __attribute__((noinline)) bool get_at_once(struct bight_case *chosen)
{
    struct bight_task *self = bight__sched->current;

    chosen->status = bight__queue_get_at_once(chosen->source, &chosen->value, self);
    return chosen->status != BIGHT_EAGAIN;
}

static bool get_attempt(struct bight_case *chosen)
{
    return bight__queue_is_idle(chosen->source) ? false : get_at_once(chosen);
}

static int get_arm(struct bight_case *chosen)
{
    bight__queue_get_arm(chosen->source, record_of(chosen));
    return 0;
}

static void get_settle(struct bight_case *chosen)
{
    const struct bight__queue_wait *record = record_of(chosen);

    if (chosen->status == 0)
        chosen->value = record->item;
}

static bool put_attempt(struct bight_case *chosen)
{
    chosen->status = bight_queue_try_put(chosen->source, chosen->value);
    return chosen->status != BIGHT_EAGAIN;
}

static int put_arm(struct bight_case *chosen)
{
    struct bight__queue_wait *record = record_of(chosen);

    record->item = chosen->value;
    bight__queue_put_arm(chosen->source, record);
    return 0;
}

static const struct bight_case_ops get_ops = {&bight__queue_get_ops, get_attempt, get_arm,
                                              get_settle};
static const struct bight_case_ops put_ops = {&bight__queue_put_ops, put_attempt, put_arm, NULL};

void bight_case_get(struct bight_case *to, struct bight_queue *queue)
{
    if (!to)
        return;
    source_make(to, &get_ops, queue);
}

void bight_case_put(struct bight_case *to, struct bight_queue *queue, void *item)
{
    if (!to)
        return;
    source_make(to, &put_ops, queue);
    to->value = item;
}

/* Events */

static const struct bight_waiter_ops event_wait = {.name = "select: event",
                                                   .abort = bight__unlink_abort};

static bool event_attempt(struct bight_case *chosen)
{
    const struct bight_event *event = chosen->source;

    chosen->status = bight__waiters_are_foreign(&event->waiters) ? BIGHT_EPERM : 0;
    return event->set || chosen->status;
}

static int event_arm(struct bight_case *chosen)
{
    struct bight_event *event = chosen->source;

    list_append(&event->waiters, &chosen->waiter.link);
    return 0;
}

static const struct bight_case_ops event_ops = {&event_wait, event_attempt, event_arm, NULL};

void bight_case_event(struct bight_case *to, struct bight_event *event)
{
    if (!to)
        return;
    source_make(to, &event_ops, event);
}

/* Futures */

static int future_abort(struct bight_waiter *waiter)
{
    link_remove(&container_of(waiter, struct future_record, waiter)->watch.link);
    return 0;
}

static const struct bight_waiter_ops future_wait = {.name = "select: future",
                                                    .abort = future_abort};

static bool future_attempt(struct bight_case *chosen)
{
    if (bight__future_is_foreign(chosen->source)) {
        chosen->status = BIGHT_EPERM;
        return true;
    }
    return bight_future_get(chosen->source, &chosen->status, &chosen->value) == 0;
}

static void future_settled(struct bight_future_watch *watch)
{
    bight_unpark(&container_of(watch, struct future_record, watch)->waiter, 0);
}

static int future_arm(struct bight_case *chosen)
{
    struct future_record *record = record_of(chosen);

    bight__future_watch(chosen->source, &record->watch);
    return 0;
}

static void future_settle(struct bight_case *chosen)
{
    (void)future_attempt(chosen); /* succeeds: the future is settled */
}

static const struct bight_case_ops future_ops = {&future_wait, future_attempt, future_arm,
                                                 future_settle};

void bight_case_future(struct bight_case *to, struct bight_future *future)
{
    struct future_record *record;

    if (!to)
        return;
    record = record_of(to);
    source_make(to, &future_ops, future);
    link_init(&record->watch.link);
    record->watch.settled = future_settled;
}

/* Times: a duration, or a point of the clock. */

static const struct bight_waiter_ops time_wait = {.name = "select: time",
                                                  .abort = bight__timed_abort};

static bool sleep_attempt(struct bight_case *chosen)
{
    chosen->status = 0;
    return chosen->time == 0;
}

static int sleep_arm(struct bight_case *chosen)
{
    bight__timed_arm(record_of(chosen), bight__deadline_after(bight__sched, chosen->time));
    return 0;
}

static bool deadline_attempt(struct bight_case *chosen)
{
    struct bight_sched *sched = bight__sched;
    uint64_t deadline_ns = (uint64_t)chosen->time;

    chosen->status = 0;
    return deadline_ns != NO_DEADLINE && deadline_ns <= sched->driver->now_ns(sched);
}

static int deadline_arm(struct bight_case *chosen)
{
    bight__timed_arm(record_of(chosen), (uint64_t)chosen->time);
    return 0;
}

static void time_settle(struct bight_case *chosen)
{
    chosen->status = 0;
}

static const struct bight_case_ops sleep_ops = {&time_wait, sleep_attempt, sleep_arm, time_settle};
static const struct bight_case_ops deadline_ops = {&time_wait, deadline_attempt, deadline_arm,
                                                   time_settle};

static void time_make(struct bight_case *to, const struct bight_case_ops *ops, int64_t time)
{
    if (!to)
        return;
    case_make(to, ops, NULL);
    to->time = time;
    bight__timed_prepare(record_of(to));
}

void bight_case_sleep(struct bight_case *to, int64_t duration_ms)
{
    time_make(to, &sleep_ops, duration_ms);
}

void bight_case_deadline(struct bight_case *to, uint64_t deadline_ns)
{
    time_make(to, &deadline_ops, (int64_t)deadline_ns);
}
