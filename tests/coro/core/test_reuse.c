/* A task's control block lies in its stack, which the next task takes with all that is in it.
 * Whatever a life has left there, the next one begins as the first does; and what a plain life
 * leaves needs nothing made anew. */
#include <bight.h>

#include "coro/core/group.h"
#include "tests/harness/suite.h"
#include "tests/harness/world.h"

#include <string.h>

/* Lives that leave something. */

#define CROWD 22

static struct bight_local local = {.name = "local"};
static struct bight_mutex mutex = BIGHT_MUTEX_INIT;
static struct bight_event never = BIGHT_EVENT_INIT;

static int plain(void *arg)
{
    (void)arg;
    return 0;
}

static int named(void *arg)
{
    (void)arg;
    bight_task_set_name(bight_self(), "a name that is as long as names may be, and longer");
    return 0;
}

static int with_locals(void *arg)
{
    int copy = 1;

    (void)arg;
    return bight_local_set_copy(&local, &copy, sizeof copy);
}

static void nothing(void *arg)
{
    (void)arg;
}

static int with_handlers(void *arg)
{
    return bight_defer(nothing, arg);
}

static int locks(void *arg)
{
    (void)arg;
    ck_ok(bight_mutex_lock(&mutex));
    return bight_mutex_unlock(&mutex);
}

static int with_deadline(void *arg)
{
    struct bight_scope scope;

    (void)arg;
    ck_ok(bight_scope_begin(&scope, 1000, 0));
    return bight_scope_end(&scope, bight_yield());
}

static int expires(void *arg)
{
    struct bight_scope scope;

    (void)arg;
    ck_ok(bight_scope_begin(&scope, 5, 0));
    ck_code(bight_scope_end(&scope, bight_event_wait(&never)), BIGHT_ETIMEDOUT);
    return 0;
}

static int moves_its_deadline(void *arg)
{
    struct bight_scope scope;

    (void)arg;
    ck_ok(bight_scope_begin(&scope, 5, 0));
    ck_ok(bight_scope_set_timeout(&scope, -1));
    return bight_scope_end(&scope, bight_sleep(10));
}

static int has_children(void *arg)
{
    struct bight_group group;

    ck_ok(bight_group_begin(&group, 0));
    ck_ok(bight_group_spawn(NULL, &group, NULL, plain, arg));
    return bight_group_end(&group, 0);
}

static int waits(void *arg)
{
    (void)arg;
    return bight_event_wait(&never);
}

static int ignores_its_cancellation(void *arg)
{
    (void)arg;
    ck_code(bight_event_wait(&never), BIGHT_ECANCELED);
    for (int i = 0; i < 3; i++)
        ck_code(bight_yield(), BIGHT_ECANCELED);
    return 0;
}

static int links[20];
static struct bight_task *chain[20];

static int link_of_chain(void *arg)
{
    size_t i = (size_t)((int *)arg - links);

    return i == 0 ? bight_sleep(50) : bight_join(chain[i - 1], NULL);
}

/* Long enough that the way is remembered, in each task that it passes. */
static int awaits_a_chain(void *arg)
{
    (void)arg;
    for (size_t i = 0; i < 20; i++)
        ck_ok(bight_spawn(&chain[i], link_of_chain, &links[i]));
    return bight_join(chain[19], NULL);
}

static int drains(void *arg)
{
    struct bight_scope scope;

    (void)arg;
    ck_ok(bight_scope_begin(&scope, -1, BIGHT_SCOPE_STOPPABLE));
    return bight_scope_end(&scope, bight_event_wait(&never));
}

static int overwrites_its_stack(void *arg)
{
    char text[1536];

    (void)arg;
    memset(text, 0x5a, sizeof text);
    __asm__ volatile("" : : "r"(text) : "memory");
    return bight_yield();
}

enum how { ENDS, CANCELLED, CANCELLED_AT_ONCE, DRAINED, NAMED_AT_SPAWN };

static const struct life {
    int (*fn)(void *arg);
    enum how how;
    int status;
    bool wears; /* the next task's block is made anew */
} lives[] = {
    {plain, ENDS, 0, false},
    {locks, ENDS, 0, false},
    {with_locals, ENDS, 0, false},
    {with_handlers, ENDS, 0, false},
    {with_deadline, ENDS, 0, false},
    {has_children, ENDS, 0, false},
    {overwrites_its_stack, ENDS, 0, false},
    {plain, NAMED_AT_SPAWN, 0, true},
    {named, ENDS, 0, true},
    {expires, ENDS, 0, true},
    {moves_its_deadline, ENDS, 0, true},
    {awaits_a_chain, ENDS, 0, false},
    {waits, CANCELLED, BIGHT_ECANCELED, true},
    {plain, CANCELLED_AT_ONCE, BIGHT_ECANCELED, true},
    {ignores_its_cancellation, CANCELLED, 0, true},
    {drains, DRAINED, BIGHT_EDRAIN, true},
};

