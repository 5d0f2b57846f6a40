/* Queues, events, joins, sleeps; see model.h. What is given away goes to the first in line, as
 * docs/waiting.md has it. */
#include "tests/model/model.h"

static void tell_all(struct model *m, struct line *line, int result)
{
    unsigned task, which;

    while (line_first(line, &task, &which))
        model_resolve(m, task, which, result);
}

static struct line *line_of(struct model *m, const struct choice *wait)
{
    switch (wait->op) {
    case OP_LOCK:
    case OP_RELOCK:
        return &m->mutexes[wait->a].waiters;
    case OP_NOTIFIED:
        return &m->conditions[wait->a];
    case OP_ACQUIRE:
        return &m->semaphores[wait->a].waiters;
    case OP_PUT:
        return &m->queues[wait->a].putters;
    case OP_GET:
        return &m->queues[wait->a].getters;
    case OP_DRAIN:
        return &m->queues[wait->a].joiners;
    case OP_WAIT:
        return &m->events[wait->a].waiters;
    case OP_JOIN:
        return &m->ends[wait->a];
    default:
        return NULL;
    }
}

static bool selects(const struct model *m, unsigned task)
{
    return model_step(m, task)->op == OP_SELECT;
}

void model_arm(struct model *m, unsigned task, unsigned which)
{
    struct choice *wait = &m->tasks[task].cases[which];
    struct line *line = line_of(m, wait);

    if (line)
        line_add(line, task, which);
    if (wait->op == OP_JOIN && !selects(m, task))
        m->tasks[wait->a].joiner = (uint8_t)task;
    if (wait->op == OP_SLEEP) {
        wait->b = (int16_t)(wait->b < 0 ? NEVER : m->now_ms + wait->b);
        model_timer_set(m, task, which, wait->b);
    }
}

void model_disarm(struct model *m, unsigned task, unsigned which)
{
    const struct choice *wait = &m->tasks[task].cases[which];
    struct line *line = line_of(m, wait);

    if (wait->op == OP_JOIN && m->tasks[wait->a].joiner == task)
        m->tasks[wait->a].joiner = NOBODY;
    else if (wait->op == OP_SLEEP)
        model_timer_set(m, task, which, NEVER);
    for (unsigned at = 0; line && at < line->count; at++) {
        if (line->who[at] == task * CASES_MAX + which)
            line_remove(line, at--);
    }
}

/* Queue */

static void queue_add(struct model_queue *queue, unsigned item)
{
    queue->items[queue->length++] = (uint8_t)item;
    queue->unfinished++;
}

static int try_put(struct model *m, unsigned q, unsigned item)
{
    struct model_queue *queue = &m->queues[q];
    unsigned task, which;

    if (queue->closed)
        return BIGHT_ECLOSED;
    while (m->mutant != MUTANT_PUT_UNSEEN && line_first(&queue->getters, &task, &which)) {
        if (model_resolve(m, task, which, 0)) {
            m->tasks[task].item = (uint8_t)item;
            queue->unfinished++;
            return 0;
        }
    }
    if (queue->length == m->program->capacity[q])
        return PENDING;
    queue_add(queue, item);
    return 0;
}

static uint8_t queue_take(struct model_queue *queue, bool last)
{
    unsigned at = last ? queue->length - 1u : 0;
    uint8_t item = queue->items[at];

    queue->length--;
    memmove(&queue->items[at], &queue->items[at + 1], queue->length - at);
    queue->items[queue->length] = 0;
    return item;
}

/* A rendezvous: the item of the first putter. */
static bool meet(struct model *m, struct model_queue *queue, uint8_t *item)
{
    unsigned task, which;

    while (m->mutant != MUTANT_PUT_UNSEEN && line_first(&queue->putters, &task, &which)) {
        if (model_resolve(m, task, which, 0)) {
            *item = item_of(task, m->tasks[task].step);
            queue->unfinished++;
            return true;
        }
    }
    return false;
}

static int try_get(struct model *m, unsigned q, uint8_t *item)
{
    struct model_queue *queue = &m->queues[q];
    unsigned task, which;

    if (queue->length == 0 && m->program->capacity[q] == 0 && meet(m, queue, item))
        return 0;
    if (queue->length == 0)
        return queue->closed ? BIGHT_ECLOSED : PENDING;
    *item = queue_take(queue, m->program->lifo[q]);
    while (m->mutant != MUTANT_PLACE_UNSEEN && line_first(&queue->putters, &task, &which)) {
        if (model_resolve(m, task, which, 0)) {
            queue_add(queue, item_of(task, m->tasks[task].step));
            break;
        }
    }
    return 0;
}

