/* Parents that are killed while their workers run jobs: all processes that they had end with them.
 * ORPHANS in the environment says how many; 3. scripts/orphans does it a hundred times. */
#include <dirent.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/offload/worker_cases.h"

/* How many keepers, zygotes and workers of this program there are. */
static int count_alive(void)
{
    char own[PATH_MAX] = "", path[300], text[PATH_MAX];
    DIR *processes = opendir("/proc");
    struct dirent *entry;
    int count = 0;

    CHECK(processes && readlink("/proc/self/exe", own, sizeof own - 1) > 0);
    while ((entry = readdir(processes))) {
        FILE *name;

        snprintf(path, sizeof path, "/proc/%s/exe", entry->d_name);
        memset(text, 0, sizeof text);
        if (entry->d_name[0] < '1' || entry->d_name[0] > '9' ||
            readlink(path, text, sizeof text - 1) <= 0 ||
            strcmp(strrchr(text, '/'), strrchr(own, '/')) != 0)
            continue;
        snprintf(path, sizeof path, "/proc/%s/comm", entry->d_name);
        name = fopen(path, "re");
        if (name && fgets(text, sizeof text, name))
            count += strncmp(text, "bight-", 6) == 0;
        if (name)
            fclose(name);
    }
    closedir(processes);
    return count;
}

/* In a child: have two workers, of which one is busy. Then either end, and say how long the end of
 * the executor took, or wait to be killed. */
static int have_workers(void *arg)
{
    int tell = *(int *)arg;
    struct bight_executor *executor = worker_open_count(2);
    struct worker_call held = {.executor = executor, .def = &hold_job};
    uint64_t ns;

    worker_spawn(&held);
    worker_await(&worker_shared->running, 1);
    if (!atomic_load(&worker_shared->counter)) {
        CHECK_EQ(write(tell, "", 1), 1);
        return bight_sleep(600000);
    }
    atomic_store(&worker_shared->released, 1);
    worker_join(&held);
    ns = bight_now_ns();
    worker_close(executor);
    CHECK_EQ(bight_yield(), 0);
    ns = bight_now_ns() - ns;
    CHECK_EQ(write(tell, &ns, sizeof ns), sizeof ns);
    return 0;
}

static pid_t fork_parent(int *heard)
{
    char name[] = "parent", *argv[] = {name, NULL};
    int pair[2];
    pid_t pid;

    atomic_store(&worker_shared->running, 0);
    atomic_store(&worker_shared->released, 0);
    CHECK_EQ(pipe(pair), 0);
    pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        close(pair[0]);
        CHECK_EQ(bight_workers_prepare(1, argv), 0);
        _exit(bight_run(have_workers, &pair[1]) != 0);
    }
    close(pair[1]);
    *heard = pair[0];
    return pid;
}

static uint64_t wall_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* ns of an ordinary end. */
static uint64_t time_close(void)
{
    uint64_t ns;
    int heard;
    pid_t pid;

    atomic_store(&worker_shared->counter, 1);
    pid = fork_parent(&heard);
    CHECK_EQ(read(heard, &ns, sizeof ns), sizeof ns);
    CHECK_EQ(waitpid(pid, NULL, 0), pid);
    close(heard);
    atomic_store(&worker_shared->counter, 0);
    while (count_alive())
        (void)usleep(1000);
    return ns;
}

static int nobody_survives_a_killed_parent(void)
{
    const char *wanted = getenv("ORPHANS");
    uint64_t rounds = wanted ? strtoull(wanted, NULL, 10) : 3, close_ns = time_close(),
             slowest_ns = 0;

    for (uint64_t i = 0; i < rounds; i++) {
        uint64_t begin_ns;
        char byte;
        int heard;
        pid_t pid = fork_parent(&heard);

        CHECK_EQ(read(heard, &byte, 1), 1);
        CHECK_EQ(count_alive(), 4); /* which shows that it would see them */
        begin_ns = wall_ns();
        CHECK_EQ(kill(pid, SIGKILL), 0);
        CHECK_EQ(waitpid(pid, NULL, 0), pid);
        while (count_alive())
            (void)usleep(100);
        if (slowest_ns < wall_ns() - begin_ns)
            slowest_ns = wall_ns() - begin_ns;
        close(heard);
    }
    printf("orphans: %lu parents killed, gone within %lu us, an ordinary end %lu us\n",
           (unsigned long)rounds, (unsigned long)slowest_ns / 1000, (unsigned long)close_ns / 1000);
    return 0;
}

static const struct suite_case cases[] = {
    worker_plain(nobody_survives_a_killed_parent, CASE_UNPREPARED),
};

worker_suite("orphans", cases);
