/* The zygote: a small single-threaded process that forks the workers of all executors of this
 * process and reaps them. prepare.c starts it and is asked for connections; zygote.c is what runs in
 * it; worker.c is what runs in its children. */
#ifndef BIGHT_OFFLOAD_CHILD_ZYGOTE_H
#define BIGHT_OFFLOAD_CHILD_ZYGOTE_H

#include <sys/types.h>

#include <bight/base.h>

struct zygote_line {
    int fd;              /* for struct control_message; non-blocking, close-on-exec */
    unsigned generation; /* of the zygote */
};

/* Give the caller a socket of its own to the zygote, starting one if there is none. 0 or an error;
 * BIGHT_ENOTPREPARED when none can be started. Any thread. */
int bight__zygote_connect(struct zygote_line *line);

/* The line of that generation has ended: so has the zygote, or it will now. Any thread. */
void bight__zygote_lost(unsigned generation);

/* Be the zygote of `host`: its socket is CONTROL_FD, and if it has a keeper, HOST_FD is a pidfd of the
 * host; else it is the host's child. `late`: the host was using libuv when it was forked. */
_Noreturn void bight__zygote_main(pid_t host, bool late);

/* Be a worker: run the jobs of the channel whose socket is `socket_fd` and whose memory is
 * `memory_fd`, until the other side closes it. */
_Noreturn void bight__worker_main(int socket_fd, int memory_fd);

/* Close every descriptor from `first` on. Async-signal-safe. */
void bight__close_from(int first);

/* All signals to their default dispositions, none blocked. Async-signal-safe. */
void bight__signals_reset(void);

#endif
