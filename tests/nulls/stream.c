/* Rows of runtime/stream. */
#include "tests/nulls/rows.h"

static void reading(void)
{
    const struct bight_slice slice = {some, 1}, none = {NULL, 1};
    const void *data;

    says_einval(bight_stream_read, NULL, some, 1);
    says_einval(bight_stream_read, (void *)some, NULL, 1);
    says_einval(bight_stream_try_read, NULL, some, 1);
    says_einval(bight_stream_try_read, (void *)some, NULL, 1);
    says_einval(bight_stream_read_exactly, NULL, some, 1);
    says_einval(bight_stream_read_exactly, (void *)some, NULL, 1);
    says_einval(bight_stream_read_until, NULL, some, 1, some, 1);
    says_einval(bight_stream_read_until, (void *)some, NULL, 1, some, 1);
    says_einval(bight_stream_read_until, (void *)some, some, 1, NULL, 1);
    says_einval(bight_stream_read_until_any, NULL, some, 1, &slice, 1);
    says_einval(bight_stream_read_until_any, (void *)some, NULL, 1, &slice, 1);
    says_einval(bight_stream_read_until_any, (void *)some, some, 1, NULL, 1);
    says_einval(bight_stream_read_until_any, (void *)some, some, 1, &none, 1);
    says_einval(bight_stream_read_line, NULL, some, 1);
    says_einval(bight_stream_read_line, (void *)some, NULL, 1);
    says_einval(bight_stream_peek, NULL, &data, 1);
    says_einval(bight_stream_peek, (void *)some, NULL, 1);
    says_einval(bight_stream_consume, NULL, 0);
    is_zero(bight_stream_buffered, NULL);
}

static void writing(void)
{
    const struct bight_slice slice = {some, 1}, none = {NULL, 1};

    says_einval(bight_stream_write, NULL, some, 1);
    says_einval(bight_stream_write, (void *)some, NULL, 1);
    says_einval(bight_stream_writev, NULL, &slice, 1);
    says_einval(bight_stream_writev, (void *)some, NULL, 1);
    says_einval(bight_stream_writev, (void *)some, &none, 1);
    says_einval(bight_stream_try_write, NULL, some, 1);
    says_einval(bight_stream_try_write, (void *)some, NULL, 1);
    is_zero(bight_stream_last_written, NULL);
    says_einval(bight_stream_send_file, NULL, 0, 0, 1);
    says_einval(bight_stream_copy, NULL, (void *)some);
    says_einval(bight_stream_copy, (void *)some, NULL);
    says_einval(bight_stream_shutdown, NULL);
}

static void life(void)
{
    struct bight_stream *stream;
    struct bight_case chosen;

    says_einval(bight_stream_pair, NULL, &stream, NULL);
    says_einval(bight_stream_pair, &stream, NULL, NULL);
    says_einval(bight_stream_from_fd, NULL, 0);
    gives(0, bight_stream_end, NULL, -1);
    does_nothing(bight_stream_abort, NULL);
    does_nothing(bight_case_readable, NULL, (void *)some);
    does_nothing(bight_case_readable, &chosen, NULL); /* the select refuses it */
    does_nothing(bight_case_fd, NULL, 0, BIGHT_FD_READ);
}

static void questions(void)
{
    struct bight_stream_credentials credentials;
    struct bight_stream_stats stats;
    struct bight_address address;

    says_einval(bight_stream_get_stats, NULL, &stats);
    says_einval(bight_stream_get_stats, (void *)some, NULL);
    says_einval(bight_stream_fd, NULL);
    says_einval(bight_stream_local_address, NULL, &address);
    says_einval(bight_stream_local_address, (void *)some, NULL);
    says_einval(bight_stream_peer_address, NULL, &address);
    says_einval(bight_stream_peer_address, (void *)some, NULL);
    says_einval(bight_stream_peer_credentials, NULL, &credentials);
    says_einval(bight_stream_peer_credentials, (void *)some, NULL);
    says_einval(bight_stream_set_nagle, NULL, true);
    says_einval(bight_stream_set_keepalive, NULL, 0, 0, 0);
    is_null(bight_stream_describe, NULL, some, sizeof(some));
    is_null(bight_stream_describe, (void *)some, NULL, 1);
}

void walk_stream(void)
{
    reading();
    writing();
    life();
    questions();
}
