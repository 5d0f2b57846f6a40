/* See lockstep.h: the runtime's side. Each task of the program is a task that does its steps by the
 * public calls, and notes what they return. Main only waits for them, in a shield: if they wait for
 * each other, the stall cancels them and not main. */
#include "tests/model/lockstep.h"

#include <bight.h>

#include "runtime/testing/testing.h"

#include <string.h>

struct world;

union record {
    struct bight_scope scope;
    struct bight_group group;
};

struct actor {
    struct world *world;
    const struct script *script;
    unsigned number;
    unsigned step;
    unsigned depth;
    struct bight_task *handle;
    bool spawned;
    struct bight_group *group; /* it is in, NULL for the root */
    bool is_group[DEPTH_MAX + 1];
    union record records[DEPTH_MAX + 1];
    struct bight_case cases[CASES_MAX];
};

struct world {
    struct bight__test test; /* first: the seams' ctx */
    uint64_t order;
    uint64_t begin_ns;
    const struct program *program;
    struct trace *trace;
    unsigned live;
    struct bight_event over;
    struct actor actors[TASKS_MAX];
    struct bight_mutex mutexes[MUTEXES];
    struct bight_queue *queues[QUEUES];
    struct bight_event events[EVENTS];
    struct bight_condition conditions[MUTEXES];
    struct bight_semaphore semaphores[SEMAPHORES];
};

static void note(const struct actor *actor, unsigned step, int rc, int value)
{
    struct world *world = actor->world;
    struct trace *trace = world->trace;

    if (trace->count == TRACE_MAX)
        return;
    trace->events[trace->count++] = (struct event){
        .task = (uint8_t)actor->number,
        .step = (uint8_t)step,
        .rc = (int16_t)rc,
        .value = (int16_t)value,
        .now_ms = (int16_t)((bight_now_ns() - world->begin_ns) / 1000000),
    };
}

static void ended(struct actor *actor, unsigned step, int status)
{
    note(actor, step, status, 0);
    if (--actor->world->live == 0)
        bight_event_set(&actor->world->over);
}

static void dropped(void *arg)
{
    ended(arg, STEP_DROPPED, BIGHT_ECANCELED);
}

static int act(void *arg);

static int spawn(struct actor *actor, struct bight_group *group)
{
    static const struct bight_spawn_options options = {.drop = dropped};

    if (actor->spawned)
        return SKIPPED;
    actor->spawned = true;
    actor->group = group;
    actor->world->live++;
    return group ? bight_group_spawn(&actor->handle, group, &options, act, actor)
                 : bight_spawn_with(&actor->handle, &options, act, actor);
}

static struct bight_group *group_around(struct actor *actor)
{
    for (unsigned depth = actor->depth; depth > 0; depth--) {
        if (actor->is_group[depth])
            return &actor->records[depth].group;
    }
    return actor->group;
}

static struct bight_scope *scope_at(struct actor *actor, int depth)
{
    if (depth < 1 || depth > (int)actor->depth)
        return NULL;
    return actor->is_group[depth] ? &actor->records[depth].group.scope
                                  : &actor->records[depth].scope;
}

static void *item(const struct actor *actor)
{
    return (void *)(uintptr_t)item_of(actor->number, actor->step);
}

static int join(struct actor *other, int *value)
{
    int status = 0;
    int rc;

    if (!other->handle)
        return SKIPPED;
    rc = bight_join(other->handle, &status);
    if (rc == 0) {
        other->handle = NULL;
        *value = status;
    }
    return rc;
}

static int get(struct bight_queue *queue, int (*how)(struct bight_queue *, void **), int *value)
{
    void *got = NULL;
    int rc = how(queue, &got);

    *value = (int)(uintptr_t)got;
    return rc;
}

static void make_case(struct actor *actor, struct bight_case *to, const struct choice *from)
{
    struct world *world = actor->world;

    switch (from->op) {
    case OP_GET:
        bight_case_get(to, world->queues[from->a]);
        break;
    case OP_PUT:
        bight_case_put(to, world->queues[from->a], item(actor));
        break;
    case OP_WAIT:
        bight_case_event(to, &world->events[from->a]);
        break;
    case OP_JOIN:
        bight_case_join(to, world->actors[from->a].handle);
        break;
    default:
        bight_case_sleep(to, from->b);
    }
}

static int do_select(struct actor *actor, const struct step *step, int *value)
{
    int chosen;

    for (unsigned i = 0; i < step->count; i++) {
        if (step->cases[i].op == OP_JOIN && !actor->world->actors[step->cases[i].a].handle)
            return SKIPPED;
    }
    for (unsigned i = 0; i < step->count; i++)
        make_case(actor, &actor->cases[i], &step->cases[i]);
    chosen = bight_select(actor->cases, step->count, BIGHT_SELECT_ORDERED);
    if (chosen < 0)
        return chosen;
    *value = actor->cases[chosen].status;
    if (step->cases[chosen].op == OP_GET && *value == 0)
        *value = (int)(uintptr_t)actor->cases[chosen].value;
    return chosen;
}

