/* What a forked process does first: it sheds what it has inherited and does not need. */
#ifndef BIGHT_OFFLOAD_CHILD_PROCESS_H
#define BIGHT_OFFLOAD_CHILD_PROCESS_H

#include <sys/types.h>

#include <bight/base.h>

/* Close every descriptor from `first` on. Async-signal-safe. */
void bight__close_from(int first);

/* Leave nothing open but standard input, output and error, `socket_fd` as CONTROL_FD, and
 * `host_fd`, unless negative, as HOST_FD. Ends the process on failure. Async-signal-safe. */
void bight__keep_only(int socket_fd, int host_fd);

/* Set all signals to their default dispositions. Async-signal-safe. */
void bight__signals_default(void);

/* The same, and block none. Async-signal-safe. */
void bight__signals_reset(void);

/* The pidfd of the host, which bight__keep_only has put in place; -1 when there is none. */
int bight__host_fd(void);

/* Where there is no such pidfd: have the kernel end this process, a child of `host`, with it. */
void bight__end_with_host(pid_t host);

/* An ordinary fork(), so that libraries notice it. But if the host was using libuv, no fork
 * handlers: libuv's would make a new pipe for signals, whose ends would be closed behind libuv's
 * back. */
pid_t bight__fork(bool late);

/* Have the kernel, when it runs out of memory, end this process before `host`. */
void bight__oom_before(pid_t host);

#endif
