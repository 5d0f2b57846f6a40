/* Subprocesses inside: the record of one, and the plan by which one is made. plan.c makes the plan,
 * stdio.c and terminal.c open what the child's standard descriptors lead to, spawn.c makes the
 * child, child.c is what runs in it, status.c knows its end and sends signals, process.c has the
 * life, and run.c stands on that. */
#ifndef BIGHT_RUNTIME_PROCESS_PROCESS_H
#define BIGHT_RUNTIME_PROCESS_PROCESS_H

#include <sys/types.h>

#include <bight/process.h>

#include "runtime/stream/stream.h"

/* It has room for the few frames of child.c, in which no signal is handled. */
#define CHILD_STACK_BYTES 32768

/* Our ends: by the child's number, and behind them of its terminal. */
#define STREAMS 4
#define TERMINAL_STREAM 3

struct process_map {
    int fd; /* here */
    int child_fd;
};

/* All that the child needs: it takes no memory, which may be this process's own. */
struct process_plan {
    const struct bight_process_options *options;
    const char *const *env;
    const char **candidates; /* the paths to try, and NULL */
    struct process_map *maps;
    size_t maps_count; /* by child_fd, the lowest first; the first three are the standard ones */
    int report_fd;     /* takes the error if there is one, an int, and is closed by exec */
    int open_max;      /* descriptors are below */
    int terminal_fd;   /* in the child: what is to be its terminal; negative: none is */
    bool shares;       /* set by the child: it is seen here when it has this memory */
    char *stack_top;
    char *texts;  /* of the candidates */
    void *memory; /* of all above */
};

/* plan.c: 0, BIGHT_EINVAL, BIGHT_EBADF, BIGHT_ENOMEM. The standard descriptors are not in place
 * yet. The options are borrowed as long as the plan is used. */
int bight__process_plan_make(struct process_plan *plan, const struct bight_seams *seams,
                             const struct bight_process_options *options);
void bight__process_plan_free(struct process_plan *plan);

/* stdio.c: what the child's standard descriptors are here, and our ends of pipes. */
struct process_stdio {
    int fds[3];
    bool opened[3]; /* by us, and to be closed */
    int terminal;   /* the same of the child's side; -1: there is none */
    struct bight_stream *streams[STREAMS];
};

/* terminal.c: open one: the child's side, or a negative code. *stream is the other. */
int bight__process_terminal_open(struct bight_stream **stream, const struct bight_seams *seams,
                                 const struct bight_terminal_size *size);

/* The number at which the child has its terminal; negative: it gets none. */
int bight__process_has_terminal(const struct bight_process_options *options);
/* Nothing is open when it fails. */
int bight__process_stdio_open(struct process_stdio *stdio, const struct bight_seams *seams,
                              const struct bight_process_options *options);
/* Close the child's ends. */
void bight__process_stdio_close(struct process_stdio *stdio);

/* child.c: what the child does, given its struct process_plan; it does not return. */
int bight__process_child(void *arg);

/* spawn.c: make the child and have it load its program. There is none when it fails. */
int bight__process_spawn(struct process_plan *plan, const struct bight_seams *seams, pid_t *pid,
                         int *pidfd);
/* Kill it and wait, the thread with it, until it is reaped. */
void bight__process_bury(pid_t pid, int pidfd);
/* Send it a signal. Valgrind does not know how to do that by a pidfd: then by its number, which is
 * its own as long as it is not reaped. */
int bight__process_signal(pid_t pid, int pidfd, int signum);

struct bight_process {
    struct poll_source source; /* of the pidfd, which is ready when it has ended */
    struct stream_guest guest; /* the runtime ends it */
    struct streams *registry;
    struct bight_link waits; /* of struct process_wait */
    struct bight_link cases;
    struct bight_stream *streams[STREAMS];
    pid_t pid;
    int pidfd;
    bool leads; /* a group of its own */
    bool asked; /* to end: what is left of its group then goes with it */
    bool ending;
    struct bight_process_status status;
};

/* status.c: look whether it has ended, and if so reap it and fill in its status. */
bool bight__process_collect(struct bight_process *process);
/* To it, or to the group that it leads. As bight_process_signal, of one that has not been
 * collected. */
int bight__process_send(const struct bight_process *process, int signum);
int bight__process_send_group(const struct bight_process *process, int signum);

/* process.c: bight_process_end that tells the status. */
int bight__process_finish(struct bight_process *process, int64_t grace_ms,
                          struct bight_process_status *status);

#endif
