/* Tasks, their steps, and the one mechanism of waiting; see model.h. */
#include "tests/model/model.h"

void model_make_ready(struct model *m, unsigned task)
{
    m->tasks[task].state = READY;
    m->ready[m->ready_count++] = (uint8_t)task;
}

void model_spawn(struct model *m, unsigned task, unsigned owner, unsigned slot)
{
    struct model_task *t = &m->tasks[task];

    t->handle = HANDLE_VALID;
    t->birth = m->births++;
    t->owner = (uint8_t)owner;
    t->slot = (uint8_t)slot;
    t->joiner = NOBODY;
    t->scopes[0].deadline_ms = NEVER;
    model_make_ready(m, task);
}

void model_start(struct model *m, const struct program *program, enum mutant mutant)
{
    memset(m, 0, sizeof *m);
    m->program = program;
    m->mutant = (uint8_t)mutant;
    for (unsigned i = 0; i < MUTEXES; i++)
        m->mutexes[i].owner = NOBODY;
    for (unsigned i = 0; i < SEMAPHORES; i++)
        m->semaphores[i].value = SEMAPHORE_UNITS;
    for (unsigned task = 0; task < program->begun; task++)
        model_spawn(m, task, NOBODY, 0);
}

bool model_all_done(const struct model *m)
{
    for (unsigned task = 0; task < m->program->tasks; task++) {
        if (m->tasks[task].state != DONE && m->tasks[task].state != UNBORN)
            return false;
    }
    return true;
}

/* Waiting */

void model_sleep(struct model *m, unsigned task)
{
    struct model_task *t = &m->tasks[task];

    for (unsigned i = 0; i < t->count; i++)
        model_arm(m, task, i);
    t->state = ASLEEP;
}

static void wait_over(struct model *m, unsigned task, int keep, enum resume resume)
{
    struct model_task *t = &m->tasks[task];

    for (unsigned i = 0; i < t->count; i++) {
        if ((int)i != keep && (keep < 0 || m->mutant != MUTANT_SELECT_TWICE))
            model_disarm(m, task, i);
    }
    t->resume = (uint8_t)resume;
    model_make_ready(m, task);
}

/* The caller has taken the case out of its line. */
bool model_resolve(struct model *m, unsigned task, unsigned which, int result)
{
    struct model_task *t = &m->tasks[task];

    if (t->state != ASLEEP) {
        /* With nobody wrong on purpose a line has only those that sleep. */
        t->commits += m->mutant == MUTANT_SELECT_TWICE;
        return m->mutant == MUTANT_SELECT_TWICE || m->mutant == MUTANT_WAKE_LOST;
    }
    t->won = (uint8_t)which;
    t->result = (int16_t)result;
    t->commits++;
    wait_over(m, task, (int)which, RESUME_WOKEN);
    return true;
}

static bool is_in_condition(const struct model_task *t)
{
    return t->cases[0].op == OP_NOTIFIED || t->cases[0].op == OP_RELOCK;
}

void model_let_go(struct model *m, unsigned task)
{
    struct model_task *t = &m->tasks[task];

    t->was_cancelled |= model_cancelled(m, task);
    if (t->state == READY && t->resume == RESUME_WOKEN && m->mutant == MUTANT_WAKE_OVERRIDDEN)
        t->resume = RESUME_LET_GO;
    if (t->state != ASLEEP || m->mutant == MUTANT_SLEEPS_ON)
        return;
    if (t->cases[0].op == OP_END && m->mutant != MUTANT_GROUP_HASTY)
        return; /* the end of a group refuses */
    if (is_in_condition(t) && model_condition_cancel(m, task))
        return;
    if (m->mutant == MUTANT_WAKE_LOST) {
        t->resume = RESUME_LET_GO;
        model_make_ready(m, task);
        return;
    }
    wait_over(m, task, -1, RESUME_LET_GO);
}

/* Steps. Each returns its code, or SUSPENDED: then the task goes on in step_resume. */

