/* Workers are what their host is when they start: working directory, umask, limits; and, where this
 * suite runs with privileges to give up, ids, groups and capabilities. */
#include "tests/offload/worker_cases.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SOMEBODY 60124

/* The lines of /proc/PID/status that say who a process is. */
static void describe(const char *pid, char *text, size_t bytes)
{
    static const char *const names[] = {"Uid:",    "Gid:",    "Groups:", "CapInh:", "CapPrm:",
                                        "CapEff:", "CapBnd:", "CapAmb:", "Umask:",  "NoNewPrivs:"};
    char path[64], line[512];
    FILE *status;

    snprintf(path, sizeof path, "/proc/%s/status", pid);
    status = fopen(path, "re");
    *text = '\0';
    while (status && fgets(line, sizeof line, status)) {
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
            if (strncmp(line, names[i], strlen(names[i])) == 0)
                strncat(text, line, bytes - strlen(text) - 1);
        }
    }
    if (status)
        fclose(status);
}

static int tell_who(struct bight_job *job)
{
    char text[2048];

    describe("self", text, sizeof text);
    return bight_job_output_append(job, text, strlen(text) + 1);
}

static const struct bight_job_def who_job = {.name = "who", .fn = tell_who};

/* The worker, its zygote and the keeper are to the kernel what this process is. */
static void check_all_are_like_me(struct bight_executor *executor)
{
    int pids[2] = {worker_stats(executor).zygote_pid, worker_keeper(executor)};
    char mine[2048], theirs[2048], number[16];
    struct bight_result result;

    describe("self", mine, sizeof mine);
    CHECK_EQ(bight_execute(executor, &who_job, NULL, 0, &result), 0);
    if (strcmp(result.output, mine) != 0)
        printf("host:\n%sworker:\n%s", mine, (char *)result.output);
    CHECK(strcmp(result.output, mine) == 0);
    bight_result_free(&result);
    for (int i = 0; i < 2; i++) {
        snprintf(number, sizeof number, "%d", pids[i]);
        describe(number, theirs, sizeof theirs);
        CHECK(strstr(theirs, "Uid:") && strstr(mine, "Uid:")); /* the umask is above */
        CHECK(strcmp(strstr(theirs, "Uid:"), strstr(mine, "Uid:")) == 0);
    }
}

static void lose_zygote(struct bight_executor *executor)
{
    uint64_t died = worker_stats(executor).zygotes_died;

    CHECK_EQ(kill(worker_stats(executor).zygote_pid, SIGKILL), 0);
    while (worker_stats(executor).zygotes_died == died || worker_stats(executor).ready == 0)
        CHECK_EQ(bight_sleep(1), 0);
}

static void lose_keeper(struct bight_executor *executor)
{
    uint64_t died = worker_stats(executor).zygotes_died;

    CHECK_EQ(kill(worker_keeper(executor), SIGKILL), 0);
    while (worker_stats(executor).zygotes_died == died || worker_stats(executor).ready == 0)
        CHECK_EQ(bight_sleep(1), 0);
}

/* Workers of the first zygote, of the same keeper's second one, and of another keeper's. */
static int use_workers_like_me(void *arg)
{
    struct bight_executor *executor = worker_open_count(1);

    (void)arg;
    check_all_are_like_me(executor);
    lose_zygote(executor);
    check_all_are_like_me(executor);
    lose_keeper(executor);
    check_all_are_like_me(executor);
    worker_close(executor);
    return 0;
}

struct place {
    char directory[256];
    struct rlimit files, size, stack;
    uint64_t mask;
};

static void look_around(struct place *place)
{
    memset(place, 0, sizeof *place);
    CHECK(getcwd(place->directory, sizeof place->directory));
    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &place->files), 0);
    CHECK_EQ(getrlimit(RLIMIT_CORE, &place->size), 0);
    CHECK_EQ(getrlimit(RLIMIT_STACK, &place->stack), 0);
    place->mask = umask(0);
    umask((mode_t)place->mask);
}

static int tell_place(struct bight_job *job)
{
    struct place place;

    look_around(&place);
    return bight_job_output_append(job, &place, sizeof place);
}

static const struct bight_job_def place_job = {.name = "place", .fn = tell_place};

static void check_place(struct bight_executor *executor)
{
    struct place mine;
    struct bight_result result;

    look_around(&mine);
    CHECK_EQ(bight_execute(executor, &place_job, NULL, 0, &result), 0);
    CHECK_EQ(result.output_bytes, sizeof mine);
    CHECK(memcmp(result.output, &mine, sizeof mine) == 0);
    bight_result_free(&result);
}

