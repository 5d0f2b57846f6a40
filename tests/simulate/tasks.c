/* Simulations of tasks, groups, scopes and time: whoever was begun has ended, codes are those of
 * the cause, deadlines are met to the nanosecond. */
#include "tests/simulate/simulate.h"

#include <stdlib.h>

#define MS_NS UINT64_C(1000000)

/* Groups within groups, some of which fail: a group ends after its tasks, with the code of the
 * first that failed. */

struct family {
    int alive;
    int depth;
};

struct member {
    struct family *family;
    int depth;
    int code; /* it is to fail with that */
};

static int family_group(struct family *family, int depth);

static int live(void *arg)
{
    struct member member = *(struct member *)arg;

    free(arg);
    member.family->alive++;
    int rc = sim_pause();
    if (rc == 0 && member.depth > 0 && sim_chance(50))
        rc = family_group(member.family, member.depth - 1);
    if (rc == 0)
        rc = sim_pause();
    member.family->alive--;
    return rc ? rc : member.code;
}

static int family_body(struct bight_group *group, void *arg)
{
    const struct bight_spawn_options options = {.drop = free};
    const struct member *parent = arg;
    int count = (int)sim_below(4), rc = 0;

    for (int i = 0; i < count && !rc; i++) {
        struct member *member = malloc(sizeof *member);

        if (!member)
            abort();
        *member = *parent;
        member->code = sim_chance(15) ? BIGHT_EIO : 0;
        rc = bight_group_spawn(NULL, group, &options, live, member);
        if (rc)
            free(member);
    }
    return rc ? rc : sim_pause();
}

static int family_group(struct family *family, int depth)
{
    struct member parent = {.family = family, .depth = depth};
    int rc = bight_group_run(family_body, &parent);

    insist(rc == 0 || rc == BIGHT_EIO || rc == BIGHT_ECANCELED || rc == BIGHT_ENOMEM);
    return rc;
}

static int groups(void *arg)
{
    struct family family = {.alive = 0};
    int rc = family_group(&family, 3);

    (void)arg;
    insist(family.alive == 0);
    return sim_over(rc == BIGHT_EIO ? 0 : rc);
}

/* Nested deadlines and shields: the scope that expires does so at its time, and only it says so. */

static int nest(uint64_t outer_ns, int depth)
{
    struct bight_scope scope;
    int64_t timeout_ms = 1 + (int64_t)sim_below(30);
    uint64_t begin_ns = bight_now_ns(), due_ns = begin_ns + (uint64_t)timeout_ms * MS_NS;
    int rc = bight_scope_begin(&scope, timeout_ms, 0);

    if (rc)
        return rc;
    due_ns = due_ns < outer_ns ? due_ns : outer_ns;
    for (int i = 0; i < 3 && !rc; i++) {
        if (depth > 0 && sim_chance(60))
            rc = nest(due_ns, depth - 1);
        else
            rc = bight_sleep(1 + (int64_t)sim_below(20));
        insist(rc || bight_now_ns() <= due_ns);
    }
    bool expired = scope.expired;
    rc = bight_scope_end(&scope, rc);
    insist(rc != BIGHT_ETIMEDOUT ||
           (expired && bight_now_ns() == begin_ns + (uint64_t)timeout_ms * MS_NS));
    return rc == BIGHT_ETIMEDOUT ? 0 : rc;
}

static int deadlines_of(struct sim_actor *actor)
{
    (void)actor;
    return nest(UINT64_MAX, 3);
}

static int deadlines(void *arg)
{
    (void)arg;
    return sim_over(sim_crowd(NULL, 3, deadlines_of, NULL));
}

/* Shields: what is inside goes on to its end, whatever happens around it. */

struct vault {
    int entered, left;
};

static int inside_vault(void *arg)
{
    struct vault *vault = arg;

    vault->entered++;
    insist(bight_sleep(sim_below(5)) == 0);
    insist(bight_yield() == 0);
    vault->left++;
    return 7;
}

static int use_vault(struct sim_actor *actor)
{
    struct bight_scope scope;
    bool done;
    int rc = sim_begin(&scope);

    if (rc)
        return rc;
    rc = bight_shield(-1, inside_vault, actor->shared);
    insist(rc == 7);
    rc = sim_end(&scope, sim_pause(), &done);
    return rc;
}

static int shields(void *arg)
{
    struct vault vault = {.entered = 0};
    int rc = sim_crowd(&vault, 1 + (int)sim_below(5), use_vault, NULL);

    (void)arg;
    insist(vault.entered == vault.left);
    return sim_over(rc);
}

/* Joins: the status that comes out is that of the task, however it ended, and each is taken
 * once. */

static int give_code(void *arg)
{
    int rc = sim_pause();

    return rc ? rc : *(int *)arg;
}

