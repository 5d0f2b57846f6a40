/* Simulation of everything at once: random programs whose tasks lock, put, get, wait, nest
 * scopes, shields and groups, fail, cancel each other and themselves. Whatever happens: a mutex
 * has one holder, no item is lost or doubled, no task is left, no timer is armed, nothing
 * stalls. */
#include "tests/simulate/simulate.h"

#include <stdlib.h>

#define MUTEXES 3
#define QUEUES 2
#define EVENTS 3
#define HANDLES 16
#define DEPTH_MAX 6
#define ACTIONS_MAX 4000
#define ROUNDS 10

struct sim {
    unsigned actions;
    struct bight_mutex mutexes[MUTEXES];
    struct bight_task *holders[MUTEXES];
    struct bight_queue *queues[QUEUES];
    size_t put, got;
    struct bight_event events[EVENTS];
    struct bight_task *handles[HANDLES]; /* of tasks that anybody may cancel */
};

/* What a task is about. Passed by value from frame to frame, by memory of its own to a new task. */
struct actor {
    struct sim *sim;
    int depth;
    struct bight_group *group; /* the innermost, NULL without one */
};

static int act(struct actor *actor);

static int act_deeper(void *arg)
{
    struct actor actor = *(struct actor *)arg;

    actor.depth++;
    return act(&actor);
}

/* Own deadlines and the cycles that random locking makes are no reason to leave. */
static int unless_expected(int rc)
{
    insist(rc != BIGHT_ESCOPE && rc != BIGHT_ENOTASK && rc != BIGHT_EINVAL);
    return rc == BIGHT_ETIMEDOUT || rc == BIGHT_EDEADLK ? 0 : rc;
}

static int do_lock(struct actor *actor)
{
    struct sim *sim = actor->sim;
    unsigned which = sim_below(MUTEXES);
    int rc = bight_mutex_lock(&sim->mutexes[which]);

    if (rc)
        return rc;
    insist(!sim->holders[which]);
    sim->holders[which] = bight_self();
    rc = sim_below(2) ? bight_yield() : bight_sleep(sim_below(5));
    insist(sim->holders[which] == bight_self());
    sim->holders[which] = NULL;
    insist(bight_mutex_unlock(&sim->mutexes[which]) == 0);
    return rc;
}

static int put(void *arg)
{
    struct sim *sim = ((struct actor *)arg)->sim;
    int rc = bight_queue_put(sim->queues[sim_below(QUEUES)], sim);

    sim->put += rc == 0;
    return rc;
}

static int get(void *arg)
{
    struct sim *sim = ((struct actor *)arg)->sim;
    void *item = NULL;
    int rc = bight_queue_get(sim->queues[sim_below(QUEUES)], &item);

    insist(item == (rc ? NULL : sim));
    sim->got += rc == 0;
    return rc;
}

static int wait(void *arg)
{
    struct sim *sim = ((struct actor *)arg)->sim;

    return bight_event_wait(&sim->events[sim_below(EVENTS)]);
}

static int do_put(struct actor *actor)
{
    return bight_timeout(sim_below(8), put, actor);
}

static int do_get(struct actor *actor)
{
    return bight_timeout(sim_below(8), get, actor);
}

static int do_wait(struct actor *actor)
{
    return bight_timeout(sim_below(8), wait, actor);
}

static int do_signal(struct actor *actor)
{
    struct bight_event *event = &actor->sim->events[sim_below(EVENTS)];

    if (sim_below(2))
        bight_event_set(event);
    else
        bight_event_clear(event);
    return 0;
}

static int do_yield(struct actor *actor)
{
    (void)actor;
    return bight_yield();
}

static int do_sleep(struct actor *actor)
{
    (void)actor;
    return bight_sleep(sim_below(20));
}

static int do_timeout(struct actor *actor)
{
    return bight_timeout(sim_below(15), act_deeper, actor);
}

static int do_shield(struct actor *actor)
{
    return bight_shield(sim_below(15), act_deeper, actor);
}

static int new_task(void *arg)
{
    struct actor actor = *(struct actor *)arg;

    free(arg);
    return act(&actor);
}

static struct actor *copy(const struct actor *actor, struct bight_group *group)
{
    struct actor *child = malloc(sizeof *child);

    if (!child)
        abort();
    *child = (struct actor){.sim = actor->sim, .depth = actor->depth + 1, .group = group};
    return child;
}

static int group_body(struct bight_group *group, void *arg)
{
    static const struct bight_spawn_options options = {.drop = free};
    struct actor actor = {.sim = ((struct actor *)arg)->sim, .group = group};

    actor.depth = ((struct actor *)arg)->depth + 1;
    for (unsigned count = sim_below(4); count > 0; count--) {
        struct actor *child = copy(&actor, group);
        if (bight_group_spawn(NULL, group, &options, new_task, child))
            free(child);
    }
    return act(&actor);
}

static int do_group(struct actor *actor)
{
    return bight_group_run(group_body, actor);
}

