/* Every allocation of the server fails in turn, alone and with all that follow, and every
 * suspension is cancelled in turn, the client's as well as the server's. Whatever happens, the
 * client gets the whole answer, a whole refusal, or a connection that visibly breaks, and nothing
 * is left open. LeakSanitizer sees what is left of memory. */
#include <bight/access_log.h>
#include <bight/events.h>
#include <bight/form.h>
#include <bight/router.h>

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/harness/sweep.h"
#include "tests/harness/sweep_programs.h"
#include "tests/net/server/talk.h"

#include <string.h>

/* A request, and the answer without the header Date. */
struct dialogue {
    const char *request;
    const char *answer;
    int (*handler)(struct bight_exchange *exchange, void *arg);
    void *arg;
};

struct scene {
    const struct dialogue *dialogue;
    struct bight_stream *client, *server;
    struct bight_listener *listener; /* NULL: a pair in memory */
    int failure;                     /* of the handler */
};

static int failed(const struct scene *scene, const char *heard)
{
    fprintf(stderr, "%s\nis answered with\n%s\n", scene->dialogue->request, heard);
    return BIGHT_EPROTOCOL;
}

/* A status from 400 on, and the text that is its body. */
static bool is_refusal(const char *heard)
{
    const char *body = strstr(heard, "\r\n\r\n");
    int status = strncmp(heard, "HTTP/1.1 ", 9) == 0 ? (heard[9] - '0') * 100 : 0;

    return status >= 400 && body && strncmp(body + 4, heard + 9, 3) == 0 &&
           heard[strlen(heard) - 1] == '\n';
}

/* What may be heard before the end of the stream, or before a reset. */
static int check(const struct scene *scene, char *heard, bool whole)
{
    const char *answer = scene->dialogue->answer;
    size_t length;

    talk_drop_date(heard);
    length = strlen(heard);
    if (strcmp(heard, answer) == 0 || is_refusal(heard))
        return 0;
    if (whole || (length > 5 && strcmp(heard + length - 5, "0\r\n\r\n") == 0))
        return failed(scene, heard);
    return 0;
}

static int ask(void *arg)
{
    struct scene *scene = arg;
    char heard[12000];
    size_t length = 0;
    int64_t count = 1;
    int rc = bight_stream_write(scene->client, scene->dialogue->request,
                                strlen(scene->dialogue->request));

    /* It may have been refused before it was read. */
    while (count > 0 && (rc == 0 || rc == BIGHT_EPIPE)) {
        count = bight_stream_read(scene->client, heard + length, sizeof(heard) - 1 - length);
        length += count > 0 ? (size_t)count : 0;
    }
    heard[length] = '\0';
    if (count <= 0 && count != BIGHT_ECANCELED) {
        int wrong = check(scene, heard, count == 0);

        if (wrong)
            return wrong;
    }
    bight_stream_abort(scene->client);
    scene->client = NULL;
    return count < 0 ? (int)count : rc == BIGHT_EPIPE ? 0 : rc;
}

static void on_failure(void *arg, const struct bight_exchange *exchange, int code)
{
    (void)exchange;
    ((struct scene *)arg)->failure = code;
}

static void on_done(void *arg, const struct bight_exchange *exchange)
{
    char line[2000];
    int64_t bytes = bight_access_log_line(exchange, BIGHT_ACCESS_LOG_COMBINED, line, sizeof(line));

    if (bytes <= 0 || line[bytes - 1] != '\n')
        ((struct scene *)arg)->failure = BIGHT_EPROTOCOL;
}

static void on_broken(void *arg, const struct bight_stream *stream, int code)
{
    (void)stream;
    ((struct scene *)arg)->failure = code;
}

/* With an answer cut short the reason is the handler's. */
static int answer(void *arg)
{
    struct scene *scene = arg;
    struct bight_http_serve_options options = {
        .on_failure = on_failure,
        .on_done = on_done,
        .callback_arg = scene,
        .trusted = "192.0.2.0/24, unix",
        .max_per_peer = 10,
        .request_ids = true,
        .trace_context = BIGHT_TRACE_FROM_ANYONE,
        .server_name = "swept",
        .serve = {.on_failure = on_broken, .callback_arg = scene},
    };
    int rc;

    if (scene->listener) {
        rc = bight_http_serve(scene->listener, scene->dialogue->handler, scene->dialogue->arg,
                              &options);
        (void)bight_listener_close(scene->listener); /* so that the client need not wait for it */
    } else {
        rc = bight_http_serve_stream(scene->server, scene->dialogue->handler, scene->dialogue->arg,
                                     &options);
        if (rc >= 0)
            bight_stream_end(scene->server, 100);
        else
            bight_stream_abort(scene->server);
        scene->server = NULL;
    }
    return scene->failure ? scene->failure : rc;
}

