/* For fuzz targets of what a client says: a conversation with the HTTP server over a pair in
 * memory. Link talk.c and run.c. */
#ifndef TESTS_FUZZ_TALK_H
#define TESTS_FUZZ_TALK_H

#include <bight/server.h>

#include "tests/fuzz/run.h"

struct fuzz_talk {
    int (*handler)(struct bight_exchange *exchange, void *arg);
    void *arg;
    const struct bight_http_serve_options *options; /* NULL: fuzz_talk_options */
    const void *said;
    size_t said_bytes;
    size_t read_max; /* of each read and write at either end; 0: all there is */
    int rc;          /* of bight_http_serve_stream */
    char *heard;     /* what the server has said; free it */
    size_t heard_bytes;
};

/* A failure of a handler that is not the client's ends the program. */
extern const struct bight_http_serve_options fuzz_talk_options;

/* Say it, end the client's half, and hear the server out; in a task. */
void fuzz_talk(struct fuzz_talk *talk);

#endif
