/* Simulations of locks and their relatives: who is inside, in what order, and that all get their
 * turn. */
#include "tests/simulate/simulate.h"

#define ROUNDS 5

/* Mutex: one inside, in the order in which they came. */

struct locks {
    struct bight_mutex mutex;
    struct bight_task *holder;
    unsigned tickets, last;
};

static int lock_once(struct locks *locks)
{
    unsigned ticket = ++locks->tickets;
    int rc = bight_mutex_lock(&locks->mutex);

    if (rc)
        return rc;
    insist(!locks->holder);
    insist(ticket > locks->last);
    locks->last = ticket;
    locks->holder = bight_self();
    rc = sim_pause();
    insist(locks->holder == bight_self());
    locks->holder = NULL;
    insist(bight_mutex_unlock(&locks->mutex) == 0);
    return rc;
}

static int lock_rounds(struct sim_actor *actor)
{
    int rc = 0;

    for (int i = 0; i < ROUNDS && !rc; i++) {
        struct bight_scope scope;
        bool done;

        rc = sim_begin(&scope);
        if (rc)
            return rc;
        rc = sim_end(&scope, lock_once(actor->shared), &done);
        if (rc == 0)
            rc = sim_pause();
    }
    return rc;
}

static int mutex(void *arg)
{
    struct locks locks = {.tickets = 0};

    (void)arg;
    bight_mutex_init(&locks.mutex);
    int rc = sim_crowd(&locks, 2 + (int)sim_below(5), lock_rounds, NULL);
    insist(bight_mutex_try_lock(&locks.mutex) == 0);
    insist(bight_mutex_unlock(&locks.mutex) == 0);
    return sim_over(rc);
}

/* Two mutexes, taken in any order: a circle is an error for one of them, and nobody hangs. */

struct two_locks {
    struct bight_mutex mutexes[2];
    int inside[2];
};

static int lock_both(struct two_locks *locks, int first)
{
    int rc = bight_mutex_lock(&locks->mutexes[first]);

    if (rc)
        return rc;
    insist(locks->inside[first]++ == 0);
    rc = sim_pause();
    if (rc == 0)
        rc = bight_mutex_lock(&locks->mutexes[!first]);
    if (rc == 0) {
        insist(locks->inside[!first]++ == 0);
        rc = sim_pause();
        locks->inside[!first]--;
        insist(bight_mutex_unlock(&locks->mutexes[!first]) == 0);
    }
    locks->inside[first]--;
    insist(bight_mutex_unlock(&locks->mutexes[first]) == 0);
    return rc == BIGHT_EDEADLK ? 0 : rc;
}

static int lock_both_rounds(struct sim_actor *actor)
{
    int rc = 0;

    for (int i = 0; i < ROUNDS && !rc; i++)
        rc = lock_both(actor->shared, (int)sim_below(2));
    return rc;
}

static int deadlocks(void *arg)
{
    struct two_locks locks = {.inside = {0}};

    (void)arg;
    bight_mutex_init(&locks.mutexes[0]);
    bight_mutex_init(&locks.mutexes[1]);
    return sim_over(sim_crowd(&locks, 3, lock_both_rounds, NULL));
}

/* Event: who waits goes on only after a set, and after each set. */

struct signals {
    struct bight_event event;
    unsigned sets;
    int waiting, setters;
};

static int wait_for_signal(struct signals *signals)
{
    bool was_set = bight_event_is_set(&signals->event);
    unsigned sets = signals->sets;

    signals->waiting++;
    int rc = bight_event_wait(&signals->event);
    signals->waiting--;
    insist(rc || was_set || signals->sets > sets);
    return rc;
}

static int signal_some(struct signals *signals)
{
    int rc = 0;

    for (int i = 0; i < ROUNDS && !rc; i++) {
        rc = sim_pause();
        signals->sets++;
        bight_event_set(&signals->event);
        if (sim_chance(70))
            bight_event_clear(&signals->event);
    }
    return rc;
}

static int signal_or_wait(struct sim_actor *actor)
{
    if (actor->index == 0)
        return signal_some(actor->shared);
    int rc = 0;
    for (int i = 0; i < ROUNDS && !rc; i++)
        rc = wait_for_signal(actor->shared);
    return rc;
}

static void signal_for_ever(struct sim_actor *actor)
{
    struct signals *signals = actor->shared;

    if (actor->index)
        return;
    signals->sets++;
    bight_event_set(&signals->event);
}

static int event(void *arg)
{
    struct signals signals = {.sets = 0};

    (void)arg;
    bight_event_init(&signals.event);
    int rc = sim_crowd(&signals, 2 + (int)sim_below(6), signal_or_wait, signal_for_ever);
    insist(signals.waiting == 0);
    return sim_over(rc);
}

/* Condition: a bounded buffer; the mutex is held after each wait, whatever ended it. */

struct buffer {
    struct bight_mutex mutex;
    struct bight_condition not_full, not_empty;
    int level, produced, consumed;
};

static bool is_not_full(void *arg)
{
    return ((struct buffer *)arg)->level < 3;
}

static bool is_not_empty(void *arg)
{
    return ((struct buffer *)arg)->level > 0;
}

