/* One load on an HTTP server: this many GETs of one URL, this many at a time. Two clients do it,
 * ours (http_bight.c) and a raw one of libcurl and libuv (http_raw.c). */
#ifndef BIGHT_BENCH_HTTP_LOAD_H
#define BIGHT_BENCH_HTTP_LOAD_H

#include <stddef.h>
#include <stdint.h>

/* What is done with a body. */
enum http_load_way {
    /* Ours collects it, the raw client counts its bytes. */
    HTTP_LOAD_COLLECTED,
    /* Ours reads it in pieces of 256 KiB, the raw client counts its bytes. */
    HTTP_LOAD_STREAMED,
    /* Both have it in a buffer of 256 KiB in the end, and ours asks for codings. */
    HTTP_LOAD_COPIED,
};

#define HTTP_LOAD_PIECE_BYTES ((size_t)256 << 10)

struct http_load {
    const char *url;
    unsigned requests;
    unsigned concurrency;
    enum http_load_way way;
    /* Results. */
    uint64_t bytes;
    uint64_t cpu_ns; /* of the process, from the first request to the last answer */
};

/* Both end the program when a request fails or has another status than 200. */
void http_load_bight(struct http_load *load);
void http_load_raw(struct http_load *load);

#endif
