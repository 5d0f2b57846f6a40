/* supervisor REPOSITORY: who has committed to a git repository, how long a command may hang, and a
 * service that is started again until it stays.
 *
 * To notice: two programs are joined by a task that copies from one's output to the other's input,
 * at the pace of the slower one; each is ended by the function that started it, whatever went wrong
 * in between. The limit of the hanging command is around the call (bight_timeout), and
 * the command is gone when that returns. What the service's failure means is said by its status,
 * not by the call. */
#include <bight/group.h>
#include <bight/process.h>
#include <bight/runtime.h>
#include <bight/scope.h>
#include <bight/time.h>

#include <signal.h>
#include <stdio.h>

#define GRACE_MS 1000
#define HANGS_MS 100
#define FIRST_PAUSE_MS 10
#define MOST_STARTS 8

/* The log through sort */

struct joint {
    struct bight_process *from;
    struct bight_process *to;
};

static int copy(void *arg)
{
    const struct joint *joint = arg;
    struct bight_stream *input = bight_process_input(joint->to);
    int64_t count = bight_stream_copy(bight_process_output(joint->from), input);

    return count < 0 ? (int)count : bight_stream_shutdown(input);
}

static int print_lines(struct bight_stream *stream)
{
    char line[256];
    int64_t length;

    while ((length = bight_stream_read_line(stream, line, sizeof(line))) >= 0)
        printf("  %s\n", line);
    return length == BIGHT_EOF ? 0 : (int)length;
}

static int print_sorted(struct bight_group *group, void *arg)
{
    struct joint *joint = arg;
    int rc = bight_group_spawn(NULL, group, NULL, copy, joint);

    return rc ? rc : print_lines(bight_process_output(joint->to));
}

/* 0 for one that has ended well. */
static int judge(struct bight_process *process, const char *name)
{
    struct bight_process_status status;
    int rc = bight_process_wait(process, &status);

    if (rc)
        return rc;
    if (status.state == BIGHT_PROCESS_EXITED && status.code == 0)
        return 0;
    fprintf(stderr, "%s: exit code %d, signal %d\n", name, status.code, status.signum);
    return BIGHT_EPROTOCOL;
}

static int sort_log(struct bight_process *git)
{
    const char *const argv[] = {"sort", "-u", NULL};
    const struct bight_process_options options = {
        .argv = argv, .input.kind = BIGHT_PROCESS_PIPE, .output.kind = BIGHT_PROCESS_PIPE};
    struct joint joint = {.from = git};
    int ended, rc = bight_process_start(&joint.to, &options);

    if (rc)
        return rc;
    rc = bight_group_run(print_sorted, &joint);
    if (rc == 0)
        rc = judge(joint.to, "sort");
    ended = bight_process_end(joint.to, GRACE_MS);
    return rc ? rc : ended;
}

static int authors(const char *repository)
{
    const char *const argv[] = {"git", "-C", repository, "log", "--format=%an", NULL};
    const struct bight_process_options options = {
        .argv = argv, .input.kind = BIGHT_PROCESS_NULL, .output.kind = BIGHT_PROCESS_PIPE};
    struct bight_process *git;
    int ended, rc = bight_process_start(&git, &options);

    if (rc)
        return rc;
    printf("authors:\n");
    rc = sort_log(git);
    if (rc == 0)
        rc = judge(git, "git");
    ended = bight_process_end(git, GRACE_MS);
    return rc ? rc : ended;
}

/* The command that hangs */

static int hang(void *result)
{
    const char *const argv[] = {"sleep", "3600", NULL};
    const struct bight_process_options options = {.argv = argv};
    const struct bight_process_run_options how = {.grace_ms = GRACE_MS};

    return bight_process_run(result, &options, &how);
}

static int limit(void)
{
    struct bight_process_result result;
    int rc = bight_timeout(HANGS_MS, hang, &result);

    if (rc == BIGHT_ETIMEDOUT)
        printf("sleep 3600: out of time, ended by signal %d\n", result.status.signum);
    bight_process_result_free(&result);
    return rc == BIGHT_ETIMEDOUT ? 0 : rc;
}

/* The service that is started again, after longer and longer pauses. This one fails twice. */

static int serve_once(int attempt, struct bight_process_status *status)
{
    const char *const argv[] = {"/bin/sh", "-c", "test $ATTEMPT -ge 3 || exit 70", NULL};
    char variable[32];
    const char *const extra[] = {variable, NULL};
    const struct bight_process_options options = {
        .argv = argv, .env_extra = extra, .flags = BIGHT_PROCESS_NEW_GROUP};
    struct bight_process *service;
    int ended, rc;

    snprintf(variable, sizeof(variable), "ATTEMPT=%d", attempt);
    rc = bight_process_start(&service, &options);
    if (rc)
        return rc;
    rc = bight_process_wait(service, status);
    ended = bight_process_end(service, GRACE_MS); /* a cancellation ends the service too */
    return rc ? rc : ended;
}

static int keep_up(void)
{
    struct bight_process_status status = {.state = BIGHT_PROCESS_RUNNING};
    int64_t pause_ms = FIRST_PAUSE_MS;
    int rc;

    for (int attempt = 1; attempt <= MOST_STARTS; attempt++) {
        rc = serve_once(attempt, &status);
        if (rc)
            return rc;
        printf("service, start %d: exit code %d\n", attempt, status.code);
        if (status.state == BIGHT_PROCESS_EXITED && status.code == 0)
            return 0;
        rc = bight_sleep(pause_ms);
        if (rc)
            return rc;
        pause_ms *= 2;
    }
    return BIGHT_EBROKEN;
}

static int start(void *repository)
{
    int rc = authors(repository);

    if (rc == 0)
        rc = limit();
    if (rc == 0)
        rc = keep_up();
    return rc;
}

int main(int argc, char **argv)
{
    const struct bight_runtime_options options = {.interrupt_signal = SIGINT};
    int rc;

    if (argc != 2) {
        fprintf(stderr, "usage: supervisor REPOSITORY\n");
        return 2;
    }
    rc = bight_run_with(&options, start, argv[1]);
    if (rc)
        fprintf(stderr, "supervisor: %s\n", bight_strerror(rc));
    return rc != 0;
}
