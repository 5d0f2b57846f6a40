/* The loop's calls: queued, timed, and posted by another thread. */
#include "tests/conformance/conf.h"
#include "tests/conformance/host.h"

#include <pthread.h>

struct words {
    struct bight_call call;
    uv_loop_t *loop;
    const char *words[2];
    struct conf_notes notes;
};

static void notes_words(struct bight_call *call)
{
    struct words *words = (struct words *)call;

    conf_note(&words->notes, words->words[0]);
    conf_note(&words->notes, words->words[1]);
    uv_stop(words->loop);
}

static void soon_01_a_queued_call_runs_with_its_arguments(void)
{
    struct words words = {.words = {"hello", "world"}};
    struct conf_host host;

    conf_attach(&host);
    words.loop = &host.loop;
    bight_call_init(&words.call, notes_words);
    ck_ok(bight_call_soon(&words.call));
    uv_run(&host.loop, UV_RUN_DEFAULT);
    ck_assert_str_eq(words.notes.text, " hello world");
    conf_detach(&host);
    ck_assert_str_eq(words.notes.text, " hello world");
}

static void soon_02_queueing_runs_nothing(void)
{
    struct conf_counter counter = {0};
    struct conf_host host;

    conf_attach(&host);
    conf_counter_init(&counter);
    ck_assert(!bight_call_pending(&counter.call));
    ck_ok(bight_call_soon(&counter.call));
    ck_assert(bight_call_pending(&counter.call));
    ck_assert_int_eq(counter.count, 0);
    uv_run(&host.loop, UV_RUN_NOWAIT);
    ck_assert(!bight_call_pending(&counter.call));
    ck_assert_int_eq(counter.count, 1);
    conf_detach(&host);
}

static size_t armed(void)
{
    struct bight_runtime_stats stats;

    ck_ok(bight_runtime_get_stats(&stats));
    return stats.timers;
}

static struct conf_counter victim;

static void cancels_victim(struct bight_call *call)
{
    (void)call;
    ck_assert(bight_call_cancel(&victim.call));
}

static int cancelled_calls(void *arg)
{
    struct bight_call first;

    (void)arg;
    conf_counter_init(&victim);
    bight_call_init(&first, cancels_victim);
    ck_assert(!bight_call_cancel(&victim.call));
    ck_ok(bight_call_soon(&victim.call));
    ck_assert(bight_call_cancel(&victim.call));
    ck_assert(!bight_call_pending(&victim.call));
    ck_ok(bight_call_later(&victim.call, 10));
    ck_assert(bight_call_cancel(&victim.call));
    ck_assert(!bight_call_pending(&victim.call));
    ck_assert_uint_eq(armed(), 0);
    /* Due, and cancelled on the way into the queue by one that was due before. */
    ck_ok(bight_call_later(&first, 10));
    ck_ok(bight_call_later(&victim.call, 10));
    ck_ok(bight_sleep(20));
    ck_assert(!bight_call_pending(&victim.call));
    ck_assert_int_eq(victim.count, 0);
    return 0;
}

static struct conf_counter second;
static int firsts;

static void queues_second(struct bight_call *call)
{
    (void)call;
    firsts++;
    ck_ok(bight_call_soon(&second.call));
    ck_assert_int_eq(second.count, 0);
}

static int call_by_call(void *arg)
{
    struct bight_call first;

    (void)arg;
    conf_counter_init(&second);
    bight_call_init(&first, queues_second);
    ck_ok(bight_call_later(&first, 10));
    ck_ok(bight_sleep(10)); /* the same turn: due at the same time, armed later */
    ck_assert_int_eq(firsts, 1);
    ck_assert(bight_call_pending(&second.call));
    ck_assert_int_eq(second.count, 0);
    ck_ok(bight_yield()); /* the next one */
    ck_assert_int_eq(second.count, 1);
    return 0;
}

/* Timed calls */

static int one_timed(void *arg)
{
    struct conf_counter counter = {0};
    uint64_t now_ns = bight_now_ns();
    struct bight_runtime_stats stats;

    (void)arg;
    conf_counter_init(&counter);
    ck_code(bight_call_later(&counter.call, INT64_MAX), BIGHT_ERANGE);
    ck_code(bight_call_at(&counter.call, BIGHT_NO_DEADLINE), BIGHT_ERANGE);
    ck_assert(!bight_call_pending(&counter.call));
    ck_assert_uint_eq(armed(), 0);
    ck_ok(bight_call_later(&counter.call, 10000));
    ck_assert(bight_call_pending(&counter.call));
    ck_assert_uint_eq(bight_call_when_ns(&counter.call), now_ns + 10000000000u);
    ck_assert_uint_eq(armed(), 1);
    ck_ok(bight_runtime_get_stats(&stats));
    ck_assert_uint_eq(stats.ready, 0);
    world_settle();
    ck_assert_int_eq(counter.count, 0);
    ck_ok(bight_sleep(10000));
    ck_assert_int_eq(counter.count, 1);
    return 0;
}

