/* runtime/uv/signal.c: many that are open for one number share what libuv has of it, come and go
 * beside each other, and each still counts for itself. */
#include "runtime/runtime.h"

#include <bight.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "tests/harness/expect.h"
#include "tests/harness/suite.h"

/* libuv writes 16 bytes per handle and arrival into a pipe, which holds 65,536. */
#define MANY 5000

/* One that is open, and the task that waits on it. */
struct ear {
    struct bight_signal *signal;
    struct bight_task *task;
    struct bight_signal **ends; /* what the task ends when it was woken, or NULL */
};

static int listen_once(void *arg)
{
    struct ear *ear = arg;
    int rc = bight_signal_wait(ear->signal);

    if (ear->ends) {
        bight_signal_end(*ear->ends);
        *ear->ends = NULL;
    }
    return rc;
}

static void open_ear(struct ear *ear)
{
    EXPECT(bight_signal_open(&ear->signal, SIGUSR1) == 0);
}

/* Have tasks wait on all of them. */
static void prick_up(struct ear *ears, size_t count)
{
    for (size_t i = 0; i < count; i++)
        EXPECT(bight_spawn(&ears[i].task, listen_once, &ears[i]) == 0);
    EXPECT(bight_yield() == 0);
}

/* What the wait of the ear's task returned. */
static int heard(const struct ear *ear)
{
    int status;

    EXPECT(bight_join(ear->task, &status) == 0);
    return status;
}

/* Wait for exactly `arrivals`, however many waits they take. */
static void hear(struct bight_signal *signal, int arrivals)
{
    while (arrivals > 0) {
        int rc = bight_signal_wait(signal);

        EXPECT(rc > 0);
        arrivals -= rc;
    }
    EXPECT(arrivals == 0);
}

static bool usr1_is_default(void)
{
    struct sigaction action;

    EXPECT(sigaction(SIGUSR1, NULL, &action) == 0);
    return action.sa_handler == SIG_DFL;
}

static int many(void *arg)
{
    struct ear *ears = calloc(MANY, sizeof *ears);

    (void)arg;
    EXPECT(ears);
    for (size_t i = 0; i < MANY; i++)
        open_ear(&ears[i]);
    prick_up(ears, MANY);
    EXPECT(raise(SIGUSR1) == 0);
    for (size_t i = 0; i < MANY; i++)
        EXPECT(heard(&ears[i]) == 1);
    for (int i = 0; i < 3; i++)
        EXPECT(raise(SIGUSR1) == 0);
    for (size_t i = 0; i < MANY; i++)
        hear(ears[i].signal, 3);
    for (size_t i = 0; i < MANY; i++) {
        EXPECT(!usr1_is_default());
        bight_signal_end(ears[i].signal);
    }
    EXPECT(usr1_is_default());
    free(ears);
    return 0;
}

/* The first, one in the middle and the last. */
static int some_end(void *arg)
{
    static const int order[] = {0, 2, 4};
    struct ear ears[5] = {{.signal = NULL}};

    (void)arg;
    for (int i = 0; i < 5; i++)
        open_ear(&ears[i]);
    prick_up(ears, 5);
    for (int i = 0; i < 3; i++) {
        bight_signal_end(ears[order[i]].signal);
        ck_assert_int_eq(heard(&ears[order[i]]), BIGHT_ECLOSED);
        ck_assert(!usr1_is_default());
    }
    raise(SIGUSR1);
    for (int i = 1; i < 5; i += 2) {
        ck_assert_int_eq(heard(&ears[i]), 1);
        bight_signal_end(ears[i].signal);
        ck_assert_int_eq(usr1_is_default(), i == 3);
    }
    return 0;
}

