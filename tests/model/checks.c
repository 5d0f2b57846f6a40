/* What must hold in every state of the model, whatever happened before; see model.h. */
#include "tests/model/model.h"

/* The items that are somewhere, by task and step. */
struct places {
    uint32_t in_queue[TASKS_MAX];
    uint32_t handed[TASKS_MAX]; /* to a getter that has not run since */
};

static bool set_once(uint32_t *masks, unsigned item)
{
    uint32_t bit = 1u << (item - 1) % STEPS_MAX;
    uint32_t *mask = &masks[(item - 1) / STEPS_MAX];
    bool first = !(*mask & bit);

    *mask |= bit;
    return first;
}

static bool was_woken_by(const struct model_task *t, unsigned op)
{
    return t->state == READY && t->resume == RESUME_WOKEN && t->cases[t->won].op == op &&
           t->result == 0;
}

static void check_items(struct model *m)
{
    struct places places;

    memset(&places, 0, sizeof places);
    for (unsigned q = 0; q < QUEUES; q++) {
        for (unsigned i = 0; i < m->queues[q].length; i++) {
            if (!set_once(places.in_queue, m->queues[q].items[i]))
                model_break(m, "an item is twice in queues");
        }
    }
    for (unsigned i = 0; i < m->program->tasks; i++) {
        const struct model_task *t = &m->tasks[i];

        if (was_woken_by(t, OP_GET) && t->item && !set_once(places.handed, t->item))
            model_break(m, "an item was handed to two");
    }
    for (unsigned i = 0; i < m->program->tasks; i++) {
        const struct model_task *t = &m->tasks[i];
        uint32_t here = places.in_queue[i] | places.handed[i];

        if (places.in_queue[i] & places.handed[i])
            model_break(m, "an item was handed over and is still in a queue");
        if (here & (t->received | t->dropped) || t->received & t->dropped)
            model_break(m, "an item is doubled");
        if ((here | t->received | t->dropped) & t->refused)
            model_break(m, "an item that was given back is in a queue all the same");
        if (t->accepted & ~(here | t->received | t->dropped))
            model_break(m, "an item is lost");
    }
}

static void check_mutexes(struct model *m)
{
    for (unsigned i = 0; i < MUTEXES; i++) {
        const struct model_mutex *mutex = &m->mutexes[i];
        const struct model_task *owner;

        for (unsigned task = 0; task < m->program->tasks; task++) {
            if (m->tasks[task].owns & 1u << i && mutex->owner != task)
                model_break(m, "a mutex has two owners, or one that does not know");
        }
        if (mutex->owner == NOBODY) {
            if (mutex->waiters.count)
                model_break(m, "a mutex is free and somebody waits for it");
            continue;
        }
        owner = &m->tasks[mutex->owner];
        if (!(owner->owns & 1u << i) && !was_woken_by(owner, OP_LOCK) &&
            !was_woken_by(owner, OP_RELOCK))
            model_break(m, "a mutex is held by somebody who was not told");
    }
}

static void check_semaphores(struct model *m)
{
    for (unsigned i = 0; i < SEMAPHORES; i++) {
        const struct model_semaphore *semaphore = &m->semaphores[i];
        int units = semaphore->value + semaphore->taken;

        for (unsigned task = 0; task < m->program->tasks; task++) {
            const struct model_task *t = &m->tasks[task];

            units += was_woken_by(t, OP_ACQUIRE) && t->cases[t->won].a == i;
        }
        if (units != SEMAPHORE_UNITS)
            model_break(m, "a semaphore has lost a unit, or won one");
    }
}

static bool is_notified(const struct model_task *t, unsigned condition)
{
    return t->state != DONE && t->notified && t->cases[0].op == OP_RELOCK &&
           t->cases[0].a == condition;
}

/* One that was meant for a task that goes on cancelled may end there only when nobody else
 * waits. */
static void check_notifications(struct model *m)
{
    for (unsigned i = 0; i < MUTEXES; i++) {
        unsigned notified = 0;

        for (unsigned task = 0; task < m->program->tasks; task++)
            notified += is_notified(&m->tasks[task], i);
        if (notified < m->owed[i] && m->conditions[i].count)
            model_break(m, "a notification is lost");
        m->owed[i] = (uint8_t)notified;
    }
}

/* Somebody else than `self`. */
static bool sleeps_in_line(const struct model *m, const struct line *line, unsigned self)
{
    for (unsigned i = 0; i < line->count; i++) {
        unsigned task = line->who[i] / CASES_MAX;

        if (task != self && m->tasks[task].state == ASLEEP)
            return true;
    }
    return false;
}

/* Whether what `wait` waits for is there. */
static bool is_available(const struct model *m, unsigned task, const struct choice *wait)
{
    const struct model_queue *queue = &m->queues[wait->a % QUEUES];

    switch (wait->op) {
    case OP_LOCK:
    case OP_RELOCK:
        return m->mutexes[wait->a].owner == NOBODY;
    case OP_NOTIFIED:
        return false;
    case OP_ACQUIRE:
        return m->semaphores[wait->a].value;
    case OP_PUT:
        return queue->closed || queue->length < m->program->capacity[wait->a] ||
               sleeps_in_line(m, &queue->getters, task);
    case OP_GET:
        return queue->closed || queue->length || sleeps_in_line(m, &queue->putters, task);
    case OP_DRAIN:
        return queue->unfinished == 0;
    case OP_WAIT:
        return m->events[wait->a].set;
    case OP_JOIN:
        return m->tasks[wait->a].state == DONE;
    case OP_SLEEP:
        return wait->b < m->now_ms;
    default:
        return model_group_live(m, task, wait->a) == 0;
    }
}

