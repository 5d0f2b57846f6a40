/* What bight_runtime_get_stats and bight_runtime_count_parked tell: what is counted always, and
 * what only while it is measured. The clock is a number that the tests move. */
#include "runtime/runtime.h"

#include <bight.h>

#include <pthread.h>
#include <string.h>

#include "tests/harness/suite.h"
#include "tests/harness/world.h"

#define MS UINT64_C(1000000)

static uint64_t now;

static uint64_t now_ns(void *ctx)
{
    (void)ctx;
    return now;
}

static uint64_t wait_ns(void *ctx, uint64_t deadline_ns)
{
    (void)ctx;
    return deadline_ns <= now ? 0 : UINT64_MAX;
}

static void run(bool measure, int (*fn)(void *arg))
{
    const struct bight_runtime_options options = {.measure = measure};
    const struct bight_seams seams = {.now_ns = now_ns, .wait_ns = wait_ns};

    now = 1000 * MS;
    ck_ok(bight__run_with_seams(&options, &seams, fn, NULL));
}

static struct bight_runtime_stats stats(void)
{
    struct bight_runtime_stats got;

    ck_ok(bight_runtime_get_stats(&got));
    return got;
}

static void spawn(struct bight_task **task, const char *name, int (*fn)(void *arg), void *arg)
{
    const struct bight_spawn_options options = {.name = name};

    ck_ok(bight_spawn_with(task, &options, fn, arg));
}

/* What is counted always */

static int waits_for_event(void *event)
{
    return bight_event_wait(event);
}

static int takes_mutex(void *mutex)
{
    int rc = bight_mutex_lock(mutex);

    if (!rc)
        bight_mutex_unlock(mutex);
    return rc;
}

static void set_event(void *event)
{
    bight_event_set(event);
}

static void nothing_called(struct bight_call *call)
{
    (void)call;
}

static int counts(void *arg)
{
    struct bight_runtime_stats before = stats(), after;
    struct bight_mailbox *mailbox;
    struct bight_event event, posted;
    struct bight_call call;

    (void)arg;
    ck_assert_uint_eq(before.live, 1);
    ck_assert_uint_eq(before.turns, 1);
    ck_assert_uint_eq(before.parked, 0);
    bight_event_init(&posted);
    bight_event_init(&event);
    for (int i = 0; i < 3; i++)
        spawn(NULL, "waits", waits_for_event, &event);
    after = stats();
    ck_assert_uint_eq(after.ready, 3);
    ck_assert_uint_eq(after.parked, 0);
    ck_ok(bight_yield());
    bight_call_init(&call, nothing_called);
    ck_ok(bight_call_soon(&call));
    ck_ok(bight_mailbox_get(&mailbox));
    for (int i = 0; i < 4; i++)
        ck_ok(bight_post_call(mailbox, set_event, &posted));
    after = stats();
    ck_assert_uint_eq(after.turns, 5);
    ck_assert_uint_eq(after.parked, 3);
    ck_assert_uint_eq(after.outside, 0);
    ck_assert_uint_eq(after.calls, 1);
    ck_assert_uint_eq(after.posts, 4);
    ck_assert(!after.measuring);
    ck_assert_uint_eq(after.measured_ns + after.poll_ns + after.turns_ns, 0);
    ck_assert_uint_eq(after.longest_turn_ns + after.ready_longest, 0);
    bight_mailbox_unref(mailbox);
    bight_event_set(&event);
    ck_ok(bight_event_wait(&posted));
    world_settle();
    after = stats();
    ck_assert_uint_eq(after.calls + after.posts + after.parked, 0);
    ck_assert_uint_eq(after.live, 1);
    return 0;
}

static void some_figures_are_there_unmeasured(void)
{
    run(false, counts);
}

static void without_a_runtime_there_are_none(void)
{
    struct bight_runtime_stats none;
    struct bight_parked parked;

    ck_code(bight_runtime_get_stats(&none), BIGHT_ENORUNTIME);
    ck_code(bight_runtime_set_measuring(true), BIGHT_ENORUNTIME);
    ck_code(bight_runtime_count_parked(&parked, 1), BIGHT_ENORUNTIME);
    ck_code(bight_runtime_count_parked(&parked, 0), BIGHT_EINVAL);
}

/* By what they wait for */

static int waits_by_kind(void *arg)
{
    static struct bight_mutex mutex; /* the others wait for it after main's end */
    static struct bight_event event;
    struct bight_parked parked[8];

    (void)arg;
    ck_assert_int_eq(bight_runtime_count_parked(parked, 8), 0);
    bight_mutex_init(&mutex);
    bight_event_init(&event);
    ck_ok(bight_mutex_lock(&mutex));
    for (int i = 0; i < 2; i++)
        spawn(NULL, "locks", takes_mutex, &mutex);
    for (int i = 0; i < 3; i++)
        spawn(NULL, "waits", waits_for_event, &event);
    spawn(NULL, "sleeps", world_forever, NULL);
    ck_ok(bight_yield());
    ck_assert_int_eq(bight_runtime_count_parked(parked, 8), 3);
    ck_assert_str_eq(parked[0].name, "event");
    ck_assert_uint_eq(parked[0].tasks, 3);
    ck_assert_str_eq(parked[1].name, "mutex");
    ck_assert_uint_eq(parked[1].tasks, 2);
    ck_assert_str_eq(parked[2].name, "sleep");
    ck_assert_uint_eq(parked[2].tasks, 1);

    ck_assert_int_eq(bight_runtime_count_parked(parked, 2), 2);
    ck_assert_str_eq(parked[0].name, "mutex"); /* the first that is met has its place */
    ck_assert_str_eq(parked[1].name, "other");
    ck_assert_uint_eq(parked[1].tasks, 4);
    ck_assert_int_eq(bight_runtime_count_parked(parked, 1), 1);
    ck_assert_str_eq(parked[0].name, "other");
    ck_assert_uint_eq(parked[0].tasks, 6);
    bight_mutex_unlock(&mutex);
    return 0;
}

