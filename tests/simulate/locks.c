/* Simulations of the locks with more than two states: read-write lock, limiter, once, wait
 * group. */
#include "tests/simulate/simulate.h"

#define ROUNDS 5

/* Read-write lock: a writer alone, readers together; readers wait for writers only. */

struct library {
    struct bight_rwlock lock;
    int readers, writers, waiting_writers;
};

static void nobody_waits_for_nothing(const struct library *library)
{
    insist(bight_rwlock_writer(&library->lock) || library->waiting_writers ||
           bight_rwlock_waiting(&library->lock) == 0);
}

static int visit(struct library *library, bool writes)
{
    library->waiting_writers += writes;
    int rc =
        writes ? bight_rwlock_write_lock(&library->lock) : bight_rwlock_read_lock(&library->lock);
    library->waiting_writers -= writes;
    nobody_waits_for_nothing(library);
    if (rc)
        return rc;
    library->writers += writes;
    library->readers += !writes;
    insist(library->writers == 0 || (library->writers == 1 && library->readers == 0));
    rc = sim_pause();
    insist(library->writers == 0 || (library->writers == 1 && library->readers == 0));
    library->writers -= writes;
    library->readers -= !writes;
    insist(bight_rwlock_unlock(&library->lock) == 0);
    nobody_waits_for_nothing(library);
    return rc;
}

static int visits(struct sim_actor *actor)
{
    int rc = 0;

    for (int i = 0; i < ROUNDS && !rc; i++) {
        struct bight_scope scope;
        bool done;

        rc = sim_begin(&scope);
        if (rc)
            return rc;
        rc = sim_end(&scope, visit(actor->shared, sim_chance(30)), &done);
        if (rc == 0)
            rc = sim_pause();
    }
    return rc;
}

static int rwlock(void *arg)
{
    struct library library = {.readers = 0};

    (void)arg;
    bight_rwlock_init(&library.lock);
    int rc = sim_crowd(&library, 2 + (int)sim_below(7), visits, NULL);
    insist(bight_rwlock_try_write_lock(&library.lock) == 0);
    insist(bight_rwlock_unlock(&library.lock) == 0);
    return sim_over(rc);
}

/* Limiter: no more out than the total was at any time since they began; the books are right. */

struct bank {
    struct bight_limiter limiter;
    int64_t out;
};

static int borrow(struct bank *bank)
{
    struct bight_borrower borrower;

    bight_borrower_init(&borrower);
    int rc = bight_limiter_acquire(&bank->limiter, &borrower);
    if (rc)
        return rc;
    bank->out++;
    insist(bight_limiter_borrowed(&bank->limiter) >= bank->out);
    insist(bank->out <= 4);
    insist(bight_limiter_try_acquire(&bank->limiter, &borrower) == BIGHT_EALREADY);
    rc = sim_pause();
    bank->out--;
    insist(bight_limiter_release(&bank->limiter, &borrower) == 0);
    return rc;
}

static int use_bank(struct sim_actor *actor)
{
    struct bank *bank = actor->shared;
    int rc = 0;

    for (int i = 0; i < ROUNDS && !rc; i++) {
        struct bight_scope scope;
        bool done;

        if (actor->index == 0) {
            insist(bight_limiter_set_total(&bank->limiter, sim_below(5)) == 0);
            rc = sim_pause();
            continue;
        }
        rc = sim_begin(&scope);
        if (rc)
            return rc;
        rc = sim_end(&scope, borrow(bank), &done);
    }
    return rc;
}

/* Who set it to 0 and goes would leave the others waiting. */
static void open_bank(struct sim_actor *actor)
{
    if (actor->index == 0)
        insist(bight_limiter_set_total(&((struct bank *)actor->shared)->limiter, 2) == 0);
}

static int limiter(void *arg)
{
    struct bank bank = {.out = 0};

    (void)arg;
    insist(bight_limiter_init(&bank.limiter, 1) == 0);
    int rc = sim_crowd(&bank, 2 + (int)sim_below(6), use_bank, open_bank);
    insist(bight_limiter_borrowed(&bank.limiter) == 0);
    insist(bight_limiter_waiting(&bank.limiter) == 0);
    return sim_over(rc);
}

/* Once: one at a time runs it, to its end once, and nobody goes on before that. */

struct setup {
    struct bight_once once;
    int running, ran;
};

static int set_up(void *arg)
{
    struct setup *setup = arg;

    insist(setup->running++ == 0);
    insist(setup->ran == 0);
    int rc = sim_pause();
    if (rc == 0)
        rc = sim_pause();
    setup->running--;
    setup->ran += rc == 0;
    return rc;
}

static int need_setup(struct sim_actor *actor)
{
    struct setup *setup = actor->shared;
    struct bight_scope scope;
    bool done;
    int rc = sim_pause();

    if (rc == 0)
        rc = sim_begin(&scope);
    if (rc)
        return rc;
    rc = sim_end(&scope, bight_once_run(&setup->once, set_up, setup), &done);
    insist(!done || setup->ran == 1);
    return rc;
}

static int once(void *arg)
{
    struct setup setup = {.ran = 0};

    (void)arg;
    bight_once_init(&setup.once);
    int rc = sim_crowd(&setup, 2 + (int)sim_below(6), need_setup, NULL);
    insist(bight_once_done(&setup.once) == (setup.ran == 1));
    return sim_over(rc);
}

/* Wait group: nobody goes on before all work is done. */

struct work {
    struct bight_wait_group group;
    int open;
};

static int work_or_wait(struct sim_actor *actor)
{
    struct work *work = actor->shared;
    int rc;

    if (actor->index % 2) {
        rc = sim_pause();
        return rc ? rc : sim_pause();
    }
    rc = bight_wait_group_wait(&work->group);
    insist(rc || work->open == 0);
    return rc;
}

static void work_is_done(struct sim_actor *actor)
{
    struct work *work = actor->shared;

    if (actor->index % 2 == 0)
        return;
    work->open--;
    insist(bight_wait_group_finish(&work->group) == 0);
}

static int wait_group(void *arg)
{
    struct work work = {.open = 0};
    int count = 2 + (int)sim_below(8);

    (void)arg;
    bight_wait_group_init(&work.group);
    work.open = count / 2;
    insist(bight_wait_group_add(&work.group, work.open) == 0);
    int rc = sim_crowd(&work, count, work_or_wait, work_is_done);
    insist(bight_wait_group_count(&work.group) == 0);
    return sim_over(rc);
}

const struct sim_scenario sim_locks[] = {
    {"rwlock", rwlock},         {"limiter", limiter}, {"once", once},
    {"wait-group", wait_group}, {NULL, NULL},
};