static int on_lock(struct actor *actor, const struct step *step)
{
    struct world *world = actor->world;
    struct bight_condition *condition = &world->conditions[step->a];
    struct bight_semaphore *semaphore = &world->semaphores[step->a];

    switch (step->op) {
    case OP_LOCK:
        return bight_mutex_lock(&world->mutexes[step->a]);
    case OP_TRYLOCK:
        return bight_mutex_try_lock(&world->mutexes[step->a]);
    case OP_UNLOCK:
        return bight_mutex_unlock(&world->mutexes[step->a]);
    case OP_NOTIFIED:
        return bight_condition_wait(condition);
    case OP_NOTIFY:
        return bight_condition_notify(condition, (size_t)step->b);
    case OP_ACQUIRE:
        return bight_semaphore_acquire(semaphore);
    case OP_TRY_ACQUIRE:
        return bight_semaphore_try_acquire(semaphore);
    default:
        return bight_semaphore_release(semaphore);
    }
}

/* Steps on objects, in the order of enum op. */
static int on_object(struct actor *actor, const struct step *step, int *value)
{
    struct world *world = actor->world;
    struct bight_queue *queue = world->queues[step->a % QUEUES];
    struct bight_event *event = &world->events[step->a % EVENTS];

    switch (step->op) {
    case OP_PUT:
        return bight_queue_put(queue, item(actor));
    case OP_GET:
        return get(queue, bight_queue_get, value);
    case OP_DRAIN:
        return bight_queue_join(queue);
    case OP_WAIT:
        return bight_event_wait(event);
    case OP_TRY_PUT:
        return bight_queue_try_put(queue, item(actor));
    case OP_TRY_GET:
        return get(queue, bight_queue_try_get, value);
    case OP_TASK_DONE:
        return bight_queue_task_done(queue);
    case OP_CLOSE:
        bight_queue_close(queue);
        return 0;
    case OP_ABORT:
        bight_queue_abort(queue, NULL, NULL);
        return 0;
    case OP_SET:
        bight_event_set(event);
        return 0;
    case OP_CLEAR:
        bight_event_clear(event);
        return 0;
    default:
        return on_lock(actor, step);
    }
}

static int open_scope(struct actor *actor, const struct step *step)
{
    union record *record = &actor->records[++actor->depth];

    actor->is_group[actor->depth] = step->op == OP_GROUP;
    if (step->op == OP_GROUP)
        return bight_group_begin(&record->group, (unsigned)step->b);
    return bight_scope_begin(&record->scope, step->b,
                             step->op == OP_SHIELD ? BIGHT_SCOPE_SHIELD : 0);
}

static int close_scope(struct actor *actor, int carried)
{
    union record *record = &actor->records[actor->depth];
    int rc = actor->is_group[actor->depth] ? bight_group_end(&record->group, carried)
                                           : bight_scope_end(&record->scope, carried);

    actor->depth--;
    return rc;
}

static int do_step(struct actor *actor, const struct step *step, int carried, int *value)
{
    struct actor *other = &actor->world->actors[step->a % TASKS_MAX];
    struct bight_scope *scope;

    switch (step->op) {
    case OP_YIELD:
        return bight_yield();
    case OP_SLEEP:
        return bight_sleep(step->b);
    case OP_JOIN:
        return join(other, value);
    case OP_SELECT:
        return do_select(actor, step, value);
    case OP_SPAWN:
        return spawn(other, group_around(actor));
    case OP_CANCEL:
        if (!other->handle)
            return SKIPPED;
        bight_task_cancel(other->handle);
        return 0;
    case OP_CANCEL_SCOPE:
        scope = scope_at(other, step->b);
        if (!scope)
            return SKIPPED;
        bight_scope_cancel(scope);
        return 0;
    case OP_SET_TIMEOUT:
        scope = scope_at(actor, step->a);
        return scope ? bight_scope_set_timeout(scope, step->b) : SKIPPED;
    case OP_SET_SHIELD:
        scope = scope_at(actor, step->a);
        return scope ? bight_scope_set_shield(scope, step->b) : SKIPPED;
    case OP_LOOK:
        *value = (int)bight_deadline_remaining_ms();
        return bight_cancelled();
    case OP_RETURN:
        return step->b;
    case OP_SCOPE:
    case OP_SHIELD:
    case OP_GROUP:
        return open_scope(actor, step);
    case OP_END:
        return close_scope(actor, carried);
    default:
        return on_object(actor, step, value);
    }
}

