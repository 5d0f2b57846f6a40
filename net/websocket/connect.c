/* The client's handshake: RFC 6455 4.1. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <bight/scope.h>
#include <bight/trace_context.h>

#include "net/websocket/websocket.h"

#define DEFAULT_HANDSHAKE_MS 30000
#define ANSWER_BYTES 16384u

/* Text that is counted first, and then written. */
struct text {
    char *at; /* NULL: only counted */
    size_t bytes;
};

static void put(struct text *text, const char *part)
{
    size_t bytes = strlen(part);

    if (text->at)
        memcpy(text->at + text->bytes, part, bytes);
    text->bytes += bytes;
}

struct request {
    const char *host, *path;
    const struct bight_websocket_options *options;
    char key[KEY_BYTES + 1];
    char traceparent[BIGHT_TRACEPARENT_BYTES]; /* "": none is sent, nor a tracestate */
};

static bool is_traceparent(const char *line)
{
    return strncasecmp(line, "traceparent:", 12) == 0;
}

/* What the task has, unless the caller has a header of that name. */
static void get_trace(struct request *request)
{
    const struct bight_websocket_options *options = request->options;
    struct bight_trace_context context;
    bool sent = options->trace_context && bight_trace_context_get(&context) == 0;

    for (size_t i = 0; sent && i < options->header_count; i++)
        sent = !is_traceparent(options->headers[i]);
    if (!sent ||
        bight_trace_context_format(&context, request->traceparent, sizeof(request->traceparent)))
        request->traceparent[0] = '\0';
}

static void put_trace(struct text *text, const struct request *request)
{
    const char *state = bight_trace_context_state();

    if (!request->traceparent[0])
        return;
    put(text, "\r\ntraceparent: ");
    put(text, request->traceparent);
    if (!*state)
        return;
    put(text, "\r\ntracestate: ");
    put(text, state);
}

static void put_request(struct text *text, const struct request *request)
{
    const struct bight_websocket_options *options = request->options;

    put(text, "GET ");
    put(text, request->path);
    put(text, " HTTP/1.1\r\nHost: ");
    put(text, request->host);
    put(text, "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
              "Sec-WebSocket-Key: ");
    put(text, request->key);
    for (size_t i = 0; i < options->protocol_count; i++) {
        put(text, i ? ", " : "\r\nSec-WebSocket-Protocol: ");
        put(text, options->protocols[i]);
    }
    for (size_t i = 0; i < options->header_count; i++) {
        put(text, "\r\n");
        put(text, options->headers[i]);
    }
    put_trace(text, request);
    put(text, "\r\n\r\n");
}

/* Whether it has no control characters, and with `solid` no spaces. */
static bool is_plain(const char *text, bool solid)
{
    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;

        if ((byte < 0x20 && byte != '\t') || byte == 0x7f || (solid && byte <= ' '))
            return false;
    }
    return true;
}

static bool is_header(const char *line)
{
    const char *colon = line ? strchr(line, ':') : NULL;

    return colon && is_plain(line, false) && bight__is_token(line, (size_t)(colon - line));
}

static bool can_be_sent(const struct request *request)
{
    const struct bight_websocket_options *options = request->options;

    if (!*request->host || !is_plain(request->host, true) || request->path[0] != '/' ||
        !is_plain(request->path, true) || (options->header_count && !options->headers))
        return false;
    for (size_t i = 0; i < options->header_count; i++) {
        if (!is_header(options->headers[i]))
            return false;
    }
    return true;
}

static int send_request(struct bight_websocket *socket, struct request *request)
{
    struct text text = {0};
    int rc;

    if (!bight__websocket_make_key(request->key))
        return BIGHT_EIO;
    get_trace(request);
    put_request(&text, request);
    text.at = bight__alloc(socket->seams, text.bytes);
    if (!text.at)
        return BIGHT_ENOMEM;
    text.bytes = 0;
    put_request(&text, request);
    rc = bight_stream_write(socket->stream, text.at, text.bytes);
    bight__free(text.at);
    return rc;
}

/* What the headers of an answer say. */
struct answer {
    const char *accept;
    size_t accept_bytes;
    const char *protocol;
    size_t protocol_bytes;
    bool upgrades, connection_upgrades, has_extensions, twice;
};

static void see_header(struct answer *answer, const char *name, size_t name_bytes,
                       const char *value, size_t bytes)
{
#define IS(literal)                                                                                \
    (name_bytes == sizeof(literal) - 1 && strncasecmp(name, literal, name_bytes) == 0)
    if (IS("upgrade")) {
        answer->upgrades |= bytes == 9 && strncasecmp(value, "websocket", 9) == 0;
    } else if (IS("connection")) {
        answer->connection_upgrades |= bight__websocket_lists(value, bytes, "upgrade", false);
    } else if (IS("sec-websocket-accept")) {
        answer->twice |= answer->accept != NULL;
        answer->accept = value;
        answer->accept_bytes = bytes;
    } else if (IS("sec-websocket-protocol")) {
        answer->twice |= answer->protocol != NULL;
        answer->protocol = value;
        answer->protocol_bytes = bytes;
    } else if (IS("sec-websocket-extensions")) {
        answer->has_extensions = true;
    }
#undef IS
}