static int both(struct scene *scene)
{
    struct bight_group group;
    int rc = bight_group_begin(&group, 0);

    if (rc)
        return rc;
    rc = bight_group_spawn(NULL, &group, NULL, answer, scene);
    if (rc == 0)
        rc = bight_group_spawn(NULL, &group, NULL, ask, scene);
    return bight_group_end(&group, rc);
}

static int talk_over_a_pair(const struct dialogue *dialogue)
{
    const struct bight_stream_pair_options narrow = {.capacity = 100};
    struct scene scene = {.dialogue = dialogue};
    int rc = bight_stream_pair(&scene.client, &scene.server, &narrow);

    if (rc == 0)
        rc = both(&scene);
    bight_stream_abort(scene.client);
    bight_stream_abort(scene.server);
    return rc;
}

#define TRACE                                                                                      \
    "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n"                     \
    "tracestate: a=1\r\ntracestate: b=2\r\n"
#define ANSWER(headers, body)                                                                      \
    "HTTP/1.1 200 OK\r\nServer: swept\r\nConnection: close\r\n" headers "\r\n" body
#define CLOSE "Host: a\r\nConnection: close\r\n"

/* A fixed answer */

static int fixed(struct bight_exchange *exchange, void *arg)
{
    (void)arg;
    return bight_exchange_answer(exchange, 200, NULL, "0123456789", 10);
}

static int fixed_answer(void)
{
    const struct dialogue dialogue = {"GET / HTTP/1.1\r\n" TRACE CLOSE "\r\n",
                                      ANSWER("Content-Length: 10\r\n", "0123456789"), fixed, NULL};

    return talk_over_a_pair(&dialogue);
}

/* Chunks both ways */

static int echo(struct bight_exchange *exchange, void *arg)
{
    char bytes[4];
    int64_t count;
    int rc = bight_exchange_begin(exchange, 200, -1);

    (void)arg;
    while (rc == 0 && (count = bight_exchange_read(exchange, bytes, sizeof(bytes))) != 0)
        rc = count < 0 ? (int)count : bight_exchange_write(exchange, bytes, (size_t)count);
    return rc;
}

static int chunks(void)
{
    const struct dialogue dialogue = {
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n"
        "3\r\nabc\r\n6;x\r\ndefghi\r\n0\r\nA: b\r\n\r\n",
        ANSWER("Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n4\r\ndefg\r\n2\r\nhi\r\n0\r\n\r\n"),
        echo, NULL};

    return talk_over_a_pair(&dialogue);
}

/* Piece by piece, with many headers, and a file at the end */

static int pieces(struct bight_exchange *exchange, void *arg)
{
    int file, rc = 0;

    (void)arg;
    for (int i = 0; i < 50 && rc == 0; i++)
        rc = bight_exchange_add_header(exchange, "X-Many",
                                       "01234567890123456789012345678901234567890123456789"
                                       "01234567890123456789012345678901234567890123456789");
    if (rc == 0)
        rc = bight_exchange_begin(exchange, 200, -1);
    if (rc == 0)
        rc = bight_exchange_flush(exchange);
    if (rc == 0)
        rc = bight_sleep(1);
    if (rc == 0)
        rc = bight_exchange_write(exchange, "piece", 5);
    if (rc)
        return rc;
    file = memfd_create("file", MFD_CLOEXEC);
    if (file < 0)
        return BIGHT_EIO;
    rc = write(file, "of a file", 9) == 9 ? bight_exchange_send_file(exchange, file, 0, 9)
                                          : BIGHT_EIO;
    close(file);
    return rc;
}

static int piece_by_piece(void)
{
    static char expected[12000];
    const struct dialogue dialogue = {"GET / HTTP/1.1\r\n" CLOSE "\r\n", expected, pieces, NULL};
    size_t at =
        (size_t)sprintf(expected, "HTTP/1.1 200 OK\r\nServer: swept\r\nConnection: close\r\n"
                                  "Transfer-Encoding: chunked\r\n");

    for (int i = 0; i < 50; i++)
        at += (size_t)sprintf(expected + at, "X-Many: %0100d\r\n", 0);
    for (char *zero = expected; (zero = strstr(zero, "X-Many: ")); zero += 108) {
        for (int i = 0; i < 100; i++)
            zero[8 + i] = (char)('0' + i % 10);
    }
    strcpy(expected + at, "\r\n5\r\npiece\r\n9\r\nof a file\r\n0\r\n\r\n");
    return talk_over_a_pair(&dialogue);
}

/* Events, one of which needs memory */

