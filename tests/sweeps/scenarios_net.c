/* Scenarios of net/stream: connections by TCP and by Unix sockets, made, accepted and served. See
 * scenarios.h. */
#include "tests/sweeps/scenarios.h"
#include "tests/harness/support.h"

#include <bight.h>
#include <check.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "runtime/stream/stream.h"

static int answer(struct bight_stream *stream)
{
    char line[8];
    int64_t count = bight_stream_read_line(stream, line, sizeof(line));

    struct bight_slice begin;
    int64_t sent;

    if (count < 1)
        return (int)count;
    begin = (struct bight_slice){line, (size_t)count - 1};
    sent = bight__stream_try_write_more(stream, &begin);
    if (sent == BIGHT_EAGAIN)
        sent = 0;
    return sent < 0 ? (int)sent : bight_stream_write(stream, line + sent, (size_t)(count - sent));
}

/* Answer, end the stream, and see to it that nobody waits for an answer that does not come. */
static int answer_and_end(struct bight_stream *stream, struct bight_listener *listener)
{
    int rc = answer(stream);

    if (rc == 0) {
        bight_stream_end(stream, -1);
    } else {
        bight_stream_abort(stream);
        bight_listener_close(listener);
    }
    return rc;
}

/* Ask, and end the stream. It is no failure of this side when the other one has gone away. */
static int ask(struct bight_stream *stream)
{
    char got[4];
    int rc = bight_stream_write(stream, "ask\n", 4);

    if (rc == 0)
        rc = bight_stream_read_exactly(stream, got, 3);
    bight_stream_end(stream, -1);
    return rc == BIGHT_ECONNRESET || rc == BIGHT_EPIPE || rc == BIGHT_EOF ? 0 : rc;
}

static int accept_and_answer(void *listener)
{
    struct bight_stream *stream;
    int rc;

    scenario_balance--;
    rc = bight_listener_accept(&stream, listener);
    if (rc == 0)
        return answer_and_end(stream, listener);
    bight_listener_close(listener);
    return rc == BIGHT_ECLOSED ? 0 : rc;
}

/* The same with a select. */
static int select_and_answer(void *listener)
{
    struct bight_case cases[2];
    int rc;

    scenario_balance--;
    bight_case_accept(&cases[0], listener);
    bight_case_sleep(&cases[1], -1);
    rc = bight_select(cases, 2, 0);
    if (rc == 0)
        rc = cases[0].status;
    if (rc == 0)
        return answer_and_end(cases[0].value, listener);
    bight_listener_close(listener);
    return rc == BIGHT_ECLOSED ? 0 : rc;
}

/* TCP */

static int connect_and_ask(struct bight_listener *listener, bool from_here)
{
    const struct bight_tcp_options options = {.local_host = from_here ? "127.0.0.1" : NULL};
    struct bight_stream *stream;
    struct bight_address address;
    int rc = bight_listener_address(listener, &address);

    if (rc == 0)
        rc = from_here ? bight_tcp_connect_address(&stream, &address, &options)
                       : bight_tcp_connect(&stream, "127.0.0.1", address.port, &options, NULL);
    if (rc == BIGHT_ECONNREFUSED || rc == BIGHT_ECLOSED) {
        bight_listener_close(listener); /* if the other side waits, it has nobody to wait for */
        return 0;
    }
    return rc ? rc : ask(stream);
}

static int tcp_body(struct bight_group *group, void *listener)
{
    int rc = scenario_spawn(group, NULL, "accepts", accept_and_answer, listener);

    if (rc == 0)
        rc = connect_and_ask(listener, false);
    if (rc == 0)
        rc = scenario_spawn(group, NULL, "selects", select_and_answer, listener);
    return rc ? rc : connect_and_ask(listener, true);
}

int scenario_tcp(void *arg)
{
    const struct bight_listen_options options = {.reuse_port = true};
    struct bight_listener *listener;
    int rc = bight_tcp_listen(&listener, "127.0.0.1", 0, &options);

    (void)arg;
    if (rc)
        return rc;
    rc = bight_group_run(tcp_body, listener);
    bight_listener_end(listener);
    return rc;
}

/* A port whose backlog is full, so that nobody answers. */
int scenario_no_answer(void *arg)
{
    struct sockaddr_in name = {0};
    int listens = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int fills = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    socklen_t bytes = sizeof(name);
    struct bight_stream *stream;
    struct bight_scope scope;
    int rc;

    (void)arg;
    EXPECT(listens >= 0 && fills >= 0 && listen(listens, 0) == 0);
    EXPECT(getsockname(listens, (struct sockaddr *)&name, &bytes) == 0);
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT(test_connect(fills, (struct sockaddr *)&name, bytes) == 0);
    rc = bight_scope_begin(&scope, 10, 0);
    if (rc == 0) {
        rc = bight_tcp_connect(&stream, "127.0.0.1", ntohs(name.sin_port), NULL, NULL);
        rc = bight_scope_end(&scope, rc);
    }
    close(fills);
    close(listens);
    return rc == BIGHT_ETIMEDOUT ? 0 : rc;
}

