/* Subprocesses: start a program, talk to it through pipes that are streams, wait for its end, and
 * be sure that it is over. bight_process_run does all of that for a program that is given some
 * input and is to be finished with before anything else happens:
 *
 *     const char *const argv[] = {"sort", "-u", NULL};
 *     struct bight_process_result result;
 *     int rc = bight_process_run(&result, &(struct bight_process_options){.argv = argv},
 *                                &(struct bight_process_run_options){"b\na\nb\n", 6});
 *
 *     if (rc == 0)
 *         fwrite(result.output, 1, result.output_bytes, stdout);
 *     bight_process_result_free(&result);
 *
 * A process is known by a pidfd, which is taken when it is made: a signal never reaches another one
 * that got its number later, and nobody else's wait(2) makes a wait here hang. docs/process.md
 * tells what a child inherits. */
#ifndef BIGHT_PROCESS_H
#define BIGHT_PROCESS_H

#include <bight/base.h>
#include <bight/errors.h>
#include <bight/select.h>
#include <bight/stream.h>

BIGHT_BEGIN_DECLS

struct bight_process;

/* Where a standard descriptor of the child leads. */
enum bight_process_stdio_kind {
    /* Of bight_process_start: BIGHT_PROCESS_INHERIT. Of bight_process_run: a pipe, and for the
     * input, when there is none, BIGHT_PROCESS_NULL. */
    BIGHT_PROCESS_DEFAULT,
    /* To where the same descriptor of this process does. */
    BIGHT_PROCESS_INHERIT,
    /* To the null device: nothing to read, and what is written is gone. */
    BIGHT_PROCESS_NULL,
    /* To a pipe, whose other end is a stream here. */
    BIGHT_PROCESS_PIPE,
    /* To the file at `path`, opened here, in this process's directory. */
    BIGHT_PROCESS_FILE,
    /* To what `fd` is. */
    BIGHT_PROCESS_FD,
    /* Of `error` only: to where `output` does. */
    BIGHT_PROCESS_OUTPUT,
    /* To a pseudo terminal, one for all that have this kind, whose other side is a stream here. The
     * child leads a session, with it as its terminal. */
    BIGHT_PROCESS_TERMINAL,
};

/* All zero is BIGHT_PROCESS_DEFAULT. */
struct bight_process_stdio {
    enum bight_process_stdio_kind kind;
    /* For BIGHT_PROCESS_FD. */
    int fd;
    /* For BIGHT_PROCESS_FILE. `flags` are those of open(2); 0: O_RDONLY for the input,
     * O_WRONLY | O_CREAT | O_TRUNC for the others. A file that is made has the mode 0666, less the
     * umask. */
    const char *path;
    int flags;
};

/* How many characters a terminal shows. */
struct bight_terminal_size {
    uint16_t rows;
    uint16_t columns;
};

/* How a terminal treats what passes through it, as <termios.h> has it. */
struct bight_terminal_mode {
    /* Private. */
    uint64_t words[16];
};

/* A descriptor of this process, and its number in the child. */
struct bight_process_fd {
    int fd;
    int child_fd; /* 3 or more */
};

/* Whom the child runs as. */
struct bight_process_user {
    uint32_t uid;
    uint32_t gid;
    /* The supplementary groups; NULL: none, as far as this process may shed its own. */
    const uint32_t *groups;
    size_t groups_count;
};

/* The child leads a process group of its own: signals of the terminal do not reach it, and the
 * calls that end it reach the processes that it has started, too. */
#define BIGHT_PROCESS_NEW_GROUP 1u
/* It leads a session of its own, and so a group, and has no controlling terminal. */
#define BIGHT_PROCESS_NEW_SESSION 2u