/* A cancellation is observed; from the second in a row on, by way of the ready queue. */
static int deliver(struct model *m, unsigned task, bool passed_queue)
{
    struct model_task *t = &m->tasks[task];

    if (t->delivered < 2)
        t->delivered++;
    if (t->delivered < 2 || passed_queue)
        return BIGHT_ECANCELED;
    t->resume = RESUME_DELIVERED;
    return SUSPENDED;
}

static int wait_finish(struct model *m, unsigned task, int rc, int16_t *value)
{
    struct model_task *t = &m->tasks[task];
    const struct choice *won = &t->cases[t->won];
    bool selects = model_step(m, task)->op == OP_SELECT;

    t->result = (int16_t)rc;
    if (selects)
        *value = (int16_t)rc;
    if (won->op == OP_GET && rc == 0)
        *value = t->item;
    if (won->op == OP_JOIN && rc == 0) {
        *value = m->tasks[won->a].status;
        if (!selects)
            m->tasks[won->a].handle = HANDLE_GONE;
    }
    if (won->op == OP_LOCK && rc == 0 && m->mutant == MUTANT_BARGING)
        model_own(m, won->a, task);
    return selects ? t->won : rc;
}

static bool has_handles(const struct model *m, const struct model_task *t)
{
    for (unsigned i = 0; i < t->count; i++) {
        if (t->cases[i].op == OP_JOIN && m->tasks[t->cases[i].a].handle != HANDLE_VALID)
            return false;
    }
    return true;
}

/* Of a select: for the end of the one that selects. */
static bool waits_for_itself(const struct model *m, unsigned task)
{
    const struct step *step = model_step(m, task);

    for (unsigned i = 0; i < step->count; i++) {
        if (step->cases[i].op == OP_JOIN && step->cases[i].a == task)
            return true;
    }
    return false;
}

static int wait_begin(struct model *m, unsigned task, const struct step *step, int16_t *value)
{
    struct model_task *t = &m->tasks[task];
    bool cancelled;

    if (step->op == OP_SELECT) {
        memcpy(t->cases, step->cases, sizeof t->cases);
        t->count = step->count;
    } else {
        t->cases[0] = (struct choice){step->op, step->a, step->b};
        t->count = 1;
    }
    if (!has_handles(m, t))
        return SKIPPED;
    cancelled = model_observes(m, task);
    if (cancelled && m->mutant != MUTANT_LATE_CHECK)
        return deliver(m, task, false);
    if (waits_for_itself(m, task))
        return BIGHT_EDEADLK;
    if (step->op == OP_NOTIFIED)
        return model_condition_wait(m, task, step->a);
    for (unsigned i = 0; i < t->count; i++) {
        int rc = model_try(m, task, &t->cases[i], &t->item);

        if (rc != PENDING) {
            t->won = (uint8_t)i;
            t->commits++;
            return wait_finish(m, task, rc, value);
        }
    }
    if (cancelled)
        return deliver(m, task, false);
    model_sleep(m, task);
    return SUSPENDED;
}

static int yield_begin(struct model *m, unsigned task)
{
    if (model_observes(m, task))
        return deliver(m, task, false);
    m->tasks[task].resume = RESUME_YIELDED;
    return SUSPENDED;
}

static int group_sleep(struct model *m, unsigned task)
{
    struct model_task *t = &m->tasks[task];

    t->cases[0] = (struct choice){.op = OP_END, .a = t->depth};
    t->count = 1;
    model_sleep(m, task);
    return SUSPENDED;
}

static int end_begin(struct model *m, unsigned task)
{
    struct model_task *t = &m->tasks[task];

    if (t->scopes[t->depth].group) {
        model_group_close_begin(m, task, t->carried);
        if (model_group_live(m, task, t->depth))
            return group_sleep(m, task);
    }
    return model_scope_close(m, task, t->carried);
}

