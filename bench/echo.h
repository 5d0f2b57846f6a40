/* The echo servers of bench_echo and the load that is put on them. */
#ifndef BIGHT_BENCH_ECHO_H
#define BIGHT_BENCH_ECHO_H

#include "bench/serving.h"

/* The floor: epoll, recv, send. */
void echo_epoll(const struct serving_job *job);
/* libuv's streams in callbacks, as fast as they go: uv_try_write before anything else. */
void echo_uv(const struct serving_job *job);
/* A task per connection, which reads into a buffer of its own. */
void echo_bight(const struct serving_job *job);
/* The same without a buffer: what has come is looked at where it is. */
void echo_bight_idle(const struct serving_job *job);

/* Every connection sends `bytes`, waits until they have come back, and begins anew, until there
 * were `requests` in all. */
void echo_put(const struct serving *serving, uint16_t port, uint64_t requests);

#endif