static bool is_made(const struct bight_task *task)
{
    const struct bight_scope *base = &task->base;

    return base->magic == SCOPE_MAGIC && !base->kind && !base->cancelled && !base->expired &&
           !base->caught && !base->effective;
}

/* That nothing of a life before is in a task that was just spawned. */
static void ck_is_new(const struct bight_task *task)
{
    const struct bight_scope *base = &task->base;

    ck_assert(is_made(task));
    ck_assert_ptr_eq(task->scope, base);
    ck_assert_ptr_eq(base->task, task);
    ck_assert_ptr_null(base->inner);
    ck_assert_ptr_eq(base->parent, &task->sched->root.scope);
    ck_assert(base->deadline_ns == NO_DEADLINE && base->earliest_ns == NO_DEADLINE);
    ck_assert_uint_eq(task->pending, 0);
    ck_assert_uint_eq(task->flags, TASK_HANDLE);
    ck_assert(!task->aborted && !task->delivered && !task->parked);
    ck_assert(!task->drop && !task->held && !task->defers && !task->locals && !task->ends.next);
    ck_assert(!task->group_users && !task->starting && !task->chain_end && !task->chain_epoch);
    ck_assert(link_empty(&task->deadline.link) && link_empty(&task->children));
    ck_assert_str_eq(task->name, "");
    ck_assert_ptr_null(bight__local_of(task, &local));
    ck_assert(!bight_task_cancelling(task) && !bight_task_was_cancelled(task));
}

static const struct bight_task *live(const struct life *life)
{
    const struct bight_spawn_options options = {.name = "named"};
    struct bight_task *task;
    int status;

    if (life->how == NAMED_AT_SPAWN)
        ck_ok(bight_spawn_with(&task, &options, life->fn, NULL));
    else
        ck_ok(bight_spawn(&task, life->fn, NULL));
    ck_ok(life->how == CANCELLED_AT_ONCE ? 0 : bight_yield());
    if (life->how == CANCELLED || life->how == CANCELLED_AT_ONCE)
        ck_assert(bight_task_cancel(task));
    if (life->how == DRAINED)
        ck_assert(bight_task_drain(task));
    ck_ok(bight_join(task, &status));
    ck_assert_int_eq(status, life->status);
    return task;
}

/* So many that each stack which the life has used is in use again. */
static void ck_crowd_is_new(const struct bight_task *first)
{
    struct bight_task *crowd[CROWD];

    for (size_t i = 0; i < CROWD; i++) {
        ck_ok(bight_spawn(&crowd[i], plain, NULL));
        ck_is_new(crowd[i]);
    }
    ck_assert_ptr_eq(crowd[0], first);
    for (size_t i = 0; i < CROWD; i++)
        ck_ok(bight_join(crowd[i], NULL));
}

static int each_life(void *arg)
{
    (void)arg;
    for (size_t i = 0; i < sizeof lives / sizeof *lives; i++) {
        const struct bight_task *task = live(&lives[i]);

        ck_assert_msg(is_made(task) == !lives[i].wears, "life %zu", i);
        ck_crowd_is_new(task);
    }
    return 0;
}

/* A cancelled or draining group has new tasks begin so, in blocks that plain lives have left. */
static int in_a_cancelled_group(void *arg)
{
    struct bight_task *task;
    struct bight_group group;

    ck_ok(bight_spawn(&task, plain, arg));
    ck_ok(bight_join(task, NULL));
    ck_ok(bight_group_begin(&group, 0));
    bight_scope_cancel(&group.scope);
    ck_ok(bight_group_spawn(&task, &group, NULL, plain, arg));
    ck_assert(bight_task_cancelling(task));
    ck_code(bight_group_end(&group, BIGHT_ECANCELED), 0);
    ck_ok(bight_join(task, NULL));
    ck_crowd_is_new(task);
    ck_ok(bight_group_begin(&group, 0));
    bight_scope_drain(&group.scope);
    ck_ok(bight_group_spawn(&task, &group, NULL, drains, arg));
    ck_ok(bight_group_end(&group, 0));
    ck_ok(bight_join(task, NULL));
    ck_crowd_is_new(task);
    return 0;
}

static int inherits_locals(void *arg)
{
    struct bight_task *task;

    ck_ok(bight_local_set(&local, arg));
    ck_ok(bight_spawn(&task, plain, arg));
    ck_assert_ptr_eq(bight__local_of(task, &local), arg);
    return bight_join(task, NULL);
}

static int locals_of_the_spawner(void *arg)
{
    struct bight_task *task;

    (void)arg;
    for (int i = 0; i < 3; i++) {
        ck_ok(bight_spawn(&task, inherits_locals, &mutex));
        ck_ok(bight_join(task, NULL));
        ck_crowd_is_new(task);
    }
    return 0;
}

static const struct suite_case cases[] = {
    world_case(a_task_begins_as_new_whatever_the_one_before_left, each_life),
    world_case(a_group_that_is_over_shows_in_reused_blocks, in_a_cancelled_group),
    world_case(locals_of_the_spawner_reach_reused_blocks, locals_of_the_spawner),
};

test_suite("reuse", cases);