static void check_sleeper(struct model *m, unsigned task)
{
    const struct model_task *t = &m->tasks[task];

    for (unsigned i = 0; i < t->count; i++) {
        if (is_available(m, task, &t->cases[i]))
            model_break(m, "a task sleeps though what it waits for is there");
    }
    if (t->cases[0].op != OP_END && t->cases[0].op != OP_RELOCK && model_cancelled(m, task))
        model_break(m, "a task sleeps though a scope around it is cancelled");
}

static void check_scopes(struct model *m, unsigned task)
{
    const struct model_task *t = &m->tasks[task];

    for (unsigned depth = 0; t->state != UNBORN && depth <= t->depth; depth++) {
        const struct model_scope *scope = &t->scopes[depth];

        if (scope->deadline_ms < m->now_ms && !scope->expired && !scope->cancelled)
            model_break(m, "a deadline was missed");
        if (scope->expired && scope->deadline_ms > m->now_ms)
            model_break(m, "a deadline fired early");
        if (scope->failed && !scope->policy && !scope->shield &&
            !model_scope_cancelled(m, task, depth))
            model_break(m, "a task failed and its group goes on");
    }
}

void model_check(struct model *m)
{
    check_items(m);
    check_mutexes(m);
    check_semaphores(m);
    check_notifications(m);
    for (unsigned task = 0; task < m->program->tasks; task++) {
        if (m->tasks[task].state == ASLEEP)
            check_sleeper(m, task);
        check_scopes(m, task);
    }
}

/* One that nothing will wake is in a shield without a budget, or waits for such a one in the end
 * of a group: all others were cancelled with the root. */
void model_check_end(struct model *m)
{
    bool shielded = false;

    for (unsigned task = 0; task < m->program->tasks; task++) {
        const struct model_task *t = &m->tasks[task];

        shielded |= t->state == ASLEEP && t->cases[0].op != OP_END && !model_cancelled(m, task);
    }
    if (!model_all_done(m) && !shielded)
        model_break(m, "a task never ends");
}

/* What a task was told */

static void told_put(struct model_task *t, int outcome)
{
    *(outcome == 0 ? &t->accepted : &t->refused) |= 1u << t->step;
}

static void told_get(struct model *m, unsigned item)
{
    uint32_t received[TASKS_MAX];
    unsigned from = (item - 1) / STEPS_MAX;

    if (item == 0) {
        model_break(m, "a get gave no item");
        return;
    }
    for (unsigned i = 0; i < TASKS_MAX; i++)
        received[i] = m->tasks[i].received;
    if (!set_once(received, item))
        model_break(m, "an item was received twice");
    m->tasks[from].received = received[from];
}

static void told(struct model *m, unsigned task, const struct choice *what, int outcome)
{
    struct model_task *t = &m->tasks[task];

    switch (what->op) {
    case OP_LOCK:
    case OP_TRYLOCK:
        t->owns |= (uint8_t)((outcome == 0) << what->a);
        break;
    case OP_UNLOCK:
        t->owns &= (uint8_t) ~((outcome == 0) << what->a);
        break;
    case OP_NOTIFIED:
        /* It holds the mutex also when it was cancelled, once it has slept. */
        t->owns |= (uint8_t)((t->commits && outcome != BIGHT_EDEADLK) << what->a);
        m->owed[what->a] = (uint8_t)(m->owed[what->a] - (outcome == 0));
        t->notified = false;
        check_notifications(m);
        break;
    case OP_ACQUIRE:
    case OP_TRY_ACQUIRE:
        m->semaphores[what->a].taken = (int8_t)(m->semaphores[what->a].taken + (outcome == 0));
        break;
    case OP_PUT:
    case OP_TRY_PUT:
        told_put(t, outcome);
        break;
    case OP_GET:
    case OP_TRY_GET:
        if (outcome == 0)
            told_get(m, t->item);
        break;
    default:
        break;
    }
}

static void told_select(struct model *m, unsigned task, int rc)
{
    struct model_task *t = &m->tasks[task];
    const struct step *step = model_step(m, task);
    bool has_put = false;
    bool put = rc >= 0 && step->cases[rc].op == OP_PUT && t->result == 0;

    if (rc >= 0)
        told(m, task, &step->cases[rc], t->result);
    for (unsigned i = 0; i < step->count; i++)
        has_put |= step->cases[i].op == OP_PUT;
    if (has_put && !put)
        told_put(t, BIGHT_EAGAIN);
}

/* Called when a step is over, before the task goes on. */
void model_check_step(struct model *m, unsigned task, int rc)
{
    struct model_task *t = &m->tasks[task];
    const struct step *step = model_step(m, task);
    bool passes = step->op == OP_YIELD || (step->op == OP_SLEEP && step->b == 0);
    bool commits = step->op == OP_SELECT ? rc >= 0 : rc != BIGHT_ECANCELED;

    if (rc == SKIPPED)
        return;
    if (step->op == OP_SELECT)
        told_select(m, task, rc);
    else
        told(m, task, &(struct choice){step->op, step->a, step->b}, rc);
    if (step->op > OP_LAST_SUSPENDING)
        return;
    if (t->opened_cancelled && rc != BIGHT_ECANCELED)
        model_break(m, "a call went on in a cancelled scope");
    if (rc == BIGHT_ECANCELED && !t->was_cancelled && !model_cancelled(m, task))
        model_break(m, "a call was cancelled, but no scope around it is");
    if (!passes && step->op != OP_NOTIFIED && t->commits != commits)
        model_break(m, "a wait committed more often than it said");
}
