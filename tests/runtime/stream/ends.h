/* What the suites of streams share: streams of each kind, with the plain descriptor at the other
 * side, and pairs whose bodies run in virtual time. */
#ifndef TESTS_RUNTIME_STREAM_ENDS_H
#define TESTS_RUNTIME_STREAM_ENDS_H

#include "tests/harness/suite.h"
#include "tests/harness/world.h"

enum ends_kind {
    ENDS_UNIX,
    ENDS_TCP,
    ENDS_READING_PIPE,
    ENDS_WRITING_PIPE,
    ENDS_TERMINAL,
};

/* A stream, and the other side of what it is of, which is the test's. */
struct ends {
    struct bight_stream *stream;
    int peer;
};

/* Two connected descriptors: sockets, a pipe's ends, or a terminal's (the terminal is first). */
void ends_descriptors(enum ends_kind kind, int fds[2]);
/* A stream of the first, or of a pipe's end that the kind names. */
void ends_open(struct ends *ends, enum ends_kind kind);
void ends_close(struct ends *ends);
/* Streams of both. */
void ends_both(struct bight_stream *both[2], enum ends_kind kind);

/* Write all of `text` to a plain descriptor; read up to `bytes` of what there is from one, and give
 * it as text. */
void ends_say(int fd, const char *text);
const char *ends_hear(int fd);

/* The two ends of a pair in memory, for the bodies of a suite. */
extern struct bight_stream *left, *right;
void pair_open(const struct bight_stream_pair_options *options);
void pair_close(void);
/* Write `text` to `stream`. */
void feed(struct bight_stream *stream, const char *text);
/* The next bytes are those of `text`, and there is nothing behind them now. */
void expect_rest(struct bight_stream *stream, const char *text);

/* A task that makes one call on a stream, which returns `result`. */
struct caller {
    int64_t (*call)(struct bight_stream *stream);
    struct bight_stream *stream;
    struct bight_task *task;
    int64_t result;
};

/* Start it, and let it get as far as it does. */
void caller_start(struct caller *caller, int64_t (*fn)(struct bight_stream *stream),
                  struct bight_stream *stream);
/* Insist on what its call returned. */
#define caller_join(caller, code) caller_join_at(caller, code, __FILE__, __LINE__)
void caller_join_at(struct caller *caller, int64_t code, const char *file, int line);

/* Calls for them: one byte each, "\n" as delimiter. */
int64_t reads_byte(struct bight_stream *stream);
int64_t reads_exactly(struct bight_stream *stream); /* 4 bytes */
int64_t reads_line(struct bight_stream *stream);
int64_t peeks(struct bight_stream *stream);
int64_t writes_byte(struct bight_stream *stream);

#endif
