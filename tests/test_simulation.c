/* Random programs under random schedules: tasks that lock, put, get, wait, nest scopes, shields and
 * groups, fail, cancel each other and themselves, while ready tasks run in shuffled order under a
 * virtual clock. Whatever happens: a mutex has one holder, no item is lost or doubled, no task is left,
 * no timer is armed, nothing stalls. Everything follows from one seed, which a failure names.
 *
 * BIGHT_SEEDS=N in the environment tries N seeds per block instead of 25; the blocks are 8. */
#include <stdlib.h>

#include <bight.h>

#include "tests/support.h"

#define BLOCKS 8
#define MUTEXES 3
#define QUEUES 2
#define EVENTS 3
#define HANDLES 16
#define DEPTH_MAX 6
#define ACTIONS_MAX 4000
#define ROUNDS 10
#define PROGRAM 0xd1b54a32d192ed03u

struct sim {
    uint64_t seed;
    uint64_t program; /* state of a random sequence */
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

#define insist(sim, condition)                                                                     \
    do {                                                                                           \
        if (!(condition))                                                                          \
            ck_abort_msg("seed %llu: %s", (unsigned long long)(sim)->seed, #condition);            \
    } while (0)

static uint64_t draw(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state >> 11;
}

static unsigned below(struct sim *sim, unsigned limit)
{
    return (unsigned)(draw(&sim->program) % limit);
}

static int act(struct actor *actor);

static int act_deeper(void *arg)
{
    struct actor actor = *(struct actor *)arg;

    actor.depth++;
    return act(&actor);
}

/* Own deadlines and the cycles that random locking makes are no reason to leave. */
static int unless_expected(struct sim *sim, int rc)
{
    insist(sim, rc != BIGHT_ESCOPE && rc != BIGHT_ENOTASK && rc != BIGHT_EINVAL);
    return rc == BIGHT_ETIMEDOUT || rc == BIGHT_EDEADLK ? 0 : rc;
}

static int do_lock(struct actor *actor)
{
    struct sim *sim = actor->sim;
    unsigned which = below(sim, MUTEXES);
    int rc = bight_mutex_lock(&sim->mutexes[which]);

    if (rc)
        return rc;
    insist(sim, !sim->holders[which]);
    sim->holders[which] = bight_self();
    rc = below(sim, 2) ? bight_yield() : bight_sleep(below(sim, 5));
    insist(sim, sim->holders[which] == bight_self());
    sim->holders[which] = NULL;
    insist(sim, bight_mutex_unlock(&sim->mutexes[which]) == 0);
    return rc;
}

static int put(void *arg)
{
    struct sim *sim = ((struct actor *)arg)->sim;
    int rc = bight_queue_put(sim->queues[below(sim, QUEUES)], sim);

    sim->put += rc == 0;
    return rc;
}

static int get(void *arg)
{
    struct sim *sim = ((struct actor *)arg)->sim;
    void *item = NULL;
    int rc = bight_queue_get(sim->queues[below(sim, QUEUES)], &item);

    insist(sim, item == (rc ? NULL : sim));
    sim->got += rc == 0;
    return rc;
}

static int wait(void *arg)
{
    struct sim *sim = ((struct actor *)arg)->sim;

    return bight_event_wait(&sim->events[below(sim, EVENTS)]);
}

static int do_put(struct actor *actor)
{
    return bight_timeout(below(actor->sim, 8), put, actor);
}

static int do_get(struct actor *actor)
{
    return bight_timeout(below(actor->sim, 8), get, actor);
}

static int do_wait(struct actor *actor)
{
    return bight_timeout(below(actor->sim, 8), wait, actor);
}

static int do_signal(struct actor *actor)
{
    struct bight_event *event = &actor->sim->events[below(actor->sim, EVENTS)];

    if (below(actor->sim, 2))
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
    return bight_sleep(below(actor->sim, 20));
}

static int do_timeout(struct actor *actor)
{
    return bight_timeout(below(actor->sim, 15), act_deeper, actor);
}

static int do_shield(struct actor *actor)
{
    return bight_shield(below(actor->sim, 15), act_deeper, actor);
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

    ck_assert_ptr_nonnull(child);
    *child = (struct actor){.sim = actor->sim, .depth = actor->depth + 1, .group = group};
    return child;
}

static int group_body(struct bight_group *group, void *arg)
{
    static const struct bight_spawn_options options = {.drop = free};
    struct actor actor = {.sim = ((struct actor *)arg)->sim, .group = group};

    actor.depth = ((struct actor *)arg)->depth + 1;
    for (unsigned count = below(actor.sim, 4); count > 0; count--) {
        struct actor *child = copy(&actor, group);
        insist(actor.sim, bight_group_spawn(group, NULL, &options, new_task, child) == 0);
    }
    return act(&actor);
}

static int do_group(struct actor *actor)
{
    return bight_group(group_body, actor);
}

/* A task with a handle, joined by its spawner, or by main when that was cancelled. */
static int do_spawn(struct actor *actor)
{
    static const struct bight_spawn_options options = {.drop = free};
    struct sim *sim = actor->sim;
    unsigned slot = below(sim, HANDLES);
    struct actor *child;
    struct bight_task *task;
    int rc;

    if (sim->handles[slot])
        return 0;
    child = copy(actor, NULL);
    insist(sim, bight_spawn_with(&task, &options, new_task, child) == 0);
    sim->handles[slot] = task;
    rc = bight_join(task, NULL);
    if (rc == 0)
        sim->handles[slot] = NULL;
    return rc;
}

static int do_cancel(struct actor *actor)
{
    struct bight_task *task = actor->sim->handles[below(actor->sim, HANDLES)];

    if (actor->group && below(actor->sim, 4) == 0)
        bight_scope_cancel(&actor->group->scope);
    else if (task)
        bight_task_cancel(task);
    return 0;
}

static void clean_up(void *arg)
{
    struct actor actor = {.sim = arg, .depth = DEPTH_MAX};

    (void)unless_expected(actor.sim, do_sleep(&actor));
    (void)unless_expected(actor.sim, do_lock(&actor));
}

static int do_defer(struct actor *actor)
{
    return bight_defer(clean_up, actor->sim);
}

static int do_fail(struct actor *actor)
{
    return below(actor->sim, 4) == 0 ? BIGHT_EIO : 0;
}

/* From `deep` on they call act again, up to a depth. */
static int (*const plain[])(struct actor *actor) = {
    do_lock,   do_lock,  do_put,   do_put,    do_get,   do_get,  do_wait,
    do_signal, do_yield, do_sleep, do_cancel, do_defer, do_fail,
};
static int (*const deep[])(struct actor *actor) = {do_timeout, do_shield, do_group, do_spawn};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A few actions, until one of them gives a reason to leave. Some go on in spite of a cancellation. */
static int act(struct actor *actor)
{
    struct sim *sim = actor->sim;

    for (unsigned count = 1 + below(sim, 12); count > 0; count--) {
        unsigned kinds = COUNT(plain) + (actor->depth < DEPTH_MAX ? COUNT(deep) : 0);
        unsigned kind = below(sim, kinds);
        int rc;

        if (sim->actions++ > ACTIONS_MAX)
            return 0;
        rc = kind < COUNT(plain) ? plain[kind](actor) : deep[kind - COUNT(plain)](actor);
        rc = unless_expected(sim, rc);
        if (rc < 0 && below(sim, 10) > 0)
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
static void join_the_rest(struct sim *sim)
{
    struct bight_task *task;
    int slot;

    while ((task = any_handle(sim, &slot))) {
        int rc;

        bight_task_cancel(task);
        rc = bight_join(task, NULL);
        insist(sim, rc == 0 || rc == BIGHT_EALREADY);
        if (rc == 0)
            sim->handles[slot] = NULL;
        else
            insist(sim, bight_sleep(1) == 0); /* somebody else is about to */
    }
}

static void nothing_is_left(struct sim *sim)
{
    struct bight_stats stats;
    size_t left = 0;

    insist(sim, bight_stats(&stats) == 0);
    insist(sim, stats.live == 1);
    insist(sim, stats.timers == 0);
    for (int i = 0; i < MUTEXES; i++)
        insist(sim, bight_mutex_trylock(&sim->mutexes[i]) == 0 &&
                        bight_mutex_unlock(&sim->mutexes[i]) == 0);
    for (int i = 0; i < QUEUES; i++) {
        left += bight_queue_length(sim->queues[i]);
        bight_queue_abort(sim->queues[i], NULL);
        insist(sim, bight_queue_free(sim->queues[i]) == 0);
    }
    insist(sim, sim->put == sim->got + left);
}

static int all_equal(const void *a, const void *b)
{
    return a != b;
}

static int simulate(void *arg)
{
    struct sim *sim = arg;
    struct actor actor = {.sim = sim};

    for (int i = 0; i < MUTEXES; i++)
        bight_mutex_init(&sim->mutexes[i]);
    for (int i = 0; i < EVENTS; i++)
        bight_event_init(&sim->events[i]);
    for (int i = 0; i < QUEUES; i++)
        insist(sim, bight_queue_new_with(&sim->queues[i],
                                         &(struct bight_queue_options){.capacity = below(sim, 4),
                                                                       .kind = below(sim, 3),
                                                                       .compare = all_equal}) == 0);
    for (int i = 0; i < ROUNDS; i++) {
        int rc = bight_timeout(2000, act_deeper, &actor);
        insist(sim, rc >= 0 || rc == BIGHT_ETIMEDOUT || rc == BIGHT_EIO || rc == BIGHT_ECANCELED);
    }
    join_the_rest(sim);
    nothing_is_left(sim);
    return 0;
}

static void on_report(void *arg, const struct bight_report *report)
{
    struct sim *sim = arg;

    if (report->kind != BIGHT_REPORT_UNSEEN_FAILURE && report->kind != BIGHT_REPORT_IGNORED_CANCEL)
        ck_abort_msg("seed %llu: %s", (unsigned long long)sim->seed, report->text);
}

static unsigned long seeds_per_block(void)
{
    const char *text = getenv("BIGHT_SEEDS");

    return text ? strtoul(text, NULL, 10) : 25;
}

START_TEST(random_programs_leave_nothing_behind)
{
    static struct sim sim;
    unsigned long seeds = seeds_per_block();

    for (unsigned long i = 1; i <= seeds; i++) {
        struct bight_options options = {.on_report = on_report, .on_report_arg = &sim};
        struct bight_test_options how = {.runtime = &options};

        sim = (struct sim){.seed = (unsigned long)_i * seeds + i};
        sim.program = sim.seed * PROGRAM;
        how.seed = sim.seed;
        insist(&sim, bight_test_run(&how, simulate, &sim, NULL) == 0);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("simulation");
    TCase *blocks = tcase_create("blocks");

    tcase_set_timeout(blocks, 30);
    tcase_add_loop_test(blocks, random_programs_leave_nothing_behind, 0, BLOCKS);
    suite_add_tcase(suite, blocks);
    return test_run(suite);
}