/* With the mutex held. A wait may end by the deadline: its counterpart may be gone. */
static int move_one(struct buffer *buffer, bool produces)
{
    struct bight_scope scope;
    bool done;
    int rc = bight_scope_begin(&scope, 30, 0);

    if (rc)
        return rc;
    rc = produces ? bight_condition_wait_until(&buffer->not_full, is_not_full, buffer)
                  : bight_condition_wait_until(&buffer->not_empty, is_not_empty, buffer);
    if (rc == 0) {
        buffer->level += produces ? 1 : -1;
        buffer->produced += produces;
        buffer->consumed += !produces;
        insist(bight_condition_notify(produces ? &buffer->not_empty : &buffer->not_full, 1) == 0);
    }
    insist(buffer->level >= 0 && buffer->level <= 3);
    return sim_end(&scope, rc, &done);
}

static int use_buffer(struct sim_actor *actor)
{
    struct buffer *buffer = actor->shared;
    int rc = 0;

    for (int i = 0; i < 8 && !rc; i++) {
        rc = bight_mutex_lock(&buffer->mutex);
        if (rc)
            return rc;
        rc = move_one(buffer, actor->index % 2);
        insist(bight_mutex_unlock(&buffer->mutex) == 0);
        if (rc == 0)
            rc = sim_pause();
    }
    return rc;
}

static int condition(void *arg)
{
    struct buffer buffer = {.level = 0};

    (void)arg;
    bight_mutex_init(&buffer.mutex);
    bight_condition_init(&buffer.not_full, &buffer.mutex);
    bight_condition_init(&buffer.not_empty, &buffer.mutex);
    int rc = sim_crowd(&buffer, 2 + (int)sim_below(5), use_buffer, NULL);
    insist(buffer.produced - buffer.consumed == buffer.level);
    insist(bight_condition_waiting(&buffer.not_full) == 0);
    insist(bight_condition_waiting(&buffer.not_empty) == 0);
    return sim_over(rc);
}

/* Barrier: nobody goes on before all have come, and each has a place of its own. */

struct meetings {
    struct bight_barrier barrier;
    int came[ROUNDS], went[ROUNDS];
    unsigned places[ROUNDS];
};

static int meet(struct sim_actor *actor)
{
    struct meetings *meetings = actor->shared;

    for (int i = 0; i < ROUNDS; i++) {
        int rc = sim_pause();
        if (rc)
            return rc;
        meetings->came[i]++;
        rc = bight_barrier_wait(&meetings->barrier);
        if (rc < 0)
            return rc == BIGHT_EBROKEN ? 0 : rc;
        insist(meetings->came[i] == actor->count);
        insist(!(meetings->places[i] >> rc & 1));
        meetings->places[i] |= 1u << rc;
        meetings->went[i]++;
        insist(i == 0 || meetings->went[i - 1] == actor->count);
    }
    return 0;
}

/* Who does not come is missed. */
static void leave_meetings(struct sim_actor *actor)
{
    if (actor->rc)
        bight_barrier_abort(&((struct meetings *)actor->shared)->barrier);
}

static int barrier(void *arg)
{
    struct meetings meetings = {.came = {0}};
    int parties = 1 + (int)sim_below(6);

    (void)arg;
    insist(bight_barrier_init(&meetings.barrier, parties) == 0);
    return sim_over(sim_crowd(&meetings, parties, meet, leave_meetings));
}

/* Semaphore: no more inside than there are units, and all units are back at the end. */

struct permits {
    struct bight_semaphore semaphore;
    int units, inside;
};

static int use_permit(struct permits *permits)
{
    int rc = sim_chance(20) ? bight_semaphore_try_acquire(&permits->semaphore)
                            : bight_semaphore_acquire(&permits->semaphore);

    if (rc)
        return rc == BIGHT_EAGAIN ? 0 : rc;
    insist(++permits->inside <= permits->units);
    rc = sim_pause();
    permits->inside--;
    insist(bight_semaphore_release(&permits->semaphore) == 0);
    return rc;
}

static int use_permits(struct sim_actor *actor)
{
    int rc = 0;

    for (int i = 0; i < ROUNDS && !rc; i++) {
        struct bight_scope scope;
        bool done;

        rc = sim_begin(&scope);
        if (rc)
            return rc;
        rc = sim_end(&scope, use_permit(actor->shared), &done);
    }
    return rc;
}

static int semaphore(void *arg)
{
    struct permits permits = {.units = 1 + (int)sim_below(3)};

    (void)arg;
    insist(bight_semaphore_init_bounded(&permits.semaphore, permits.units, permits.units) == 0);
    int rc = sim_crowd(&permits, 2 + (int)sim_below(6), use_permits, NULL);
    insist(bight_semaphore_value(&permits.semaphore) == permits.units);
    insist(bight_semaphore_release(&permits.semaphore) == BIGHT_ERANGE);
    return sim_over(rc);
}

const struct sim_scenario sim_sync[] = {
    {"mutex", mutex},     {"deadlocks", deadlocks}, {"event", event}, {"condition", condition},
    {"barrier", barrier}, {"semaphore", semaphore}, {NULL, NULL},
};
