/* One load on an HTTP server: this many GETs of one URL, this many at a time. Two clients do it,
 * ours (http_bight.c) and a raw one of libcurl and libuv (http_raw.c). */
#ifndef BIGHT_BENCH_HTTP_LOAD_H
#define BIGHT_BENCH_HTTP_LOAD_H

#include <stdint.h>

struct http_load {
    const char *url;
    unsigned requests;
    unsigned concurrency;
    /* Set: the body is read in pieces and its bytes are counted; not set: our client keeps it. */
    int streamed;
    /* Results. */
    uint64_t bytes;
    uint64_t cpu_ns; /* of the process, from the first request to the last answer */
};

/* Both end the program when a request fails or has another status than 200. */
void http_load_bight(struct http_load *load);
void http_load_raw(struct http_load *load);

#endif