static int cancel_scope(struct model *m, unsigned task, int depth)
{
    const struct model_task *t = &m->tasks[task];

    if (t->state == UNBORN || t->state == DONE || depth < 1 || depth > t->depth)
        return SKIPPED;
    model_scope_cancel(m, task, (unsigned)depth);
    return 0;
}

/* Into the innermost group around: one of its own that is open, else the one that it is in. */
static int spawn(struct model *m, unsigned task, unsigned child)
{
    const struct model_task *t = &m->tasks[task];

    if (m->tasks[child].state != UNBORN)
        return SKIPPED;
    for (unsigned depth = t->depth; depth > 0; depth--) {
        if (t->scopes[depth].group) {
            model_spawn(m, child, task, depth);
            return 0;
        }
    }
    model_spawn(m, child, t->owner, t->slot);
    return 0;
}

static int step_on_tasks(struct model *m, unsigned task, const struct step *step, int16_t *value)
{
    struct model_scope *group;

    switch (step->op) {
    case OP_SPAWN:
        return spawn(m, task, step->a);
    case OP_CANCEL:
        if (m->tasks[step->a].handle != HANDLE_VALID)
            return SKIPPED;
        model_cancel_task(m, step->a);
        return 0;
    case OP_CANCEL_SCOPE:
        return cancel_scope(m, step->a, step->b);
    case OP_SET_TIMEOUT:
        return model_set_timeout(m, task, step->a, step->b);
    case OP_LOOK:
        *value = (int16_t)model_remaining_ms(m, task);
        return model_observes(m, task);
    case OP_SET_SHIELD:
        if (step->a > m->tasks[task].depth)
            return SKIPPED;
        model_set_shield(m, task, step->a, step->b);
        return 0;
    case OP_SCOPE:
        model_scope_open(m, task, step->b);
        return 0;
    case OP_SHIELD:
        model_scope_open(m, task, step->b)->shield = true;
        return 0;
    case OP_GROUP:
        group = model_scope_open(m, task, -1);
        group->group = true;
        group->policy = (uint8_t)step->b;
        return 0;
    default:
        return end_begin(m, task);
    }
}

static int step_begin(struct model *m, unsigned task, int16_t *value)
{
    struct model_task *t = &m->tasks[task];
    const struct step *step = model_step(m, task);
    int rc;

    t->opened_cancelled = model_cancelled(m, task);
    t->commits = 0;
    t->item = 0;
    if (step->op == OP_YIELD || (step->op == OP_SLEEP && step->b == 0))
        return yield_begin(m, task);
    if (step->op <= OP_LAST_SUSPENDING)
        return wait_begin(m, task, step, value);
    if (step->op == OP_RETURN)
        return step->b;
    if (step->op >= OP_SPAWN)
        return step_on_tasks(m, task, step, value);
    rc = model_act(m, task, step, &t->item);
    *value = t->item;
    return rc;
}

static int step_resume(struct model *m, unsigned task, enum resume resume, int16_t *value)
{
    struct model_task *t = &m->tasks[task];
    int rc;

    switch (resume) {
    case RESUME_DELIVERED:
        return BIGHT_ECANCELED;
    case RESUME_YIELDED:
        return model_observes(m, task) ? deliver(m, task, true) : 0;
    case RESUME_LET_GO:
        if (t->cases[0].op == OP_END)
            break;
        rc = deliver(m, task, true);
        return is_in_condition(t) ? model_condition_over(m, task, BIGHT_EDEADLK) : rc;
    default:
        t->delivered = 0;
    }
    if (is_in_condition(t)) {
        rc = model_condition_over(m, task, t->result);
        return rc == BIGHT_ECANCELED ? deliver(m, task, true) : rc;
    }
    if (t->cases[0].op != OP_END)
        return wait_finish(m, task, t->result, value);
    /* Somebody may have spawned into the group since. */
    if (resume == RESUME_WOKEN && model_group_live(m, task, t->depth))
        return group_sleep(m, task);
    return model_scope_close(m, task, t->carried);
}

