/* runtime/probe.c: where libuv would abort, bight_run returns an error. What would take the whole
 * process down runs in a child of the test's that leaves by _exit. */
#include "runtime/runtime.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/harness/suite.h"
#include "tests/harness/support.h"

/* Exit statuses of a child: what its bight_run made of the lack. */
enum outcome { WENT_WELL, GAVE_ERROR, CANNOT_TEST, UNEXPECTED };

/* Run `attempt` in a child; -1 when a signal ended it. */
static int in_child(enum outcome (*attempt)(rlim_t limit), rlim_t limit)
{
    int status;
    pid_t child = fork();

    ck_assert_int_ge(child, 0);
    if (child == 0)
        _exit(attempt(limit));
    ck_assert_int_eq(test_waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int nothing(void *arg)
{
    (void)arg;
    return 0;
}

static bool set_limit(int resource, rlim_t soft)
{
    struct rlimit limit;

    if (getrlimit(resource, &limit))
        return false;
    limit.rlim_cur = soft;
    return setrlimit(resource, &limit) == 0;
}

static int threads_now(void)
{
    struct stat tasks;

    if (stat("/proc/self/task", &tasks))
        ck_abort_msg("no /proc");
    return (int)tasks.st_nlink - 2;
}

/* 1, or 2 with ThreadSanitizer, which starts its own beside the first. */
static int threads_before;

static void count_threads(void)
{
    const struct bight_seams none = {0};

    ck_assert_int_eq(bight__probe_threads(&none), 0);
    threads_before = threads_now();
}

static void a_probe_leaves_no_descriptor(void)
{
    const struct bight_seams none = {0};
    int fds = test_open_fds();

    ck_assert_int_eq(bight__probe(&none), 0);
    ck_assert_int_eq(test_open_fds(), fds);
}

static void after_a_probe_the_process_is_single_threaded(void)
{
    const struct bight_seams none = {0};

    for (int i = 0; i < 300; i++) {
        int rc = bight__probe_threads(&none), threads = threads_now();
        if (rc || threads != threads_before)
            ck_abort_msg("%d, %d threads", rc, threads);
    }
}

static enum outcome run_with_descriptors(rlim_t limit)
{
    if (!set_limit(RLIMIT_NOFILE, limit))
        return CANNOT_TEST;
    int rc = bight_run(nothing, NULL);
    if (rc == 0)
        return WENT_WELL;
    return rc == BIGHT_EMFILE ? GAVE_ERROR : UNEXPECTED;
}

static void too_few_descriptors_are_an_error_at_every_limit(void)
{
    int outcome = UNEXPECTED, errors = 0;

    for (rlim_t limit = 0; limit < 64 && outcome != WENT_WELL; limit++) {
        outcome = in_child(run_with_descriptors, limit);
        ck_assert_msg(outcome == WENT_WELL || outcome == GAVE_ERROR, "limit %d: %d", (int)limit,
                      outcome);
        errors += outcome == GAVE_ERROR;
    }
    ck_assert_int_eq(outcome, WENT_WELL);
    ck_assert_int_gt(errors, 3);
}

/* As root RLIMIT_NPROC does not bind, so the kernel is made to answer as if it did. */
static bool refuse_threads(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAGAIN),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof code / sizeof code[0], .filter = code};

    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static enum outcome run_without_threads(rlim_t limit)
{
    (void)limit;
    if (!refuse_threads())
        return CANNOT_TEST;
    return bight_run(nothing, NULL) == BIGHT_EAGAIN ? GAVE_ERROR : UNEXPECTED;
}

static void refused_threads_are_an_error(void)
{
    int outcome = in_child(run_without_threads, 0);

    if (outcome != CANNOT_TEST)
        ck_assert_int_eq(outcome, GAVE_ERROR);
}

static enum outcome probe_threads_of_pool(rlim_t limit)
{
    const struct bight_seams none = {0};

    setenv("UV_THREADPOOL_SIZE", "3", 1);
    if (!set_limit(RLIMIT_NPROC, limit))
        return CANNOT_TEST;
    int rc = bight__probe_threads(&none);
    if (rc == 0)
        return WENT_WELL;
    return rc == BIGHT_EAGAIN ? GAVE_ERROR : UNEXPECTED;
}

static void the_limit_of_processes_is_an_error_where_it_binds(void)
{
    int outcome = in_child(probe_threads_of_pool, 0);

    ck_assert_int_eq(outcome, geteuid() == 0 ? WENT_WELL : GAVE_ERROR);
    ck_assert_int_eq(threads_now(), threads_before);
}

static enum outcome run_in_address_space(rlim_t limit)
{
    if (!set_limit(RLIMIT_AS, limit))
        return CANNOT_TEST;
    int rc = bight_run(nothing, NULL);
    if (rc == 0)
        return WENT_WELL;
    return rc == BIGHT_ENOMEM || rc == BIGHT_EAGAIN ? GAVE_ERROR : UNEXPECTED;
}

static void little_address_space_is_an_error(void)
{
    int errors = 0;

#if defined(BIGHT_ASAN) || defined(BIGHT_TSAN)
    return; /* the sanitizer's own shadow is beyond any limit */
#endif
    for (rlim_t mib = 4; mib <= 128; mib += 2) {
        int outcome = in_child(run_in_address_space, mib << 20);
        ck_assert_msg(outcome == WENT_WELL || outcome == GAVE_ERROR, "%d MiB: %d", (int)mib,
                      outcome);
        errors += outcome == GAVE_ERROR;
    }
    ck_assert_int_gt(errors, 0);
}

static size_t reallocations;

static void *counting_realloc(void *memory, size_t bytes)
{
    reallocations++;
    return realloc(memory, bytes);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    (void)poll;
    (void)status;
    (void)events;
}

/* Watch a descriptor of the number `wanted` for one turn of the loop. */
static void watch(uv_loop_t *loop, int wanted)
{
    uv_poll_t poll;
    int ends[2];

    ck_assert_int_eq(pipe(ends), 0);
    int high = fcntl(ends[0], F_DUPFD_CLOEXEC, wanted);
    ck_assert_int_eq(high, wanted);
    ck_assert_int_eq(uv_poll_init(loop, &poll, high), 0);
    ck_assert_int_eq(uv_poll_start(&poll, UV_READABLE, on_poll), 0);
    uv_run(loop, UV_RUN_NOWAIT);
    uv_close((uv_handle_t *)&poll, NULL);
    uv_run(loop, UV_RUN_DEFAULT);
    close(high);
    close(ends[0]);
    close(ends[1]);
}

static void after_the_probe_watching_allocates_nothing(void)
{
    const struct bight_seams none = {0};
    uv_loop_t loop;
    int fds = test_open_fds();

    ck_assert_int_eq(uv_replace_allocator(malloc, counting_realloc, calloc, free), 0);
    ck_assert_int_eq(uv_loop_init(&loop), 0);
    int fds_of_loop = test_open_fds();
    ck_assert_int_eq(bight__probe_watchers(&loop, 900, &none), 0);
    ck_assert_int_eq(test_open_fds(), fds_of_loop);
    ck_assert_uint_gt(reallocations, 0);
    uv_run(&loop, UV_RUN_NOWAIT);
    ck_assert(!uv_loop_alive(&loop));
    reallocations = 0;
    watch(&loop, 899);
    ck_assert_uint_eq(reallocations, 0);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
    ck_assert_int_le(test_open_fds(), fds + 2); /* libuv keeps its signal pipe */
}

static void the_number_watched_respects_the_soft_limit(void)
{
    const struct bight_seams none = {0};
    uv_loop_t loop;

    ck_assert(set_limit(RLIMIT_NOFILE, 200));
    ck_assert_int_eq(uv_loop_init(&loop), 0);
    ck_assert_int_eq(bight__probe_watchers(&loop, 16384, &none), 0);
    /* The highest number is somebody's: the next one that is free below will do. */
    ck_assert_int_eq(dup2(0, 199), 199);
    ck_assert_int_eq(bight__probe_watchers(&loop, 16384, &none), 0);
    uv_run(&loop, UV_RUN_NOWAIT);
    close(199);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
}

/* Fails the allocation number *ctx, counted down. */
static bool fail_at(void *ctx, const void *site)
{
    int *left = ctx;

    (void)site;
    return (*left)-- == 0;
}

static void want_of_memory_for_the_table_is_an_error(void)
{
    int left;
    const struct bight_seams seams = {.ctx = &left, .fail_alloc = fail_at};
    uv_loop_t loop;
    int failures = 0, rc;

    ck_assert_int_eq(uv_loop_init(&loop), 0);
    int fds = test_open_fds();
    do {
        left = failures;
        rc = bight__probe_watchers(&loop, 300, &seams);
        ck_assert_int_eq(test_open_fds(), fds);
        failures += rc == BIGHT_ENOMEM;
    } while (rc == BIGHT_ENOMEM);
    ck_assert_int_eq(rc, 0);
    ck_assert_int_eq(failures, 2);
    uv_run(&loop, UV_RUN_NOWAIT);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
}

static const struct suite_case cases[] = {
    plain_case(a_probe_leaves_no_descriptor),
    plain_case(after_a_probe_the_process_is_single_threaded),
    plain_case(too_few_descriptors_are_an_error_at_every_limit),
    plain_case(refused_threads_are_an_error),
    plain_case(the_limit_of_processes_is_an_error_where_it_binds),
    plain_case(little_address_space_is_an_error),
    plain_case(after_the_probe_watching_allocates_nothing),
    plain_case(the_number_watched_respects_the_soft_limit),
    plain_case(want_of_memory_for_the_table_is_an_error),
};

test_suite("probe", cases, .setup = count_threads);
