/* Starting worker processes: eight of them from a host that is small and from one that holds 1 GiB,
 * against forks of that host; and how long the loop stands still when the zygote dies, in a host of
 * 1 GiB against one of 16 MiB. Wall time. LARGE_MIB in the environment is instead of the 1 GiB,
 * where the rows are only tried. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bight.h>
#include <bight/workers.h>

#include "bench/bench.h"
#include "bench/python.h"
#include "bench/run.h"

#define WORKERS 8
#define SMALL_BYTES ((size_t)16 << 20)
#define LARGE_MIB 1024
#define MS 1e6

/* What the host holds. */
static char *memory;

static void hold(size_t bytes)
{
    memory = malloc(bytes);
    bench_check(memory ? 0 : BIGHT_ENOMEM, "memory of the host");
    memset(memory, 1, bytes);
}

static size_t large_bytes(void)
{
    const char *mib = getenv("LARGE_MIB");

    return (mib ? strtoul(mib, NULL, 10) : LARGE_MIB) << 20;
}

static void let_go(void)
{
    free(memory);
    memory = NULL;
}

static void hold_large(void *arg)
{
    (void)arg;
    hold(large_bytes());
}

static void let_go_of_it(void *arg)
{
    (void)arg;
    let_go();
}

struct starts {
    uint64_t rounds;
    double ns; /* in all */
};

static int start_main(void *arg)
{
    struct starts *starts = arg;
    struct bight_workers_options options = {.workers = WORKERS};

    for (uint64_t i = 0; i < starts->rounds; i++) {
        struct bight_executor *executor;
        uint64_t begin = bench_wall_begin();

        bench_check(bight_workers_new(&executor, &options), "open");
        starts->ns += bench_wall_end(begin, 1);
        bench_check(bight_executor_end(executor), "close");
    }
    return 0;
}

/* ms until eight workers are there and have said so. */
static double start_workers(void *arg, uint64_t operations)
{
    struct starts starts = {.rounds = operations};

    (void)arg;
    bench_run(start_main, &starts);
    return starts.ns / (double)operations / MS;
}

/* ms until eight forks are there and have said so by a byte. */
static double fork_as_many(void *arg, uint64_t operations)
{
    double ns = 0;

    (void)arg;
    for (uint64_t i = 0; i < operations; i++) {
        int ends[WORKERS][2];
        pid_t pids[WORKERS];
        uint64_t begin = bench_wall_begin();
        char byte = 0;

        for (int k = 0; k < WORKERS; k++) {
            bench_check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends[k]), "socketpair");
            pids[k] = fork();
            if (pids[k] == 0) {
                (void)!write(ends[k][1], &byte, 1);
                (void)!read(ends[k][1], &byte, 1);
                _exit(0);
            }
            bench_check(pids[k], "fork");
        }
        for (int k = 0; k < WORKERS; k++)
            bench_check(read(ends[k][0], &byte, 1) == 1 ? 0 : BIGHT_EIO, "first byte");
        ns += bench_wall_end(begin, 1);
        for (int k = 0; k < WORKERS; k++) {
            (void)kill(pids[k], SIGKILL);
            (void)waitpid(pids[k], NULL, 0);
            close(ends[k][0]);
            close(ends[k][1]);
        }
    }
    return ns / (double)operations / MS;
}

struct stalls {
    uint64_t kills;
    double *ms; /* of each */
    uint64_t worst_ns;
};

static int tick(void *arg)
{
    struct stalls *stalls = arg;
    uint64_t last = bight_now_ns();
    int rc;

    do {
        uint64_t now;

        rc = bight_sleep(1);
        now = bight_now_ns();
        if (now - last > stalls->worst_ns)
            stalls->worst_ns = now - last;
        last = now;
    } while (!rc);
    return rc;
}

/* Kill the zygote, wait until its workers have been replaced. */
static void lose_zygote(struct bight_executor *executor)
{
    struct bight_executor_stats stats;
    uint64_t died;

    bench_check(bight_executor_get_stats(executor, &stats), "stats");
    died = stats.zygotes_died;
    bench_check(kill(stats.zygote_pid, SIGKILL), "kill");
    do {
        bench_check(bight_sleep(1), "sleep");
        bench_check(bight_executor_get_stats(executor, &stats), "stats");
    } while (stats.zygotes_died == died || stats.ready < 2);
    bench_check(bight_sleep(2), "sleep");
}

static int stall_main(void *arg)
{
    struct stalls *stalls = arg;
    struct bight_workers_options options = {.workers = 2};
    struct bight_executor *executor;
    struct bight_task *ticker;

    bench_check(bight_workers_new(&executor, &options), "open");
    bench_check(bight_spawn(&ticker, tick, stalls), "ticker");
    bench_check(bight_sleep(5), "sleep");
    for (uint64_t i = 0; i < stalls->kills; i++) {
        stalls->worst_ns = 0;
        lose_zygote(executor);
        stalls->ms[i] = (double)stalls->worst_ns / MS;
    }
    bight_task_cancel(ticker);
    bench_check(bight_join(ticker, NULL), "ticker");
    return bight_executor_end(executor);
}

static double stall(size_t bytes, uint64_t operations)
{
    struct stalls stalls = {.kills = operations, .ms = calloc(operations, sizeof(double))};
    double ms;

    bench_check(stalls.ms ? 0 : BIGHT_ENOMEM, "memory");
    hold(bytes);
    bench_run(stall_main, &stalls);
    let_go();
    ms = bench_median(stalls.ms, operations);
    free(stalls.ms);
    return ms;
}

static double stall_of_large(void *arg, uint64_t operations)
{
    (void)arg;
    return stall(large_bytes(), operations);
}

static double stall_of_small(void *arg, uint64_t operations)
{
    (void)arg;
    return stall(SMALL_BYTES, operations);
}

#ifdef BIGHT_BENCH_PYTHON
static double python_start8(void *arg, uint64_t operations)
{
    (void)arg;
    return bench_python("worker_start8_small", operations, 10) / 1000; /* this row is in ms */
}
#endif

static const struct bench_row rows[] = {
    {.name = "worker_start8_small",
     .unit = "ms",
     .baseline = "eight forks",
     .value = start_workers,
     .base = fork_as_many,
     .operations = 10,
     .peers = {PYTHON(python_start8)}},
    {.name = "worker_start8_1g",
     .unit = "ms",
     .baseline = "eight forks of a host of 1 GiB",
     .value = start_workers,
     .base = fork_as_many,
     .operations = 3,
     .samples = 5,
     .open = hold_large,
     .close = let_go_of_it},
    {.name = "zygote_stall_1g",
     .unit = "ms",
     .baseline = "the same in a host of 16 MiB",
     .value = stall_of_large,
     .base = stall_of_small,
     .operations = 10,
     .samples = 5},
};

int main(int argc, char **argv)
{
    bench_check(bight_workers_prepare(argc, argv), "prepare");
    return bench_main(argc, argv, rows, sizeof rows / sizeof *rows);
}
