/* runtime/mailbox.c: posts from other threads arrive once, in order, outside of tasks. What
 * happens around the end of the runtime is test_mailbox_end.c's. */
#include "runtime/runtime.h"

#include <bight.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "tests/harness/expect.h"
#include "tests/harness/suite.h"

#define THREADS 8
#define POSTS 5000

static void set_event(void *event)
{
    bight_event_set(event);
}

/* Order */

struct poster {
    pthread_t thread;
    struct bight_mailbox *mailbox;
    struct bight_event *all;
    int arrived;
    struct message {
        struct bight_post post;
        struct poster *poster;
        int number;
    } messages[POSTS];
};

static struct poster posters[THREADS];
static int total;

static void arrive(struct message *message)
{
    EXPECT(message->number == message->poster->arrived);
    EXPECT(!bight_self());
    message->poster->arrived++;
    if (++total == THREADS * POSTS)
        bight_event_set(message->poster->all);
}

static void on_record(struct bight_post *post)
{
    arrive(container_of(post, struct message, post));
}

static void on_call(void *arg)
{
    arrive(arg);
}

static void *post_many(void *arg)
{
    struct poster *poster = arg;

    for (int i = 0; i < POSTS; i++) {
        struct message *message = &poster->messages[i];
        *message = (struct message){.post.fn = on_record, .poster = poster, .number = i};
        int rc = i % 2 ? bight_post_record(poster->mailbox, &message->post)
                       : bight_post_call(poster->mailbox, on_call, message);
        EXPECT(rc == 0);
    }
    bight_mailbox_unref(poster->mailbox);
    return NULL;
}

static int receive_many(void *arg)
{
    struct bight_event all;

    (void)arg;
    bight_event_init(&all);
    for (int i = 0; i < THREADS; i++) {
        posters[i].all = &all;
        ck_assert_int_eq(bight_mailbox_get(&posters[i].mailbox), 0);
        ck_assert_int_eq(pthread_create(&posters[i].thread, NULL, post_many, &posters[i]), 0);
    }
    int rc = bight_event_wait(&all);
    for (int i = 0; i < THREADS; i++)
        pthread_join(posters[i].thread, NULL);
    return rc;
}

static void posts_of_many_threads_arrive_once_and_in_each_ones_order(void)
{
    ck_assert_int_eq(bight_run(receive_many, NULL), 0);
    ck_assert_int_eq(total, THREADS * POSTS);
}

/* Among calls */

static char trace[16];

static void trace_add(const char *letter)
{
    EXPECT(strlen(trace) < sizeof trace - 1);
    strcat(trace, letter);
}

struct lettered {
    struct bight_call call;
    const char *letter;
};

static void trace_call(struct bight_call *call)
{
    trace_add(container_of(call, struct lettered, call)->letter);
}

static void trace_post(void *letter)
{
    trace_add(letter);
}

static int post_among_calls(void *arg)
{
    struct lettered calls[3] = {{.letter = "a"}, {.letter = "c"}, {.letter = "f"}};
    struct bight_mailbox *mailbox;

    (void)arg;
    for (int i = 0; i < 3; i++)
        bight_call_init(&calls[i].call, trace_call);
    EXPECT(bight_mailbox_get(&mailbox) == 0);
    EXPECT(bight_post_call(mailbox, NULL, "x") == BIGHT_EINVAL);
    EXPECT(bight_post_record(mailbox, &(struct bight_post){.fn = NULL}) == BIGHT_EINVAL);
    EXPECT(bight_call_soon(&calls[0].call) == 0);
    EXPECT(bight_post_call(mailbox, trace_post, "b") == 0);
    EXPECT(bight_call_soon(&calls[1].call) == 0);
    EXPECT(bight_post_call(mailbox, trace_post, "d") == 0);
    EXPECT(bight_post_call(mailbox, trace_post, "e") == 0);
    EXPECT(bight_call_soon(&calls[2].call) == 0);
    EXPECT(bight_post_call(mailbox, trace_post, "g") == 0); /* comes when the loop looks for it */
    EXPECT(!*trace);
    while (strlen(trace) < 7)
        EXPECT(bight_yield() == 0);
    EXPECT(strcmp(trace, "abcdefg") == 0);
    bight_mailbox_unref(mailbox);
    return 0;
}

