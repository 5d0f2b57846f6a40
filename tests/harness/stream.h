/* Pairs of byte streams in memory, which stand for a connection: what is written at one end is read
 * at the other. They can be slow, split what they are given, break in the middle and close one
 * half; all that they do follows from the test run's clock and seed. One task at a time may read an
 * end, and one write to it. They are here until the library has an interface of streams; they will
 * then be one kind of those. */
#ifndef TESTS_HARNESS_STREAM_H
#define TESTS_HARNESS_STREAM_H

#include <bight.h>

struct test_stream;

/* For each direction of the pair. Zero is the default for every field. */
struct test_stream_options {
    /* How many bytes may be written and not yet read; default 64 KiB. */
    size_t capacity;
    /* From the write, or the close, until the other end can notice it. */
    int64_t delay_ms;
    /* The most bytes that one call moves; default: all there are. */
    size_t read_max;
    size_t write_max;
    /* Each call moves a random number of bytes, down to one. */
    bool split;
    /* The connection is reset after this many bytes. 0: never. */
    uint64_t reset_after;
};

/** Make a pair; options may be NULL.
 *
 *  @return 0; BIGHT_EINVAL for a negative delay or a capacity above 1 GiB; BIGHT_ENORUNTIME;
 *          BIGHT_ENOMEM.
 *  Ownership: gives both ends, to be closed with test_stream_close.
 */
BIGHT_MUST_CHECK int test_stream_pair(struct test_stream **left, struct test_stream **right,
                                      const struct test_stream_options *options);

/** Read up to `bytes` of what the other end wrote, sleeping until there are some.
 *
 *  @return how many; 0 when the other end has closed or shut down and all was read;
 *          BIGHT_ECONNRESET; BIGHT_ECLOSED when this end is closed meanwhile; BIGHT_EALREADY when
 *          another task reads; BIGHT_EINVAL for 0 bytes or more than an int holds; BIGHT_ECANCELED.
 *  Suspends: yes.  Cancellable: yes.  On cancel: BIGHT_ECANCELED, nothing was taken.
 *  Allocates: no.  Thread: the loop's.
 *  Ownership: borrows buffer; keeps stream until it returns, or is closed.
 */
BIGHT_MUST_CHECK int test_stream_read(struct test_stream *stream, void *buffer, size_t bytes);

/** Write up to `bytes`, sleeping until there is room for some.
 *
 *  @return how many, at least 1; BIGHT_EPIPE when the other end is closed; BIGHT_ECONNRESET;
 *          BIGHT_ECLOSED when this end is shut down, or is closed meanwhile; BIGHT_EALREADY when
 *          another task writes; BIGHT_EINVAL for 0 bytes or more than an int holds;
 *          BIGHT_ECANCELED.
 *  Suspends: yes.  Cancellable: yes.  On cancel: BIGHT_ECANCELED, nothing was written.
 *  Allocates: no.  Thread: the loop's.
 *  Ownership: borrows data; keeps stream until it returns, or is closed.
 */
BIGHT_MUST_CHECK int test_stream_write(struct test_stream *stream, const void *data, size_t bytes);

/** End the stream's writing half: the other end reads what was written and then the end. A task
 *  that writes here gets BIGHT_ECLOSED.
 *
 *  @return 0; BIGHT_ECLOSED when it was shut down before.
 */
int test_stream_shutdown(struct test_stream *stream);

/** Close this end and free it; NULL does nothing. What was written can still be read at the other
 *  end, what was not read is lost. Tasks that read or write here get BIGHT_ECLOSED.
 *
 *  Ownership: takes stream.
 */
void test_stream_close(struct test_stream *stream);

#endif