/* Each of two ends the other: the first that runs does it, when both have been woken. */
static int woken_ends_woken(void *arg)
{
    struct ear ears[3] = {{.ends = &ears[1].signal}, {.ends = &ears[0].signal}, {.ends = NULL}};

    (void)arg;
    for (int i = 0; i < 3; i++)
        open_ear(&ears[i]);
    prick_up(ears, 3);
    raise(SIGUSR1);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(heard(&ears[i]), 1);
    ck_assert_ptr_null(ears[0].signal);
    ck_assert_ptr_null(ears[1].signal);
    raise(SIGUSR1);
    hear(ears[2].signal, 1);
    bight_signal_end(ears[2].signal);
    ck_assert(usr1_is_default());
    return 0;
}

/* A handler of the program's own on the same loop, called before ours or after. */
struct handler {
    uv_signal_t handle;
    struct ear *ends;
};

static void on_usr1(uv_signal_t *handle, int signum)
{
    struct handler *handler = container_of(handle, struct handler, handle);

    (void)signum;
    bight_signal_end(handler->ends->signal);
    EXPECT(uv_signal_stop(handle) == 0);
}

/* End the first of `count`. */
static void callback_ends_of(int count)
{
    struct ear ears[2] = {{.signal = NULL}};
    struct handler handler = {.ends = &ears[0]};

    for (int i = 0; i < count; i++)
        open_ear(&ears[i]);
    prick_up(ears, (size_t)count);
    ck_assert_int_eq(uv_signal_init(bight_uv_loop(), &handler.handle), 0);
    ck_assert_int_eq(uv_signal_start(&handler.handle, on_usr1, SIGUSR1), 0);
    raise(SIGUSR1);
    int rc = heard(&ears[0]);
    ck_assert(rc == 1 || rc == BIGHT_ECLOSED);
    for (int i = 1; i < count; i++) {
        ck_assert_int_eq(heard(&ears[i]), 1);
        bight_signal_end(ears[i].signal);
    }
    ck_assert_int_eq(bight_uv_close((uv_handle_t *)&handler.handle), 0);
    ck_assert(usr1_is_default());
}

static int callback_ends_one(void *arg)
{
    (void)arg;
    callback_ends_of(2);
    return 0;
}

static int callback_ends_last(void *arg)
{
    (void)arg;
    callback_ends_of(1);
    return 0;
}

/* The first watcher closes while its arrival is still on the way. */
static int open_again(void *arg)
{
    struct ear ear = {.signal = NULL};

    (void)arg;
    for (int i = 0; i < 3; i++) {
        open_ear(&ear);
        raise(SIGUSR1);
        bight_signal_end(ear.signal);
        ck_assert(usr1_is_default());
    }
    open_ear(&ear);
    raise(SIGUSR1);
    hear(ear.signal, 1);
    raise(SIGUSR1);
    hear(ear.signal, 1);
    bight_signal_end(ear.signal);
    return 0;
}

static int leave_many_open(void *arg)
{
    struct bight_signal *signal;

    (void)arg;
    for (int i = 0; i < 30; i++)
        ck_assert_int_eq(bight_signal_open(&signal, i % 3 ? SIGUSR1 : SIGUSR2), 0);
    return 0;
}

static void all_that_are_left_open_are_ended_by_the_runtime(void)
{
    ck_assert_int_eq(bight_run(leave_many_open, NULL), 0);
    ck_assert(usr1_is_default());
}

/* Allocations and calls to libuv, of which that number fails. */
static bool armed;
static int until_failure;

static bool fails(void *ctx, const void *site)
{
    (void)ctx;
    (void)site;
    return armed && until_failure-- == 0;
}

static bool fails_call(void *ctx, const void *site, const char *name, int *error, size_t *bytes)
{
    (void)name;
    (void)bytes;
    *error = EMFILE;
    return fails(ctx, site);
}

static int open_armed(struct bight_signal **out, int signum, int failure)
{
    until_failure = failure;
    armed = true;
    int rc = bight_signal_open(out, signum);
    armed = false;
    return rc;
}