static void move_and_limit(const char *directory, mode_t mask, rlim_t files)
{
    struct rlimit limit;

    CHECK_EQ(chdir(directory), 0);
    umask(mask);
    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = files;
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static int workers_live_where_and_as_their_host_does(void *arg)
{
    struct bight_executor *executor;
    int pid;

    (void)arg;
    move_and_limit("/tmp", 027, 100);
    CHECK_EQ(setrlimit(RLIMIT_CORE, &(struct rlimit){0, 4096}), 0);
    executor = worker_open_count(1);
    check_place(executor);
    move_and_limit("/", 077, 101);
    CHECK_EQ(setrlimit(RLIMIT_CORE, &(struct rlimit){1024, 1024}), 0);
    pid = worker_pid(executor);
    CHECK_EQ(kill(pid, SIGKILL), 0);
    while (worker_stats(executor).ready == 0 || worker_pid(executor) == pid)
        CHECK_EQ(bight_sleep(1), 0);
    check_place(executor);
    lose_zygote(executor);
    check_place(executor);
    lose_keeper(executor);
    check_place(executor);
    worker_close(executor);
    return 0;
}

static int a_directory_that_is_gone_is_no_obstacle(void *arg)
{
    char name[] = "/tmp/bight-workers-XXXXXX";
    struct bight_executor *executor;

    (void)arg;
    CHECK(mkdtemp(name));
    CHECK_EQ(chdir(name), 0);
    CHECK_EQ(rmdir(name), 0);
    executor = worker_open_count(1);
    CHECK_EQ(bight_execute(executor, &echo_job, NULL, 0, NULL), 0);
    lose_keeper(executor);
    CHECK_EQ(bight_execute(executor, &echo_job, NULL, 0, NULL), 0);
    worker_close(executor);
    return 0;
}

static int leave(struct bight_job *job)
{
    (void)job;
    _exit(1);
}

static const struct bight_job_def leaving_job = {.name = "leaving", .fn = leave};

/* The zygote may have two more descriptors: a channel's, and not the directory's. */
static int no_worker_starts_in_another_directory(void *arg)
{
    struct bight_workers_options options = {.workers = 1, .start_ms = 200};
    struct bight_executor *executor = worker_open(&options);
    struct rlimit limit = {8, 8};
    int rc;

    (void)arg;
    CHECK_EQ(prlimit(worker_stats(executor).zygote_pid, RLIMIT_NOFILE, &limit, NULL), 0);
    CHECK_EQ(chdir("/tmp"), 0);
    CHECK_EQ(bight_execute(executor, &leaving_job, NULL, 0, NULL), BIGHT_EWORKERDIED);
    rc = bight_execute(executor, &echo_job, NULL, 0, NULL);
    CHECK_EQ(rc, BIGHT_EAGAIN);
    worker_close(executor);
    return 0;
}

static int workers_gain_no_privileges_either(void *arg)
{
    CHECK_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    return use_workers_like_me(arg);
}

/* The host's capabilities would not outlast an execution: so its keeper is not lost. */
static int use_workers_of_one_keeper(void *arg)
{
    struct bight_executor *executor = worker_open_count(1);

    (void)arg;
    check_all_are_like_me(executor);
    lose_zygote(executor);
    check_all_are_like_me(executor);
    worker_close(executor);
    return 0;
}

/* In a user namespace that has no number for this process's user. */
static int workers_gain_none_in_a_user_namespace(void)
{
    if (unshare(CLONE_NEWUSER) < 0) {
        printf("there are no user namespaces\n");
        return 0;
    }
    CHECK_EQ(worker_prepare(), 0);
    CHECK_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    return bight_run(use_workers_of_one_keeper, NULL);
}

static bool privileged(void)
{
    /* In a user namespace others' numbers may be missing. */
    if (geteuid() == 0 && setgroups(0, NULL) == 0 && setegid(SOMEBODY) == 0 && setegid(0) == 0)
        return true;
    printf("not tried without privileges\n");
    return false;
}

static void become_somebody(void)
{
    gid_t groups[] = {SOMEBODY + 1, SOMEBODY + 2};

    CHECK_EQ(setgroups(2, groups), 0);
    CHECK_EQ(setgid(SOMEBODY), 0);
    CHECK_EQ(setuid(SOMEBODY), 0);
    CHECK_EQ(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0),
             0); /* so that the case can count its descriptors */
}

static int a_host_that_gave_up_its_ids(void *arg)
{
    if (!privileged())
        return 0;
    become_somebody();
    return use_workers_like_me(arg);
}

