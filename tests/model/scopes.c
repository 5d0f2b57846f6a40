/* Scopes, groups, deadlines; see model.h. Whether a call is cancelled is computed from the flags of
 * the scopes around it each time it is asked. */
#include "tests/model/model.h"

#include <bight/group.h>

static bool is_over(const struct model_scope *scope)
{
    return scope->cancelled || scope->expired;
}

bool model_scope_cancelled(const struct model *m, unsigned task, unsigned depth)
{
    for (;;) {
        const struct model_task *t = &m->tasks[task];

        for (unsigned at = depth + 1; at-- > 0;) {
            if (is_over(&t->scopes[at]))
                return true;
            if (t->scopes[at].shield)
                return false;
        }
        if (t->owner == NOBODY)
            return m->root_cancelled;
        task = t->owner;
        depth = t->slot;
    }
}

bool model_cancelled(const struct model *m, unsigned task)
{
    return model_scope_cancelled(m, task, m->tasks[task].depth);
}

/* With shields that leak: whatever is around. */
static bool anything_over(const struct model *m, unsigned task)
{
    unsigned depth = m->tasks[task].depth;

    for (;;) {
        const struct model_task *t = &m->tasks[task];

        for (unsigned at = 0; at <= depth; at++) {
            if (is_over(&t->scopes[at]))
                return true;
        }
        if (t->owner == NOBODY)
            return m->root_cancelled;
        task = t->owner;
        depth = t->slot;
    }
}

bool model_observes(const struct model *m, unsigned task)
{
    if (m->mutant == MUTANT_SHIELD_LEAKS)
        return anything_over(m, task);
    if (m->mutant == MUTANT_EDGE && m->tasks[task].delivered)
        return false;
    return model_cancelled(m, task);
}

/* Deadlines: one timer per task, for the earliest of its scopes. */

void model_timer_set(struct model *m, unsigned task, unsigned which, int due_ms)
{
    unsigned at = 0;

    while (at < m->timer_count && (m->timers[at].task != task || m->timers[at].which != which))
        at++;
    if (at < m->timer_count) {
        if (m->timers[at].due_ms == due_ms)
            return;
        m->timer_count--;
        memmove(&m->timers[at], &m->timers[at + 1], (m->timer_count - at) * sizeof m->timers[0]);
    }
    if (due_ms != NEVER)
        m->timers[m->timer_count++] =
            (struct model_timer){(int16_t)due_ms, (uint8_t)task, (uint8_t)which};
}

static void deadline_update(struct model *m, unsigned task)
{
    const struct model_task *t = &m->tasks[task];
    int earliest = NEVER;

    for (unsigned at = 1; at <= t->depth; at++) {
        if (!is_over(&t->scopes[at]) && t->scopes[at].deadline_ms < earliest)
            earliest = t->scopes[at].deadline_ms;
    }
    model_timer_set(m, task, CASES_MAX, earliest);
}

static int16_t deadline_after(const struct model *m, int timeout_ms)
{
    return (int16_t)(timeout_ms < 0 ? NEVER : m->now_ms + timeout_ms);
}

int model_remaining_ms(const struct model *m, unsigned task)
{
    unsigned depth = m->tasks[task].depth;
    int earliest = NEVER;

    if (model_cancelled(m, task))
        return 0;
    for (;;) {
        const struct model_task *t = &m->tasks[task];
        bool shielded = false;

        for (unsigned at = depth + 1; at-- > 0 && !shielded;) {
            if (t->scopes[at].deadline_ms < earliest)
                earliest = t->scopes[at].deadline_ms;
            shielded = t->scopes[at].shield;
        }
        if (shielded || t->owner == NOBODY)
            break;
        task = t->owner;
        depth = t->slot;
    }
    if (earliest == NEVER)
        return -1;
    return earliest > m->now_ms ? earliest - m->now_ms : 0;
}

/* Cancellation */

static void reach(struct model *m, unsigned task, unsigned depth);

static void reach_members(struct model *m, unsigned owner, unsigned slot)
{
    for (unsigned birth = 0; birth < m->births; birth++) {
        for (unsigned i = 0; i < m->program->tasks; i++) {
            const struct model_task *t = &m->tasks[i];

            if (t->state != UNBORN && t->state != DONE && t->birth == birth && t->owner == owner &&
                t->slot == slot && !is_over(&t->scopes[0]))
                reach(m, i, 0);
        }
    }
}

