/* The client of <bight/server_testing.h>. llhttp reads the answers: it is not the one that has made
 * them. */
#include "net/server/server.h"

#include <string.h>
#include <strings.h>

#include <bight/group.h>
#include <bight/server_testing.h>

#define HEADERS_MAX 128u
#define FIRST_BYTES ((size_t)4 << 10)

struct answer_header {
    char *name, *value;
};

/* The strings lie behind it, in `text`. */
struct bight_server_answer {
    int status;
    size_t header_count;
    struct answer_header headers[HEADERS_MAX];
    char *body;
    size_t body_bytes;
    char *end; /* of what is used of `text` */
    char text[];
};

struct talk {
    int (*handler)(struct bight_exchange *exchange, void *arg);
    void *arg;
    const struct bight_http_serve_options *options;
    const char *request;
    size_t request_bytes;
    struct bight_stream *client, *served;
    const struct bight_seams *seams;
    char *came; /* all that the server has said */
    size_t came_bytes, came_capacity;
};

/* What llhttp sees becomes a copy of its parts, each with a NUL behind it. */
struct reader {
    llhttp_t parser; /* first: callbacks are given its address */
    struct bight_server_answer *answer;
    bool has_head_only; /* it answers a HEAD */
    bool is_whole;
};

static struct reader *reader_of(llhttp_t *parser)
{
    return (struct reader *)(void *)parser;
}

/* Add to the string that ends at answer->end. */
static char *append(struct bight_server_answer *answer, const char *data, size_t bytes)
{
    char *at = answer->end;

    memcpy(at, data, bytes);
    answer->end += bytes;
    *answer->end = '\0';
    return at;
}

static int on_begin(llhttp_t *parser)
{
    struct bight_server_answer *answer = reader_of(parser)->answer;

    answer->header_count = 0;
    answer->end = answer->text;
    answer->body_bytes = 0;
    *answer->end = '\0';
    reader_of(parser)->is_whole = false;
    return 0;
}

static int on_field(llhttp_t *parser, const char *data, size_t bytes)
{
    struct bight_server_answer *answer = reader_of(parser)->answer;

    if (answer->header_count == HEADERS_MAX)
        return HPE_USER;
    answer->headers[answer->header_count].name = append(answer, data, bytes);
    answer->headers[answer->header_count].value = answer->end;
    answer->end++;
    return 0;
}

static int on_value(llhttp_t *parser, const char *data, size_t bytes)
{
    struct bight_server_answer *answer = reader_of(parser)->answer;

    answer->headers[answer->header_count++].value = append(answer, data, bytes);
    answer->end++;
    return 0;
}

static int on_head(llhttp_t *parser)
{
    struct bight_server_answer *answer = reader_of(parser)->answer;

    answer->status = parser->status_code;
    answer->body = answer->end;
    return reader_of(parser)->has_head_only;
}

static int on_body(llhttp_t *parser, const char *data, size_t bytes)
{
    struct bight_server_answer *answer = reader_of(parser)->answer;

    append(answer, data, bytes);
    answer->body_bytes += bytes;
    return 0;
}

static int on_whole(llhttp_t *parser)
{
    reader_of(parser)->is_whole = true;
    return 0;
}

static const llhttp_settings_t settings = {
    .on_message_begin = on_begin,
    .on_header_field = on_field,
    .on_header_value = on_value,
    .on_headers_complete = on_head,
    .on_body = on_body,
    .on_message_complete = on_whole,
};

/* The last answer of what came. All of it is there, so that no part comes in two pieces. */
static int read_answer(const struct talk *talk, struct bight_server_answer **out)
{
    struct reader reader = {.has_head_only =
                                talk->request_bytes >= 5 && memcmp(talk->request, "HEAD ", 5) == 0};
    /* A NUL for each part: a name and a value have at least two bytes that are no part. */
    size_t room = talk->came_bytes + 2 * (HEADERS_MAX + 1);
    llhttp_errno_t said;

    if (talk->came_bytes == 0)
        return BIGHT_EOF;
    reader.answer = bight__alloc_zero(talk->seams, sizeof(*reader.answer) + room);
    if (!reader.answer)
        return BIGHT_ENOMEM;
    llhttp_init(&reader.parser, HTTP_RESPONSE, &settings);
    said = llhttp_execute(&reader.parser, talk->came, talk->came_bytes);
    if (said == HPE_OK)
        said = llhttp_finish(&reader.parser);
    if ((said == HPE_OK || said == HPE_PAUSED_UPGRADE) && reader.is_whole) {
        *out = reader.answer;
        return 0;
    }
    bight__free(reader.answer);
    return BIGHT_EPROTOCOL;
}

