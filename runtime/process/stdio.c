/* What the child's standard descriptors lead to. Ours are opened here, and of pipes both ends: they
 * are pipes, and no sockets, so that a child can open /dev/stdin. */
#include "runtime/process/process.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* What the child's end of a pipe is, by its number: it reads from 0. */
static int end_of(int child_fd)
{
    return child_fd == STDIN_FILENO ? 0 : 1;
}

/* Our end is non-blocking from the beginning, so that its stream need not put anything back. */
static int open_pipe(struct process_stdio *stdio, const struct bight_seams *seams, int child_fd)
{
    int pair[2], ours, theirs;
    int rc;

    if (bight__call_fails(seams, "pipe2") || pipe2(pair, O_CLOEXEC))
        return -errno;
    theirs = pair[end_of(child_fd)];
    ours = pair[!end_of(child_fd)];
    rc = bight__call_fails(seams, "fcntl") || fcntl(ours, F_SETFL, O_NONBLOCK) ? -errno : 0;
    if (rc == 0)
        rc = bight_stream_from_fd(&stdio->streams[child_fd], ours);
    if (rc) {
        close(ours);
        close(theirs);
        return rc;
    }
    stdio->fds[child_fd] = theirs;
    stdio->opened[child_fd] = true;
    return 0;
}

static int open_file(struct process_stdio *stdio, const struct bight_seams *seams, int child_fd,
                     const char *path, int flags)
{
    int fd = bight__call_fails(seams, "open") ? -1 : open(path, flags | O_CLOEXEC | O_NOCTTY, 0666);

    if (fd < 0)
        return -errno;
    stdio->fds[child_fd] = fd;
    stdio->opened[child_fd] = true;
    return 0;
}

static int file_flags(const struct bight_process_stdio *how, int child_fd)
{
    if (how->flags)
        return how->flags;
    return child_fd == STDIN_FILENO ? O_RDONLY : O_WRONLY | O_CREAT | O_TRUNC;
}

static int open_one(struct process_stdio *stdio, const struct bight_seams *seams, int child_fd,
                    const struct bight_process_stdio *how)
{
    switch (how->kind) {
    case BIGHT_PROCESS_DEFAULT:
    case BIGHT_PROCESS_INHERIT:
        stdio->fds[child_fd] = child_fd;
        return 0;
    case BIGHT_PROCESS_NULL:
        return open_file(stdio, seams, child_fd, "/dev/null", O_RDWR);
    case BIGHT_PROCESS_PIPE:
        return open_pipe(stdio, seams, child_fd);
    case BIGHT_PROCESS_FILE:
        return open_file(stdio, seams, child_fd, how->path, file_flags(how, child_fd));
    case BIGHT_PROCESS_FD:
        stdio->fds[child_fd] = how->fd;
        return 0;
    case BIGHT_PROCESS_OUTPUT:
        stdio->fds[child_fd] = stdio->fds[STDOUT_FILENO];
        return 0;
    case BIGHT_PROCESS_TERMINAL:
        stdio->fds[child_fd] = stdio->terminal;
        return 0;
    }
    return BIGHT_EINVAL; /* does not happen: the plan has looked */
}

/* One that is not open must not become one of those that we open. */
static int check_given(const struct bight_seams *seams, const struct bight_process_options *options)
{
    const struct bight_process_stdio *three[] = {&options->input, &options->output,
                                                 &options->error};

    for (int i = 0; i <= STDERR_FILENO; i++) {
        if (three[i]->kind == BIGHT_PROCESS_FD &&
            (bight__call_fails(seams, "fcntl") || fcntl(three[i]->fd, F_GETFD) < 0))
            return -errno;
    }
    for (size_t i = 0; i < options->fds_count; i++) {
        if (bight__call_fails(seams, "fcntl") || fcntl(options->fds[i].fd, F_GETFD) < 0)
            return -errno;
    }
    return 0;
}

static int open_terminal(struct process_stdio *stdio, const struct bight_seams *seams,
                         const struct bight_process_options *options)
{
    int fd = bight__process_terminal_open(&stdio->streams[TERMINAL_STREAM], seams,
                                          &options->terminal_size);

    if (fd < 0)
        return fd;
    stdio->terminal = fd;
    return 0;
}

int bight__process_has_terminal(const struct bight_process_options *options)
{
    if (options->input.kind == BIGHT_PROCESS_TERMINAL)
        return STDIN_FILENO;
    if (options->output.kind == BIGHT_PROCESS_TERMINAL)
        return STDOUT_FILENO;
    return options->error.kind == BIGHT_PROCESS_TERMINAL ? STDERR_FILENO : -1;
}

int bight__process_stdio_open(struct process_stdio *stdio, const struct bight_seams *seams,
                              const struct bight_process_options *options)
{
    const struct bight_process_stdio *three[] = {&options->input, &options->output,
                                                 &options->error};
    int rc = check_given(seams, options);

    *stdio = (struct process_stdio){.terminal = -1};
    if (rc == 0 && bight__process_has_terminal(options) >= 0)
        rc = open_terminal(stdio, seams, options);
    for (int i = 0; rc == 0 && i <= STDERR_FILENO; i++)
        rc = open_one(stdio, seams, i, three[i]);
    if (rc == 0)
        return 0;
    bight__process_stdio_close(stdio);
    for (int i = 0; i < STREAMS; i++)
        bight_stream_abort(stdio->streams[i]);
    return rc;
}

void bight__process_stdio_close(struct process_stdio *stdio)
{
    for (int i = 0; i <= STDERR_FILENO; i++) {
        if (stdio->opened[i])
            close(stdio->fds[i]);
    }
    if (stdio->terminal >= 0)
        close(stdio->terminal);
}
