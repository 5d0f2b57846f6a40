/* See peer.h. nginx is handed its sockets in the way in which it upgrades itself, haproxy by
 * number. */
#include "tests/net/server/peer.h"

#include "tests/harness/support.h"

#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
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

/* In the child. */
static void keep_sockets(const struct peer *peer, pid_t parent)
{
    test_die_with(parent, SIGTERM);
    for (int i = 0; i < peer->count; i++)
        (void)fcntl(peer->fds[i], F_SETFD, 0);
}

static void close_sockets(const struct peer *peer)
{
    for (int i = 0; i < peer->count; i++)
        close(peer->fds[i]);
}

void peer_start_nginx(struct peer *peer, const char *lines)
{
    static char text[8192];
    char inherited[64] = "";
    pid_t parent = getpid();

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
    peer->pid = fork();
    ck_assert_int_ge(peer->pid, 0);
    if (peer->pid == 0) {
        keep_sockets(peer, parent);
        setenv("NGINX", inherited, 1);
        execl(PEER_NGINX, "nginx", "-p", peer->folder, "-c", "nginx.conf", "-e", "error.log", NULL);
        _exit(127);
    }
    close_sockets(peer);
}

void peer_start_haproxy(struct peer *peer, const char *lines)
{
    static char text[8192];
    char path[96];
    pid_t parent = getpid();

    snprintf(text, sizeof(text),
             "global\n  nbthread 1\n  maxconn 256\n"
             "defaults\n  mode http\n  timeout connect 10s\n  timeout client 30s\n"
             "  timeout server 30s\n%s\n",
             lines);
    write_file(peer, "haproxy.cfg", text);
    snprintf(path, sizeof(path), "%s/haproxy.cfg", peer->folder);
    peer->pid = fork();
    ck_assert_int_ge(peer->pid, 0);
    if (peer->pid == 0) {
        keep_sockets(peer, parent);
        execl(PEER_HAPROXY, "haproxy", "-db", "-q", "-f", path, NULL);
        _exit(127);
    }
    close_sockets(peer);
}

static int remove_one(const char *path, const struct stat *stat, int type, struct FTW *at)
{
    (void)stat;
    (void)type;
    (void)at;
    return remove(path);
}

void peer_stop(struct peer *peer)
{
    kill(peer->pid, SIGTERM);
    ck_assert_int_eq(waitpid(peer->pid, NULL, 0), peer->pid);
    nftw(peer->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

void peer_start(struct peer *peer, const char *const *argv)
{
    pid_t parent = getpid();
    int out[2];

    *peer = (struct peer){.count = 0};
    ck_assert_int_eq(pipe2(out, O_CLOEXEC), 0);
    peer->pid = fork();
    ck_assert_int_ge(peer->pid, 0);
    if (peer->pid == 0) {
        test_die_with(parent, SIGTERM);
        dup2(out[1], STDOUT_FILENO);
        execv(argv[0], (char **)(uintptr_t)argv);
        _exit(127);
    }
    close(out[1]);
    ck_ok(bight_stream_from_fd(&peer->out, out[0]));
}

const char *peer_finish(struct peer *peer)
{
    const char *heard = listened_hear(peer->out, "<end>");
    int status;

    ck_ok(bight_stream_end(peer->out, 0));
    ck_assert_int_eq(waitpid(peer->pid, &status, 0), peer->pid);
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
