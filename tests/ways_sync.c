/* See ways.h: what tasks synchronise with, beyond mutex and event. */
#include "tests/ways.h"

#include <check.h>

static struct bight_mutex mutex;
static struct bight_condition condition;
static size_t tokens;

/* Condition: what is given is a notification, and for the predicate a token. */

static void condition_open(struct stage *stage)
{
    (void)stage;
    tokens = 0;
    bight_mutex_init(&mutex);
    bight_condition_init(&condition, &mutex);
}

static int with_mutex(struct seat *seat, int (*wait)(void))
{
    int rc = bight_mutex_lock(&mutex);

    if (rc)
        return rc;
    seat->stage->no_memory = true;
    rc = wait();
    ck_assert_ptr_eq(bight_mutex_owner(&mutex), bight_self());
    ck_assert_int_eq(bight_mutex_unlock(&mutex), 0);
    return rc;
}

static int wait_once(void)
{
    return bight_condition_wait(&condition);
}

static int condition_wait(struct seat *seat)
{
    return with_mutex(seat, wait_once);
}

static bool has_token(void *arg)
{
    (void)arg;
    return tokens;
}

static int wait_token(void)
{
    int rc = bight_condition_wait_until(&condition, has_token, NULL);

    tokens -= rc == 0;
    return rc;
}

static int condition_wait_until(struct seat *seat)
{
    return with_mutex(seat, wait_token);
}

static void condition_wake(struct stage *stage)
{
    (void)stage;
    ck_assert_int_eq(bight_mutex_lock(&mutex), 0); /* who was cancelled may have it for now */
    tokens++;
    ck_assert_int_eq(bight_condition_notify(&condition, 1), 0);
    ck_assert_int_eq(bight_mutex_unlock(&mutex), 0);
}

static void condition_close(struct stage *stage)
{
    (void)stage;
    ck_assert_uint_eq(bight_condition_waiting(&condition), 0);
    ck_assert_ptr_null(bight_mutex_owner(&mutex));
}

static void token_close(struct stage *stage)
{
    condition_close(stage);
    ck_assert_uint_eq(tokens, stage->given - stage->taken);
}

/* call, seats, woken, lets_go, by_itself, open, wait, wake, leave, close */
static const struct way sync_ways[] = {
    {"bight_condition_wait", 2, 0, true, false, condition_open, condition_wait, condition_wake,
     NULL, condition_close},
    {"bight_condition_wait_until", 2, 0, true, false, condition_open, condition_wait_until,
     condition_wake, NULL, token_close},
};

const struct way_table sync_way_table = {sync_ways, sizeof(sync_ways) / sizeof(sync_ways[0])};
