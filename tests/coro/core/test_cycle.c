/* Circles of waits: what remembers long chains must find exactly the circles that walking finds.
 * Random programs join, lock, give up and are cancelled, and each of their waits is compared with a
 * walk from end to end. */
#include <bight.h>

#include "coro/core/group.h"
#include "coro/core/source.h"
#include "tests/harness/random.h"
#include "tests/harness/suite.h"
#include "tests/harness/expect.h"
#include "tests/harness/world.h"

#include <stdlib.h>
#include <string.h>

#define TASKS 48
#define STEPS 14
#define ROUNDS 15

/* The walk. */

static const struct bight_task *awaited(const struct bight_task *task)
{
    const struct bight_waiter *waiter = task->parked;

    if (!waiter || waiter->also != waiter || !waiter->ops->waits_for)
        return NULL;
    return waiter->ops->waits_for(waiter);
}

static size_t longest;

static bool walk_leads_to(const struct bight_task *task, const struct bight_task *self)
{
    size_t walked = 0;

    for (; task; task = awaited(task), walked++) {
        const struct bight_group *group;

        if (task == self)
            return true;
        group = bight__group_awaited(task);
        if (group && bight__group_contains(group, self))
            return true;
    }
    if (walked > longest)
        longest = walked;
    return false;
}

static bool walk_join(const struct bight_task *task, const struct bight_task *self)
{
    const struct bight_task *owner = bight__group_of(self)->scope.task;

    for (; owner; owner = bight__group_of(owner)->scope.task) {
        if (owner == task)
            return true;
    }
    return walk_leads_to(task, self);
}

/* A program: tasks with a handle each, in slots, and a mutex for each slot. */

static uint64_t random_state;
static struct bight_task *tasks[TASKS];
static bool joined[TASKS];
static struct bight_mutex mutexes[TASKS];
static struct bight_rwlock rwlocks[TASKS];
static struct bight_event never;
static size_t circles, remembered;
static bool over;

static unsigned below(unsigned limit)
{
    return (unsigned)(test_random(&random_state) >> 20) % limit;
}

static void compare(const struct bight_task *self)
{
    for (int i = 0; i < 4; i++) {
        size_t slot = below(TASKS);
        struct bight_task *task = tasks[slot];
        struct bight_task *owner = mutexes[slot].owner;

        if (task && !(task->flags & TASK_DONE)) {
            EXPECT(bight__join_would_deadlock(task, self) == walk_join(task, self));
            remembered += task->chain_end && bight__chain_passes(task);
        }
        if (owner)
            EXPECT(bight__lock_would_deadlock(owner, self) == walk_leads_to(owner, self));
    }
}

/* Joins and locks of the slot before, so that chains grow long, or of any. */
static size_t some_slot(size_t slot)
{
    return below(4) ? (slot + TASKS - 1) % TASKS : below(TASKS);
}

static int join_some(struct bight_task *self, size_t slot)
{
    struct bight_task *task = tasks[slot];
    /* Not in a group: a wait that does not let go may close a circle with the group's end. */
    bool takes = !bight__group_of(self)->scope.task && below(3) == 0, circle;
    int rc;

    if (!task || joined[slot])
        return 0;
    circle = !(task->flags & TASK_DONE) && walk_join(task, self);
    joined[slot] = true;
    rc = takes ? bight_wait_for(task, 1 + below(50), NULL) : bight_join(task, NULL);
    circles += circle;
    if (rc != BIGHT_ECANCELED)
        EXPECT((rc == BIGHT_EDEADLK) == circle);
    joined[slot] = false;
    if (rc == 0 || (takes && rc != BIGHT_EDEADLK))
        tasks[slot] = NULL;
    return rc;
}

static int lock_some(struct bight_task *self, size_t slot)
{
    struct bight_mutex *mutex = &mutexes[slot];
    bool circle = mutex->owner && walk_leads_to(mutex->owner, self);
    int rc = bight_mutex_lock(mutex);

    circles += circle;
    if (rc != BIGHT_ECANCELED)
        EXPECT((rc == BIGHT_EDEADLK) == circle);
    return rc;
}

static int write_some(struct bight_task *self, size_t slot)
{
    struct bight_task *owner = bight_rwlock_writer(&rwlocks[slot]);
    bool circle = owner && walk_leads_to(owner, self);
    int rc =
        below(2) ? bight_rwlock_write_lock(&rwlocks[slot]) : bight_rwlock_read_lock(&rwlocks[slot]);

    if (rc != BIGHT_ECANCELED)
        EXPECT((rc == BIGHT_EDEADLK) == circle);
    if (rc == 0) {
        rc = bight_sleep(below(4));
        EXPECT(bight_rwlock_unlock(&rwlocks[slot]) == 0);
    }
    return rc;
}

static void unlock_some(const struct bight_task *self)
{
    for (int i = 0; i < TASKS; i++) {
        if (mutexes[i].owner == self && below(2))
            EXPECT(bight_mutex_unlock(&mutexes[i]) == 0);
    }
}

static void life_steps(struct bight_task *self, size_t slot, unsigned steps);

static int child(void *arg)
{
    life_steps(bight_self(), (size_t)arg, 3);
    unlock_some(bight_self());
    return 0;
}