static int a_host_that_is_somebody_for_a_while(void *arg)
{
    int rc;

    if (!privileged())
        return 0;
    CHECK_EQ(setresgid(0, SOMEBODY, 0), 0);
    CHECK_EQ(setresuid(0, SOMEBODY, 0), 0);
    CHECK_EQ(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), 0);
    rc = use_workers_like_me(arg);
    CHECK_EQ(seteuid(0), 0);
    CHECK_EQ(setegid(0), 0);
    return rc ? rc : use_workers_like_me(arg);
}

/* As a service does that goes on to bind low ports: all but one capability are given up. */
static void keep_one_capability(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    const unsigned bit = 1u << CAP_NET_BIND_SERVICE;
    struct __user_cap_data_struct data[2] = {{bit, bit, bit}, {0, 0, 0}};

    CHECK_EQ(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), 0);
    become_somebody();
    CHECK_EQ(syscall(SYS_capset, &header, data), 0);
    CHECK_EQ(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_BIND_SERVICE, 0, 0), 0);
}

static int a_host_that_kept_one_capability(void *arg)
{
    if (!privileged())
        return 0;
    for (unsigned long cap = CAP_NET_BIND_SERVICE + 1; cap < CAP_MKNOD; cap++)
        CHECK_EQ(prctl(PR_CAPBSET_DROP, cap, 0, 0, 0), 0);
    keep_one_capability();
    return use_workers_like_me(arg);
}

static int tell_securebits(struct bight_job *job)
{
    (void)job;
    return prctl(PR_GET_SECUREBITS);
}

static const struct bight_job_def securebits_job = {.name = "securebits", .fn = tell_securebits};

static int securebits_come_along(void *arg)
{
    int bits = (int)(SECBIT_NOROOT | SECBIT_NOROOT_LOCKED);
    struct bight_executor *executor;
    struct bight_result result;

    (void)arg;
    if (!privileged())
        return 0;
    CHECK_EQ(prctl(PR_SET_SECUREBITS, bits), 0);
    become_somebody();
    executor = worker_open_count(1);
    for (int round = 0; round < 2; round++) {
        CHECK_EQ(bight_execute(executor, &securebits_job, NULL, 0, &result), 0);
        CHECK_EQ(result.code, bits);
        lose_zygote(executor);
    }
    worker_close(executor);
    return 0;
}

/* What could not be signalled any more must not be left behind. */
static int workers_of_before_end_with_the_first_start(void *arg)
{
    struct bight_executor *before, *after;
    struct worker_call held;
    int pid;

    (void)arg;
    if (!privileged())
        return 0;
    before = worker_open_count(1);
    held = (struct worker_call){.executor = before, .def = &hold_job};
    worker_spawn(&held);
    worker_await(&worker_shared->running, 1);
    pid = worker_pid(before);
    become_somebody();
    after = worker_open_count(1);
    check_all_are_like_me(after);
    worker_join(&held);
    CHECK_EQ(held.rc, BIGHT_EWORKERDIED);
    check_all_are_like_me(before);
    CHECK(worker_pid(before) != pid);
    worker_close(after);
    worker_close(before);
    return 0;
}

static int use_privileged_workers(void *arg)
{
    struct bight_executor *executor = worker_open_count(1);
    struct bight_result result;

    (void)arg;
    for (int round = 0; round < 2; round++) {
        CHECK_EQ(bight_execute(executor, &who_job, NULL, 0, &result), 0);
        CHECK(strstr(result.output, "Uid:\t0\t0\t0\t0\n"));
        bight_result_free(&result);
        CHECK_EQ(bight_execute(executor, &leaving_job, NULL, 0, NULL), BIGHT_EWORKERDIED);
    }
    worker_close(executor);
    return 0;
}

static int privileges_are_kept_on_request(void)
{
    char name[] = "program", *argv[] = {name, NULL};
    struct bight_workers_prepare_options options = {.keep_privileges = true};

    if (!privileged())
        return 0;
    CHECK_EQ(bight_workers_prepare_with(1, argv, &options), 0);
    become_somebody();
    return bight_run(use_privileged_workers, NULL);
}

static const struct suite_case cases[] = {
    worker_case(workers_live_where_and_as_their_host_does, 0),
    worker_case(a_directory_that_is_gone_is_no_obstacle, 0),
    worker_case(no_worker_starts_in_another_directory, 0),
    worker_case(workers_gain_no_privileges_either, 0),
    worker_plain(workers_gain_none_in_a_user_namespace, CASE_UNPREPARED),
    worker_case(a_host_that_gave_up_its_ids, 0),
    worker_case(a_host_that_is_somebody_for_a_while, 0),
    worker_case(a_host_that_kept_one_capability, 0),
    worker_case(securebits_come_along, 0),
    worker_case(workers_of_before_end_with_the_first_start, 0),
    worker_plain(privileges_are_kept_on_request, CASE_UNPREPARED),
};

worker_suite("workers_identity", cases);
