/* The Redis protocol, version 2: requests out of bytes that have come, and answers into a buffer.
 * It knows no stream and no command. */
#ifndef SAMPLES_NET_RESP_H
#define SAMPLES_NET_RESP_H

#include <bight/stream.h>

/* What a peer announces is believed up to these. */
#define RESP_ARGS 64
#define RESP_ARG_BYTES ((size_t)1 << 20)
#define RESP_REQUEST_BYTES (RESP_ARG_BYTES + 65536)
#define RESP_INLINE_BYTES ((size_t)4096)

struct resp_request {
    struct bight_slice args[RESP_ARGS]; /* in the bytes that were parsed */
    size_t count;
    /* Of a whole request, how many bytes it has; of another, how many it has at least. */
    size_t bytes;
    const char *error; /* NULL: none */
};

/* Parse the request at the start of `data`, at least one byte. Returns whether it is whole; if not,
 * it is wrong (error) or goes on. */
bool resp_parse(struct resp_request *request, const char *data, size_t bytes);

/* Answers that wait to be written. All zero is empty. */
struct resp_answers {
    char *data;
    size_t bytes;
    size_t room;
    int status; /* 0, or BIGHT_ENOMEM once an answer found no room */
};

void resp_status(struct resp_answers *answers, const char *text);
__attribute__((format(printf, 2, 3))) void resp_error(struct resp_answers *answers,
                                                      const char *format, ...);
void resp_number(struct resp_answers *answers, int64_t number);
void resp_bulk(struct resp_answers *answers, struct bight_slice text);
void resp_nil(struct resp_answers *answers);
void resp_empty_array(struct resp_answers *answers);

/* Free the buffer. */
void resp_drop(struct resp_answers *answers);

#endif
