/* A tour of what goes wrong in programs of tasks, and of what bight says about it. Each word is a
 * program with one mistake; docs/debugging.md has what they print, and reads it.
 *
 *     debug_tour deadlock|overflow|blocked|ignored|leak|stacks */
#include <bight.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Not static, and linked with -rdynamic: so the loader can tell their names. */
int parse(int depth);
unsigned checksum(unsigned sum) __attribute__((noinline));
int summarise(void *arg);
int deadlock(void *arg);
int overflow(void *arg);
int blocked(void *arg);
int ignored(void *arg);
int leak(void *arg);
int stacks(void *arg);

static void on_report(void *arg, const struct bight_report *report)
{
    (void)arg;
    (void)bight_report_write_fd(report, 1);
    if (report->kind == BIGHT_REPORT_STALLED)
        (void)bight_dump_fd(1);
}

/* deadlock: each of two tasks waits for what the other does afterwards. */

struct pair {
    struct bight_event ready[2];
};

static int first(void *arg)
{
    struct pair *pair = arg;
    int rc = bight_event_wait(&pair->ready[1]);

    bight_event_set(&pair->ready[0]);
    return rc;
}

static int second(void *arg)
{
    struct pair *pair = arg;
    int rc = bight_event_wait(&pair->ready[0]);

    bight_event_set(&pair->ready[1]);
    return rc;
}

int deadlock(void *arg)
{
    const struct bight_spawn_options named[] = {{.name = "first"}, {.name = "second"}};
    static struct pair pair; /* outlives this function, which is the first to be cancelled */
    struct bight_task *task;
    int rc;

    (void)arg;
    bight_event_init(&pair.ready[0]);
    bight_event_init(&pair.ready[1]);
    rc = bight_spawn_with(NULL, &named[0], first, &pair);
    rc = rc ? rc : bight_spawn_with(&task, &named[1], second, &pair);
    if (rc)
        return rc;
    rc = bight_join(task, NULL);
    return rc ? bight_task_detach(task), rc : 0;
}

/* overflow: a recursion that is deeper than the stack of its task. */

int parse(int depth)
{
    volatile char token[512];

    memset((void *)token, depth, sizeof(token));
    return depth == 0 ? 0 : parse(depth - 1) + token[1];
}

static int parses(void *arg)
{
    return parse(*(int *)arg);
}

int overflow(void *arg)
{
    const struct bight_spawn_options named = {.name = "parser"};
    struct bight_task *task;
    int depth = 100000, rc = bight_spawn_with(&task, &named, parses, &depth);

    (void)arg;
    return rc ? rc : bight_join(task, NULL);
}

/* blocked: a task that computes for more than a second, while no other can run. */

static int64_t clock_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

unsigned checksum(unsigned sum)
{
    for (volatile unsigned i = 0; i < 1000000; i++)
        sum = sum * 31 + i;
    return sum;
}

int summarise(void *arg)
{
    int64_t until_ms = clock_ms() + 1200;
    unsigned *sum = arg;

    while (clock_ms() < until_ms)
        *sum = checksum(*sum);
    return 0;
}

int blocked(void *arg)
{
    const struct bight_spawn_options named = {.name = "summary"};
    struct bight_task *task;
    unsigned sum = 1;
    int rc = bight_spawn_with(&task, &named, summarise, &sum);

    (void)arg;
    return rc ? rc : bight_join(task, NULL);
}

/* ignored: a loop that takes every error for one that passes. */

static int backs_off(void *arg)
{
    (void)arg;
    return bight_sleep(30);
}

static int retries(void *arg)
{
    (void)arg;
    for (int i = 0; i < 5; i++) {
        if (bight_sleep(1000) == 0)
            return 0;
        if (bight_shield(-1, backs_off, NULL)) /* so that it is not disturbed */
            continue;
    }
    return BIGHT_ECANCELED;
}

int ignored(void *arg)
{
    const struct bight_spawn_options named = {.name = "client"};
    struct bight_task *task;
    int rc = bight_spawn_with(&task, &named, retries, NULL);

    (void)arg;
    rc = rc ? rc : bight_yield();
    if (rc)
        return rc;
    bight_task_cancel(task);
    return bight_join(task, NULL);
}

/* leak: what nobody ends, and a failure that nobody sees. */

static int sleeps(void *arg)
{
    (void)arg;
    return bight_sleep(3600000);
}

static int fails(void *arg)
{
    (void)arg;
    return BIGHT_EIO;
}

int leak(void *arg)
{
    const struct bight_spawn_options sleeper = {.name = "sleeper"}, unseen = {.name = "unseen"},
                                     forgotten = {.name = "forgotten"};
    struct bight_stream *left, *right;
    struct bight_task *task;
    int rc = bight_stream_pair(&left, &right, NULL);

    (void)arg;
    if (rc)
        return rc;
    bight_stream_abort(right);
    rc = bight_spawn_with(NULL, &sleeper, sleeps, NULL);
    rc = rc ? rc : bight_spawn_with(NULL, &unseen, fails, NULL);
    rc = rc ? rc : bight_spawn_with(&task, &forgotten, fails, NULL);
    return rc ? rc : bight_yield();
}

/* stacks: no mistake, but a question: how much do tasks need? */

int stacks(void *arg)
{
    const struct bight_spawn_options named = {.name = "parser"};
    struct bight_task *task;
    int depth = 60, rc = bight_spawn_with(&task, &named, parses, &depth);

    (void)arg;
    return rc ? rc : bight_join(task, NULL);
}

static const struct stop {
    const char *name;
    int (*fn)(void *arg);
    unsigned checks;
} stops[] = {
    {"deadlock", deadlock, 0},        {"overflow", overflow, 0},
    {"blocked", blocked, 0},          {"ignored", ignored, BIGHT_CHECK_CANCELS},
    {"leak", leak, BIGHT_CHECK_OPEN}, {"stacks", stacks, BIGHT_CHECK_STACKS},
};

static int run(const struct stop *stop)
{
    const struct bight_runtime_options options = {
        .on_report = on_report,
        .overflow_fd = 1,
        .slow_ms = 500,
        .slow_signal = SIGRTMIN + 3,
        .checks = stop->checks,
        .late_ms = 50,
    };
    int rc = bight_run_with(&options, stop->fn, NULL);

    if (rc)
        printf("it ended with %s\n", bight_error_name(rc));
    return 0;
}

int main(int argc, char **argv)
{
    for (size_t i = 0; argc == 2 && i < sizeof(stops) / sizeof(stops[0]); i++) {
        if (strcmp(argv[1], stops[i].name) == 0)
            return run(&stops[i]);
    }
    fprintf(stderr, "usage: debug_tour deadlock|overflow|blocked|ignored|leak|stacks\n");
    return 2;
}
