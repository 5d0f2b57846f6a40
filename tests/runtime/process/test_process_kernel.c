/* runtime/process on kernels that lack the newer of the calls that it uses. */
#include "tests/runtime/process/children.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct bight_process_options plain;

/* A call that is refused with `error` when that argument has any of the bits. */
struct refusal {
    unsigned call;
    unsigned argument;
    unsigned bits;
    unsigned error;
};

static const struct refusal no_pidfd_at_birth = {SYS_clone, 0, 0x1000, EINVAL};
static const struct refusal no_pidfd_later = {SYS_pidfd_open, 0, ~0u, ENOSYS};
static const struct refusal no_ranges = {SYS_close_range, 1, ~0u, ENOSYS};
static const struct refusal no_group_signals = {SYS_pidfd_send_signal, 3, 4, EINVAL};
/* PIDFD_GET_INFO, and others that are not used here. */
static const struct refusal no_facts = {SYS_ioctl, 1, 0x80000000u, ENOTTY};

/* From now on, here and in what comes of this process. False: there are no filters here. */
static bool refuse(const struct refusal *refusal)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, refusal->call, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                 (unsigned)offsetof(struct seccomp_data, args) + 8 * refusal->argument),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, refusal->bits, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | refusal->error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof(code) / sizeof(*code), .filter = code};

    ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static int as_ever(void *arg)
{
    struct bight_process *process = shell_piped("cat; exit 3");

    (void)arg;
    ck_ok(bight_stream_write(bight_process_input(process), "data", 4));
    ck_ok(bight_stream_shutdown(bight_process_input(process)));
    ck_assert_str_eq(hear_all(bight_process_output(process)), "data");
    exits_with(process, 3);
    process = shell("exec sleep 1000", plain);
    ck_ok(bight_process_terminate(process, -1));
    dies_by(process, SIGTERM);
    return 0;
}

static void a_pidfd_may_be_taken_later(void)
{
    if (refuse(&no_pidfd_at_birth))
        ck_ok(child_plain(as_ever, NULL));
}

static int not_at_all(void *arg)
{
    const char *const argv[] = {"sleep", "1000", NULL};
    struct bight_process *process;

    (void)arg;
    ck_code(bight_process_start(&process, &(struct bight_process_options){.argv = argv}),
            BIGHT_ENOSYS);
    no_child_is_left();
    return 0;
}

static void without_pidfds_there_are_no_processes(void)
{
    if (refuse(&no_pidfd_at_birth) && refuse(&no_pidfd_later))
        ck_ok(child_plain(not_at_all, NULL));
}

static int leaks_nothing(void *arg)
{
    int leaked = fcntl(0, F_DUPFD, 100);
    struct bight_process *process =
        shell("test ! -e /proc/self/fd/100 && exec ls /proc/self/fd",
              (struct bight_process_options){.output.kind = BIGHT_PROCESS_PIPE});

    (void)arg;
    ck_assert_str_eq(hear_all(bight_process_output(process)), "0\n1\n2\n3\n");
    exits_with(process, 0);
    close(leaked);
    return as_ever(NULL);
}

static void descriptors_are_closed_one_by_one(void)
{
    if (refuse(&no_ranges))
        ck_ok(child_plain(leaks_nothing, NULL));
}

static int whole_group(void *arg)
{
    struct bight_process *process =
        shell("sleep 1000 & echo ready; wait",
              (struct bight_process_options){.output.kind = BIGHT_PROCESS_PIPE,
                                             .flags = BIGHT_PROCESS_NEW_GROUP});
    struct bight_stream *output = bight_process_output(process);

    (void)arg;
    ck_assert_str_eq(hear_line(output), "ready");
    ck_ok(bight_process_kill(process));
    ck_assert_str_eq(hear_all(output), "");
    dies_by(process, SIGKILL);
    return 0;
}

static void a_group_is_known_by_its_number(void)
{
    if (refuse(&no_group_signals))
        ck_ok(child_plain(whole_group, NULL));
}

static int unknown(void *arg)
{
    struct bight_process *process = shell("exec sleep 1000", plain);
    struct bight_process_status status;
    int word;

    (void)arg;
    ck_ok(bight_process_kill(process));
    ck_assert_int_eq(test_waitpid(-1, &word, 0), bight_process_pid(process));
    ck_ok(bight_process_wait(process, &status));
    ck_assert_int_eq(status.state, BIGHT_PROCESS_UNKNOWN);
    ck_assert_int_eq(status.code, 0);
    ck_assert_int_eq(status.signum, 0);
    ck_ok(bight_process_end(process, 0));
    return 0;
}

static void a_status_that_was_taken_is_unknown(void)
{
    if (refuse(&no_facts))
        ck_ok(child_plain(unknown, NULL));
}

static const struct suite_case cases[] = {
    plain_case(a_pidfd_may_be_taken_later),
    plain_case(without_pidfds_there_are_no_processes),
    plain_case(descriptors_are_closed_one_by_one),
    plain_case(a_group_is_known_by_its_number),
    plain_case(a_status_that_was_taken_is_unknown),
};

test_suite("process_kernel", cases);
