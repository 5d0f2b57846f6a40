/* Many runtimes in one process, one per thread, that exchange items: each passes what it gets on to
 * another one, until every token has gone its way. */
#include "runtime/runtime.h"

#include <bight.h>
#include <pthread.h>
#include <stdatomic.h>

#include "tests/harness/expect.h"
#include "tests/harness/suite.h"
#include "tests/harness/world.h"

#define RUNTIMES 8
#define WORKERS 4 /* tasks of each that pass tokens on */
#define TOKENS 16
#define HOPS 200

struct token {
    int hops;
    unsigned at; /* the runtime that has it; read by the next one only */
};

struct place {
    pthread_t thread;
    struct bight_thread_queue *inbox;
    unsigned number;
    size_t passed;
};

static struct place places[RUNTIMES];
static struct token tokens[TOKENS];
static atomic_int arrived;

static void close_all(void)
{
    for (unsigned i = 0; i < RUNTIMES; i++)
        bight_thread_queue_close(places[i].inbox);
}

static int pass_on(void *arg)
{
    struct place *place = arg;
    void *item = NULL;

    for (;;) {
        int rc = bight_thread_queue_get(place->inbox, &item, -1);
        if (rc)
            return rc == BIGHT_ECLOSED ? 0 : rc;
        struct token *token = item;
        EXPECT(token->at == place->number);
        place->passed++;
        if (--token->hops == 0) {
            if (++arrived == TOKENS)
                close_all();
            continue;
        }
        token->at = (place->number + 1 + (unsigned)token->hops % (RUNTIMES - 1)) % RUNTIMES;
        rc = bight_thread_queue_put(places[token->at].inbox, token, -1);
        if (rc)
            return rc;
    }
}

static int workers(struct bight_group *group, void *place)
{
    for (int i = 0; i < WORKERS; i++)
        EXPECT(bight_group_spawn(NULL, group, NULL, pass_on, place) == 0);
    return 0;
}

static int live(void *place)
{
    return bight_group_run(workers, place);
}

static void *run_place(void *place)
{
    EXPECT(bight_run(live, place) == 0);
    return NULL;
}

static void runtimes_of_many_threads_exchange_items(void)
{
    size_t passed = 0;

    /* There is a place for every token in each, so nobody waits for everybody. */
    for (unsigned i = 0; i < RUNTIMES; i++) {
        places[i].number = i;
        ck_ok(bight_thread_queue_new(&places[i].inbox, TOKENS, NULL, NULL));
    }
    for (unsigned i = 0; i < TOKENS; i++) {
        tokens[i] = (struct token){.hops = HOPS, .at = i % RUNTIMES};
        ck_ok(bight_thread_queue_put(places[i % RUNTIMES].inbox, &tokens[i], -1));
    }
    for (unsigned i = 0; i < RUNTIMES; i++)
        ck_assert_int_eq(pthread_create(&places[i].thread, NULL, run_place, &places[i]), 0);
    for (unsigned i = 0; i < RUNTIMES; i++) {
        pthread_join(places[i].thread, NULL);
        passed += places[i].passed;
    }
    for (unsigned i = 0; i < RUNTIMES; i++)
        bight_thread_queue_unref(places[i].inbox);
    ck_assert_uint_eq(passed, TOKENS * HOPS);
}

/* Runtimes that begin and end all the time beside each other. */

static int sleep_a_little(void *arg)
{
    (void)arg;
    return bight_sleep(1);
}

static int short_life(void *arg)
{
    struct bight_task *task;

    EXPECT(bight_spawn(&task, sleep_a_little, arg) == 0);
    EXPECT(bight_spawn(NULL, world_forever, arg) == 0);
    return bight_join(task, NULL);
}

static void *live_often(void *arg)
{
    for (int i = 0; i < 20; i++)
        ck_ok(bight_run(short_life, arg));
    return NULL;
}

static void runtimes_begin_and_end_beside_each_other(void)
{
    pthread_t threads[RUNTIMES];

    for (int i = 0; i < RUNTIMES; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, live_often, NULL), 0);
    for (int i = 0; i < RUNTIMES; i++)
        pthread_join(threads[i], NULL);
}

static const struct suite_case cases[] = {
    plain_case(runtimes_of_many_threads_exchange_items),
    plain_case(runtimes_begin_and_end_beside_each_other),
};

test_suite("runtimes", cases);