/* What to start. Zero is the default for every field but argv. */
struct bight_process_options {
    /* The arguments, the program's name first; NULL ends them. */
    const char *const *argv;
    /* The program; NULL: argv[0]. A name without a slash is looked for in the directories of PATH,
     * which is that of the child's environment; if that has none, in /usr/local/bin, /usr/bin and
     * /bin. A path with a slash is relative to the child's directory. */
    const char *program;
    /* The environment, entries like "NAME=value"; NULL ends it. NULL itself: this process's. */
    const char *const *env;
    /* Entries that the child has in addition, or instead of those of the same names. NULL: none. */
    const char *const *env_extra;
    /* The child's directory; NULL: this process's. */
    const char *cwd;
    struct bight_process_stdio input;
    struct bight_process_stdio output;
    struct bight_process_stdio error;
    /* Further descriptors, each number at most once. */
    const struct bight_process_fd *fds;
    size_t fds_count;
    /* NULL: as this process. */
    const struct bight_process_user *user;
    /* BIGHT_PROCESS_NEW_GROUP, BIGHT_PROCESS_NEW_SESSION. */
    unsigned flags;
    /* Of its terminal, if it gets one; 0: not known to it. */
    struct bight_terminal_size terminal_size;
};

enum bight_process_state {
    BIGHT_PROCESS_RUNNING,
    /* By itself, with `code`. */
    BIGHT_PROCESS_EXITED,
    /* By the signal `signum`. */
    BIGHT_PROCESS_SIGNALED,
    /* It has ended, and someone else took the status: a wait(2) of this program for any child, or
     * the system since SIGCHLD is ignored. Linux 6.15 and later have it all the same. */
    BIGHT_PROCESS_UNKNOWN,
};

struct bight_process_status {
    enum bight_process_state state;
    /* The exit code, from 0 to 255; 0 in other states. */
    int code;
    /* The signal that ended it; 0 in other states. */
    int signum;
    /* It left an image of its memory. */
    bool dumped_core;
    /* What it used, with those of its children that it has waited for; 0 where the status came late
     * or is unknown. */
    uint64_t user_cpu_us;
    uint64_t system_cpu_us;
    /* The most memory that one of them had resident. */
    uint64_t max_resident_bytes;
};

/** Start a process. In the child no signal is blocked or ignored and all have their default
 *  actions, and no descriptor is open but those that the options name. The thread waits until the
 *  program is loaded, which is a matter of the disk; a file is opened in the same way.
 *
 *  When the call fails there is no process: an error of the child before its program runs is
 *  returned here, and the child is reaped, unseen by wait(2) and SIGCHLD.
 *
 *  @return 0; BIGHT_EINVAL: options that contradict themselves; BIGHT_ENOENT: there is no such
 *          program, file or directory; BIGHT_EACCES; BIGHT_EPERM: not allowed to become that user;
 *          ENOEXEC: not a program of this system (a script needs its first line); E2BIG: arguments
 *          and environment are too large; BIGHT_EBADF; BIGHT_EMFILE; BIGHT_EAGAIN: too many
 *          processes; BIGHT_ENOMEM; BIGHT_ENOSYS: a system without pidfds (Linux before 5.3);
 *          BIGHT_ENORUNTIME; BIGHT_ECLOSED when the runtime's last task has ended.
 *  Ownership: borrows options and all it points to; gives *out, to be ended with bight_process_end.
 *  The runtime kills and reaps what is left when its last task has ended; the pointer is invalid
 *  then.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_process_start(struct bight_process **out,
                                                   const struct bight_process_options *options);

/** The number of the process, also after its end, when it may be another's; 0 for NULL. */
BIGHT_API int64_t bight_process_pid(const struct bight_process *process);

/** The stream that writes to the child's standard input; NULL: that is no pipe, or the stream was
 *  taken. bight_stream_shutdown is what the child sees as the end of its input.
 *
 *  Ownership: the stream is the process's, which ends it in bight_process_end.
 */
BIGHT_API struct bight_stream *bight_process_input(const struct bight_process *process);

/** The stream that reads the child's standard output. What the child wrote can be read after its
 *  end.
 *
 *  Ownership: as bight_process_input.
 */
BIGHT_API struct bight_stream *bight_process_output(const struct bight_process *process);

/** The stream that reads the child's standard error.
 *
 *  Ownership: as bight_process_input.
 */
BIGHT_API struct bight_stream *bight_process_error(const struct bight_process *process);

