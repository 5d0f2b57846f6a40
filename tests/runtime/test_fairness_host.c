/* coro/core/pace.c and those who ask it: whatever steps are made of, descriptors, posts, callbacks
 * of the host and tasks that wait for a descriptor wait for a slice and two steps, three beside
 * work of two kinds, or 16 where steps differ. In virtual time, as test_fairness.c. */
#include "tests/harness/suite.h"
#include "tests/harness/support.h"
#include "tests/runtime/work.h"

#include <bight/uv.h>

#include <fcntl.h>
#include <unistd.h>

#define STEPS_FIRST 20

/* Those that come round beside the work, again and again. */
enum round { CHECK, POLL, POST, READER, ROUNDS };

static const char *const names[ROUNDS] = {"a callback", "a descriptor", "a post", "a reader"};

struct host {
    struct work work;
    int (*fn)(void *arg);
    unsigned steps;    /* how many the work makes */
    bool posts, reads; /* whether these come, each with a step of the work */
    uv_check_t check;
    uv_poll_t poll;
    int ends[2];
    struct bight_post post;
    int reader_ends[2];
    bool reader_waits;
    struct bight_event over;
    uint64_t since_ns[ROUNDS]; /* when it could come */
    int64_t most_ms[ROUNDS];   /* the longest wait until it came */
    unsigned count[ROUNDS];
};

static void waits(struct host *host, enum round round)
{
    host->since_ns[round] = work_now(&host->work);
}

static void came(struct host *host, enum round round)
{
    int64_t ms = (int64_t)(work_now(&host->work) - host->since_ns[round]) / 1000000;

    host->count[round]++;
    /* Before the first steps were others, of no length. */
    if (ms > host->most_ms[round] && host->work.steps > STEPS_FIRST)
        host->most_ms[round] = ms;
}

static void on_check(uv_check_t *check)
{
    came(check->data, CHECK);
    waits(check->data, CHECK);
}

/* It is always readable: each poll of the loop says so. */
static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct host *host = poll->data;

    ck_assert_int_eq(status, 0);
    ck_assert_int_eq(events, UV_READABLE);
    came(host, POLL);
    waits(host, POLL);
}

static void on_post(struct bight_post *post)
{
    struct host *host = bight_container_of(post, struct host, post);

    came(host, POST);
    work_step(&host->work);
    if (host->work.stop)
        return;
    waits(host, POST);
    ck_ok(bight_post_record(host->work.mailbox, post));
}

/* Its descriptor becomes readable in a step of the work. */
static int reads(void *arg)
{
    struct host *host = arg;
    char byte;

    while (!host->work.stop) {
        host->reader_waits = true;
        ck_assert_int_gt(bight_fd_wait(host->reader_ends[0], BIGHT_FD_READ), 0);
        came(host, READER);
        ck_assert_int_eq(read(host->reader_ends[0], &byte, 1), 1);
        work_step(&host->work);
    }
    return 0;
}

static void feed(struct host *host)
{
    host->reader_waits = false;
    waits(host, READER);
    ck_assert_int_eq(write(host->reader_ends[1], "x", 1), 1);
}

static void on_step(struct work *work)
{
    struct host *host = bight_container_of(work, struct host, work);

    if (host->reader_waits && work->steps % 3 == 0)
        feed(host);
    if (work->steps < host->steps)
        return;
    work->stop = true;
    ck_ok(bight_event_set(&host->over));
}

static void open_host(struct host *host)
{
    uv_loop_t *loop = bight_uv_loop();

    ck_assert_int_eq(pipe(host->ends), 0);
    ck_assert_int_eq(write(host->ends[1], "x", 1), 1);
    ck_assert_int_eq(uv_check_init(loop, &host->check), 0);
    ck_assert_int_eq(uv_poll_init(loop, &host->poll, host->ends[0]), 0);
    host->check.data = host->poll.data = host;
    ck_assert_int_eq(pipe2(host->reader_ends, O_NONBLOCK), 0);
    bight_event_init(&host->over);
    host->work.on_step = on_step;
    for (enum round round = CHECK; round < ROUNDS; round++)
        waits(host, round);
    ck_assert_int_eq(uv_check_start(&host->check, on_check), 0);
    ck_assert_int_eq(uv_poll_start(&host->poll, UV_READABLE, on_poll), 0);
    host->post.fn = on_post;
    if (host->posts)
        ck_ok(bight_post_record(host->work.mailbox, &host->post));
}