static void close_queue(struct model *m, struct model_queue *queue)
{
    queue->closed = true;
    if (m->mutant == MUTANT_CLOSE_UNSEEN)
        return;
    tell_all(m, &queue->putters, BIGHT_ECLOSED);
    if (queue->length == 0)
        tell_all(m, &queue->getters, BIGHT_ECLOSED);
}

static void worked_on(struct model *m, struct model_queue *queue, unsigned count)
{
    queue->unfinished = (uint8_t)(queue->unfinished - count);
    if (queue->unfinished == 0)
        tell_all(m, &queue->joiners, 0);
}

static void abort_queue(struct model *m, struct model_queue *queue)
{
    unsigned dropped = queue->length;

    for (unsigned i = 0; i < dropped; i++) {
        unsigned item = queue->items[i] - 1u;

        m->tasks[item / STEPS_MAX].dropped |= 1u << item % STEPS_MAX;
        queue->items[i] = 0;
    }
    queue->length = 0;
    close_queue(m, queue);
    /* Somebody may have called one of them worked on already. */
    worked_on(m, queue, dropped < queue->unfinished ? dropped : queue->unfinished);
}

/* Event */

static void set_event(struct model *m, struct model_event *event)
{
    unsigned task, which;

    event->set = true;
    if (m->mutant != MUTANT_SET_WAKES_ONE)
        tell_all(m, &event->waiters, 0);
    else if (line_first(&event->waiters, &task, &which))
        model_resolve(m, task, which, 0);
}

/* Join */

static int try_join(const struct model *m, unsigned task, unsigned other)
{
    const struct model_task *t = &m->tasks[other];

    if (selects(m, task))
        return t->state == DONE ? 0 : PENDING;
    if (t->joiner != NOBODY)
        return other == task ? BIGHT_EDEADLK : BIGHT_EALREADY;
    if (t->state == DONE)
        return 0;
    for (unsigned at = task; m->tasks[at].owner != NOBODY; at = m->tasks[at].owner) {
        if (m->tasks[at].owner == other)
            return BIGHT_EDEADLK;
    }
    return model_waits_for(m, other, task) ? BIGHT_EDEADLK : PENDING;
}

void model_tell_end(struct model *m, unsigned task)
{
    if (m->mutant != MUTANT_END_UNSEEN)
        tell_all(m, &m->ends[task], 0);
}

int model_try(struct model *m, unsigned task, const struct choice *wait, uint8_t *item)
{
    switch (wait->op) {
    case OP_LOCK:
        return model_try_lock(m, task, wait->a);
    case OP_ACQUIRE:
        return model_try_acquire(m, wait->a);
    case OP_PUT:
        return try_put(m, wait->a, item_of(task, m->tasks[task].step));
    case OP_GET:
        return try_get(m, wait->a, item);
    case OP_DRAIN:
        return m->queues[wait->a].unfinished == 0 ? 0 : PENDING;
    case OP_WAIT:
        return m->events[wait->a].set ? 0 : PENDING;
    case OP_JOIN:
        return try_join(m, task, wait->a);
    case OP_SLEEP:
        return wait->b == 0 ? 0 : PENDING;
    default:
        return PENDING;
    }
}

static int without_waiting(int rc)
{
    return rc == PENDING ? BIGHT_EAGAIN : rc;
}

int model_act(struct model *m, unsigned task, const struct step *step, uint8_t *item)
{
    struct model_queue *queue = &m->queues[step->a % QUEUES];
    struct model_event *event = &m->events[step->a % EVENTS];

    switch (step->op) {
    case OP_TRY_PUT:
        return without_waiting(try_put(m, step->a, item_of(task, m->tasks[task].step)));
    case OP_TRY_GET:
        return without_waiting(try_get(m, step->a, item));
    case OP_TASK_DONE:
        if (queue->unfinished == 0)
            return BIGHT_EINVAL;
        worked_on(m, queue, 1);
        return 0;
    case OP_CLOSE:
        close_queue(m, queue);
        return 0;
    case OP_ABORT:
        abort_queue(m, queue);
        return 0;
    case OP_SET:
        set_event(m, event);
        return 0;
    case OP_CLEAR:
        event->set = false;
        return 0;
    default:
        return model_act_on_lock(m, task, step);
    }
}