/* The second of a number needs its record only, and the first does not notice a failure. */
static int second_without_memory(void *arg)
{
    struct ear ears[2] = {{.signal = NULL}};

    (void)arg;
    open_ear(&ears[0]);
    prick_up(ears, 1);
    ck_assert_int_eq(open_armed(&ears[1].signal, SIGUSR1, 0), BIGHT_ENOMEM);
    ck_assert_ptr_null(ears[1].signal);
    ck_assert_int_eq(open_armed(&ears[1].signal, SIGUSR1, 1), 0);
    raise(SIGUSR1);
    ck_assert_int_eq(heard(&ears[0]), 1);
    hear(ears[1].signal, 1);
    bight_signal_end(ears[0].signal);
    bight_signal_end(ears[1].signal);
    ck_assert(usr1_is_default());
    return 0;
}

static void a_second_without_memory_leaves_the_first_alone(void)
{
    const struct bight_seams seams = {.fail_alloc = fails};

    ck_assert_int_eq(bight__run_with_seams(NULL, &seams, second_without_memory, NULL), 0);
}

/* A number that could not be listened to can be tried again, and no watcher stays behind. */
static int open_without_libuv(void *arg)
{
    struct bight_signal *signal;
    int failures = 0, rc;

    (void)arg;
    while ((rc = open_armed(&signal, SIGUSR1, failures)) == BIGHT_EMFILE) {
        ck_assert(usr1_is_default());
        failures++;
    }
    ck_assert_int_eq(rc, 0);
    ck_assert_int_eq(failures, 2);
    raise(SIGUSR1);
    hear(signal, 1);
    bight_signal_end(signal);
    return 0;
}

static void want_of_a_handle_is_an_error_at_each_call(void)
{
    const struct bight_seams seams = {.fail_call = fails_call};

    ck_assert_int_eq(bight__run_with_seams(NULL, &seams, open_without_libuv, NULL), 0);
}

/* Several runtimes, each with watchers of its own. */
#define RUNTIMES 4

static pthread_barrier_t all_wait;

static int listen_beside_others(void *raises)
{
    struct ear ears[8] = {{.signal = NULL}};

    for (int i = 0; i < 8; i++)
        open_ear(&ears[i]);
    prick_up(ears, 8);
    pthread_barrier_wait(&all_wait);
    if (raises)
        EXPECT(raise(SIGUSR1) == 0);
    for (int i = 0; i < 8; i++)
        EXPECT(heard(&ears[i]) == 1);
    for (int i = 0; i < 8; i++) {
        EXPECT(!usr1_is_default());
        bight_signal_end(ears[i].signal);
    }
    return 0;
}

static void *run_listener(void *raises)
{
    EXPECT(bight_run(listen_beside_others, raises) == 0);
    return NULL;
}

static void each_of_several_runtimes_tells_all_of_its_own(void)
{
    pthread_t threads[RUNTIMES];

    ck_assert_int_eq(pthread_barrier_init(&all_wait, NULL, RUNTIMES), 0);
    for (int i = 0; i < RUNTIMES; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, run_listener, i == 0 ? &all_wait : NULL),
                         0);
    for (int i = 0; i < RUNTIMES; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&all_wait);
    ck_assert(usr1_is_default());
}

static const struct suite_case cases[] = {
    body_case(one_arrival_wakes_5000_waits, bight_run, many),
    body_case(those_that_end_leave_the_others_waiting, bight_run, some_end),
    body_case(a_woken_task_ends_what_woke_another, bight_run, woken_ends_woken),
    body_case(a_callback_ends_one_of_two, bight_run, callback_ends_one),
    body_case(a_callback_ends_the_last, bight_run, callback_ends_last),
    body_case(opened_again_it_sees_nothing_of_before, bight_run, open_again),
    plain_case(all_that_are_left_open_are_ended_by_the_runtime),
    plain_case(a_second_without_memory_leaves_the_first_alone),
    plain_case(want_of_a_handle_is_an_error_at_each_call),
    plain_case(each_of_several_runtimes_tells_all_of_its_own),
};

test_suite("signal_many", cases);
