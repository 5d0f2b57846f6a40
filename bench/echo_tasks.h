/* What the echo servers of bight share, over TCP and TLS: the handlers of a connection. */
#ifndef BIGHT_BENCH_ECHO_TASKS_H
#define BIGHT_BENCH_ECHO_TASKS_H

#include <bight/listener.h>
#include <bight/stream.h>

#include "bench/serving.h"

struct echo_tasks {
    const struct serving_job *job;
    struct bight_listener *listener;
    unsigned served;
    unsigned closed;
};

/* Make the listener of the job. */
void echo_tasks_listen(struct echo_tasks *tasks);

/* Handlers, whose `arg` is the struct: by a buffer on the stack, and with what has come looked at
 * where it is. The last one closes the listener. */
int echo_buffered(struct bight_stream *stream, void *arg);
int echo_in_place(struct bight_stream *stream, void *arg);

#endif
