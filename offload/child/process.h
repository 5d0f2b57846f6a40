/* What a forked process does first: it sheds what it has inherited and does not need. */
#ifndef BIGHT_OFFLOAD_CHILD_PROCESS_H
#define BIGHT_OFFLOAD_CHILD_PROCESS_H

#include <sys/types.h>

/* Close every descriptor from `first` on. Async-signal-safe. */
void bight__close_from(int first);

/* Leave nothing open but standard input, output and error, `socket_fd` as CONTROL_FD, and
 * `parent_fd`, unless negative, as PARENT_FD. Ends the process on failure. Async-signal-safe. */
void bight__keep_only(int socket_fd, int parent_fd);

/* Set all signals to their default dispositions and block none. Async-signal-safe. */
void bight__signals_reset(void);

/* Have the kernel, when it runs out of memory, end this process before `host`. */
void bight__oom_before(pid_t host);

#endif