static int overdue(void *arg)
{
    struct conf_notes notes = {.used = 0};
    struct conf_counter a = {.notes = &notes, .word = "a"}, b = {.notes = &notes, .word = "b"};

    (void)arg;
    conf_counter_init(&a);
    conf_counter_init(&b);
    ck_ok(bight_call_later(&a.call, -1000));
    ck_ok(bight_call_later(&b.call, -2000));
    world_settle();
    ck_ok(bight_sleep(1));
    ck_assert_str_eq(notes.text, " b a");
    return 0;
}

#define MANY 300

static int cancelled_timers(void *arg)
{
    static struct conf_counter counters[MANY];
    struct conf_counter live = {0};

    (void)arg;
    conf_counter_init(&live);
    ck_ok(bight_call_later(&live.call, 3000000));
    for (int i = 0; i < MANY; i++) {
        conf_counter_init(&counters[i]);
        ck_ok(bight_call_later(&counters[i].call, i % 2 ? 3600000 : 100000));
        if (i % 3)
            ck_assert(bight_call_cancel(&counters[i].call));
        ck_assert_uint_eq(armed(), 2 + (size_t)i / 3); /* none stays behind */
    }
    ck_ok(bight_sleep(3600000));
    ck_assert_int_eq(live.count, 1);
    for (int i = 0; i < MANY; i++)
        ck_assert_int_eq(counters[i].count, i % 3 == 0);
    ck_assert_uint_eq(armed(), 0);
    return 0;
}

/* From another thread */

struct other_thread {
    struct bight_mailbox *mailbox;
    struct conf_notes notes;
};

static void notes_hello(void *arg)
{
    ck_assert_ptr_null(bight_self());
    conf_note(&((struct other_thread *)arg)->notes, "hello");
}

static void *posts_hello(void *arg)
{
    struct other_thread *other = arg;

    ck_ok(bight_post_call(other->mailbox, notes_hello, other));
    return NULL;
}

/* The thread has ended when this returns. */
static void post_from_a_thread(struct other_thread *other)
{
    pthread_t thread;

    ck_ok(bight_mailbox_get(&other->mailbox));
    ck_ok(pthread_create(&thread, NULL, posts_hello, other));
    ck_ok(pthread_join(thread, NULL));
    bight_mailbox_unref(other->mailbox);
}

static int posted_in_a_run(void *arg)
{
    struct other_thread other = {.mailbox = NULL};
    struct conf_counter before = {.notes = &other.notes, .word = "before"};
    struct conf_counter world = {.notes = &other.notes, .word = "world"};

    (void)arg;
    conf_counter_init(&before);
    conf_counter_init(&world);
    ck_ok(bight_call_soon(&before.call));
    post_from_a_thread(&other);
    ck_ok(bight_call_soon(&world.call));
    ck_assert_str_eq(other.notes.text, "");
    ck_ok(bight_yield());
    ck_assert_str_eq(other.notes.text, " before hello world");
    return 0;
}

static void xthread_01_a_call_posted_by_a_thread_first_runs_first(void)
{
    struct other_thread other = {.mailbox = NULL};
    struct conf_counter world = {.notes = &other.notes, .word = "world"};
    struct conf_host host;

    conf_attach(&host);
    conf_counter_init(&world);
    world.stops = &host.loop;
    post_from_a_thread(&other);
    ck_ok(bight_call_soon(&world.call));
    uv_run(&host.loop, UV_RUN_DEFAULT);
    ck_assert_str_eq(other.notes.text, " hello world");
    conf_detach(&host);
    conf_ok(posted_in_a_run);
}

static const struct suite_case cases[] = {
    plain_case(soon_01_a_queued_call_runs_with_its_arguments),
    plain_case(soon_02_queueing_runs_nothing),
    conf_case(soon_03_a_call_cancelled_before_its_turn_is_skipped, cancelled_calls),
    conf_case(soon_04_a_call_queued_by_a_call_runs_in_the_next_turn, call_by_call),
    conf_case(later_02_a_timed_call_is_not_ready_and_needs_a_time, one_timed),
    conf_case(later_03_overdue_calls_run_in_the_order_of_their_times, overdue),
    conf_case(later_06_cancelled_timers_do_not_pile_up, cancelled_timers),
    plain_case(xthread_01_a_call_posted_by_a_thread_first_runs_first),
};

test_suite("loop, calls", cases);
