/* Files as answers, or as parts of them: sent by the kernel where that can be. */
#include "net/server/answer.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include <bight/waiter.h>

/* How much is asked for at a time, and is read where the kernel does not send it. */
#define FILE_STEP_BYTES ((size_t)1 << 20)
#define FILE_BUFFER_BYTES ((size_t)32 << 10)

/* A step by way of memory: how much was sent, 0 at the file's end. */
static int64_t copy_step(struct bight_exchange *exchange, int file, int64_t offset, size_t bytes,
                         char **buffer)
{
    struct bight_slice slice;
    ssize_t count;
    int rc;

    if (!*buffer)
        *buffer = bight__alloc(exchange->server->seams, FILE_BUFFER_BYTES);
    if (!*buffer)
        return BIGHT_ENOMEM;
    if (bytes > FILE_BUFFER_BYTES)
        bytes = FILE_BUFFER_BYTES;
    count = pread(file, *buffer, bytes, offset);
    if (count <= 0)
        return count ? -errno : BIGHT_EOF;
    slice = (struct bight_slice){*buffer, (size_t)count};
    rc = exchange->gzip ? bight__answer_put_coded(exchange, *buffer, (size_t)count, GZIP_GO_ON)
                        : bight__answer_send(exchange, &slice, 1);
    return rc ? rc : count;
}

/* Send `bytes` of the file as they are. */
static int send_file(struct bight_exchange *exchange, int file, int64_t offset, uint64_t bytes)
{
    char *buffer = NULL;
    int rc = 0;

    while (bytes && rc == 0) {
        size_t step = bytes < FILE_STEP_BYTES ? (size_t)bytes : FILE_STEP_BYTES;
        int64_t sent = buffer || exchange->gzip
                           ? BIGHT_EINVAL
                           : bight__stream_try_send_file(exchange->stream, file, offset, step);

        if (sent == BIGHT_EINVAL)
            sent = copy_step(exchange, file, offset, step, &buffer);
        else
            rc = bight__answer_go_on(exchange, sent);
        if (sent > 0) {
            offset += sent;
            bytes -= (uint64_t)sent;
            exchange->sent += (uint64_t)sent;
            rc = bytes ? bight_checkpoint() : 0;
        } else if (sent != BIGHT_EAGAIN) {
            rc = (int)sent;
        }
    }
    bight__free(buffer);
    return rc ? bight__answer_failed(exchange, rc, true) : 0;
}

/* The head of an answer whose body follows at once. */
static int send_head(struct bight_exchange *exchange)
{
    struct bight_slice head;
    int64_t sent;
    int rc;

    head.data = bight__answer_head(exchange, &head.bytes);
    sent = bight__stream_try_write_more(exchange->stream, &head);
    rc = bight__answer_go_on(exchange, sent);
    if (rc)
        return bight__answer_failed(exchange, rc, false);
    exchange->answer = ANSWER_OPEN;
    if (sent < 0)
        sent = 0;
    head.data = (const char *)head.data + sent;
    head.bytes -= (size_t)sent;
    return bight__answer_send(exchange, &head, 1);
}

/* The file as one chunk. */
static int send_file_chunk(struct bight_exchange *exchange, int file, int64_t offset,
                           uint64_t bytes)
{
    const struct bight_slice end = {"\r\n", 2};
    char line[24];
    struct bight_slice begin = {
        line, (size_t)snprintf(line, sizeof(line), "%llx\r\n", (unsigned long long)bytes)};
    int rc = bight__answer_put(exchange, &begin, 1);

    if (rc == 0)
        rc = send_file(exchange, file, offset, bytes);
    if (rc)
        return rc;
    rc = bight__answer_put(exchange, &end, 1);
    return rc ? bight__answer_failed(exchange, rc, true) : 0;
}

/* The part of the file as the next piece of the body. */
static int put_file(struct bight_exchange *exchange, int file, int64_t offset, uint64_t bytes)
{
    int rc = 0;

    if (exchange->is_head) {
        exchange->sent += bytes;
        return 0;
    }
    if (exchange->framing == FRAMING_CHUNKED && bytes && !exchange->gzip)
        return send_file_chunk(exchange, file, offset, bytes);
    if (exchange->answer == ANSWER_BEGUN && !exchange->gzip)
        rc = bytes ? send_head(exchange) : bight__answer_put(exchange, NULL, 0);
    return rc ? rc : send_file(exchange, file, offset, bytes);
}

int bight_exchange_send_file(struct bight_exchange *exchange, int file, int64_t offset,
                             int64_t bytes)
{
    bool begins;
    int rc;

    if (!exchange || offset < 0 || bytes < 0)
        return BIGHT_EINVAL;
    rc = bight__answer_turn_begin(exchange);
    if (rc)
        return rc;
    begins = exchange->answer == ANSWER_NONE;
    if (!begins)
        rc = bight__answer_may_follow(exchange, (uint64_t)bytes);
    if (rc == 0)
        rc = bight_checkpoint();
    if (rc == 0 && begins)
        rc = bight_exchange_begin(exchange, 200, bytes);
    if (rc == 0)
        rc = put_file(exchange, file, offset, (uint64_t)bytes);
    return bight__answer_turn_end(exchange, rc);
}