/* A scope is over since now, and was not cancelled from around: who sleeps inside is to let go,
 * first the task itself, then those of its groups. What is further in and was over before has
 * been. */
static void reach(struct model *m, unsigned task, unsigned depth)
{
    struct model_task *t = &m->tasks[task];
    unsigned end = depth + 1; /* of the scopes that it reaches */

    while (end <= t->depth && !is_over(&t->scopes[end]) &&
           (!t->scopes[end].shield || m->mutant == MUTANT_SHIELD_LEAKS))
        end++;
    if (end > t->depth)
        model_let_go(m, task);
    for (unsigned at = depth; at < end && m->mutant != MUTANT_GROUP_DEAF; at++) {
        if (t->scopes[at].group)
            reach_members(m, task, at);
    }
}

static void over(struct model *m, unsigned task, unsigned depth, bool *flag)
{
    bool before = model_scope_cancelled(m, task, depth);

    *flag = true;
    deadline_update(m, task);
    if (!before)
        reach(m, task, depth);
}

void model_scope_cancel(struct model *m, unsigned task, unsigned depth)
{
    struct model_scope *scope = &m->tasks[task].scopes[depth];

    if (!scope->cancelled)
        over(m, task, depth, &scope->cancelled);
}

void model_cancel_task(struct model *m, unsigned task)
{
    if (m->tasks[task].state != DONE)
        model_scope_cancel(m, task, 0);
}

static bool give_up_below(struct model *m, unsigned owner)
{
    for (unsigned birth = 0; birth < m->births; birth++) {
        for (unsigned i = 0; i < m->program->tasks; i++) {
            const struct model_task *t = &m->tasks[i];

            if (t->state != UNBORN && t->state != DONE && t->birth == birth && t->owner == owner &&
                (model_condition_give_up(m, i) || give_up_below(m, i)))
                return true;
        }
    }
    return false;
}

bool model_stall(struct model *m)
{
    if (m->root_cancelled)
        return give_up_below(m, NOBODY);
    m->root_cancelled = true;
    reach_members(m, NOBODY, 0);
    return true;
}

void model_deadline_passed(struct model *m, unsigned task)
{
    struct model_task *t = &m->tasks[task];

    for (unsigned at = 1; at <= t->depth; at++) {
        if (!is_over(&t->scopes[at]) && t->scopes[at].deadline_ms <= m->now_ms)
            over(m, task, at, &t->scopes[at].expired);
    }
    deadline_update(m, task);
}

int model_set_timeout(struct model *m, unsigned task, unsigned depth, int timeout_ms)
{
    struct model_scope *scope = &m->tasks[task].scopes[depth];

    if (depth < 1 || depth > m->tasks[task].depth)
        return SKIPPED;
    if (scope->expired)
        return BIGHT_EALREADY;
    scope->deadline_ms = deadline_after(m, timeout_ms);
    deadline_update(m, task);
    if (timeout_ms == 0 && !scope->cancelled)
        over(m, task, depth, &scope->expired);
    return 0;
}

/* Opening and closing */

struct model_scope *model_scope_open(struct model *m, unsigned task, int timeout_ms)
{
    struct model_task *t = &m->tasks[task];
    struct model_scope *scope = &t->scopes[++t->depth];

    memset(scope, 0, sizeof *scope);
    scope->deadline_ms = deadline_after(m, timeout_ms);
    deadline_update(m, task);
    if (timeout_ms == 0)
        over(m, task, t->depth, &scope->expired);
    return scope;
}

/* Of each scope, whether it is cancelled. */
struct cancelled_scopes {
    bool at[TASKS_MAX][DEPTH_MAX + 1];
};

static void look_at_scopes(const struct model *m, struct cancelled_scopes *scopes)
{
    for (unsigned i = 0; i < m->program->tasks; i++) {
        const struct model_task *t = &m->tasks[i];

        for (unsigned at = 0; at <= t->depth; at++)
            scopes->at[i][at] =
                t->state != UNBORN && t->state != DONE && model_scope_cancelled(m, i, at);
    }
}

