/* The life of a service: it runs until a signal asks it to stop, then it drains, is cancelled, and
 * is told of, each for as long as there is time. And what a service manager such as systemd says to
 * it and hears of it: sockets that were opened for it, readiness, status, a watchdog, descriptors
 * that survive a restart. See docs/service.md. */
#ifndef BIGHT_SERVICE_H
#define BIGHT_SERVICE_H

#include <bight/base.h>
#include <bight/errors.h>
#include <bight/event.h>
#include <bight/task.h>

BIGHT_BEGIN_DECLS

/* --- from start to end ------------------------------------------------------------------------ */

enum bight_service_phase {
    /* Nobody has asked it to stop. */
    BIGHT_SERVICE_RUNNING,
    /* It takes no more, and finishes what it has: see bight_scope_drain. */
    BIGHT_SERVICE_DRAINING,
    /* It is cancelled. */
    BIGHT_SERVICE_CANCELLED,
    /* It has not ended in spite of that. */
    BIGHT_SERVICE_REFUSED,
};

struct bight_service_result {
    /* In which phase the service has ended. */
    enum bight_service_phase phase;
    /* What fn returned. */
    int status;
    /* The signal that asked for the stop, 0 for none. */
    int signum;
};

#define BIGHT_SERVICE_SIGNALS 4

/* Zero is the default for every field. */
struct bight_service_options {
    /* The signals that ask for the stop, up to the first 0; default SIGTERM and SIGINT. Each
     * arrival after the first begins the next phase, whatever time is left. */
    int stop_signals[BIGHT_SERVICE_SIGNALS];
    /* To be set by the program to ask for the stop; default: none. */
    struct bight_event *stop;
    /* How long a drain may take; default 30,000, negative: as long as it likes. */
    int64_t drain_ms;
    /* How long the tasks may take to end once they are cancelled; default 5,000, negative: as long
     * as they like. */
    int64_t cancel_ms;
    /* Leave the signals blocked in this thread when the call has returned, so that a late one does
     * not end the process in the midst of its own end. Default: they have their former action. */
    bool hold_signals;
    /* Drain the tasks of this call only. Default: all tasks of the runtime. */
    bool subtree;
    /* Called in a task of its own when `reload_signal` has come; what comes meanwhile counts once.
     * The service manager is told. It may suspend; a failure is reported. Not while it stops.
     * Default: the signal is left alone. */
    int (*on_reload)(void *arg);
    /* Default SIGHUP. */
    int reload_signal;
    /* The rest is called on the loop's thread and must not suspend. */
    /* A phase begins. */
    void (*on_phase)(void *arg, enum bight_service_phase phase);
    /* The time of `phase` is over, and this task of the service, which is asleep or ready, has not
     * ended. Default: the runtime's report handler. */
    void (*on_remaining)(void *arg, enum bight_service_phase phase, const struct bight_task *task);
    /* BIGHT_SERVICE_REFUSED has begun and all were told of. The call goes on waiting, for its tasks
     * use memory of its caller: a program that would rather end does so here, by _exit with
     * bight_service_exit_code. */
    void (*on_refused)(void *arg, const struct bight_service_result *result);
    void *callback_arg;
};

/** Run `fn(arg)` in a task of its own, called "service", until it returns or is asked to stop: by a
 *  signal of `options`, or by the event. Then it drains; calls in scopes with
 *  BIGHT_SCOPE_STOPPABLE, and the accept loops of servers, end with BIGHT_EDRAIN, and what was
 *  begun goes on. When `drain_ms` is over it is cancelled. Who has not ended `cancel_ms` later is
 *  told of by name.
 *
 *  The tasks of the service are those in groups of fn: they are waited for. Other tasks of the
 *  runtime are drained, and cancelled when main returns, as always.
 *
 *  A service manager is told of the stop and of reloads, and its watchdog is fed from the loop. Of
 *  readiness it is told by the service: bight_service_ready.
 *
 *  @return what fn returned, and 0 for BIGHT_EDRAIN after a drain; BIGHT_ECANCELED also when the
 *          call was cancelled, which is passed on; BIGHT_EINVAL; BIGHT_ENOTASK; why a signal could
 *          not be opened or the task not be spawned, before fn was called.
 *  Suspends: yes.  Cancellable: no; a cancellation is passed on to the tasks, which are awaited.
 *  On cancel: BIGHT_ECANCELED, or the result of fn.  Allocates: a stack, and the signals.
 *  Thread: the loop's.
 *  Ownership: keeps arg and options->stop, and borrows options, until it returns; gives result,
 *  which may be NULL.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_service_run(int (*fn)(void *arg), void *arg,
                                                 const struct bight_service_options *options,
                                                 struct bight_service_result *result);

/** What the process may exit with: 0 when the service has ended well, by itself or in a drain; 1
 *  when it failed; 3 when it had to be cancelled, 4 when it refused even that.
 *
 *  Thread: any.
 */