static int joins_of(struct sim_actor *actor)
{
    struct bight_task *task;
    int code = (int)sim_below(100), status = -1, rc = bight_spawn(&task, give_code, &code);

    (void)actor;
    if (rc)
        return rc;
    if (sim_chance(30))
        bight_task_cancel(task);
    rc = sim_pause();
    if (rc == 0)
        rc = bight_join(task, &status);
    if (rc) { /* its argument is in this frame */
        bight_task_cancel(task);
        struct bight_scope scope;
        insist(bight_scope_begin(&scope, -1, BIGHT_SCOPE_SHIELD) == 0);
        insist(bight_join(task, &status) == 0);
        insist(bight_scope_end(&scope, 0) == 0);
    }
    insist(status == code || status == BIGHT_ECANCELED);
    return rc;
}

static int joins(void *arg)
{
    (void)arg;
    return sim_over(sim_crowd(NULL, 1 + (int)sim_below(8), joins_of, NULL));
}

/* Futures: all who wait get the one value, once it is there. */

struct promise {
    struct bight_future future;
    bool settled;
    int code;
};

static void settle(struct promise *promise, int code)
{
    if (bight_future_done(&promise->future))
        return;
    promise->settled = true;
    promise->code = code;
    (void)(code ? bight_future_fail(&promise->future, code)
                : bight_future_set(&promise->future, promise));
}

static int promise_or_wait(struct sim_actor *actor)
{
    struct promise *promise = actor->shared;
    void *value = NULL;
    int status, rc = sim_pause();

    if (rc)
        return rc;
    if (actor->index == 0) {
        settle(promise, sim_chance(30) ? BIGHT_EIO : 0);
        return 0;
    }
    rc = bight_future_wait(&promise->future, &status, &value);
    insist(rc || (promise->settled && status == promise->code));
    insist(rc || status || value == promise);
    return rc;
}

static void break_promise(struct sim_actor *actor)
{
    if (actor->index == 0)
        settle(actor->shared, BIGHT_EPIPE);
}

static int future(void *arg)
{
    struct promise promise = {.settled = false};

    (void)arg;
    bight_future_init(&promise.future);
    return sim_over(sim_crowd(&promise, 2 + (int)sim_below(6), promise_or_wait, break_promise));
}

/* Calls: each is made once unless it was cancelled, those of a time in order, never early. */

#define CALLS 8

struct appointment {
    struct bight_call call;
    uint64_t due_ns;
    bool made, cancelled;
};

static struct appointments {
    struct appointment all[CALLS];
    uint64_t last_ns;
} calendar;

static void keep(struct bight_call *call)
{
    struct appointment *one = (struct appointment *)(void *)call;

    insist(!one->made && !one->cancelled);
    insist(bight_now_ns() >= one->due_ns);
    insist(one->due_ns >= calendar.last_ns);
    calendar.last_ns = one->due_ns;
    one->made = true;
}

static int calls(void *arg)
{
    int rc = 0;

    (void)arg;
    calendar = (struct appointments){.last_ns = 0};
    for (int i = 0; i < CALLS; i++) {
        struct appointment *one = &calendar.all[i];
        int64_t delay_ms = 1 + (int64_t)sim_below(20);

        bight_call_init(&one->call, keep);
        one->due_ns = bight_now_ns() + (uint64_t)delay_ms * MS_NS;
        insist(bight_call_later(&one->call, delay_ms) == 0);
    }
    for (int i = 0; i < CALLS && !rc; i++) {
        struct appointment *one = &calendar.all[i];

        rc = sim_pause();
        if (sim_chance(30))
            one->cancelled = bight_call_cancel(&one->call);
    }
    if (rc == 0)
        rc = bight_sleep(100);
    for (int i = 0; i < CALLS; i++) {
        struct appointment *one = &calendar.all[i];

        if (rc)
            one->cancelled |= bight_call_cancel(&one->call);
        insist(one->made != one->cancelled);
    }
    return sim_over(rc);
}

/* Sleepers wake exactly when they wanted, in order. */

static int sleep_exactly(struct sim_actor *actor)
{
    uint64_t *last_ns = actor->shared;
    int rc = 0;

    for (int i = 0; i < 5 && !rc; i++) {
        int64_t ms = 1 + (int64_t)sim_below(50);
        uint64_t due_ns = bight_now_ns() + (uint64_t)ms * MS_NS;

        rc = bight_sleep(ms);
        insist(rc || bight_now_ns() == due_ns);
        insist(bight_now_ns() >= *last_ns);
        *last_ns = bight_now_ns();
    }
    return rc;
}

static int sleepers(void *arg)
{
    uint64_t last_ns = 0;

    (void)arg;
    return sim_over(sim_crowd(&last_ns, 1 + (int)sim_below(10), sleep_exactly, NULL));
}

const struct sim_scenario sim_tasks[] = {
    {"groups", groups}, {"deadlines", deadlines}, {"shields", shields},   {"joins", joins},
    {"future", future}, {"calls", calls},         {"sleepers", sleepers}, {NULL, NULL},
};