/* What was let go before stays so. */
void model_set_shield(struct model *m, unsigned task, unsigned depth, bool shield)
{
    bool before = model_scope_cancelled(m, task, depth);
    struct cancelled_scopes were = {0}, are = {0};

    look_at_scopes(m, &were);
    m->tasks[task].scopes[depth].shield = shield;
    look_at_scopes(m, &are);
    for (unsigned i = 0; i < m->program->tasks; i++) {
        for (unsigned at = 0; at <= m->tasks[i].depth; at++)
            m->tasks[i].scopes[at].lifted |= were.at[i][at] && !are.at[i][at];
    }
    if (!before && model_scope_cancelled(m, task, depth))
        reach(m, task, depth);
}

static int settle_scope(const struct model_scope *scope, int rc, bool cancelled_around)
{
    if (rc != BIGHT_ECANCELED || cancelled_around)
        return rc;
    if (scope->expired)
        return BIGHT_ETIMEDOUT;
    return scope->cancelled ? 0 : rc;
}

static int settle_group(const struct model_scope *group, int rc, bool cancelled_around)
{
    if (group->won)
        return group->success;
    if (group->failed)
        return group->failure;
    if (rc != BIGHT_ECANCELED && !(rc >= 0 && group->gave_way))
        return rc;
    if (cancelled_around)
        return BIGHT_ECANCELED;
    if (group->expired)
        return BIGHT_ETIMEDOUT;
    return rc == BIGHT_ECANCELED && group->cancelled ? 0 : rc;
}

int model_scope_close(struct model *m, unsigned task, int rc)
{
    struct model_task *t = &m->tasks[task];
    struct model_scope scope = t->scopes[t->depth];
    bool cancelled_around = !scope.shield && model_scope_cancelled(m, task, t->depth - 1u);

    if (scope.group && model_group_live(m, task, t->depth))
        model_break(m, "a group ended before its tasks");
    memset(&t->scopes[t->depth--], 0, sizeof scope);
    deadline_update(m, task);
    return scope.group ? settle_group(&scope, rc, cancelled_around)
                       : settle_scope(&scope, rc, cancelled_around);
}

/* Groups */

/* Whether something inside the scope may have given way to a cancellation. */
static bool was_cancelled(const struct model *m, unsigned task, unsigned depth)
{
    return m->tasks[task].scopes[depth].lifted || model_scope_cancelled(m, task, depth);
}

unsigned model_group_live(const struct model *m, unsigned owner, unsigned slot)
{
    unsigned live = 0;

    for (unsigned i = 0; i < m->program->tasks; i++) {
        const struct model_task *t = &m->tasks[i];

        live += t->state != UNBORN && t->state != DONE && t->owner == owner && t->slot == slot;
    }
    return live;
}

static void failed(struct model *m, unsigned owner, unsigned slot, int code)
{
    struct model_scope *group = &m->tasks[owner].scopes[slot];

    if (group->failed)
        return;
    group->failed = true;
    group->failure = (int16_t)code;
    if (!group->policy && m->mutant != MUTANT_FAILS_ALONE)
        model_scope_cancel(m, owner, slot);
}

static void succeeded(struct model *m, unsigned owner, unsigned slot, int status)
{
    struct model_scope *group = &m->tasks[owner].scopes[slot];

    if (group->won || group->policy != BIGHT_GROUP_FIRST_SUCCESS)
        return;
    group->won = true;
    group->success = (int16_t)status;
    model_scope_cancel(m, owner, slot);
}

/* The body is over with `rc`. */
void model_group_close_begin(struct model *m, unsigned task, int rc)
{
    unsigned slot = m->tasks[task].depth;

    if (rc < 0 && (rc != BIGHT_ECANCELED || !was_cancelled(m, task, slot)))
        failed(m, task, slot, rc);
    if (rc < 0 && !model_scope_cancelled(m, task, slot))
        model_scope_cancel(m, task, slot);
}

void model_group_left(struct model *m, unsigned task)
{
    const struct model_task *t = &m->tasks[task];
    struct model_task *owner;

    if (t->owner == NOBODY)
        return;
    owner = &m->tasks[t->owner];
    if (t->status == BIGHT_ECANCELED && was_cancelled(m, task, 0))
        owner->scopes[t->slot].gave_way |= model_scope_cancelled(m, t->owner, t->slot);
    else if (t->status < 0)
        failed(m, t->owner, t->slot, t->status);
    else
        succeeded(m, t->owner, t->slot, t->status);
    if (!model_group_live(m, t->owner, t->slot) && owner->state == ASLEEP &&
        owner->cases[0].op == OP_END && owner->depth == t->slot)
        model_resolve(m, t->owner, 0, 0);
}
