/* See programs.h. */
#include "tests/samples/net/programs.h"

#include "tests/harness/program.h"

#include <bight.h>
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

struct server server_start(const char *const *argv)
{
    struct server server;
    char line[64];
    unsigned port;
    int out;

    server.pid = test_program_start_heard(argv, SIGKILL, &out);
    ck_assert(test_program_says(out, "", line, sizeof line));
    ck_assert_int_eq(sscanf(line, "listening on 127.0.0.1:%u", &port), 1);
    server.port = (uint16_t)port;
    return server;
}

void server_stop(const struct server *server, int signum)
{
    ck_assert_int_eq(test_program_end(server->pid, signum), 0);
}

void server_hurry(const struct server *server)
{
    siginfo_t ended = {0};

    while (ended.si_pid == 0) {
        ck_assert_int_eq(kill(server->pid, SIGTERM), 0);
        ck_assert_int_eq(waitid(P_PID, (id_t)server->pid, &ended, WEXITED | WNOHANG | WNOWAIT), 0);
    }
}

long server_resident_kib(const struct server *server)
{
    char path[64], line[128];
    long kib = -1;
    FILE *file;

    snprintf(path, sizeof path, "/proc/%d/status", (int)server->pid);
    file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    while (kib < 0 && fgets(line, sizeof line, file))
        (void)sscanf(line, "VmRSS: %ld kB", &kib);
    fclose(file);
    return kib;
}

void server_play(const char *const *argv, int (*scene)(void *arg))
{
    struct server server = server_start(argv);

    ck_assert_int_eq(bight_run(scene, &server), 0);
    server_stop(&server, SIGTERM);
}

struct bight_stream *server_dial(const struct server *server)
{
    struct bight_stream *stream = NULL;

    ck_assert_int_eq(bight_tcp_connect(&stream, "127.0.0.1", server->port, NULL, NULL), 0);
    return stream;
}

void scene_says(struct bight_stream *stream, const char *text)
{
    ck_assert_int_eq(bight_stream_write(stream, text, strlen(text)), 0);
}

void scene_is_over(struct bight_stream *stream)
{
    char byte;

    ck_assert_int_eq(bight_stream_read(stream, &byte, 1), 0);
    ck_assert_int_eq(bight_stream_end(stream, 0), 0);
}
