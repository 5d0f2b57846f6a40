/* runtime/mailbox.c: posts around the end of the runtime. What was accepted is run, what comes
 * later is told. */
#include "runtime/runtime.h"

#include <bight.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "tests/harness/expect.h"
#include "tests/harness/suite.h"

#define THREADS 8
#define POSTS 5000

static atomic_int called;

static void count_call(void *arg)
{
    (void)arg;
    called++;
}

static void count_record(struct bight_post *post)
{
    (void)post;
    called++;
}

static int take_mailbox(void *out)
{
    return bight_mailbox_get(out);
}

static void *post_to_the_dead(void *mailbox)
{
    struct bight_post record = {.fn = count_record};

    EXPECT(bight_post_call(mailbox, count_call, NULL) == BIGHT_ECLOSED);
    EXPECT(bight_post_record(mailbox, &record) == BIGHT_ECLOSED);
    bight_mailbox_unref(mailbox);
    return NULL;
}

static void posts_after_the_end_are_closed_and_references_outlive_it(void)
{
    struct bight_mailbox *mailbox;
    pthread_t thread;

    ck_assert_int_eq(bight_run(take_mailbox, &mailbox), 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, post_to_the_dead, bight_mailbox_ref(mailbox)),
                     0);
    pthread_join(thread, NULL);
    post_to_the_dead(mailbox);
    ck_assert_int_eq(called, 0);
}

static int post_and_return(void *arg)
{
    static struct bight_post record = {.fn = count_record};
    struct bight_mailbox *mailbox;

    (void)arg;
    ck_assert_int_eq(bight_mailbox_get(&mailbox), 0);
    ck_assert_int_eq(bight_post_call(mailbox, count_call, NULL), 0);
    ck_assert_int_eq(bight_post_record(mailbox, &record), 0);
    bight_mailbox_unref(mailbox);
    return 0;
}

static void posts_accepted_before_the_end_are_run_at_the_end(void)
{
    ck_assert_int_eq(bight_run(post_and_return, NULL), 0);
    ck_assert_int_eq(called, 2);
}

static atomic_int accepted;

static void *post_until_closed(void *mailbox)
{
    int rc;

    while (!(rc = bight_post_call(mailbox, count_call, NULL)))
        accepted++;
    EXPECT(rc == BIGHT_ECLOSED);
    bight_mailbox_unref(mailbox);
    return NULL;
}

static int return_while_they_post(void *arg)
{
    pthread_t *threads = arg;
    struct bight_mailbox *mailbox;

    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(bight_mailbox_get(&mailbox), 0);
        ck_assert_int_eq(pthread_create(&threads[i], NULL, post_until_closed, mailbox), 0);
    }
    while (called < 100) {
        int rc = bight_yield();
        if (rc)
            return rc;
    }
    return 0;
}

static void what_was_accepted_while_the_runtime_ends_is_run(void)
{
    pthread_t threads[3];

    for (int round = 0; round < 20; round++) {
        called = 0;
        accepted = 0;
        ck_assert_int_eq(bight_run(return_while_they_post, threads), 0);
        for (int i = 0; i < 3; i++)
            pthread_join(threads[i], NULL);
        ck_assert_int_eq(called, accepted);
    }
}

/* A call that queues itself is made a last time at the very end; what it posts then is run too. */
static struct bight_mailbox *kept;

static void post_again(struct bight_call *call)
{
    EXPECT(bight_post_call(kept, count_call, NULL) == 0);
    accepted++;
    EXPECT(bight_call_soon(call) == 0);
}

static int leave_a_posting_call(void *arg)
{
    bight_call_init(arg, post_again);
    EXPECT(bight_mailbox_get(&kept) == 0);
    return bight_call_soon(arg);
}

static void what_the_last_calls_post_is_run(void)
{
    struct bight_call call;

    ck_assert_int_eq(bight_run(leave_a_posting_call, &call), 0);
    ck_assert_int_ge(accepted, 1);
    ck_assert_int_eq(called, accepted);
    ck_assert(!bight_call_pending(&call));
    bight_mailbox_unref(kept);
}

static const struct suite_case cases[] = {
    plain_case(posts_after_the_end_are_closed_and_references_outlive_it),
    plain_case(posts_accepted_before_the_end_are_run_at_the_end),
    plain_case(what_the_last_calls_post_is_run),
    plain_case(what_was_accepted_while_the_runtime_ends_is_run),
};

test_suite("mailbox_end", cases);
