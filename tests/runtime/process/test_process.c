/* runtime/process: what is started, with which surroundings, and how one hears of its end. */
#include "tests/runtime/process/children.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/harness/program.h"

static const struct bight_process_options plain;
static const struct bight_process_options heard = {.output.kind = BIGHT_PROCESS_PIPE};

static int codes(void *arg)
{
    struct bight_process *process = shell("exit 7", plain);
    struct bight_process_status status;

    (void)arg;
    ck_ok(bight_process_get_status(process, &status));
    ck_assert_int_eq(status.state, BIGHT_PROCESS_RUNNING);
    ck_assert_int_gt(bight_process_pid(process), 1);
    exits_with(process, 7);
    dies_by(shell("kill -USR1 $$", plain), SIGUSR1);
    exits_with(shell("exit 0", plain), 0);
    return 0;
}

static int uses(void *arg)
{
    struct bight_process *process =
        shell("i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done", plain);
    struct bight_process_status status;

    (void)arg;
    ck_ok(bight_process_wait(process, &status));
    ck_assert_uint_gt(status.user_cpu_us + status.system_cpu_us, 0);
    ck_assert_uint_gt(status.max_resident_bytes, 100000);
    ck_ok(bight_process_end(process, 0));
    return 0;
}

static int waits(void *process)
{
    struct bight_process_status status;
    int rc = bight_process_wait(process, &status);

    return rc ? rc : status.code;
}

static int many_wait(void *arg)
{
    struct bight_process *process = shell(
        "read line; exit 3", (struct bight_process_options){.input.kind = BIGHT_PROCESS_PIPE});
    struct bight_task *tasks[10];
    int status;

    (void)arg;
    for (int i = 0; i < 10; i++)
        ck_ok(bight_spawn(&tasks[i], waits, process));
    world_settle();
    ck_ok(bight_stream_write(bight_process_input(process), "\n", 1));
    for (int i = 0; i < 10; i++) {
        ck_ok(bight_join(tasks[i], &status));
        ck_assert_int_eq(status, 3);
    }
    exits_with(process, 3);
    return 0;
}

static int ended_meanwhile(void *arg)
{
    struct bight_process *process = shell("exec sleep 1000", plain);
    struct bight_task *task;
    int status;

    (void)arg;
    ck_ok(bight_spawn(&task, waits, process));
    world_settle();
    ck_ok(bight_process_end(process, 0));
    ck_ok(bight_join(task, &status));
    ck_assert_int_eq(status, 0);
    return 0;
}

static int cancelled(void *arg)
{
    struct bight_process *process = shell("exec sleep 1000", plain);

    (void)arg;
    ck_code(bight_timeout(10, waits, process), BIGHT_ETIMEDOUT);
    ck_ok(bight_process_signal(process, 0));
    ck_ok(bight_process_kill(process));
    dies_by(process, SIGKILL);
    return 0;
}

static int selected(void *arg)
{
    struct bight_process *slow = shell("exec sleep 1000", plain);
    struct bight_process *quick = shell("exit 1", plain);
    struct bight_case cases[3];

    (void)arg;
    bight_case_process(&cases[0], slow);
    bight_case_process(&cases[1], quick);
    bight_case_sleep(&cases[2], 60000);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(bight_select(cases, 3, BIGHT_SELECT_ORDERED), 1);
        ck_assert_int_eq(cases[1].status, 0);
    }
    bight_case_process(&cases[0], NULL);
    ck_code(bight_select(cases, 1, 0), BIGHT_EINVAL);
    exits_with(quick, 1);
    ck_ok(bight_process_end(slow, 0));
    return 0;
}

static int no_longer_there(void *arg)
{
    struct bight_process *process = shell("exit 6", plain);

    (void)arg;
    ck_ok(bight_process_wait(process, NULL));
    ck_code(bight_process_signal(process, SIGUSR1), BIGHT_ESRCH);
    ck_code(bight_process_signal(process, 0), BIGHT_ESRCH);
    ck_code(bight_process_kill(process), BIGHT_ESRCH);
    ck_ok(bight_process_terminate(process, 1000));
    exits_with(process, 6);
    process = shell("exec sleep 1000", plain);
    ck_code(bight_process_signal(process, 1000), BIGHT_EINVAL);
    ck_ok(bight_process_signal(process, SIGINT));
    dies_by(process, SIGINT);
    return 0;
}

/* What it is started with */

static void says(struct bight_process *process, const char *text)
{
    ck_assert_str_eq(hear_all(bight_process_output(process)), text);
    exits_with(process, 0);
}

static struct bight_process *start(struct bight_process_options options)
{
    struct bight_process *process = NULL;

    options.output.kind = BIGHT_PROCESS_PIPE;
    ck_ok(bight_process_start(&process, &options));
    return process;
}

