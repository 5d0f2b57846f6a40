/* Workers on kernels that lack, or sandboxes that refuse, the newer of the calls that they use. */
#include "tests/offload/worker_cases.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* From now on there is no such call, here and in what comes of this process. */
static void remove_call(unsigned number)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof code / sizeof code[0], .filter = code};

    CHECK_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        exit(0); /* there are no filters here */
}

static void run_jobs(struct bight_executor *executor)
{
    struct bight_result result;

    for (int i = 0; i < 100; i++) {
        CHECK_EQ(bight_execute(executor, &echo_job, &i, sizeof i, &result), 0);
        CHECK(result.output_bytes == sizeof i && memcmp(result.output, &i, sizeof i) == 0);
        bight_result_free(&result);
    }
}

static void lose(struct bight_executor *executor, int pid)
{
    uint64_t died = worker_stats(executor).zygotes_died;

    CHECK_EQ(kill(pid, SIGKILL), 0);
    while (worker_stats(executor).zygotes_died == died || worker_stats(executor).ready < 2)
        CHECK_EQ(bight_sleep(1), 0);
}

/* Their zygotes are not lost in between. */
static int use_workers(void *arg)
{
    struct bight_executor *executor = worker_open_count(2), *other;

    (void)arg;
    for (int round = 0; round < 3; round++) {
        run_jobs(executor);
        other = worker_open_count(2);
        run_jobs(other);
        worker_close(other);
        CHECK_EQ(worker_stats(executor).zygotes_died, round);
        if (round < 2)
            lose(executor, round ? worker_keeper(executor) : worker_stats(executor).zygote_pid);
    }
    worker_close(executor);
    return 0;
}

static int prepare_and_use_workers(void)
{
    CHECK_EQ(worker_prepare(), 0);
    return bight_run(use_workers, NULL);
}

static int without_pidfd_open(void)
{
    remove_call(SYS_pidfd_open);
    return prepare_and_use_workers();
}

static int without_clone3(void)
{
    remove_call(SYS_clone3);
    return prepare_and_use_workers();
}

static int without_close_range(void)
{
    remove_call(SYS_close_range);
    return prepare_and_use_workers();
}

static int without_any_of_them(void)
{
    remove_call(SYS_pidfd_open);
    remove_call(SYS_clone3);
    remove_call(SYS_close_range);
    return prepare_and_use_workers();
}

#define THREADS 2
#define BLOCKS 20
#define BLOCK_BYTES 100000 /* below what has a mapping of its own */

/* Have a large heap, and hold its lock most of the time. */
static void *fill_a_heap(void *arg)
{
    void *blocks[BLOCKS];

    (void)arg;
    for (int i = 0; i < BLOCKS; i++) {
        blocks[i] = malloc(BLOCK_BYTES);
        CHECK(blocks[i]);
        memset(blocks[i], i, BLOCK_BYTES);
    }
    atomic_fetch_add(&worker_shared->counter, 1);
    while (!atomic_load(&worker_shared->released))
        free(malloc(10000));
    for (int i = 0; i < BLOCKS; i++)
        free(blocks[i]);
    return NULL;
}

/* A keeper that is made anew is a copy of a process whose threads hold locks; it drops the heap. */
static int use_workers_among_threads(void *arg)
{
    pthread_t threads[THREADS];
    struct bight_executor *executor = worker_open_count(2);

    (void)arg;
    for (int i = 0; i < THREADS; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, fill_a_heap, NULL), 0);
    worker_await(&worker_shared->counter, THREADS);
    for (int round = 0; round < 3; round++) {
        lose(executor, worker_keeper(executor));
        run_jobs(executor);
        lose(executor, worker_stats(executor).zygote_pid);
        run_jobs(executor);
    }
    atomic_store(&worker_shared->released, 1);
    for (int i = 0; i < THREADS; i++)
        CHECK_EQ(pthread_join(threads[i], NULL), 0);
    worker_close(executor);
    return 0;
}

static int among_threads_without_clone3(void)
{
    remove_call(SYS_clone3);
    CHECK_EQ(worker_prepare(), 0);
    return bight_run(use_workers_among_threads, NULL);
}

static const struct suite_case cases[] = {
    worker_plain(without_pidfd_open, CASE_UNPREPARED),
    worker_plain(without_clone3, CASE_UNPREPARED),
    worker_plain(without_close_range, CASE_UNPREPARED),
    worker_plain(without_any_of_them, CASE_UNPREPARED),
    worker_plain(among_threads_without_clone3, CASE_UNPREPARED),
};

worker_suite("workers_kernel", cases);
