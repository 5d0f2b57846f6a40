/* A million tasks alive at once: the time of their lives, the memory they take, the mappings that
 * hold it. The baseline of all: what the kernel takes for a million pages, touched at the distance
 * that our stacks have from each other, and unmapped. Runs once; takes some 5 GB. */
#include "bench/bench.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bight/errors.h>
#include <bight/runtime.h>
#include <bight/task.h>
#include <bight/waiter.h>

#define TASKS 1000000u
#define PAGE ((size_t)4096)
/* The distance between stacks of the default size: 256 KiB, 64 KiB of guard, a head of one page. */
#define STRIDE ((size_t)81 * PAGE)
#define CHUNK ((size_t)4 << 30)

/* What /proc says about this process. */
struct footprint {
    double resident; /* bytes */
    double tables;   /* bytes of page tables */
    double maps;
};

struct figures {
    double ns; /* per task */
    struct footprint per_task;
    double maps;
};

static double status_bytes(const char *field)
{
    FILE *file = fopen("/proc/self/status", "r");
    char line[256];
    double bytes = 0;

    bench_check(file ? 0 : BIGHT_ENOENT, "/proc/self/status");
    while (fgets(line, sizeof line, file)) {
        if (!strncmp(line, field, strlen(field)))
            bytes = strtod(line + strlen(field), NULL) * 1024;
    }
    fclose(file);
    return bytes;
}

static struct footprint footprint(void)
{
    FILE *file = fopen("/proc/self/maps", "r");
    struct footprint print = {.resident = status_bytes("VmRSS:"), .tables = status_bytes("VmPTE:")};
    int c;

    bench_check(file ? 0 : BIGHT_ENOENT, "/proc/self/maps");
    while ((c = getc_unlocked(file)) != EOF)
        print.maps += c == '\n';
    fclose(file);
    return print;
}

static struct footprint per_task(struct footprint before, struct footprint after)
{
    return (struct footprint){
        .resident = (after.resident - before.resident) / TASKS,
        .tables = (after.tables - before.tables) / TASKS,
    };
}

/* All tasks wait here, in a list of their waiters. */
static struct bight_waiter *asleep;
static size_t ended;

static const struct bight_waiter_ops crowd_ops = {.name = "everybody"};

static int member(void *arg)
{
    struct bight_waiter waiter;
    int rc = bight_waiter_init(&waiter, &crowd_ops);

    (void)arg;
    if (rc)
        return rc;
    waiter.link.next = (struct bight_link *)asleep;
    asleep = &waiter;
    rc = bight_park(&waiter);
    ended++;
    return rc;
}

static void crowd_in(size_t *spawned)
{
    for (; *spawned < TASKS; (*spawned)++)
        bench_check(bight_spawn(NULL, member, NULL), "spawn");
    bench_check(bight_yield(), "yield");
}

static void crowd_out(void)
{
    while (asleep) {
        struct bight_waiter *waiter = asleep;

        asleep = (struct bight_waiter *)waiter->link.next;
        bight_unpark(waiter, 0);
    }
    while (ended < TASKS)
        bench_check(bight_yield(), "yield");
}

static int crowd_main(void *arg)
{
    struct figures *figures = arg;
    struct footprint before = footprint(), after;
    uint64_t begin = bench_thread_ns(), spent;
    size_t spawned = 0;

    crowd_in(&spawned);
    spent = bench_thread_ns() - begin;
    after = footprint();
    begin = bench_thread_ns();
    crowd_out();
    figures->ns = (double)(spent + bench_thread_ns() - begin) / TASKS;
    figures->per_task = per_task(before, after);
    figures->maps = after.maps;
    return 0;
}

static void tasks(struct figures *figures)
{
    bench_check(bight_run(crowd_main, figures), "run");
}

/* The same address space, without anything in it. */
static void pages(struct figures *figures)
{
    static char *chunks[TASKS / (CHUNK / STRIDE) + 1];
    struct footprint before = footprint(), after;
    uint64_t begin = bench_thread_ns();
    size_t touched = 0, count = 0;

    for (; touched < TASKS; count++) {
        chunks[count] = mmap(NULL, CHUNK, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        bench_check(chunks[count] == MAP_FAILED ? BIGHT_ENOMEM : 0, "mmap");
        madvise(chunks[count], CHUNK, MADV_NOHUGEPAGE);
        for (size_t at = 0; at + STRIDE <= CHUNK && touched < TASKS; at += STRIDE, touched++)
            chunks[count][at + STRIDE - PAGE] = 1;
    }
    figures->ns = (double)(bench_thread_ns() - begin);
    after = footprint();
    begin = bench_thread_ns();
    while (count)
        munmap(chunks[--count], CHUNK);
    figures->ns = (figures->ns + (double)(bench_thread_ns() - begin)) / TASKS;
    figures->per_task = per_task(before, after);
    figures->maps = after.maps;
}

/* Measure in a process of its own, so that no process inherits the memory of another. */
static struct figures apart(void (*measure)(struct figures *figures))
{
    struct figures *shared =
        mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct figures figures;
    int status = -1;
    pid_t pid;

    bench_check(shared == MAP_FAILED ? BIGHT_ENOMEM : 0, "mmap");
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        measure(shared);
        _exit(0);
    }
    bench_check(pid < 0 || waitpid(pid, &status, 0) != pid || status ? BIGHT_EIO : 0, "child");
    figures = *shared;
    munmap(shared, sizeof *shared);
    return figures;
}

/* Each side is measured once, for all rows. */
static const struct figures *once(void (*measure)(struct figures *figures))
{
    static struct figures touched, ours;
    struct figures *figures = measure == pages ? &touched : &ours;

    if (figures->ns == 0)
        *figures = apart(measure);
    return figures;
}

/* The figure of a row: its place in struct figures. */
static double at(const struct figures *figures, const size_t *offset)
{
    return *(const double *)((const char *)figures + *offset);
}

static double of_tasks(void *arg, uint64_t operations)
{
    (void)operations;
    return at(once(tasks), arg);
}

static double of_pages(void *arg, uint64_t operations)
{
    (void)operations;
    return at(once(pages), arg);
}

static size_t ns = offsetof(struct figures, ns);
static size_t resident = offsetof(struct figures, per_task.resident);
static size_t tables = offsetof(struct figures, per_task.tables);
static size_t maps = offsetof(struct figures, maps);

static const struct bench_row rows[] = {
    {"spawn_1000000", "ns", "one touched page each 324 KiB", of_tasks, of_pages, &ns, TASKS,
     .samples = 1},
    {"bytes_per_task_1000000", "bytes", "one touched page each 324 KiB", of_tasks, of_pages,
     &resident, TASKS, .samples = 1},
    {"table_bytes_per_task_1000000", "bytes", "one touched page each 324 KiB", of_tasks, of_pages,
     &tables, TASKS, .samples = 1},
    {"maps_1000000", "mappings", "chunks of 4 GiB", of_tasks, of_pages, &maps, TASKS, .samples = 1},
};

int main(int argc, char **argv)
{
    return bench_main(argc, argv, rows, sizeof rows / sizeof *rows);
}
