/* Mutexes, conditions, semaphores, and the circles that tasks can close by waiting; see model.h.
 * What is given away goes to the first in line. */
#include "tests/model/model.h"

/* Circles */

static bool is_inside(const struct model *m, unsigned task, unsigned owner, unsigned slot)
{
    while (m->tasks[task].owner != NOBODY) {
        if (m->tasks[task].owner == owner && m->tasks[task].slot == slot)
            return true;
        task = m->tasks[task].owner;
    }
    return false;
}

/* Follows the one task that each wait names; the end of a group counts for who is inside. A select
 * names nobody. */
bool model_waits_for(const struct model *m, unsigned task, unsigned self)
{
    while (task != NOBODY) {
        const struct model_task *t = &m->tasks[task];

        if (task == self)
            return true;
        if (t->state != ASLEEP || model_step(m, task)->op == OP_SELECT)
            return false;
        switch (t->cases[0].op) {
        case OP_END:
            return is_inside(m, self, task, t->cases[0].a);
        case OP_LOCK:
        case OP_RELOCK:
            task = m->mutexes[t->cases[0].a].owner;
            break;
        case OP_JOIN:
            task = t->cases[0].a;
            break;
        default:
            return false;
        }
    }
    return false;
}

/* Mutex */

void model_own(struct model *m, unsigned mutex, unsigned task)
{
    struct model_task *t = &m->tasks[task];

    m->mutexes[mutex].owner = (uint8_t)task;
    for (unsigned i = 0; i < t->held_count; i++) {
        if (t->held[i] == mutex)
            return; /* only where mutants are */
    }
    t->held[t->held_count++] = (uint8_t)mutex;
}

/* A mutex that is free goes to the first in line. */
static void hand_over(struct model *m, unsigned mutex)
{
    unsigned heir, which;

    if (m->mutexes[mutex].owner != NOBODY)
        return;
    while (line_first(&m->mutexes[mutex].waiters, &heir, &which)) {
        if (!model_resolve(m, heir, which, 0))
            continue;
        if (m->mutant != MUTANT_BARGING)
            model_own(m, mutex, heir);
        return;
    }
}

static void disown(struct model *m, unsigned mutex, unsigned task)
{
    struct model_task *t = &m->tasks[task];
    unsigned at = 0;

    while (at < t->held_count && t->held[at] != mutex)
        at++;
    if (at < t->held_count) {
        t->held_count--;
        memmove(&t->held[at], &t->held[at + 1], t->held_count - at);
        t->held[t->held_count] = 0;
    }
    m->mutexes[mutex].owner = NOBODY;
    hand_over(m, mutex);
}

void model_mutexes_abandoned(struct model *m, unsigned task)
{
    const struct model_task *t = &m->tasks[task];

    m->tasks[task].owns = 0;
    while (t->held_count)
        disown(m, t->held[t->held_count - 1], task);
}

int model_try_lock(struct model *m, unsigned task, unsigned mutex)
{
    unsigned owner = m->mutexes[mutex].owner;

    if (owner == NOBODY) {
        model_own(m, mutex, task);
        return 0;
    }
    return model_waits_for(m, owner, task) ? BIGHT_EDEADLK : PENDING;
}

/* Condition */

int model_condition_wait(struct model *m, unsigned task, unsigned which)
{
    if (m->mutexes[which].owner != task)
        return BIGHT_EPERM;
    m->tasks[task].owns &= (uint8_t) ~(1u << which);
    model_sleep(m, task);
    disown(m, which, task);
    return SUSPENDED;
}

/* From the line of the condition to that of the mutex. */
static void relock(struct model *m, unsigned task, unsigned mutex)
{
    m->tasks[task].cases[0].op = OP_RELOCK;
    line_add(&m->mutexes[mutex].waiters, task, 0);
}

/* How many it reached. */
static unsigned notify(struct model *m, unsigned condition, unsigned count)
{
    unsigned reached = 0;
    unsigned task, which;

    while (count-- && line_first(&m->conditions[condition], &task, &which)) {
        m->tasks[task].notified = true;
        relock(m, task, condition);
        reached++;
    }
    return reached;
}

bool model_condition_cancel(struct model *m, unsigned task)
{
    struct model_task *t = &m->tasks[task];
    unsigned mutex = t->cases[0].a;

    if (m->mutexes[mutex].owner != NOBODY && model_waits_for(m, m->mutexes[mutex].owner, task))
        return false;
    if (t->cases[0].op == OP_RELOCK)
        return true;
    model_disarm(m, task, 0);
    if (m->mutexes[mutex].owner == NOBODY) {
        t->cases[0].op = OP_RELOCK;
        model_resolve(m, task, 0, 0);
        model_own(m, mutex, task);
    } else {
        relock(m, task, mutex);
    }
    return true;
}

bool model_condition_give_up(struct model *m, unsigned task)
{
    const struct model_task *t = &m->tasks[task];

    if (t->state != ASLEEP || t->cases[0].op != OP_RELOCK)
        return false;
    model_disarm(m, task, 0);
    return model_resolve(m, task, 0, BIGHT_EDEADLK);
}

int model_condition_over(struct model *m, unsigned task, int result)
{
    struct model_task *t = &m->tasks[task];
    unsigned mutex = t->cases[0].a;

    if (result == 0 && !model_observes(m, task))
        return 0;
    if (t->notified && m->mutant != MUTANT_NOTIFICATION_LOST) {
        notify(m, mutex, 1);
        hand_over(m, mutex);
    }
    return result ? result : BIGHT_ECANCELED;
}

/* Semaphore */

int model_try_acquire(struct model *m, unsigned which)
{
    struct model_semaphore *semaphore = &m->semaphores[which];

    if (semaphore->value == 0)
        return PENDING;
    semaphore->value--;
    return 0;
}

static int release(struct model *m, unsigned which)
{
    struct model_semaphore *semaphore = &m->semaphores[which];
    unsigned task, of_task;

    if (which == 1 && semaphore->value == SEMAPHORE_UNITS)
        return BIGHT_ERANGE;
    semaphore->taken--;
    while (line_first(&semaphore->waiters, &task, &of_task)) {
        if (model_resolve(m, task, of_task, 0))
            return 0;
    }
    semaphore->value++;
    return 0;
}

int model_act_on_lock(struct model *m, unsigned task, const struct step *step)
{
    unsigned owner = m->mutexes[step->a].owner;

    switch (step->op) {
    case OP_TRYLOCK:
        if (owner != NOBODY)
            return owner == task ? BIGHT_EDEADLK : BIGHT_EBUSY;
        model_own(m, step->a, task);
        return 0;
    case OP_UNLOCK:
        if (owner != task)
            return BIGHT_EPERM;
        disown(m, step->a, task);
        return 0;
    case OP_NOTIFY:
        if (owner != task)
            return BIGHT_EPERM;
        m->owed[step->a] = (uint8_t)(m->owed[step->a] + notify(m, step->a, (unsigned)step->b));
        return 0;
    case OP_TRY_ACQUIRE:
        return model_try_acquire(m, step->a) == 0 ? 0 : BIGHT_EAGAIN;
    default:
        return release(m, step->a);
    }
}