/* For every address, and of a socket that somebody else has made. */
int scenario_listeners(void *arg)
{
    struct bight_listener *listener;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int rc = bight_tcp_listen(&listener, NULL, 0, NULL);

    (void)arg;
    EXPECT(fd >= 0 && listen(fd, 1) == 0);
    if (rc == 0) {
        bight_listener_end(listener);
        rc = bight_listener_from_fd(&listener, fd);
    }
    if (rc)
        close(fd);
    else
        bight_listener_end(listener);
    return rc;
}

/* Unix */

static char path[64];

/* A socket file that nobody listens on. */
static void leave_stale(void)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(path, sizeof(path), "/tmp/bight-sweep-%d", getpid());
    strcpy(name.sun_path, path);
    EXPECT(fd >= 0 && bind(fd, (struct sockaddr *)&name, sizeof(name)) == 0);
    close(fd);
}

static int unix_body(struct bight_group *group, void *listener)
{
    struct bight_stream *stream;
    int rc = scenario_spawn(group, NULL, "accepts", accept_and_answer, listener);

    if (rc == 0)
        rc = bight_unix_connect(&stream, path);
    if (rc == BIGHT_ENOENT)
        return 0; /* the other side has gone away */
    return rc ? rc : ask(stream);
}

int scenario_unix(void *arg)
{
    const struct bight_listen_options options = {.mode = 0600};
    struct bight_listener *listener;
    int rc;

    (void)arg;
    leave_stale();
    rc = bight_unix_listen(&listener, path, &options);
    if (rc == 0) {
        rc = bight_group_run(unix_body, listener);
        bight_listener_end(listener);
    }
    unlink(path);
    return rc;
}

/* Descriptors over a Unix socket, with more than there is room for once. */

static int write_one(void *stream)
{
    const int fds[2] = {0, 0};
    int rc;

    scenario_balance--;
    rc = bight_unix_write_descriptors(stream, "ab", 2, fds, 2);
    if (rc == 0)
        rc = bight_unix_write_descriptors(stream, "cd", 2, fds, 1);
    bight_stream_abort(stream);
    return rc == BIGHT_EPIPE ? 0 : rc;
}

static int read_all(struct bight_stream *stream)
{
    int64_t rc;

    do {
        size_t count;
        char bytes[4];
        int fd;

        rc = bight_unix_read_descriptors(stream, bytes, sizeof(bytes), &fd, 1, &count);
        if (rc > 0 && count)
            close(fd);
    } while (rc > 0 || rc == BIGHT_ETOOBIG);
    return (int)rc;
}

static int make_pair(struct bight_stream *both[2])
{
    int fds[2], rc;

    EXPECT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
    rc = bight_stream_from_fd(&both[0], fds[0]);
    if (rc)
        close(fds[0]);
    else if ((rc = bight_stream_from_fd(&both[1], fds[1])))
        bight_stream_abort(both[0]);
    if (rc)
        close(fds[1]);
    return rc;
}

static int pass_body(struct bight_group *group, void *arg)
{
    struct bight_stream **both = arg;
    int rc = scenario_spawn(group, NULL, "passes", write_one, both[1]);

    if (rc) {
        bight_stream_abort(both[1]);
        return rc;
    }
    rc = bight_yield();
    return rc ? rc : read_all(both[0]);
}

int scenario_pass(void *arg)
{
    struct bight_stream *both[2];
    int rc = make_pair(both);

    (void)arg;
    if (rc)
        return rc;
    rc = bight_group_run(pass_body, both);
    bight_stream_abort(both[0]);
    return rc;
}

/* Serve. What a server goes on in spite of, it reports: then it is ended. */

struct server {
    struct bight_listener *listener;
    int reported;
};

static void on_report(void *arg, const struct bight_report *report)
{
    struct server *server = arg;

    if (!server->reported)
        server->reported = report->code;
    bight_listener_close(server->listener);
}

static int handle(struct bight_stream *stream, void *arg)
{
    (void)arg;
    return answer(stream);
}

static int use_server(void *arg)
{
    struct server *server = arg;
    int rc;

    scenario_balance--;
    rc = connect_and_ask(server->listener, false);
    bight_listener_close(server->listener);
    return rc;
}

static int serve_body(struct bight_group *group, void *arg)
{
    struct server *server = arg;
    const struct bight_serve_options options = {.max_connections = 1, .drain_ms = -1};
    int rc = scenario_spawn(group, NULL, "uses the server", use_server, server);

    return rc ? rc : bight_serve(server->listener, handle, server, &options);
}

int scenario_serve(void *arg)
{
    struct server server = {0};
    struct bight_report_handler before;
    int rc = bight_tcp_listen(&server.listener, "127.0.0.1", 0, NULL);

    (void)arg;
    if (rc)
        return rc;
    bight_report_set_handler((struct bight_report_handler){on_report, &server}, &before);
    rc = bight_group_run(serve_body, &server);
    bight_report_set_handler(before, NULL);
    bight_listener_end(server.listener);
    return server.reported ? server.reported : rc;
}