/* A group that waits for its members, which join and lock as well. */
static int group_some(size_t slot)
{
    struct bight_group group;

    EXPECT(bight_group_begin(&group, BIGHT_GROUP_COLLECT) == 0);
    for (unsigned i = below(3); i > 0; i--)
        EXPECT(bight_group_spawn(NULL, &group, NULL, child, (void *)slot) == 0);
    return bight_group_end(&group, 0);
}

static int one_step(struct bight_task *self, size_t slot)
{
    size_t other = some_slot(slot);

    /* With a new budget of operations no call gives way before it has looked for a circle. */
    if (bight_yield())
        return BIGHT_ECANCELED;
    compare(self);
    switch (below(9)) {
    case 0:
    case 1:
        return join_some(self, other);
    case 2:
    case 3:
        return lock_some(self, other);
    case 4:
        return write_some(self, other);
    case 5:
        return group_some(slot);
    case 6:
        unlock_some(self);
        return bight_yield();
    case 7:
        if (tasks[other] && below(4) == 0)
            bight_task_cancel(tasks[other]);
        return bight_yield();
    default:
        return bight_sleep(below(10));
    }
}

/* Few waits are for ever: most have a time limit, which cuts chains in the middle. */
static void life_steps(struct bight_task *self, size_t slot, unsigned steps)
{
    for (unsigned i = 0; i < steps && !over; i++) {
        struct bight_scope scope;
        int rc;

        EXPECT(bight_scope_begin(&scope, 1 + below(300), 0) == 0);
        rc = one_step(self, slot);
        (void)!bight_scope_end(&scope, rc);
    }
}

static int life(void *arg)
{
    size_t slot = (size_t)arg;
    struct bight_task *self = bight_self();
    int rc = bight_mutex_lock(&mutexes[slot]);

    (void)rc;
    life_steps(self, slot, STEPS);
    for (int i = 0; i < TASKS; i++) {
        if (mutexes[i].owner == self)
            EXPECT(bight_mutex_unlock(&mutexes[i]) == 0);
    }
    return 0;
}

static int program(void *arg)
{
    (void)arg;
    over = false;
    for (int i = 0; i < TASKS; i++) {
        bight_mutex_init(&mutexes[i]);
        bight_rwlock_init(&rwlocks[i]);
    }
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < TASKS; i++) {
            if (!tasks[i] && below(2))
                EXPECT(bight_spawn(&tasks[i], life, (void *)i) == 0);
        }
        EXPECT(bight_sleep(1 + below(8)) == 0);
    }
    over = true;
    for (int i = 0; i < TASKS; i++) {
        if (tasks[i])
            bight_task_cancel(tasks[i]);
    }
    EXPECT(bight_sleep(1000) == 0);
    for (int i = 0; i < TASKS; i++) {
        if (tasks[i])
            EXPECT(bight_join(tasks[i], NULL) == 0);
        tasks[i] = NULL;
    }
    return 0;
}

/* 25 seeds in each case. */
static void remembered_chains_find_the_same_circles_as_a_walk(int i)
{
    struct world_reports reports;

    for (int seed = 0; seed < 25; seed++) {
        random_state = (uint64_t)(i * 25 + seed) * 2 + 1;
        ck_ok(world_run(program, NULL, &reports));
        ck_assert_uint_eq(reports.count[BIGHT_REPORT_STALLED], 0);
    }
    ck_assert_uint_gt(circles, 100);
    ck_assert_uint_gt(longest, 10);
    ck_assert_uint_gt(remembered, 100);
}

/* Each joins the one before, in a circle that task 0 would close; `timed` has a time limit. */
static struct bight_task *chain[64];
static size_t chain_count, timed;

static int link_of_chain(void *arg)
{
    return bight_join(chain[(size_t)arg - 1], NULL);
}

static int link_with_time(void *arg)
{
    ck_code(bight_timeout(10, link_of_chain, arg), BIGHT_ETIMEDOUT);
    return bight_event_wait(&never);
}

static int join_last(void *arg)
{
    (void)arg;
    return bight_join(chain[chain_count - 1], NULL);
}

static int closes_the_circle(void *arg)
{
    (void)arg;
    ck_ok(bight_yield());
    ck_code(join_last(NULL), BIGHT_EDEADLK);
    ck_code(bight_timeout(5, join_last, NULL), BIGHT_EDEADLK);
    ck_ok(bight_sleep(20)); /* a link has gone meanwhile */
    ck_code(bight_timeout(5, join_last, NULL), BIGHT_ETIMEDOUT);
    return 0;
}

static int every_length(void *arg)
{
    (void)arg;
    bight_event_init(&never);
    for (chain_count = 3; chain_count < 40; chain_count++) {
        timed = 1 + chain_count / 2;
        ck_ok(bight_spawn(&chain[0], closes_the_circle, NULL));
        for (size_t i = 1; i < chain_count; i++)
            ck_ok(bight_spawn(&chain[i], i == timed ? link_with_time : link_of_chain, (void *)i));
        ck_ok(bight_sleep(100));
        bight_task_cancel(chain[timed]);
        ck_ok(join_last(NULL));
        if (timed != chain_count - 1)
            ck_ok(bight_sleep(1));
        ck_ok(bight_join(chain[timed - 1], NULL));
    }
    return 0;
}

static const struct suite_case cases[] = {
    each_case(remembered_chains_find_the_same_circles_as_a_walk, 10),
    world_case(a_circle_with_a_deadline_is_found_at_any_length, every_length),
};

test_suite("cycle", cases);
