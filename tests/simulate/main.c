/* Simulate: every scenario under N seeds, in as many processes as there are processors.
 * usage: simulate SEEDS [SCENARIO [FIRST]]     seeds count from FIRST, default 1
 *
 * Prints the replay line of the first failure; the last line is `seeds N, scenarios N, failed
 * N`, where failed counts runs. A run can be played alone: BIGHT_TEST='the line' simulate 1. */
#include "tests/simulate/simulate.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORKERS_MAX 64
/* Of one run, before it is taken for hanging. */
#define RUN_SECONDS 20

static const struct sim_scenario *const tables[] = {
    sim_combine, sim_exchange, sim_locks, sim_queues, sim_random, sim_sync, sim_tasks,
};

/* Common to all processes. */
static struct shared {
    _Atomic uint64_t failed;
    struct progress {
        uint64_t seed, alloc, suspend, suspend_count;
        const struct sim_scenario *scenario;
        uint64_t failed_seed; /* the first one */
        char line[BIGHT_TEST_LINE_BYTES];
    } workers[WORKERS_MAX];
} * shared;

static struct progress *progress;

static void note_failure(const char *line)
{
    if (progress->line[0])
        return;
    progress->failed_seed = progress->seed;
    snprintf(progress->line, sizeof progress->line, "%s", line);
}

static void say(void *arg, const char *line)
{
    (void)arg;
    note_failure(line);
}

static void on_report(void *arg, const struct bight_report *report)
{
    (void)arg;
    if (report->kind != BIGHT_REPORT_UNSEEN_FAILURE && report->kind != BIGHT_REPORT_IGNORED_CANCEL)
        (void)bight_test_fail(report->text);
}

/* What else happens in the run: in half of them nothing, in a quarter one suspension is
 * cancelled, in an eighth two in a row, in an eighth an allocation fails. */
static void plan(struct bight_test_options *options, uint64_t seed)
{
    uint64_t chance = seed * UINT64_C(0x9e3779b97f4a7c15) >> 32;

    switch (seed % 8) {
    case 2:
    case 6:
        options->suspend = 1 + chance % 150;
        break;
    case 3:
        options->suspend = 1 + chance % 150;
        options->suspend_count = 2;
        break;
    case 7:
        options->alloc = 1 + chance % 12;
        break;
    default:
        break;
    }
}

static void play(const struct sim_scenario *scenario, uint64_t seed)
{
    const struct bight_runtime_options runtime = {
        .stack_bytes = 128 << 10, .main_stack_bytes = 128 << 10, .on_report = on_report};
    struct bight_test_options options = {
        .seed = seed, .skip_probe = true, .name = scenario->name, .runtime = &runtime, .say = say};
    struct bight_test_result result = {.failed = true};

    plan(&options, seed);
    progress->seed = seed;
    progress->alloc = options.alloc;
    progress->suspend = options.suspend;
    progress->suspend_count = options.suspend_count;
    progress->scenario = scenario;
    alarm(RUN_SECONDS);
    (void)!bight_test_run(&options, scenario->fn, NULL, &result);
    shared->failed += result.failed;
}

static size_t each_scenario(const char *name, void (*fn)(const struct sim_scenario *, uint64_t),
                            uint64_t seed)
{
    size_t count = 0;

    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        for (const struct sim_scenario *scenario = tables[i]; scenario->name; scenario++) {
            if (name && strcmp(name, scenario->name) != 0)
                continue;
            count++;
            if (fn)
                fn(scenario, seed);
        }
    }
    return count;
}

static void print_name(const struct sim_scenario *scenario, uint64_t seed)
{
    (void)seed;
    fprintf(stderr, "  %s\n", scenario->name);
}

static _Noreturn void work(int worker, int workers, uint64_t first, uint64_t seeds,
                           const char *name)
{
    progress = &shared->workers[worker];
    for (uint64_t i = (uint64_t)worker; i < seeds; i += (uint64_t)workers)
        each_scenario(name, play, first + i);
    exit(EXIT_SUCCESS);
}

/* It has failed if it did not end well by itself. */
static void bury(pid_t pid, int worker)
{
    char line[BIGHT_TEST_LINE_BYTES];
    int status;

    progress = &shared->workers[worker];
    if (waitpid(pid, &status, 0) != pid || (WIFEXITED(status) && WEXITSTATUS(status) == 0))
        return;
    shared->failed++;
    snprintf(line, sizeof line,
             "bight-test: name=%s seed=%llu alloc=%llu suspend=%llu suspend_count=%llu # %s",
             progress->scenario ? progress->scenario->name : "none",
             (unsigned long long)progress->seed, (unsigned long long)progress->alloc,
             (unsigned long long)progress->suspend, (unsigned long long)progress->suspend_count,
             WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "ended the process");
    if (progress->failed_seed == progress->seed)
        return; /* it has said why before */
    note_failure(line);
}

static void say_first(int workers)
{
    const struct progress *first = NULL;

    for (int i = 0; i < workers; i++) {
        const struct progress *one = &shared->workers[i];
        if (one->line[0] && (!first || one->failed_seed < first->failed_seed))
            first = one;
    }
    if (first)
        printf("%s\n", first->line);
}

int main(int argc, char **argv)
{
    uint64_t seeds = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;
    const char *name = argc > 2 && *argv[2] ? argv[2] : NULL;
    uint64_t first = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;
    size_t scenarios = each_scenario(name, NULL, 0);
    long workers = sysconf(_SC_NPROCESSORS_ONLN);
    pid_t pids[WORKERS_MAX];

    if (seeds == 0 || scenarios == 0) {
        fprintf(stderr, "usage: simulate SEEDS [SCENARIO [FIRST]]; scenarios:\n");
        each_scenario(NULL, print_name, 0);
        return 2;
    }
    workers = workers < 1 ? 1 : workers > WORKERS_MAX ? WORKERS_MAX : workers;
    workers = (uint64_t)workers > seeds ? (long)seeds : workers;
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        return 2;
    for (int i = 0; i < workers; i++) {
        pids[i] = fork();
        if (pids[i] < 0)
            return 2;
        if (pids[i] == 0)
            work(i, (int)workers, first, seeds, name);
    }
    for (int i = 0; i < workers; i++)
        bury(pids[i], i);
    say_first((int)workers);
    printf("seeds %llu, scenarios %zu, failed %llu\n", (unsigned long long)seeds, scenarios,
           (unsigned long long)shared->failed);
    return shared->failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