static int act(void *arg)
{
    struct actor *actor = arg;
    const struct script *script = actor->script;
    int carried = 0;

    while (actor->step < script->length) {
        const struct step *step = &script->steps[actor->step];
        int value = 0;
        int rc = do_step(actor, step, carried, &value);
        bool leaves = step->op == OP_RETURN || (rc < 0 && !step->careless);

        note(actor, actor->step, rc, value);
        carried = leaves ? rc : 0;
        actor->step = leaves ? script_leave(script, actor->step) : actor->step + 1;
    }
    ended(actor, script->length, carried);
    return carried;
}

/* Main */

static int wait_for_all(void *arg)
{
    struct world *world = arg;

    return world->live ? bight_event_wait(&world->over) : 0;
}

static void look_at_queue(struct bight_queue *queue, struct remains *remains, unsigned i)
{
    struct bight_queue_stats stats;
    void *got;

    bight_queue_get_stats(queue, &stats);
    remains->closed[i] = stats.closed;
    remains->unfinished[i] = (uint8_t)stats.unfinished;
    while (remains->length[i] < CAPACITY_MAX && bight_queue_try_get(queue, &got) == 0)
        remains->items[i][remains->length[i]++] = (uint8_t)(uintptr_t)got;
}

static void look_at_remains(struct world *world)
{
    struct remains *remains = &world->trace->remains;

    for (unsigned i = 0; i < MUTEXES; i++)
        remains->locked[i] = bight_mutex_try_lock(&world->mutexes[i]) != 0;
    for (unsigned i = 0; i < MUTEXES; i++)
        (void)bight_mutex_unlock(&world->mutexes[i]);
    for (unsigned i = 0; i < EVENTS; i++)
        remains->set[i] = bight_event_is_set(&world->events[i]);
    for (unsigned i = 0; i < SEMAPHORES; i++)
        remains->units[i] = (uint8_t)bight_semaphore_value(&world->semaphores[i]);
    for (unsigned i = 0; i < QUEUES; i++)
        look_at_queue(world->queues[i], remains, i);
}

static int make_queues(struct world *world)
{
    int rc = 0;

    for (unsigned i = 0; i < QUEUES && rc == 0; i++) {
        struct bight_queue_options options = {
            .capacity = world->program->capacity[i],
            .kind = world->program->lifo[i] ? BIGHT_QUEUE_LIFO : BIGHT_QUEUE_FIFO,
        };
        rc = bight_queue_new_with(&world->queues[i], &options);
    }
    return rc;
}

static int world_main(void *arg)
{
    struct world *world = arg;
    int rc = make_queues(world);

    if (rc == 0)
        rc = bight_semaphore_init(&world->semaphores[0], SEMAPHORE_UNITS);
    if (rc == 0)
        rc = bight_semaphore_init_bounded(&world->semaphores[1], SEMAPHORE_UNITS, SEMAPHORE_UNITS);

    world->begin_ns = bight_now_ns();
    for (unsigned i = 0; i < world->program->begun && rc == 0; i++)
        rc = spawn(&world->actors[i], NULL);
    if (rc == 0)
        rc = bight_shield(-1, wait_for_all, world);
    look_at_remains(world);
    for (unsigned i = 0; i < TASKS_MAX; i++) {
        if (world->actors[i].handle && bight_task_detach(world->actors[i].handle))
            rc = BIGHT_EBUSY;
    }
    for (unsigned i = 0; i < QUEUES; i++) {
        if (bight_queue_free(world->queues[i]))
            rc = BIGHT_EBUSY;
    }
    return rc;
}

static size_t pick_ready(void *ctx, size_t count)
{
    return order_pick(&((struct world *)ctx)->order, (unsigned)count);
}

void trace_of_runtime(struct trace *trace, const struct program *program, uint64_t order)
{
    static struct world world;
    static bool probed; /* what libuv would abort over is tried out once */
    struct bight_seams seams = {.pick_ready = order ? pick_ready : NULL, .probed = probed};
    /* A slice that ends inside of a turn would begin the next one later. */
    struct bight_runtime_options options = {
        .turns_per_slice = 1 << 20,
    };
    int rc;

    memset(trace, 0, sizeof *trace);
    memset(&world, 0, sizeof world);
    world.order = order;
    world.program = program;
    world.trace = trace;
    bight_event_init(&world.over);
    for (unsigned i = 0; i < TASKS_MAX; i++) {
        world.actors[i].world = &world;
        world.actors[i].number = i;
        world.actors[i].script = &program->scripts[i];
    }
    for (unsigned i = 0; i < MUTEXES; i++) {
        bight_mutex_init(&world.mutexes[i]);
        bight_condition_init(&world.conditions[i], &world.mutexes[i]);
    }
    for (unsigned i = 0; i < EVENTS; i++)
        bight_event_init(&world.events[i]);
    bight__test_time(&world.test, &seams);
    rc = bight__run_with_seams(&options, &seams, world_main, &world);
    probed = true;
    if (rc && rc != BIGHT_ESTALLED)
        trace->broken = bight_error_name(rc);
}