/** Our side of the child's terminal: what is written is what a user types, a control-C included,
 *  and what is read is what is shown. It ends when nobody has the terminal open any more.
 *
 *  @return it; NULL: the child has none from us.
 *  Ownership: as bight_process_input.
 */
BIGHT_API struct bight_stream *bight_process_terminal(const struct bight_process *process);

/** Take a stream out of the process, to keep it longer, to give it to something that ends it, or to
 *  end it early. `child_fd` is 0, 1 or 2.
 *
 *  @return it; NULL: there is none.
 *  Ownership: gives the stream, to be ended with bight_stream_end.
 */
BIGHT_API struct bight_stream *bight_process_take_stream(struct bight_process *process,
                                                         int child_fd);

/** Sleep until the process has ended; return at once if it has. Any number of tasks may wait, at
 *  any time. That the process has ended does not mean that all it wrote was read, nor that nobody
 *  else holds its pipes.
 *
 *  @return 0, and *status, which may be NULL, is filled in; BIGHT_ECANCELED; BIGHT_EPERM: it is
 *          another thread's; BIGHT_ENOTASK.
 *  Suspends: yes.  Cancellable: yes.  On cancel: BIGHT_ECANCELED, the process goes on.
 *  Allocates: no.  Thread: the loop's.  Ownership: keeps status until it returns; process may be
 *  ended meanwhile.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_process_wait(struct bight_process *process,
                                                  struct bight_process_status *status);

/** Make `to` a case that happens when `process` has ended; its status is 0, or BIGHT_EPERM: it is
 *  another thread's.
 *
 *  Ownership: keeps process for as long as the case is used.
 */
BIGHT_API void bight_case_process(struct bight_case *to, struct bight_process *process);

/** Its status, as far as the loop has heard: BIGHT_PROCESS_RUNNING until a wait would return.
 *
 *  @return 0.
 *  Ownership: borrows all.
 */
BIGHT_API int bight_process_get_status(const struct bight_process *process,
                                       struct bight_process_status *status);

/** Send it the signal `signum`, 0 to ask whether it is there. Processes that it has started get
 *  nothing.
 *
 *  @return 0; BIGHT_ESRCH: it has ended; BIGHT_EINVAL: no such signal; BIGHT_EPERM: it is another
 *          thread's, or has become another user's.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_process_signal(struct bight_process *process, int signum);

/** Send SIGKILL to it, and if it leads a group of its own to all of that. It is then still to be
 *  ended.
 *
 *  @return as bight_process_signal.
 */
BIGHT_API int bight_process_kill(struct bight_process *process);

/** Ask it to end by SIGTERM, which a stopped one gets too, and after `grace_ms` have it ended by
 *  SIGKILL; 0: at once, negative: never. If it leads a group of its own all of that gets the
 *  signals, and when it has ended, SIGKILL at once gets those who are left. Sleep until it has
 *  ended; return at once if it has. Its streams stay, and what it wrote last can be read.
 *
 *  @return 0; BIGHT_ECANCELED; BIGHT_EPERM: it is another thread's, or has become another user's;
 *          BIGHT_ENOTASK.
 *  Suspends: yes.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED; it was asked, and is still to be ended.  Allocates: no.
 *  Thread: the loop's.  Ownership: keeps process until it returns.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_process_terminate(struct bight_process *process,
                                                       int64_t grace_ms);

/** Make sure that the process is over: bight_process_terminate if it runs, then end its streams,
 *  and free it. Tasks that wait for it get its status, those inside of its streams BIGHT_ECLOSED.
 *  For a process that has ended by itself, call bight_process_wait before.
 *
 *  @return 0; BIGHT_EALREADY: another task is ending it; BIGHT_EPERM: it is another thread's, or
 *          runs and has become another user's; BIGHT_ENOTASK: it runs, or tasks are inside of its
 *          streams, and there is none that could wait; BIGHT_EBUSY: as bight_stream_end has it.
 *  Suspends: yes, while it runs, or a task is inside of a stream.  Cancellable: no.
 *  On cancel: goes on, with the same time.  Allocates: no.  Thread: the loop's.
 *  Ownership: takes process on success; NULL does nothing.
 */