/* From `at` to the end of the line, which ends with CR LF as all do. */
static bool see_line(struct answer *answer, const char *at, const char *end)
{
    const char *colon = memchr(at, ':', (size_t)(end - at));
    const char *value;

    if (!colon || colon == at || *at == ' ' || *at == '\t' || colon[-1] == ' ' ||
        colon[-1] == '\t' || memchr(at, '\n', (size_t)(end - at)) ||
        memchr(at, '\0', (size_t)(end - at)))
        return false;
    value = colon + 1;
    while (value < end && (*value == ' ' || *value == '\t'))
        value++;
    while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    see_header(answer, at, (size_t)(colon - at), value, (size_t)(end - value));
    return true;
}

static const char *line_end(const char *at, const char *end)
{
    const char *found = at;

    while ((found = memchr(found, '\r', (size_t)(end - found))) && found + 1 < end &&
           found[1] != '\n')
        found++;
    return found && found + 1 < end ? found : NULL;
}

/* "HTTP/1.1 101 Switching Protocols": its status, or 0. */
static int status_of(const char *line, const char *end)
{
    if (end - line < 12 || memcmp(line, "HTTP/1.1 ", 9) != 0 ||
        (end - line > 12 && line[12] != ' '))
        return 0;
    for (int i = 9; i < 12; i++) {
        if (line[i] < '0' || line[i] > '9')
            return 0;
    }
    return (line[9] - '0') * 100 + (line[10] - '0') * 10 + line[11] - '0';
}

static int agree_on_protocol(struct bight_websocket *socket, const struct request *request,
                             const struct answer *answer)
{
    const struct bight_websocket_options *options = request->options;

    if (!answer->protocol)
        return 0;
    for (size_t i = 0; i < options->protocol_count; i++) {
        const char *protocol = options->protocols[i];

        if (strlen(protocol) == answer->protocol_bytes &&
            memcmp(protocol, answer->protocol, answer->protocol_bytes) == 0)
            return bight__websocket_set_protocol(socket, protocol);
    }
    return BIGHT_EPROTOCOL;
}

/* `text` ends with an empty line. */
static int see_answer(struct bight_websocket *socket, const struct request *request,
                      const char *text, size_t bytes, int *status)
{
    const char *end = text + bytes - 2, *at = text, *line = line_end(at, end);
    struct answer answer = {0};
    char accept[ACCEPT_BYTES + 1];
    int rc;

    *status = line ? status_of(at, line) : 0;
    if (*status != 101)
        return *status ? BIGHT_EFORBIDDEN : BIGHT_EPROTOCOL;
    for (at = line + 2; at < end; at = line + 2) {
        line = line_end(at, end);
        if (!line || !see_line(&answer, at, line))
            return BIGHT_EPROTOCOL;
    }
    rc = bight__websocket_accept_key(request->key, accept);
    if (rc)
        return rc;
    if (!answer.upgrades || !answer.connection_upgrades || answer.has_extensions || answer.twice ||
        answer.accept_bytes != ACCEPT_BYTES || memcmp(answer.accept, accept, ACCEPT_BYTES) != 0)
        return BIGHT_EPROTOCOL;
    return agree_on_protocol(socket, request, &answer);
}

/* There may be others before it, which only inform: RFC 9110 15.2. */
static bool only_informs(int status)
{
    return status >= 100 && status < 200 && status != 101;
}

static int read_answer(struct bight_websocket *socket, const struct request *request, int *status)
{
    char *text = bight__alloc(socket->seams, ANSWER_BYTES);
    int rc;

    if (!text)
        return BIGHT_ENOMEM;
    do {
        int64_t bytes = bight_stream_read_until(socket->stream, text, ANSWER_BYTES, "\r\n\r\n", 4);

        rc = bytes < 0 ? (int)bytes : see_answer(socket, request, text, (size_t)bytes, status);
    } while (rc == BIGHT_EFORBIDDEN && only_informs(*status));
    bight__free(text);
    return rc;
}

static int shake_hands(struct bight_websocket *socket, struct request *request, int *status)
{
    int64_t handshake_ms = request->options->handshake_ms;
    struct bight_scope scope;
    int rc = bight_scope_begin(&scope, handshake_ms ? handshake_ms : DEFAULT_HANDSHAKE_MS,
                               BIGHT_SCOPE_INHERIT);

    if (rc)
        return rc;
    rc = send_request(socket, request);
    if (rc == 0)
        rc = read_answer(socket, request, status);
    return bight_scope_end(&scope, rc);
}

int bight_websocket_connect(struct bight_websocket **out, struct bight_stream *stream,
                            const char *host, const char *path,
                            const struct bight_websocket_options *options, int *status)
{
    const struct bight_websocket_options how =
        options ? *options : (struct bight_websocket_options){0};
    struct request request = {.host = host, .path = path, .options = &how};
    struct bight_websocket *socket;
    int rc, said = 0;

    if (!out || !stream || !host || !path || !can_be_sent(&request))
        return BIGHT_EINVAL;
    rc = bight__websocket_new(&socket, true, &how);
    if (rc)
        return rc;
    socket->stream = stream;
    rc = shake_hands(socket, &request, &said);
    if (status)
        *status = said;
    if (rc) {
        bight_websocket_free(socket);
        return rc;
    }
    *out = socket;
    return 0;
}