/* The drain */

struct chain {
    struct bight_mailbox *mailbox;
    struct bight_event end;
    struct bight_post post;
    uv_prepare_t prepare;
    int turns;
    int last_turn;
    int links;
};

static void on_prepare(uv_prepare_t *prepare)
{
    container_of(prepare, struct chain, prepare)->turns++;
}

static void next_link(struct bight_post *post)
{
    struct chain *chain = container_of(post, struct chain, post);

    EXPECT(chain->turns > chain->last_turn);
    chain->last_turn = chain->turns;
    EXPECT(bight_sleep(0) == BIGHT_ENOTASK);
    if (++chain->links == 50)
        bight_event_set(&chain->end);
    else
        EXPECT(bight_post_record(chain->mailbox, post) == 0);
}

static int follow_chain(void *arg)
{
    struct chain chain = {.post.fn = next_link, .last_turn = -1};

    (void)arg;
    bight_event_init(&chain.end);
    uv_prepare_init(bight_uv_loop(), &chain.prepare);
    uv_prepare_start(&chain.prepare, on_prepare);
    ck_assert_int_eq(bight_mailbox_get(&chain.mailbox), 0);
    ck_assert_int_eq(bight_post_record(chain.mailbox, &chain.post), 0);
    int rc = bight_event_wait(&chain.end);
    bight_mailbox_unref(chain.mailbox);
    ck_assert_int_eq(bight_uv_close((uv_handle_t *)&chain.prepare), 0);
    return rc;
}

static int spawned_by_post(void *event)
{
    bight_event_set(event);
    return 0;
}

static void spawn_from_post(void *event)
{
    EXPECT(bight_spawn(NULL, spawned_by_post, event) == 0);
}

static int await_spawned(void *arg)
{
    struct bight_event event;
    struct bight_mailbox *mailbox;

    (void)arg;
    bight_event_init(&event);
    ck_assert_int_eq(bight_mailbox_get(&mailbox), 0);
    ck_assert_int_eq(bight_post_call(mailbox, spawn_from_post, &event), 0);
    int rc = bight_event_wait(&event);
    bight_mailbox_unref(mailbox);
    return rc;
}

/* Stalls */

static void *unref_mailbox(void *mailbox)
{
    bight_mailbox_unref(mailbox);
    return NULL;
}

static int wait_in_vain(void *arg)
{
    struct bight_event never;
    struct bight_mailbox *mailbox;

    bight_event_init(&never);
    ck_assert_int_eq(bight_mailbox_get(&mailbox), 0);
    ck_assert_int_eq(pthread_create(arg, NULL, unref_mailbox, mailbox), 0);
    return bight_event_wait(&never);
}

static void when_the_last_holder_goes_a_stall_is_seen(void)
{
    pthread_t thread;

    ck_assert_int_eq(bight_run(wait_in_vain, &thread), BIGHT_ESTALLED);
    pthread_join(thread, NULL);
}

struct rescue {
    pthread_t thread;
    struct bight_mailbox *mailbox;
    struct bight_event event;
};

static void *post_event(void *arg)
{
    struct rescue *rescue = arg;
    struct bight_mailbox *mailbox = rescue->mailbox;

    EXPECT(bight_post_call(mailbox, set_event, &rescue->event) == 0);
    bight_mailbox_unref(mailbox);
    return NULL;
}

static int wait_for_thread(void *arg)
{
    struct rescue *rescue = arg;

    bight_event_init(&rescue->event);
    ck_assert_int_eq(bight_mailbox_get(&rescue->mailbox), 0);
    ck_assert_int_eq(pthread_create(&rescue->thread, NULL, post_event, rescue), 0);
    return bight_event_wait(&rescue->event);
}