/* Running */

static void record(struct model *m, unsigned task, unsigned step, int rc, int value)
{
    struct event event = {
        .task = (uint8_t)task,
        .step = (uint8_t)step,
        .rc = (int16_t)rc,
        .value = (int16_t)value,
        .now_ms = m->now_ms,
    };

    if (m->record)
        m->record(m->record_arg, &event);
}

static void task_end(struct model *m, unsigned task, int status)
{
    struct model_task *t = &m->tasks[task];

    t->status = (int16_t)status;
    model_mutexes_abandoned(m, task);
    t->state = DONE;
    model_group_left(m, task);
    model_tell_end(m, task);
}

/* The step is over: where the task goes from there. */
static void step_over(struct model *m, unsigned task, int rc)
{
    struct model_task *t = &m->tasks[task];
    const struct step *step = model_step(m, task);
    bool leaves = step->op == OP_RETURN || (rc < 0 && !step->careless);

    memset(t->cases, 0, sizeof t->cases);
    t->count = 0;
    t->won = 0;
    t->item = 0;
    t->result = 0;
    t->commits = 0;
    t->notified = false;
    t->opened_cancelled = false;
    t->was_cancelled = false;
    t->carried = (int16_t)(leaves ? rc : 0);
    t->step = (uint8_t)(leaves ? script_leave(&m->program->scripts[task], t->step) : t->step + 1u);
}

/* False: the task gave way in the step. */
static bool step_run(struct model *m, unsigned task)
{
    struct model_task *t = &m->tasks[task];
    enum resume resume = (enum resume)t->resume;
    unsigned step = t->step;
    int16_t value = 0;
    int rc;

    t->resume = RESUME_NOT;
    rc = resume ? step_resume(m, task, resume, &value) : step_begin(m, task, &value);
    if (rc == SUSPENDED) {
        if (t->state == RUNNING) {
            model_turn(m); /* a turn that begins now begins without it */
            model_make_ready(m, task);
        }
        return false;
    }
    model_check_step(m, task, rc);
    record(m, task, step, rc, value);
    step_over(m, task, rc);
    return true;
}

void model_run(struct model *m, unsigned task)
{
    struct model_task *t = &m->tasks[task];
    unsigned length = m->program->scripts[task].length;
    unsigned at = 0;

    while (m->ready[at] != task)
        at++;
    memmove(&m->ready[at], &m->ready[at + 1], --m->ready_count - at);
    t->state = RUNNING;
    if (!t->begun && model_observes(m, task)) {
        record(m, task, STEP_DROPPED, BIGHT_ECANCELED, 0);
        task_end(m, task, BIGHT_ECANCELED);
        return;
    }
    t->begun = true;
    while (t->step < length) {
        if (!step_run(m, task))
            return;
    }
    record(m, task, length, t->carried, 0);
    task_end(m, task, t->carried);
}

unsigned model_turn(struct model *m)
{
    if (m->turn_left == 0)
        m->turn_left = m->ready_count;
    return m->turn_left;
}

void model_run_ready(struct model *m, unsigned index)
{
    unsigned task = m->ready[index];

    m->turn_left--;
    /* The ones it passed over stay in order. */
    model_run(m, task);
}

int model_next_due(const struct model *m)
{
    int due = NEVER;

    for (unsigned i = 0; i < m->timer_count; i++) {
        if (m->timers[i].due_ms < due)
            due = m->timers[i].due_ms;
    }
    return due;
}

void model_fire(struct model *m, unsigned timer)
{
    struct model_timer fired = m->timers[timer];

    if (fired.due_ms > m->now_ms)
        m->now_ms = fired.due_ms;
    model_timer_set(m, fired.task, fired.which, NEVER);
    if (fired.which == CASES_MAX)
        model_deadline_passed(m, fired.task);
    else
        model_resolve(m, fired.task, fired.which, 0);
}
