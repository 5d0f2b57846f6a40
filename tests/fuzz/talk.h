/* For fuzz targets that need more than a parser: a client that says bytes to the HTTP server over a
 * pair in memory, and an exchange without a server. Link talk.c. */
#ifndef TESTS_FUZZ_TALK_H
#define TESTS_FUZZ_TALK_H

#include <bight.h>
#include <bight/server.h>

#include "tests/fuzz/fuzz.h"

/* Larger inputs are passed over by the targets that use this. */
#define FUZZ_TALK_BYTES 8192u

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

/* Run `fn` as the main task of a runtime, in virtual time; it must return 0. */
void fuzz_run(int (*fn)(void *arg), void *arg);

/* A text that grows. All zero is empty; free `data`. */
struct fuzz_buffer {
    char *data;
    size_t bytes, room;
};

void fuzz_put(struct fuzz_buffer *buffer, const void *data, size_t bytes);
/* A string with its NUL; NULL is as "". */
void fuzz_put_text(struct fuzz_buffer *buffer, const char *text);
bool fuzz_same(const struct fuzz_buffer *one, const struct fuzz_buffer *other);

#endif