BIGHT_API int bight_process_end(struct bight_process *process, int64_t grace_ms);

/* Of bight_process_run: what is above a limit is read and dropped. */
#define BIGHT_PROCESS_TRUNCATE 1u

/* How to run a process to its end. Zero is the default for every field. */
struct bight_process_run_options {
    /* What the process reads from its standard input. */
    const void *input;
    size_t input_bytes;
    /* Most that is collected of its output and of its errors; 0: 64 MiB, negative: no limit. */
    int64_t output_limit_bytes;
    int64_t error_limit_bytes;
    /* BIGHT_PROCESS_TRUNCATE, or 0. */
    unsigned flags;
    /* The time between SIGTERM and SIGKILL, if it has to be ended; 0: 2000 ms, negative: no SIGKILL
     * ever. */
    int64_t grace_ms;
    /* For how long after its end its pipes are read that others hold, to whom it has handed them;
     * 0: 1000 ms, negative: until they let go. */
    int64_t linger_ms;
};

struct bight_process_result {
    struct bight_process_status status;
    /* What it wrote, and behind it a NUL that does not count; NULL: not collected. */
    char *output;
    size_t output_bytes;
    char *error;
    size_t error_bytes;
    /* There was more, above the limit. */
    bool output_truncated;
    bool error_truncated;
    /* Others still held a pipe when the time for that was over. */
    bool pipes_held;
};

/** Run a process: start it, write `how->input` to it and read its output and errors, all at the
 *  same time, until it has ended and the pipes have. Each collects what its pipe brings; no other
 *  kind of stdio does, and neither does BIGHT_PROCESS_OUTPUT. If the call has to give up, for a
 *  cancellation or an error, the process is ended as by bight_process_end and `how->grace_ms`, and
 *  no less: it is always reaped. A process that fails is no error of the call: see
 *  result->status.
 *
 *  Whatever is returned, *result holds what was collected until then, and the status.
 *
 *  @return 0; as bight_process_start; BIGHT_ETOOBIG: more than a limit allows came, and it was
 *          ended; BIGHT_EINVAL: input without a pipe for it; BIGHT_ECANCELED; BIGHT_ENOTASK.
 *  Suspends: yes.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED, after the process has ended, which `how->grace_ms` limits.
 *  Allocates: what is collected, and tasks.  Thread: the loop's.
 *  Ownership: keeps all until it returns; gives what *result holds, to be freed with
 *  bight_process_result_free.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_process_run(struct bight_process_result *result,
                                                 const struct bight_process_options *options,
                                                 const struct bight_process_run_options *how);

/** Free what `result` holds, also of a run that failed; it is empty then.
 *
 *  Thread: any.
 */
BIGHT_API void bight_process_result_free(struct bight_process_result *result);

/* Terminals: of a child, of which both sides have the same size and mode, and of this program's
 * own, by bight_stream_from_fd. */

/** How large the terminal is.
 *
 *  @return 0; BIGHT_ENOTSUP: the stream is of no terminal.
 *  Ownership: borrows all.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_terminal_get_size(const struct bight_stream *stream,
                                                       struct bight_terminal_size *size);

/** Say how large it is. The processes in its foreground get SIGWINCH if that is new.
 *
 *  @return as bight_terminal_get_size.
 *  Ownership: borrows all.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_terminal_set_size(struct bight_stream *stream,
                                                       const struct bight_terminal_size *size);

/** Let every byte pass as it is, both ways and at once: no lines, no echo, no signals. `before`,
 *  which may be NULL, gets the mode that it had.
 *
 *  @return as bight_terminal_get_size.
 *  Ownership: borrows all.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_terminal_set_raw(struct bight_stream *stream,
                                                      struct bight_terminal_mode *before);

/** Set the mode that it had before.
 *
 *  @return as bight_terminal_get_size.
 *  Ownership: borrows all.
 */
BIGHT_API int bight_terminal_set_mode(struct bight_stream *stream,
                                      const struct bight_terminal_mode *mode);

BIGHT_END_DECLS

#endif
