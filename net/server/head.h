/* The head of a request, from the request line to the empty line, and the trailers of a chunked
 * body: where each part is, if all of it is in order. A pure function of bytes, which also stands
 * guard in front of llhttp: what is not written exactly as RFC 9112 has it is refused here, so that
 * no two parsers can read it in two ways. */
#ifndef BIGHT_NET_SERVER_HEAD_H
#define BIGHT_NET_SERVER_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/server/text.h"

#define HEAD_FIELDS_MAX 128u

/* Offsets into the bytes. */
struct head_field {
    uint32_t name;
    uint32_t value;
    uint32_t value_bytes;
    uint32_t name_bytes;
};

struct head_limits {
    size_t line_bytes; /* of the request line */
    size_t head_bytes; /* of all */
    uint32_t fields;   /* at most HEAD_FIELDS_MAX */
};

struct head {
    size_t scanned; /* what is before has been taken apart, whole lines */
    size_t seen;    /* what is before has been looked at */
    uint32_t method, method_bytes;
    uint32_t target, target_bytes;
    int version; /* 10 or 11; 0: the request line is not there yet */
    uint32_t count;
    struct head_field fields[HEAD_FIELDS_MAX];
};

/* Prepare for bytes that begin with a request line. */
void bight__head_init(struct head *head);

/* Go on with the first `bytes` of it, of which the earlier calls saw fewer. How long it is, empty
 * line included; 0: it goes on; or negative: the status with which it is refused (-400, -414, -431,
 * -505), which does not wait for the end of a line that cannot become one. */
int64_t bight__head_scan(struct head *head, const char *data, size_t bytes,
                         const struct head_limits *limits);

/* The fields behind a body, which are checked and dropped. */
struct trailers {
    size_t scanned;
    size_t seen;
    uint32_t count;
};

/* The same of them: how long they are, empty line included; 0; -400 or -431. */
int64_t bight__trailers_scan(struct trailers *trailers, const char *data, size_t bytes,
                             const struct head_limits *limits);

/* Whether `text` may be the value of a field. */
bool bight__is_field_value(const char *text, size_t bytes);

/* bight__list_next for the last element between `begin` and *end, to which *end is moved. */
const char *bight__list_last(const char *begin, const char **end, size_t *bytes);

#endif