static int serve(void *arg)
{
    struct talk *talk = arg;
    int rc = bight_http_serve_stream(talk->served, talk->handler, talk->arg, talk->options);

    if (rc >= 0)
        bight_stream_end(talk->served, 1000);
    else
        bight_stream_abort(talk->served);
    return 0;
}

static void never_served(void *arg)
{
    bight_stream_abort(((struct talk *)arg)->served);
}

static int came_grow(struct talk *talk)
{
    size_t capacity = talk->came_capacity ? 2 * talk->came_capacity : FIRST_BYTES;
    char *came = bight__alloc(talk->seams, capacity);

    if (!came)
        return BIGHT_ENOMEM;
    if (talk->came_bytes)
        memcpy(came, talk->came, talk->came_bytes);
    bight__free(talk->came);
    talk->came = came;
    talk->came_capacity = capacity;
    return 0;
}

static int collect(struct talk *talk)
{
    int64_t count = 1;

    while (count > 0) {
        int rc = talk->came_bytes == talk->came_capacity ? came_grow(talk) : 0;

        if (rc)
            return rc;
        count = bight_stream_read(talk->client, talk->came + talk->came_bytes,
                                  talk->came_capacity - talk->came_bytes);
        if (count > 0)
            talk->came_bytes += (size_t)count;
    }
    return (int)count;
}

/* The pair takes a whole request, so that no answer has to be read before it has gone. */
static int ask(struct bight_group *group, void *arg)
{
    const struct bight_spawn_options options = {.name = "served", .drop = never_served};
    struct talk *talk = arg;
    int rc = bight_group_spawn(NULL, group, &options, serve, talk);

    if (rc) {
        never_served(talk);
        return rc;
    }
    rc = bight_stream_write(talk->client, talk->request, talk->request_bytes);
    if (rc == 0)
        rc = bight_stream_shutdown(talk->client);
    if (rc == BIGHT_EPIPE)
        rc = 0; /* it has answered before it had all */
    return rc ? rc : collect(talk);
}

int bight_server_ask_bytes(struct bight_server_answer **out,
                           int (*handler)(struct bight_exchange *exchange, void *arg), void *arg,
                           const struct bight_http_serve_options *options, const char *request,
                           size_t bytes)
{
    const struct bight_stream_pair_options pair = {.capacity = bytes + FIRST_BYTES};
    struct talk talk = {.handler = handler,
                        .arg = arg,
                        .options = options,
                        .request = request,
                        .request_bytes = bytes};
    int rc;

    if (!out || !handler || !request)
        return BIGHT_EINVAL;
    rc = bight_stream_pair(&talk.client, &talk.served, &pair);
    if (rc)
        return rc;
    talk.seams = &talk.client->sched->seams;
    rc = bight_group_run(ask, &talk);
    bight_stream_abort(talk.client);
    if (rc == 0)
        rc = read_answer(&talk, out);
    bight__free(talk.came);
    return rc;
}

int bight_server_ask(struct bight_server_answer **out,
                     int (*handler)(struct bight_exchange *exchange, void *arg), void *arg,
                     const struct bight_http_serve_options *options, const char *request)
{
    if (!request)
        return BIGHT_EINVAL;
    return bight_server_ask_bytes(out, handler, arg, options, request, strlen(request));
}

int bight_server_answer_status(const struct bight_server_answer *answer)
{
    return answer ? answer->status : BIGHT_EINVAL;
}

const char *bight_server_answer_header(const struct bight_server_answer *answer, const char *name)
{
    if (!answer || !name)
        return NULL;
    for (size_t i = 0; i < answer->header_count; i++) {
        if (strcasecmp(answer->headers[i].name, name) == 0)
            return answer->headers[i].value;
    }
    return NULL;
}

const char *bight_server_answer_body(const struct bight_server_answer *answer, size_t *bytes)
{
    if (!answer)
        return NULL;
    if (bytes)
        *bytes = answer->body_bytes;
    return answer->body;
}

void bight_server_answer_free(struct bight_server_answer *answer)
{
    bight__free(answer);
}
