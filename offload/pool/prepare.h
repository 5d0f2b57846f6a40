/* The host's side of the zygote: how executors reach it. */
#ifndef BIGHT_OFFLOAD_POOL_PREPARE_H
#define BIGHT_OFFLOAD_POOL_PREPARE_H

struct zygote_line {
    int fd;              /* for struct control_message; non-blocking, close-on-exec */
    unsigned generation; /* of the zygote */
};

/* Give the caller a socket of its own to the zygote, starting one if there is none. 0 or an error;
 * BIGHT_ENOTPREPARED when none can be started. Any thread. */
int bight__zygote_connect(struct zygote_line *line);

/* The line of that generation has ended: so has the zygote, or it is ended now. Returns why, as
 * far as it is known: BIGHT_EWORKERDIED, or the error with which it could not be made. Any
 * thread. */
int bight__zygote_lost(unsigned generation);

#endif