static int environments(void *arg)
{
    const char *const all[] = {"FOO=baz", NULL};
    const char *const more[] = {"FOO=bar", "PATH=/usr/bin:/bin", NULL};
    const char *const printenv[] = {"printenv", "FOO", NULL};
    const char *const env[] = {"env", NULL};
    struct bight_process_options options = heard;

    (void)arg;
    ck_assert_int_eq(setenv("FOO", "ours", 1), 0);
    says(start((struct bight_process_options){.argv = printenv}), "ours\n");
    options.env = all;
    says(shell("echo $FOO", options), "baz\n");
    says(start((struct bight_process_options){.argv = env, .env = all}), "FOO=baz\n");
    options.env_extra = more;
    says(shell("echo $FOO", options), "bar\n");
    options.env = NULL;
    says(shell("echo $FOO", options), "bar\n");
    says(start((struct bight_process_options){.argv = env, .env = all, .env_extra = more}),
         "FOO=bar\nPATH=/usr/bin:/bin\n");
    return 0;
}

static char folder[32];

static void make_program(const char *name, const char *text, mode_t mode)
{
    char path[64];
    int fd;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, mode);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static void fails(struct bight_process_options options, int code)
{
    struct bight_process *process = NULL;
    const char *const argv[] = {"greet", NULL};
    int fds = test_open_fds();

    options.argv = argv;
    options.input.kind = options.output.kind = BIGHT_PROCESS_PIPE;
    ck_code(bight_process_start(&process, &options), code);
    ck_assert_ptr_null(process);
    ck_assert_int_eq(test_open_fds(), fds);
    no_child_is_left();
}

static int searched(void *arg)
{
    const char *const argv[] = {"greet", NULL};
    char path[64];
    const char *const env[] = {path, NULL}, *const none[] = {NULL};
    struct bight_process_options options = {.argv = argv, .env = env, .cwd = folder};

    (void)arg;
    snprintf(path, sizeof(path), "PATH=/nowhere:%s", folder);
    says(start(options), "greet here\n");
    strcpy(path, "PATH=/nowhere:");
    says(start(options), "greet here\n"); /* an empty one is the child's directory */
    options.program = "./greet";
    says(start(options), "greet here\n");
    options.program = NULL;
    strcpy(path, "PATH=/nowhere:/etc/passwd:/usr/bin");
    fails(options, BIGHT_ENOENT);
    options.env = none;
    fails(options, BIGHT_ENOENT);
    options.program = "data";
    options.env = env;
    snprintf(path, sizeof(path), "PATH=/nowhere:%s:/usr/bin", folder);
    fails(options, BIGHT_EACCES);
    return 0;
}

static int refused(void *arg)
{
    const struct bight_process_options no_folder = {.cwd = "/nowhere"};
    const struct bight_process_stdio no_file = {.kind = BIGHT_PROCESS_FILE,
                                                .path = "/nowhere/file"};
    const struct bight_process_stdio no_fd = {.kind = BIGHT_PROCESS_FD, .fd = 1000};
    const struct bight_process_stdio negative = {.kind = BIGHT_PROCESS_FD, .fd = -1};
    const struct bight_process_fd far = {0, 1 << 30}, closed = {1000, 3};
    char path[64];

    (void)arg;
    exits_with(shell("exit 0", plain), 0); /* what the runtime keeps of streams is open */
    fails((struct bight_process_options){.program = "/nowhere/greet"}, BIGHT_ENOENT);
    fails((struct bight_process_options){.program = ""}, BIGHT_ENOENT);
    fails((struct bight_process_options){.program = "/etc/passwd"}, BIGHT_EACCES);
    fails((struct bight_process_options){.program = "/etc/passwd/greet"}, -ENOTDIR);
    snprintf(path, sizeof(path), "%s/odd", folder);
    fails((struct bight_process_options){.program = path}, -ENOEXEC);
    fails(no_folder, BIGHT_ENOENT);
    fails((struct bight_process_options){.error = no_file}, BIGHT_ENOENT);
    fails((struct bight_process_options){.error = no_fd}, BIGHT_EBADF);
    fails((struct bight_process_options){.error = negative}, BIGHT_EBADF);
    fails((struct bight_process_options){.fds = &closed, .fds_count = 1}, BIGHT_EBADF);
    fails((struct bight_process_options){.program = "/bin/true", .fds = &far, .fds_count = 1},
          BIGHT_EINVAL);
    return 0;
}