/* What is measured */

static int step_for(void *arg)
{
    now += *(uint64_t *)arg * MS;
    return 0;
}

static uint64_t five = 5, thirty = 30;

static int is_measured(void *arg)
{
    struct bight_runtime_stats got;

    (void)arg;
    ck_assert(stats().measuring);
    spawn(NULL, "five", step_for, &five);
    spawn(NULL, "thirty", step_for, &thirty);
    spawn(NULL, "five", step_for, &five);
    world_settle();
    got = stats();
    ck_assert_uint_eq(got.longest_turn_ns, 30 * MS);
    ck_assert_str_eq(got.longest_turn_name, "thirty");
    ck_assert_uint_eq(got.longest_turn_id, 3);
    ck_assert_uint_eq(got.turns_ns, 40 * MS);
    ck_assert_uint_eq(got.measured_ns, 40 * MS);
    ck_assert_uint_eq(got.ready_longest, 4); /* and main, which gave way */
    return 0;
}

static void the_longest_turn_is_known_with_its_task(void)
{
    run(true, is_measured);
}

/* It begins in the middle of a turn, which is not measured. */
static int on_and_off(void *arg)
{
    struct bight_runtime_stats got;

    (void)arg;
    now += 100 * MS;
    ck_ok(bight_runtime_set_measuring(true));
    ck_ok(bight_runtime_set_measuring(true));
    now += 7 * MS;
    spawn(NULL, "five", step_for, &five);
    world_settle();
    ck_ok(bight_runtime_set_measuring(false));
    ck_ok(bight_runtime_set_measuring(false));
    spawn(NULL, "thirty", step_for, &thirty);
    world_settle();
    got = stats();
    ck_assert(!got.measuring);
    ck_assert_uint_eq(got.measured_ns, 12 * MS);
    ck_assert_uint_eq(got.longest_turn_ns, 5 * MS);
    ck_assert_uint_eq(got.turns_ns, 5 * MS);
    ck_ok(bight_runtime_set_measuring(true));
    got = stats();
    ck_assert(got.measuring);
    ck_assert_uint_eq(got.measured_ns + got.longest_turn_ns + got.turns_ns, 0);
    ck_assert_str_eq(got.longest_turn_name, "");
    return 0;
}

static void measuring_goes_on_and_off(void)
{
    run(false, on_and_off);
}

/* In real time: asleep is not in turns. */
static int sleeps_awhile(void *arg)
{
    struct bight_runtime_stats got;

    (void)arg;
    ck_ok(bight_sleep(20));
    got = stats();
    ck_assert_uint_ge(got.poll_ns, 15 * MS);
    ck_assert_uint_ge(got.measured_ns, got.poll_ns + got.turns_ns);
    ck_ok(bight_runtime_set_measuring(false));
    ck_ok(bight_sleep(1));
    ck_assert_uint_eq(stats().poll_ns, stats().poll_ns);
    ck_assert_uint_le(stats().poll_ns, got.measured_ns + 1000 * MS);
    return 0;
}

static void time_in_the_kernel_is_measured(void)
{
    const struct bight_runtime_options options = {.measure = true};

    ck_ok(bight_run_with(&options, sleeps_awhile, NULL));
}

/* From another thread, by a post */

static int get(void *arg)
{
    return bight_runtime_get_stats(arg);
}

struct asking {
    struct bight_mailbox *mailbox;
    struct bight_thread_event *asked;
    struct bight_runtime_stats got;
};

static void *ask(void *arg)
{
    struct asking *asking = arg;
    int result = 1;

    ck_ok(bight_thread_call(asking->mailbox, get, &asking->got, &result));
    ck_ok(result);
    bight_thread_event_set(asking->asked);
    return NULL;
}

static int is_asked(void *arg)
{
    struct asking asking;
    pthread_t thread;

    (void)arg;
    ck_ok(bight_mailbox_get(&asking.mailbox));
    ck_ok(bight_thread_event_new(&asking.asked));
    ck_assert_int_eq(pthread_create(&thread, NULL, ask, &asking), 0);
    ck_ok(bight_thread_event_wait(asking.asked, -1));
    pthread_join(thread, NULL);
    ck_assert_uint_eq(asking.got.live, 1);
    ck_assert_uint_eq(asking.got.parked, 1);
    ck_assert_uint_eq(asking.got.outside, 1);
    ck_assert_uint_eq(asking.got.posts, 0);
    bight_thread_event_unref(asking.asked);
    bight_mailbox_unref(asking.mailbox);
    return 0;
}

static void another_thread_gets_them_by_a_post(void)
{
    ck_ok(bight_run(is_asked, NULL));
}

static const struct suite_case cases[] = {
    plain_case(some_figures_are_there_unmeasured),
    plain_case(without_a_runtime_there_are_none),
    world_case(tasks_are_counted_by_what_they_wait_for, waits_by_kind),
    plain_case(the_longest_turn_is_known_with_its_task),
    plain_case(measuring_goes_on_and_off),
    plain_case(time_in_the_kernel_is_measured),
    plain_case(another_thread_gets_them_by_a_post),
};

test_suite("stats", cases);
