/* net/server/multipart.c: a body in parts. Input: the value of Content-Type, a line feed, the body,
 * in which a byte 1 is a kilobyte of it. However the bytes come and whatever of them is read, the
 * same is said of the parts, and what is read of a part is what the body has between its headers
 * and the next delimiter. */
#include <bight/multipart.h>

#include "tests/fuzz/talk.h"

#define KILOBYTES_MAX 24u

/* One pass through the parts. */
struct pass {
    const char *body;
    size_t body_bytes;
    size_t step;             /* of a read; 0: the parts are passed over */
    size_t at;               /* in the body: behind the last part */
    struct fuzz_buffer said; /* by the parts */
    struct fuzz_buffer held; /* in all of them */
    int rc;
};

/* The part is what lies between the end of its headers, behind pass->at, and "\r\n--". */
static void look_at_data(struct pass *pass, const char *data, size_t bytes)
{
    const char *end = pass->body + pass->body_bytes, *at = pass->body + pass->at;

    for (;; at++) {
        at = memmem(at, (size_t)(end - at), "\r\n\r\n", 4);
        FUZZ_CHECK(at);
        const char *begin = at + 4;
        if ((size_t)(end - begin) < bytes + 4 || (bytes && memcmp(begin, data, bytes) != 0) ||
            memcmp(begin + bytes, "\r\n--", 4) != 0)
            continue;
        pass->at = (size_t)(begin + bytes - pass->body);
        return;
    }
}

static int read_part(struct bight_multipart *parts, struct pass *pass)
{
    size_t begin = pass->held.bytes;
    char piece[1500];
    int64_t count;

    while ((count = bight_multipart_read(parts, piece, pass->step)) > 0) {
        FUZZ_CHECK((size_t)count <= pass->step);
        fuzz_put(&pass->held, piece, (size_t)count);
    }
    if (count == 0)
        look_at_data(pass, pass->held.bytes ? pass->held.data + begin : "",
                     pass->held.bytes - begin);
    return (int)count;
}

static int read_parts(struct bight_exchange *exchange, void *arg)
{
    struct pass *pass = arg;
    struct bight_multipart *parts;
    struct bight_part part;
    int rc = bight_multipart_begin(&parts, exchange);

    while (rc == 0 && (rc = bight_multipart_next(parts, &part)) == 0) {
        fuzz_put_text(&pass->said, part.name);
        fuzz_put_text(&pass->said, part.filename ? part.filename : "none");
        fuzz_put_text(&pass->said, part.content_type ? part.content_type : "none");
        if (pass->step)
            rc = read_part(parts, pass);
    }
    FUZZ_CHECK(rc == BIGHT_EOF || rc == BIGHT_EPROTOCOL || rc == BIGHT_ETOOBIG ||
               rc == BIGHT_ENOTSUP);
    pass->rc = rc;
    return rc == BIGHT_EOF ? bight_exchange_answer_status(exchange, 204) : rc;
}

struct request {
    struct fuzz_buffer text;
    struct fuzz_buffer body;
    struct pass passes[3];
};

/* The passes: at once; in small pieces; without a look at what is in the parts. */
static int make_passes(void *arg)
{
    struct request *request = arg;
    size_t small = request->text.bytes < 2048 ? 1 : 61;

    for (size_t i = 0; i < 3; i++) {
        struct pass *pass = &request->passes[i];
        struct fuzz_talk talk = {.handler = read_parts,
                                 .arg = pass,
                                 .said = request->text.data,
                                 .said_bytes = request->text.bytes,
                                 .read_max = i == 1 ? small : 0};

        *pass = (struct pass){.body = request->body.data,
                              .body_bytes = request->body.bytes,
                              .step = (const size_t[]){1500, 7, 0}[i]};
        fuzz_talk(&talk);
        free(talk.heard);
    }
    return 0;
}

static void make_request(struct request *request, const char *type, size_t type_bytes,
                         const char *body, size_t body_bytes)
{
    char kilobyte[1024], length[64];
    unsigned kilobytes = 0;

    memset(kilobyte, 'k', sizeof(kilobyte));
    fuzz_put(&request->body, "", 0);
    for (size_t i = 0; i < body_bytes; i++) {
        if (body[i] == 1 && kilobytes++ < KILOBYTES_MAX)
            fuzz_put(&request->body, kilobyte, sizeof(kilobyte));
        else
            fuzz_put(&request->body, &body[i], 1);
    }
    int bytes = snprintf(length, sizeof(length),
                         "Content-Length: %zu\r\nContent-Type: ", request->body.bytes);
    fuzz_put(&request->text, "POST / HTTP/1.1\r\nHost: a\r\n", 26);
    fuzz_put(&request->text, length, (size_t)bytes);
    fuzz_put(&request->text, type, type_bytes);
    fuzz_put(&request->text, "\r\n\r\n", 4);
    fuzz_put(&request->text, request->body.data, request->body.bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *type = (const char *)data;
    const char *feed = size ? memchr(type, '\n', size) : NULL;
    struct request request = {.text = {0}};

    if (!feed || size > FUZZ_RUN_BYTES || memchr(type, '\r', (size_t)(feed - type)))
        return 0;
    make_request(&request, type, (size_t)(feed - type), feed + 1, size - (size_t)(feed + 1 - type));
    fuzz_run(make_passes, &request);
    for (size_t i = 1; i < 3; i++) {
        FUZZ_CHECK(request.passes[i].rc == request.passes[0].rc);
        FUZZ_CHECK(fuzz_same(&request.passes[i].said, &request.passes[0].said));
    }
    FUZZ_CHECK(fuzz_same(&request.passes[1].held, &request.passes[0].held));
    for (size_t i = 0; i < 3; i++) {
        free(request.passes[i].said.data);
        free(request.passes[i].held.data);
    }
    free(request.text.data);
    free(request.body.data);
    return 0;
}
