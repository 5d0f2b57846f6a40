/* After a pause, in which the process was stopped or the clock has jumped, what repeats fires once
 * and goes on: not once for each period that was missed. */
#include <bight.h>
#include <bight/testing.h>

#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/harness/suite.h"
#include "tests/harness/support.h"
#include "tests/harness/world.h"

#define PERIOD_MS 20
#define PAUSE_MS 1000
#define MS UINT64_C(1000000)
#define PERIODS_OF_PAUSE (PAUSE_MS / PERIOD_MS)
/* A pause may begin and end within a period. Nothing but a pause takes half as long. */
#define PAUSE_LEAST_MS (PAUSE_MS / 2)
#define AFTER 10 /* periods to be seen after the pause */

/* What repeats by calls of itself. */
struct repeated {
    struct bight_call call;
    uint64_t last_ns;
    int fired;
    int pauses;
    int after; /* fired since the pause */
    bool too_soon;
};

static void repeat(struct bight_call *call)
{
    struct repeated *repeated = (struct repeated *)call;
    uint64_t now_ns = bight_now_ns(), since_ns = now_ns - repeated->last_ns;

    repeated->fired++;
    repeated->after += repeated->pauses;
    repeated->pauses += since_ns >= PAUSE_LEAST_MS * MS;
    repeated->too_soon |= since_ns < PERIOD_MS * MS;
    repeated->last_ns = now_ns;
    if (bight_call_later(call, PERIOD_MS))
        repeated->too_soon = true;
}

static void repeat_begin(struct repeated *repeated)
{
    *repeated = (struct repeated){.last_ns = bight_now_ns()};
    bight_call_init(&repeated->call, repeat);
    ck_ok(bight_call_later(&repeated->call, PERIOD_MS));
}

/* A task that waits for ticks until the pause was seen and some more. */
struct ticked {
    struct bight_ticker ticker;
    enum bight_ticker_policy policy;
    int ready_fd; /* told at the first tick; -1: nobody */
    uint64_t begin_ns;
    uint64_t ticks; /* the missed ones too */
    int waits;
    int pauses;
};

/* How many periods of the grid have passed by now, counted from the beginning. */
static uint64_t periods_passed(const struct ticked *ticked)
{
    return (bight_now_ns() - ticked->begin_ns) / (PERIOD_MS * MS);
}

static int waits_for_ticks(void *arg)
{
    struct ticked *ticked = arg;
    int after = 0, rc;

    rc = bight_ticker_init(&ticked->ticker, PERIOD_MS, ticked->policy);
    ticked->begin_ns = bight_now_ns();
    for (; rc >= 0 && after < AFTER; ticked->waits++) {
        rc = bight_ticker_wait(&ticked->ticker);
        if (rc < 0)
            return rc;
        ticked->ticks += (uint64_t)rc;
        after += ticked->pauses > 0;
        ticked->pauses += rc >= PAUSE_LEAST_MS / PERIOD_MS;
        if (ticked->ticks > periods_passed(ticked) + 1)
            return BIGHT_EIO;
        if (ticked->waits == 0 && ticked->ready_fd >= 0 && write(ticked->ready_fd, "", 1) != 1)
            return BIGHT_EIO;
    }
    return rc < 0 ? rc : 0;
}

/* Real time, in a child that is stopped */

struct child {
    struct ticked ticked;
    struct repeated repeated;
};

static int repeats(void *arg)
{
    struct child *child = arg;
    int rc;

    repeat_begin(&child->repeated);
    rc = waits_for_ticks(&child->ticked);
    bight_call_cancel(&child->repeated.call);
    return rc;
}

/* Exit status: 0, or which of these is not so. */
static int child_status(const struct child *child)
{
    if (child->ticked.pauses != 1)
        return 2;
    if (child->repeated.pauses != 1)
        return 3;
    if (child->repeated.too_soon)
        return 4;
    if (child->ticked.policy == BIGHT_TICKER_SKIP && child->ticked.ticks < PERIODS_OF_PAUSE + AFTER)
        return 5;
    return child->repeated.after == 0 ? 6 : 0;
}

static void sleep_really(int64_t ms)
{
    struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    while (nanosleep(&left, &left))
        ;
}

static void stop_for_a_while(enum bight_ticker_policy policy)
{
    int ends[2], status;
    char byte;
    pid_t pid;

    ck_assert_int_eq(pipe(ends), 0);
    pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        struct child child = {.ticked = {.policy = policy, .ready_fd = ends[1]}};

        _exit(bight_run(repeats, &child) ? 1 : child_status(&child));
    }
    close(ends[1]);
    ck_assert_int_eq(test_read(ends[0], &byte, 1), 1);
    close(ends[0]);
    ck_assert_int_eq(kill(pid, SIGSTOP), 0);
    ck_assert_int_eq(test_waitpid(pid, &status, WUNTRACED), pid);
    ck_assert(WIFSTOPPED(status));
    sleep_really(PAUSE_MS);
    ck_assert_int_eq(kill(pid, SIGCONT), 0);
    ck_assert_int_eq(test_waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), 0);
}

static void a_stopped_process_fires_once_and_keeps_the_grid(void)
{
    stop_for_a_while(BIGHT_TICKER_SKIP);
}

static void a_stopped_process_fires_once_and_moves_the_grid(void)
{
    stop_for_a_while(BIGHT_TICKER_DELAY);
}

/* Virtual time that jumps */

static int jumps(void *arg)
{
    struct child child = {.ticked = {.policy = *(enum bight_ticker_policy *)arg, .ready_fd = -1}};
    struct bight_task *task;

    ck_ok(bight_spawn(&task, waits_for_ticks, &child.ticked));
    repeat_begin(&child.repeated);
    ck_ok(bight_sleep(PERIOD_MS + PERIOD_MS / 2));
    ck_assert_int_eq(child.repeated.fired, 1);
    ck_assert_int_eq(child.ticked.waits, 1);
    ck_ok(bight_test_advance(PAUSE_MS));
    ck_ok(bight_test_settle(0));
    ck_assert_int_eq(child.repeated.fired, 2);
    ck_assert_int_eq(child.ticked.waits, 2);
    ck_assert_uint_eq(child.ticked.ticks, 1 + PERIODS_OF_PAUSE);
    ck_ok(bight_join(task, NULL));
    ck_assert_int_eq(child.ticked.pauses, 1);
    ck_assert_int_eq(child.repeated.pauses, 1);
    ck_assert(!child.repeated.too_soon);
    ck_assert_uint_eq(child.ticked.ticks, 1 + PERIODS_OF_PAUSE + AFTER);
    bight_call_cancel(&child.repeated.call);
    return 0;
}

static void a_clock_that_jumps_fires_once(int i)
{
    enum bight_ticker_policy policies[] = {BIGHT_TICKER_SKIP, BIGHT_TICKER_DELAY};

    ck_ok(world_run(jumps, &policies[i], NULL));
}

static const struct suite_case cases[] = {
    plain_case(a_stopped_process_fires_once_and_keeps_the_grid),
    plain_case(a_stopped_process_fires_once_and_moves_the_grid),
    each_case(a_clock_that_jumps_fires_once, 2),
};

test_suite("pause", cases);