/* A task with a handle, joined by its spawner, or by main when that was cancelled. */
static int do_spawn(struct actor *actor)
{
    static const struct bight_spawn_options options = {.drop = free};
    struct sim *sim = actor->sim;
    unsigned slot = sim_below(HANDLES);
    struct actor *child;
    struct bight_task *task;
    int rc;

    if (sim->handles[slot])
        return 0;
    child = copy(actor, NULL);
    rc = bight_spawn_with(&task, &options, new_task, child);
    if (rc) {
        free(child);
        return rc;
    }
    sim->handles[slot] = task;
    rc = bight_join(task, NULL);
    if (rc == 0)
        sim->handles[slot] = NULL;
    return rc;
}

static int do_cancel(struct actor *actor)
{
    struct bight_task *task = actor->sim->handles[sim_below(HANDLES)];

    if (actor->group && sim_below(4) == 0)
        bight_scope_cancel(&actor->group->scope);
    else if (task)
        bight_task_cancel(task);
    return 0;
}

static void clean_up(void *arg)
{
    struct actor actor = {.sim = arg, .depth = DEPTH_MAX};

    (void)unless_expected(do_sleep(&actor));
    (void)unless_expected(do_lock(&actor));
}

static int do_defer(struct actor *actor)
{
    return bight_defer(clean_up, actor->sim);
}

static int do_fail(struct actor *actor)
{
    (void)actor;
    return sim_below(4) == 0 ? BIGHT_EIO : 0;
}

/* From `deep` on they call act again, up to a depth. */
static int (*const plain[])(struct actor *actor) = {
    do_lock,   do_lock,  do_put,   do_put,    do_get,   do_get,  do_wait,
    do_signal, do_yield, do_sleep, do_cancel, do_defer, do_fail,
};
static int (*const deep[])(struct actor *actor) = {do_timeout, do_shield, do_group, do_spawn};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A few actions, until one of them gives a reason to leave. Some go on in spite of a
 * cancellation. */
static int act(struct actor *actor)
{
    struct sim *sim = actor->sim;

    for (unsigned count = 1 + sim_below(12); count > 0; count--) {
        unsigned kinds = COUNT(plain) + (actor->depth < DEPTH_MAX ? COUNT(deep) : 0);
        unsigned kind = sim_below(kinds);
        int rc;

        if (sim->actions++ > ACTIONS_MAX)
            return 0;
        rc = kind < COUNT(plain) ? plain[kind](actor) : deep[kind - COUNT(plain)](actor);
        rc = unless_expected(rc);
        if (rc < 0 && sim_below(10) > 0)
            return rc;
    }
    return 0;
}

static struct bight_task *any_handle(const struct sim *sim, int *slot)
{
    for (*slot = 0; *slot < HANDLES; ++*slot) {
        if (sim->handles[*slot])
            return sim->handles[*slot];
    }
    return NULL;
}

/* Those whose spawner was cancelled before it could join them, and what they still spawn. */
static int join_the_rest(void *arg)
{
    struct sim *sim = arg;
    struct bight_task *task;
    int slot;

    while ((task = any_handle(sim, &slot))) {
        int rc;

        bight_task_cancel(task);
        rc = bight_join(task, NULL);
        insist(rc == 0 || rc == BIGHT_EALREADY);
        if (rc == 0)
            sim->handles[slot] = NULL;
        else
            insist(bight_sleep(1) == 0); /* somebody else is about to */
    }
    return 0;
}

static void nothing_is_left(struct sim *sim)
{
    size_t left = 0;

    for (int i = 0; i < MUTEXES; i++)
        insist(bight_mutex_try_lock(&sim->mutexes[i]) == 0 &&
               bight_mutex_unlock(&sim->mutexes[i]) == 0);
    for (int i = 0; i < QUEUES && sim->queues[i]; i++) {
        left += bight_queue_length(sim->queues[i]);
        bight_queue_abort(sim->queues[i], NULL, NULL);
        insist(bight_queue_free(sim->queues[i]) == 0);
    }
    insist(sim->put == sim->got + left);
}

static int all_equal(const void *a, const void *b)
{
    return a != b;
}

static int play_rounds(struct sim *sim)
{
    struct actor actor = {.sim = sim};
    int rc = 0;

    for (int i = 0; i < ROUNDS && rc != BIGHT_ECANCELED; i++) {
        rc = bight_timeout(2000, act_deeper, &actor);
        insist(rc >= 0 || rc == BIGHT_ETIMEDOUT || rc == BIGHT_EIO || rc == BIGHT_ECANCELED ||
               rc == BIGHT_ENOMEM);
    }
    return rc == BIGHT_ECANCELED ? bight_checkpoint() : 0;
}

static int random_program(void *arg)
{
    static struct sim sim; /* main's deferred handlers use it */
    int rc = 0;

    (void)arg;
    sim = (struct sim){.actions = 0};
    for (int i = 0; i < MUTEXES; i++)
        bight_mutex_init(&sim.mutexes[i]);
    for (int i = 0; i < EVENTS; i++)
        bight_event_init(&sim.events[i]);
    for (int i = 0; i < QUEUES && !rc; i++) {
        const struct bight_queue_options options = {
            .capacity = sim_below(4), .kind = sim_below(3), .compare = all_equal};

        rc = bight_queue_new_with(&sim.queues[i], &options);
    }
    if (rc == 0)
        rc = play_rounds(&sim);
    insist(bight_shield(-1, join_the_rest, &sim) == 0);
    nothing_is_left(&sim);
    return sim_over(rc);
}

const struct sim_scenario sim_random[] = {{"random", random_program}, {NULL, NULL}};
