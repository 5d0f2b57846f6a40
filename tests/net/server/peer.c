/* See peer.h. nginx is handed its sockets in the way in which it upgrades itself, haproxy by
 * number. */
#include "tests/net/server/peer.h"

#include "tests/harness/program.h"
#include "tests/harness/support.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

unsigned peer_behind(void)
{
    struct bight_address address;

    ck_ok(bight_listener_address(listened.listener, &address));
    return address.port;
}

/* --- programs --------------------------------------------------------------------------------- */

void peer_prepare(struct peer *peer, int count)
{
    *peer = (struct peer){.count = count, .folder = "/tmp/bight-peer-XXXXXX"};
    ck_assert_int_le(count, PEER_PORTS);
    ck_assert_ptr_nonnull(mkdtemp(peer->folder));
    for (int i = 0; i < count; i++) {
        struct sockaddr_in address;

        peer->fds[i] = test_bound_socket(&address);
        ck_assert_int_eq(listen(peer->fds[i], 512), 0);
        peer->ports[i] = ntohs(address.sin_port);
    }
}

static void write_file(const struct peer *peer, const char *name, const char *text)
{
    char path[96];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", peer->folder, name);
    file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    ck_assert_int_eq(fclose(file), 0);
}

/* It inherits the sockets. */
static void start(struct peer *peer, const char *const *argv)
{
    for (int i = 0; i < peer->count; i++)
        ck_assert_int_eq(fcntl(peer->fds[i], F_SETFD, 0), 0);
    peer->pid = test_program_start(argv, SIGTERM, -1, -1, -1);
    for (int i = 0; i < peer->count; i++)
        close(peer->fds[i]);
}

void peer_start_nginx(struct peer *peer, const char *lines)
{
    static char text[8192];
    char inherited[64] = "NGINX=";
    const char *const argv[] = {"/usr/bin/env", inherited,    PEER_NGINX, "-p",        peer->folder,
                                "-c",           "nginx.conf", "-e",       "error.log", NULL};

    snprintf(text, sizeof(text),
             "daemon off; worker_processes 1; pid nginx.pid; %s\n"
             "events { worker_connections 256; }\n"
             "http { access_log off; client_body_temp_path tmp; proxy_temp_path tmp;\n"
             "fastcgi_temp_path tmp; uwsgi_temp_path tmp; scgi_temp_path tmp;\n%s\n}\n",
             geteuid() ? "" : "user root root;", lines);
    write_file(peer, "nginx.conf", text);
    for (int i = 0; i < peer->count; i++)
        snprintf(inherited + strlen(inherited), sizeof(inherited) - strlen(inherited), "%d;",
                 peer->fds[i]);
    start(peer, argv);
}

void peer_start_haproxy(struct peer *peer, const char *lines)
{
    static char text[8192];
    char path[96];
    const char *const argv[] = {PEER_HAPROXY, "-db", "-q", "-f", path, NULL};

    snprintf(text, sizeof(text),
             "global\n  nbthread 1\n  maxconn 256\n"
             "defaults\n  mode http\n  timeout connect 10s\n  timeout client 30s\n"
             "  timeout server 30s\n%s\n",
             lines);
    write_file(peer, "haproxy.cfg", text);
    snprintf(path, sizeof(path), "%s/haproxy.cfg", peer->folder);
    start(peer, argv);
}

void peer_stop(struct peer *peer)
{
    (void)test_program_end(peer->pid, SIGTERM);
    test_remove_folder(peer->folder);
}

void peer_start(struct peer *peer, const char *const *argv)
{
    int out;

    *peer = (struct peer){.pid = test_program_start_heard(argv, SIGTERM, &out)};
    ck_ok(bight_stream_from_fd(&peer->out, out));
}

const char *peer_finish(struct peer *peer)
{
    const char *heard = listened_hear(peer->out, "<end>");
    int status;

    ck_ok(bight_stream_end(peer->out, 0));
    status = test_program_end(peer->pid, 0);
    ck_assert_msg(status == 0, "status %d, saying: %s", status, heard);
    return heard;
}

/* --- their clients ---------------------------------------------------------------------------- */

struct bight_stream *peer_dial(const struct peer *peer, int which)
{
    struct bight_stream *client;

    ck_ok(bight_tcp_connect(&client, "127.0.0.1", peer->ports[which], NULL, NULL));
    return client;
}

const char *peer_ask(const struct peer *peer, int which, const char *request)
{
    struct bight_stream *client = peer_dial(peer, which);
    const char *heard;

    listened_say(client, request);
    heard = listened_hear(client, "<end>");
    ck_ok(bight_stream_end(client, 0));
    return heard;
}

void peer_has(const char *heard, const char *part)
{
    ck_assert_msg(listened_has(heard, part), "no \"%s\" in: %s", part, heard);
}

/* --- the server ------------------------------------------------------------------------------- */

struct play {
    int (*scene)(void);
    int (*handler)(struct bight_exchange *exchange, void *arg);
    const struct bight_http_serve_options *options;
};

static int nothing(void *arg)
{
    (void)arg;
    return 0;
}

static int play(void *arg)
{
    const struct play *what = arg;

    listened_begin(what->handler, what->options, false);
    ck_ok(what->scene());
    return listened_end();
}

void peer_play(int (*scene)(void), int (*handler)(struct bight_exchange *exchange, void *arg),
               const struct bight_http_serve_options *options)
{
    struct play what = {scene, handler, options};
    int fds;

    ck_ok(bight_run(nothing, NULL)); /* the first runtime of a process opens what stays */
    fds = test_open_fds();
    ck_ok(bight_run(play, &what));
    ck_assert_int_eq(test_open_fds(), fds);
}