static int sends_events(struct bight_exchange *exchange, void *arg)
{
    struct bight_sent_event event = {.event = "e", .id = "1", .data = arg};
    int rc = bight_events_begin(exchange);

    if (rc == 0)
        rc = bight_events_send(exchange, &event);
    if (rc == 0)
        rc = bight_sleep(1);
    return rc ? rc : bight_events_ping(exchange);
}

static int events(void)
{
    static char data[3001], expected[4000];
    const struct dialogue dialogue = {"GET / HTTP/1.1\r\n" CLOSE "\r\n", expected, sends_events,
                                      data};

    memset(data, 'd', sizeof(data) - 1);
    sprintf(expected,
            ANSWER("Transfer-Encoding: chunked\r\nContent-Type: text/event-stream\r\n"
                   "Cache-Control: no-store\r\nX-Accel-Buffering: no\r\n",
                   "%zx\r\nevent: e\nid: 1\ndata: %s\n\n\r\n3\r\n:\n\n\r\n0\r\n\r\n"),
            strlen("event: e\nid: 1\ndata: \n\n") + sizeof(data) - 1, data);
    return talk_over_a_pair(&dialogue);
}

/* A form behind a router, with what does not fit beside its head */

static int form(struct bight_exchange *exchange, void *arg)
{
    const struct bight_form *pairs;
    const char *value;
    int rc = bight_exchange_read_form(exchange, &pairs);

    (void)arg;
    if (rc)
        return rc;
    value = bight_form_value(pairs, "a");
    return bight_exchange_answer(exchange, 200, NULL, value, strlen(value));
}

static int forms(void)
{
    static char request[2000];
    struct dialogue dialogue = {request, ANSWER("Content-Length: 3\r\n", "b c"),
                                bight_router_handle, NULL};
    struct bight_router *router;
    int rc = bight_router_new(&router);

    sprintf(request,
            "POST /%0600d/x HTTP/1.1\r\n" CLOSE
            "Content-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n"
            "5\r\na=b+c\r\n0\r\n\r\n",
            1);
    if (rc)
        return rc;
    rc = bight_router_add(router, "POST", "/{name}/x", form, NULL);
    dialogue.arg = router;
    if (rc == 0)
        rc = talk_over_a_pair(&dialogue);
    bight_router_free(router);
    return rc;
}

/* At a listener, where connections are counted */

static int closes(void *arg)
{
    struct scene *scene = arg;
    struct bight_address address;
    int rc = bight_listener_address(scene->listener, &address);

    if (rc == 0)
        rc = bight_tcp_connect_address(&scene->client, &address, NULL);
    if (rc == 0)
        rc = ask(scene);
    (void)bight_listener_close(scene->listener);
    /* What a connection is refused for nobody tells the client, nor that nobody listens. */
    return rc == BIGHT_ECONNRESET || rc == BIGHT_ECLOSED || rc == BIGHT_ECONNREFUSED ? 0 : rc;
}

static int at_a_listener(void)
{
    const struct dialogue dialogue = {"GET / HTTP/1.1\r\n" CLOSE "\r\n",
                                      ANSWER("Content-Length: 10\r\n", "0123456789"), fixed, NULL};
    struct scene scene = {.dialogue = &dialogue};
    struct bight_group group;
    int rc = bight_tcp_listen(&scene.listener, "127.0.0.1", 0, NULL);

    if (rc)
        return rc;
    rc = bight_group_begin(&group, 0);
    if (rc == 0) {
        rc = bight_group_spawn(NULL, &group, NULL, answer, &scene);
        if (rc == 0)
            rc = bight_group_spawn(NULL, &group, NULL, closes, &scene);
        rc = bight_group_end(&group, rc);
    }
    bight_stream_abort(scene.client);
    (void)bight_listener_end(scene.listener);
    return rc;
}

const struct sweep_program sweep_programs[] = {
    {"a fixed answer", fixed_answer, BIGHT_ECONNRESET},
    {"chunks both ways", chunks, BIGHT_ECONNRESET},
    {"piece by piece", piece_by_piece, BIGHT_ECONNRESET},
    {"events", events, BIGHT_ECONNRESET},
    {"forms", forms, BIGHT_ECONNRESET},
    {"at a listener", at_a_listener, BIGHT_ECONNRESET},
};
const int sweep_programs_count = sizeof(sweep_programs) / sizeof(*sweep_programs);

static bool all_hit(void)
{
    static const char *const callees[] = {"bight__alloc", "bight__alloc_zero", NULL};
    static const char *const folders[] = {"net/server", NULL};

    return sweep_report(SWEEP_ONCE | SWEEP_FROM_THERE_ON, callees, folders);
}

static const struct suite_case cases[] = {
    SWEEP_PROGRAM_CASES,
};

test_suite("server_sweep", cases, .begin = sweep_share_sites, .holds = all_hit);
