/* net/tls against what others wrote: openssl s_client and s_server, and Python's ssl. */
#include "tests/net/tls/wire.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/harness/program.h"
#include "tests/harness/support.h"

#define PYTHON "/usr/bin/python3"

static void peers_needed(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    if (system("openssl version >/dev/null 2>&1") != 0)
        test_skip("openssl");
    if (system(PYTHON " -c 'import ssl' >/dev/null 2>&1") != 0)
        test_skip("python3");
}

/* Files that the programs read */

static char folder[32];
static char ca_file[64], certificate_file[64], key_file[64];

static void write_file(char path[64], const char *name, const char *text)
{
    FILE *file;

    snprintf(path, 64, "%s/%s", folder, name);
    file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    ck_assert_int_eq(fclose(file), 0);
}

static void peers_open(void)
{
    wire_open();
    strcpy(folder, "/tmp/bight-peers-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    write_file(ca_file, "ca.pem", authority.pem.certificate);
    write_file(certificate_file, "certificate.pem", localhost.certificate);
    write_file(key_file, "key.pem", localhost.key);
}

static void peers_close(void)
{
    unlink(ca_file);
    unlink(certificate_file);
    unlink(key_file);
    ck_assert_int_eq(rmdir(folder), 0);
    wire_close();
}

/* A program with its standard input and output as streams. */
struct program {
    pid_t pid;
    struct bight_stream *in, *out;
};

/* `command` is the shell's, with the files' names in the environment. */
static void program_start(struct program *program, const char *command)
{
    const char *const argv[] = {"/bin/sh", "-c", command, NULL};
    int in[2], out[2];

    ck_assert_int_eq(pipe2(in, O_CLOEXEC), 0);
    ck_assert_int_eq(pipe2(out, O_CLOEXEC), 0);
    setenv("CA", ca_file, 1);
    setenv("CERTIFICATE", certificate_file, 1);
    setenv("KEY", key_file, 1);
    program->pid = test_program_start(argv, SIGTERM, in[0], out[1], -1);
    close(in[0]);
    close(out[1]);
    ck_ok(bight_stream_from_fd(&program->in, in[1]));
    ck_ok(bight_stream_from_fd(&program->out, out[0]));
}

/* The exit status. */
static int program_end(struct program *program)
{
    char bytes[256];
    int status;

    if (program->in)
        ck_ok(bight_stream_end(program->in, 0));
    while (bight_stream_read(program->out, bytes, sizeof(bytes)) > 0) {
    }
    ck_ok(bight_stream_end(program->out, 0));
    status = test_program_end(program->pid, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

/* The number in the first line that has `prefix`. */
static unsigned program_port(struct program *program, const char *prefix)
{
    char line[256];

    for (;;) {
        const char *found;

        ck_assert_int_ge(bight_stream_read_line(program->out, line, sizeof(line)), 0);
        found = strstr(line, prefix);
        if (found)
            return (unsigned)atoi(strrchr(found, ':') + 1);
    }
}

/* Our server: an echo of lines */

static struct bight_listener *listener;
static struct bight_tls_context *server_context;
static struct bight_task *server;
static int last_failure;

static void on_failure(void *arg, const struct bight_stream *stream, int code)
{
    (void)arg;
    (void)stream;
    last_failure = code;
}

static int echoes(struct bight_stream *stream, void *arg)
{
    int64_t copied;

    (void)arg;
    copied = bight_stream_copy(stream, stream);
    return copied < 0 ? (int)copied : 0;
}

static int serve(void *arg)
{
    const struct bight_tls_serve_options options = {.serve.on_failure = on_failure};

    (void)arg;
    return bight_tls_serve(listener, server_context, echoes, NULL, &options);
}

static uint16_t serve_begin(void)
{
    struct bight_address address;

    last_failure = 0;
    server_context = wire_server_context(NULL, &localhost);
    ck_ok(bight_tcp_listen(&listener, "127.0.0.1", 0, NULL));
    ck_ok(bight_listener_address(listener, &address));
    ck_ok(bight_spawn(&server, serve, NULL));
    return address.port;
}

static void serve_end(void)
{
    ck_ok(bight_listener_close(listener));
    ck_ok(bight_join(server, NULL));
    ck_ok(bight_listener_end(listener));
    bight_tls_context_free(server_context);
}

static int s_client(void *arg)
{
    static const char *const versions[] = {"-tls1_2", "-tls1_3"};
    uint16_t port = serve_begin();

    (void)arg;
    for (int i = 0; i < 2; i++) {
        struct program program;
        char command[512], line[64];

        snprintf(command, sizeof(command),
                 "exec openssl s_client -connect 127.0.0.1:%u %s -quiet -verify_return_error "
                 "-verify_hostname localhost -CAfile \"$CA\" 2>/dev/null",
                 port, versions[i]);
        program_start(&program, command);
        ck_ok(bight_stream_write(program.in, "to and fro\n", 11));
        ck_assert_int_eq(bight_stream_read_line(program.out, line, sizeof(line)), 10);
        ck_assert_str_eq(line, "to and fro");
        ck_assert_int_eq(kill(program.pid, SIGTERM), 0);
        program_end(&program);
    }
    serve_end();
    return 0;
}

/* One that does not trust us says so, and our side sees it. */
static int s_client_refuses(void *arg)
{
    struct program program;
    char command[512];

    (void)arg;
    snprintf(command, sizeof(command),
             "exec openssl s_client -connect 127.0.0.1:%u -quiet -verify_return_error "
             "-verify_hostname another.example -CAfile \"$CA\" 2>/dev/null",
             serve_begin());
    program_start(&program, command);
    ck_assert_int_ne(program_end(&program), 0);
    while (!last_failure)
        ck_ok(bight_sleep(1));
    ck_code(last_failure, BIGHT_ETLS);
    serve_end();
    return 0;
}

static int s_server(void *arg)
{
    static const char *const versions[] = {"-tls1_2", "-tls1_3"};
    struct bight_tls_context *context = wire_client_context(NULL);

    (void)arg;
    for (int i = 0; i < 2; i++) {
        struct bight_tls_options as_localhost = {.session_key = "of s_server"};
        struct bight_stream *below, *stream;
        struct program program;
        char command[512], line[64];
        uint16_t port;

        snprintf(command, sizeof(command),
                 "exec openssl s_server -accept 127.0.0.1:0 %s -rev -cert \"$CERTIFICATE\" "
                 "-key \"$KEY\" 2>/dev/null",
                 versions[i]);
        program_start(&program, command);
        port = (uint16_t)program_port(&program, "ACCEPT");
        for (int round = 0; round < 2; round++) {
            struct bight_tls_info info;

            ck_ok(bight_tcp_connect(&below, "127.0.0.1", port, NULL, NULL));
            ck_ok(bight_tls_client(&stream, below, "localhost", context, &as_localhost, NULL));
            ck_ok(bight_tls_get_info(stream, &info));
            ck_assert_int_eq(info.resumed, round);
            ck_ok(bight_stream_write(stream, "stressed\n", 9));
            ck_assert_int_eq(bight_stream_read_line(stream, line, sizeof(line)), 8);
            ck_assert_str_eq(line, "desserts");
            ck_ok(bight_stream_end(stream, 1000));
        }
        ck_assert_int_eq(kill(program.pid, SIGTERM), 0);
        program_end(&program);
        bight_tls_context_free(context);
        context = wire_client_context(NULL);
    }
    bight_tls_context_free(context);
    return 0;
}

/* 4 MiB to an echo and back, its end, and the end's answer. Both directions in one thread: Python
 * 3.11 lets two into one connection of OpenSSL, which takes no two. */
static int python_client(void *arg)
{
    struct program program;
    char command[1536];

    (void)arg;
    snprintf(command, sizeof(command),
             "exec " PYTHON " -c '\n"
             "import os, select, socket, ssl\n"
             "context = ssl.create_default_context(cafile=os.environ[\"CA\"])\n"
             "context.verify_flags |= ssl.VERIFY_X509_STRICT\n"
             "plain = socket.create_connection((\"127.0.0.1\", %u))\n"
             "s = context.wrap_socket(plain, server_hostname=\"localhost\")\n"
             "s.setblocking(False)\n"
             "data = os.urandom(4 << 20)\n"
             "sent, got = 0, bytearray()\n"
             "while len(got) < len(data):\n"
             "    if not s.pending():\n"
             "        select.select([s], [s] if sent < len(data) else [], [])\n"
             "    try:\n"
             "        if sent < len(data):\n"
             "            sent += s.send(data[sent:sent + 65536])\n"
             "    except (ssl.SSLWantReadError, ssl.SSLWantWriteError):\n"
             "        pass\n"
             "    try:\n"
             "        got += s.recv(65536)\n"
             "    except ssl.SSLWantReadError:\n"
             "        pass\n"
             "assert got == data\n"
             "s.setblocking(True)\n"
             "s.unwrap().close()\n"
             "'",
             serve_begin());
    program_start(&program, command);
    ck_assert_int_eq(program_end(&program), 0);
    ck_assert_int_eq(last_failure, 0);
    serve_end();
    return 0;
}

/* A server that answers, and then says goodbye properly, or not. */
static int python_server(void *arg)
{
    static const char *const ends[] = {"s.unwrap()", "pass"};
    struct bight_tls_context *context = wire_client_context(NULL);

    (void)arg;
    for (int i = 0; i < 2; i++) {
        struct bight_stream *stream;
        struct program program;
        char command[1024], bytes[16];

        snprintf(command, sizeof(command),
                 "exec " PYTHON " -c '\n"
                 "import os, socket, ssl\n"
                 "context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)\n"
                 "context.load_cert_chain(os.environ[\"CERTIFICATE\"], os.environ[\"KEY\"])\n"
                 "l = socket.create_server((\"127.0.0.1\", 0))\n"
                 "print(\"port:%%d\" %% l.getsockname()[1], flush=True)\n"
                 "s = context.wrap_socket(l.accept()[0], server_side=True)\n"
                 "s.sendall(s.recv(100).upper())\n"
                 "%s\n"
                 "s.close()\n"
                 "'",
                 ends[i]);
        program_start(&program, command);
        ck_ok(bight_tls_connect(&stream, "127.0.0.1", (uint16_t)program_port(&program, "port"),
                                context, NULL, NULL));
        ck_ok(bight_stream_write(stream, "louder", 6));
        ck_ok(bight_stream_read_exactly(stream, bytes, 6));
        ck_assert_mem_eq(bytes, "LOUDER", 6);
        ck_code((int)bight_stream_read(stream, bytes, 1), i == 0 ? 0 : BIGHT_EPROTOCOL);
        ck_ok(bight_stream_end(stream, 1000));
        program_end(&program);
    }
    bight_tls_context_free(context);
    return 0;
}

static const struct suite_case cases[] = {
    world_case(openssl_s_client_is_served, s_client),
    world_case(openssl_s_client_refuses_and_it_is_seen, s_client_refuses),
    world_case(openssl_s_server_is_understood, s_server),
    world_case(pythons_client_is_served, python_client),
    world_case(pythons_server_ends_properly_or_not, python_server),
};

test_suite("tls_peers", cases, .open = peers_open, .close = peers_close, .begin = peers_needed);