static void close_host(struct host *host)
{
    ck_ok(bight_uv_close((uv_handle_t *)&host->check));
    ck_ok(bight_uv_close((uv_handle_t *)&host->poll));
    close(host->ends[0]);
    close(host->ends[1]);
    close(host->reader_ends[0]);
    close(host->reader_ends[1]);
}

static int beside_work(void *arg)
{
    struct host *host = arg;
    struct bight_task *worker, *reader = NULL;

    work_open(&host->work);
    open_host(host);
    if (host->reads)
        ck_ok(bight_spawn(&reader, reads, host));
    ck_ok(bight_spawn(&worker, host->fn, &host->work));
    ck_ok(bight_event_wait(&host->over)); /* a sleep would make slices shorter */
    ck_ok(bight_join(worker, NULL));
    if (host->reader_waits)
        feed(host);
    if (reader)
        ck_ok(bight_join(reader, NULL));
    close_host(host);
    work_close(&host->work);
    return 0;
}

static void beside(struct host *host, int64_t limit_ms)
{
    work_run(&host->work, beside_work, host);
    for (int round = 0; round < ROUNDS; round++) {
        if ((round == POST && !host->posts) || (round == READER && !host->reads))
            continue;
        ck_assert_uint_ge(host->count[round], 2);
        ck_assert_msg(host->most_ms[round] <= limit_ms, "%s: %d ms, and not %d", names[round],
                      (int)host->most_ms[round], (int)limit_ms);
    }
}

/* Work, and at most one that makes such steps beside it: a post, or a reader. */
static void equal(int (*fn)(void *arg), bool posts, bool reads)
{
    for (size_t i = 0; i < WORK_LENGTHS; i++) {
        struct host host = {.steps = 300,
                            .fn = fn,
                            .posts = posts,
                            .reads = reads,
                            .work = {.step_ms = work_lengths_ms[i]}};

        beside(&host, SLICE_MS + (posts || reads ? 3 : 2) * work_lengths_ms[i]);
    }
}

static void each_equal(bool posts, bool reads)
{
    for (size_t i = 0; i < work_task_count; i++)
        equal(work_tasks[i], posts, reads);
    for (size_t i = 0; i < work_other_count; i++)
        equal(work_others[i], posts, reads);
}

static void callbacks_and_descriptors_wait_for_a_slice_and_two_steps(void)
{
    each_equal(false, false);
}

static void beside_two_kinds_of_work_it_is_three_steps(void)
{
    each_equal(true, false);
    each_equal(false, true);
}

static void mixed(int (*fn)(void *arg))
{
    for (size_t i = 0; i < WORK_MIXES; i++) {
        struct host host = {.steps = 2000,
                            .fn = fn,
                            .posts = true,
                            .reads = true,
                            .work = {.shorts = work_mixes[i].shorts,
                                     .longs = work_mixes[i].longs,
                                     .long_ms = WORK_LONG_MS}};

        beside(&host, SLICE_MS + 16 * WORK_LONG_MS);
    }
}

static void where_steps_differ_they_wait_for_16_of_them(void)
{
    for (size_t i = 0; i < work_task_count; i++)
        mixed(work_tasks[i]);
    for (size_t i = 0; i < work_other_count; i++)
        mixed(work_others[i]);
}

static const struct suite_case cases[] = {
    plain_case(callbacks_and_descriptors_wait_for_a_slice_and_two_steps),
    plain_case(beside_two_kinds_of_work_it_is_three_steps),
    plain_case(where_steps_differ_they_wait_for_16_of_them),
};

test_suite("fairness_host", cases);