static void in_a_folder(int (*body)(void *arg))
{
    strcpy(folder, "/tmp/bight-process-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    make_program("greet", "#!/bin/sh\necho greet here\n", 0700);
    make_program("data", "no program", 0600);
    make_program("odd", "no program", 0700);
    ck_assert_int_eq(child_plain(body, NULL), 0);
    test_remove_folder(folder);
}

static void programs_are_looked_for_in_the_childs_path(void)
{
    if (geteuid() == 0)
        ck_assert_int_eq(setenv("PATH", "/usr/bin:/bin", 1), 0);
    in_a_folder(searched);
}

static void what_goes_wrong_in_the_child_is_returned_by_the_start(void)
{
    in_a_folder(refused);
}

static int contradictions(void *arg)
{
    const char *const argv[] = {"true", NULL}, *const none[] = {NULL};
    const struct bight_process_fd low = {0, 2}, twice[] = {{0, 7}, {1, 7}};
    const struct bight_process_user user = {.groups_count = 1};
    const struct bight_process_options wrong[] = {
        {.argv = NULL},
        {.argv = none},
        {.argv = argv, .flags = 1u << 31},
        {.argv = argv, .input.kind = BIGHT_PROCESS_OUTPUT},
        {.argv = argv, .output.kind = BIGHT_PROCESS_OUTPUT},
        {.argv = argv, .output.kind = BIGHT_PROCESS_FILE},
        {.argv = argv, .error.kind = (enum bight_process_stdio_kind)99},
        {.argv = argv, .fds = &low, .fds_count = 1},
        {.argv = argv, .fds = twice, .fds_count = 2},
        {.argv = argv, .fds_count = 1},
        {.argv = argv, .user = &user},
    };
    struct bight_process *process;

    (void)arg;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
        ck_code(bight_process_start(&process, &wrong[i]), BIGHT_EINVAL);
    return 0;
}

static void it_needs_a_runtime(void)
{
    const char *const argv[] = {"true", NULL};
    struct bight_process *process;

    ck_code(bight_process_start(&process, &(struct bight_process_options){.argv = argv}),
            BIGHT_ENORUNTIME);
}

/* Groups, sessions, users */

static int groups(void *arg)
{
    struct bight_process_options options = {.output.kind = BIGHT_PROCESS_PIPE};
    struct bight_process *process =
        shell("read x", (struct bight_process_options){.input.kind = BIGHT_PROCESS_PIPE});

    (void)arg;
    ck_assert_int_eq(getpgid((pid_t)bight_process_pid(process)), getpgrp());
    ck_ok(bight_process_end(process, 0));
    options.flags = BIGHT_PROCESS_NEW_GROUP;
    process = shell("exec sleep 1000", options);
    ck_assert_int_eq(getpgid((pid_t)bight_process_pid(process)), bight_process_pid(process));
    ck_assert_int_eq(getsid((pid_t)bight_process_pid(process)), getsid(0));
    ck_ok(bight_process_end(process, 0));
    options.flags = BIGHT_PROCESS_NEW_SESSION;
    process = shell("exec sleep 1000", options);
    ck_assert_int_eq(getpgid((pid_t)bight_process_pid(process)), bight_process_pid(process));
    ck_assert_int_eq(getsid((pid_t)bight_process_pid(process)), bight_process_pid(process));
    ck_ok(bight_process_end(process, 0));
    return 0;
}

static int users(void *arg)
{
    const uint32_t groups[] = {12, 34};
    struct bight_process_user user = {.uid = geteuid(), .gid = getegid()};
    struct bight_process_options options = heard;
    char text[64];

    (void)arg;
    options.user = &user;
    snprintf(text, sizeof(text), "%u %u\n", user.uid, user.gid);
    says(shell("echo $(id -u) $(id -g)", options), text);
    user = (struct bight_process_user){.uid = 1234, .gid = 4321};
    if (geteuid()) {
        const char *const argv[] = {"true", NULL};
        struct bight_process *process;

        options.argv = argv;
        ck_code(bight_process_start(&process, &options), BIGHT_EPERM);
        return 0;
    }
    says(shell("echo $(id -u) $(id -ru) $(id -g) $(id -G)", options), "1234 1234 4321 4321\n");
    user.groups = groups;
    user.groups_count = 2;
    says(shell("echo $(id -u) $(id -G)", options), "1234 4321 12 34\n");
    return 0;
}

static const struct suite_case cases[] = {
    child_case(an_end_is_an_exit_code_or_a_signal, codes),
    child_case(a_status_says_what_was_used, uses),
    child_case(many_tasks_may_wait_at_any_time, many_wait),
    child_case(a_task_that_waits_gets_the_status_of_one_that_is_gone, ended_meanwhile),
    child_case(a_wait_that_is_cancelled_leaves_the_process_alone, cancelled),
    child_case(a_select_may_wait_for_the_end, selected),
    child_case(after_its_end_no_signal_is_sent, no_longer_there),
    child_case(environments_are_inherited_given_or_completed, environments),
    plain_case(programs_are_looked_for_in_the_childs_path),
    plain_case(what_goes_wrong_in_the_child_is_returned_by_the_start),
    child_case(options_that_contradict_themselves_are_refused, contradictions),
    plain_case(it_needs_a_runtime),
    child_case(a_child_may_lead_a_group_or_a_session, groups),
    child_case(a_child_may_be_another_user, users),
};

test_suite("process", cases);