static void while_somebody_holds_a_reference_nothing_is_stalled(void)
{
    struct rescue rescue;

    for (int i = 0; i < 50; i++) {
        ck_assert_int_eq(bight_run(wait_for_thread, &rescue), 0);
        pthread_join(rescue.thread, NULL);
    }
}

/* Several runtimes */

#define ROUNDS 2000

struct side {
    struct bight_mailbox *mailbox;
    struct bight_event got;
    struct bight_post post;
};

static struct side sides[2];
static pthread_barrier_t both;

static void on_ball(struct bight_post *post)
{
    bight_event_set(&container_of(post, struct side, post)->got);
}

static int receive(struct side *me)
{
    int rc = bight_event_wait(&me->got);

    bight_event_clear(&me->got);
    return rc;
}

static int play(void *arg)
{
    struct side *me = arg, *other = &sides[me == &sides[0]];
    int rc = 0;

    bight_event_init(&me->got);
    me->post.fn = on_ball;
    EXPECT(bight_mailbox_get(&me->mailbox) == 0);
    pthread_barrier_wait(&both);
    for (int i = 0; i < ROUNDS && !rc; i++) {
        if (me == &sides[1])
            rc = receive(me);
        if (!rc)
            rc = bight_post_record(other->mailbox, &other->post);
        if (!rc && me == &sides[0])
            rc = receive(me);
    }
    return rc;
}

static void *run_side(void *side)
{
    EXPECT(bight_run(play, side) == 0);
    return NULL;
}

static void runtimes_of_two_threads_post_to_each_other(void)
{
    pthread_t thread;

    pthread_barrier_init(&both, NULL, 2);
    ck_assert_int_eq(pthread_create(&thread, NULL, run_side, &sides[1]), 0);
    run_side(&sides[0]);
    pthread_join(thread, NULL);
    for (int i = 0; i < 2; i++)
        bight_mailbox_unref(sides[i].mailbox);
    pthread_barrier_destroy(&both);
}

/* Errors */

static int called;

static void count_call(void *arg)
{
    (void)arg;
    called++;
}

static void count_record(struct bight_post *post)
{
    count_call(post);
}

static void without_a_runtime_there_is_no_mailbox(void)
{
    struct bight_mailbox *mailbox;

    ck_assert_int_eq(bight_mailbox_get(&mailbox), BIGHT_ENORUNTIME);
    bight_mailbox_unref(NULL);
}

static bool fail_when(void *ctx, const void *site)
{
    (void)site;
    return *(bool *)ctx;
}

static int post_without_memory(void *arg)
{
    static struct bight_post record = {.fn = count_record};
    bool *failing = arg;
    struct bight_mailbox *mailbox;

    ck_assert_int_eq(bight_mailbox_get(&mailbox), 0);
    *failing = true;
    ck_assert_int_eq(bight_post_call(mailbox, count_call, NULL), BIGHT_ENOMEM);
    ck_assert_int_eq(bight_post_record(mailbox, &record), 0);
    *failing = false;
    bight_mailbox_unref(mailbox);
    return 0;
}

static void only_bight_post_needs_memory(void)
{
    bool failing = false;
    const struct bight_seams seams = {.ctx = &failing, .fail_alloc = fail_when};

    ck_assert_int_eq(bight__run_with_seams(NULL, &seams, post_without_memory, &failing), 0);
    ck_assert_int_eq(called, 1);
}

static const struct suite_case cases[] = {
    plain_case(posts_of_many_threads_arrive_once_and_in_each_ones_order),
    body_case(posts_and_calls_are_made_in_one_order, bight_run, post_among_calls),
    body_case(a_post_made_by_a_post_runs_in_a_later_turn_of_the_loop, bight_run, follow_chain),
    body_case(a_post_may_spawn, bight_run, await_spawned),
    plain_case(when_the_last_holder_goes_a_stall_is_seen),
    plain_case(while_somebody_holds_a_reference_nothing_is_stalled),
    plain_case(runtimes_of_two_threads_post_to_each_other),
    plain_case(without_a_runtime_there_is_no_mailbox),
    plain_case(only_bight_post_needs_memory),
};

test_suite("mailbox", cases);