BIGHT_API int bight_service_exit_code(const struct bight_service_result *result);

/* --- the service manager: sd_notify(3) -------------------------------------------------------- */

/** Send `state`, lines such as "STATUS=42 clients", to the socket that NOTIFY_SOCKET names.
 *
 *  @return 0; BIGHT_ENOENT: there is no such socket, nobody wants to know; BIGHT_EINVAL: the name
 *          is none; BIGHT_ENOTSUP: it is not a Unix socket; an error of the socket; BIGHT_EAGAIN:
 *          the manager is behind, and this is no task that could wait; BIGHT_ECANCELED.
 *  Suspends: yes, but only while the manager is behind.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED, nothing was sent.  Allocates: as bight_fd_wait.  Thread: any;
 *  outside of tasks it does not wait.  Ownership: borrows state.
 */
BIGHT_API int bight_service_notify(const char *state);

/** "READY=1": the service serves.
 *
 *  @return as bight_service_notify.
 *  Suspends: yes, but only while the manager is behind.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED, nothing was sent.  Allocates: as bight_fd_wait.  Thread: any.
 *  Ownership: none.
 */
BIGHT_API int bight_service_ready(void);

/** One line that the manager shows beside the service, "STATUS=" and `text`, without newlines.
 *
 *  @return as bight_service_notify; BIGHT_ETOOBIG above 1,000 bytes; BIGHT_EINVAL for a newline.
 *  Suspends: yes, but only while the manager is behind.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED, nothing was sent.  Allocates: as bight_fd_wait.  Thread: any.
 *  Ownership: borrows text.
 */
BIGHT_API int bight_service_status(const char *text);

/** The time between two signs of life that the manager insists on, in ms; 0: it does not. In
 *  bight_service_run they are sent by themselves, from the loop, twice as often.
 *
 *  Thread: any.
 */
BIGHT_API int64_t bight_service_watchdog_ms(void);

/** Have the manager keep copies of `count` descriptors under `name` ("FDSTORE=1"), for the next
 *  start of the service: they come back by bight_service_get_fds. To have those of a name dropped
 *  send "FDSTOREREMOVE=1\nFDNAME=...".
 *
 *  @return as bight_service_notify; BIGHT_EINVAL for a name that is empty, longer than 255 bytes or
 *          has a control character or a colon, and for no descriptors or more than 253.
 *  Suspends: yes, but only while the manager is behind.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED, nothing was sent.  Allocates: as bight_fd_wait.  Thread: any.
 *  Ownership: borrows name and fds; the descriptors stay the caller's.
 */
BIGHT_API int bight_service_store_fds(const char *name, const int *fds, size_t count);

/* --- descriptors that were handed over: sd_listen_fds(3) -------------------------------------- */

struct bight_service_fd {
    int fd;
    /* As the manager has it, "unknown" by default; longer names are cut. */
    char name[256];
};

/** The descriptors that LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES hand to this process: listening
 *  sockets for bight_listener_from_fd, and what was stored. They are made close-on-exec. Their
 *  numbers are the same each time it is asked: whoever takes one asks no more.
 *
 *  @return how many there are; the first `room` of them are in `fds`. 0: none, or they are for
 *          another process. BIGHT_EINVAL: the variables make no sense; BIGHT_EBADF: one of them is
 *          not open.
 *  Thread: any, while none changes the environment.
 *  Ownership: the descriptors become the caller's.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_service_get_fds(struct bight_service_fd *fds, size_t room);

/** Remove the variables of the manager from the environment, so that children do not take them for
 *  theirs. Afterwards all of the above find no manager.
 *
 *  Thread: main's, before there are others: it changes the environment.
 */
BIGHT_API void bight_service_forget(void);

BIGHT_END_DECLS

#endif
