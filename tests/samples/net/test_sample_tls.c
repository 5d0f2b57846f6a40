/* The sample tls_proxy in front of the sample echo, as programs. SAMPLE_ECHO and SAMPLE_TLS_PROXY
 * are their paths. */
#include "tests/net/tls/wire.h"
#include "tests/samples/net/programs.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* 1 GiB; less where each byte is watched. What was freed is kept there, too. */
#if defined(BIGHT_ASAN) || defined(BIGHT_TSAN) || defined(BIGHT_VALGRIND)
#define MUCH_BYTES ((size_t)16 << 20)
#define GROWTH_KIB (64 << 10)
#else
#define MUCH_BYTES ((size_t)1 << 30)
#define GROWTH_KIB 1024
#endif
#define PIECE_BYTES ((size_t)256 << 10)

static char folder[] = "/tmp/bight-proxy-XXXXXX";
static char certificate_file[64], key_file[64];
static struct server echo, proxy;

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    ck_assert_int_eq(fclose(file), 0);
}

static void start_both(void)
{
    const char *const echo_argv[] = {SAMPLE_ECHO, NULL};
    char port[8];
    const char *const proxy_argv[] = {SAMPLE_TLS_PROXY, "0",      "127.0.0.1", port,
                                      certificate_file, key_file, NULL};

    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(certificate_file, sizeof(certificate_file), "%s/certificate.pem", folder);
    snprintf(key_file, sizeof(key_file), "%s/key.pem", folder);
    write_file(certificate_file, localhost.certificate);
    write_file(key_file, localhost.key);
    echo = server_start(echo_argv);
    snprintf(port, sizeof(port), "%u", echo.port);
    proxy = server_start(proxy_argv);
}

static void stop_both(void)
{
    server_stop(&proxy, SIGTERM);
    server_stop(&echo, SIGINT);
    unlink(certificate_file);
    unlink(key_file);
    ck_assert_int_eq(rmdir(folder), 0);
}

static struct bight_stream *dial(struct bight_tls_context *context)
{
    struct bight_tls_failure failure;
    struct bight_stream *stream = NULL;
    int rc = bight_tls_connect(&stream, "127.0.0.1", proxy.port, context, NULL, &failure);

    if (rc)
        ck_abort_msg("no connection: %s", failure.text);
    return stream;
}

static int talk(void *arg)
{
    struct bight_tls_context *context = wire_client_context(NULL);
    struct bight_stream *stream = dial(context);
    char line[32];

    (void)arg;
    ck_ok(bight_stream_write(stream, "hello\nworld\n", 12));
    ck_assert_int_eq(bight_stream_read_line(stream, line, sizeof(line)), 5);
    ck_ok(bight_stream_shutdown(stream));
    ck_assert_int_eq(bight_stream_read_line(stream, line, sizeof(line)), 5);
    ck_assert_str_eq(line, "world");
    ck_code((int)bight_stream_read_line(stream, line, sizeof(line)), BIGHT_EOF);
    ck_ok(bight_stream_end(stream, 1000));
    bight_tls_context_free(context);
    return 0;
}

static void it_speaks_tls_in_front_of_a_host(void)
{
    start_both();
    ck_assert_int_eq(bight_run(talk, NULL), 0);
    stop_both();
}

/* The subject of the certificate that a new connection is shown. */
static int shown(void *arg)
{
    const char *subject = arg;
    struct bight_tls_context *context = wire_client_context(NULL);
    struct bight_tls_info info = {0};

    for (int i = 0; i < 200 && strcmp(info.subject, subject) != 0; i++) {
        struct bight_tls_options fresh = {.session_key = ""};
        struct bight_stream *stream;

        ck_ok(bight_sleep(i ? 10 : 0)); /* it has a signal to notice */
        ck_ok(bight_tls_connect(&stream, "127.0.0.1", proxy.port, context, &fresh, NULL));
        ck_ok(bight_tls_get_info(stream, &info));
        ck_ok(bight_stream_end(stream, 1000));
    }
    ck_assert_str_eq(info.subject, subject);
    bight_tls_context_free(context);
    return 0;
}

static void a_hangup_renews_the_certificate(void)
{
    const struct request request = {.name = "the next", .names = "IP:127.0.0.1"};
    struct identity next;

    authority_issue(&authority, &request, &next);
    start_both();
    ck_assert_int_eq(bight_run(shown, "CN=the server"), 0);
    write_file(certificate_file, next.certificate);
    write_file(key_file, next.key);
    ck_assert_int_eq(kill(proxy.pid, SIGHUP), 0);
    ck_assert_int_eq(bight_run(shown, "CN=the next"), 0);
    stop_both();
}

/* Much through a reader that takes a pause now and then: the proxy holds it up at the sender. */

static char piece[PIECE_BYTES];

static int flood_write(void *arg)
{
    int rc = 0;

    for (size_t sent = 0; sent < MUCH_BYTES && rc == 0; sent += sizeof(piece))
        rc = bight_stream_write(arg, piece, sizeof(piece));
    return rc ? rc : bight_stream_shutdown(arg);
}

static int flood_read(void *arg)
{
    static char came[PIECE_BYTES];
    int rc = 0;

    for (size_t all = 0; all < MUCH_BYTES && rc == 0; all += sizeof(came)) {
        if (all % (MUCH_BYTES / 16) == 0)
            rc = bight_sleep(10);
        if (rc == 0)
            rc = bight_stream_read_exactly(arg, came, sizeof(came));
        if (rc == 0 && memcmp(came, piece, sizeof(came)) != 0)
            rc = BIGHT_EIO;
    }
    return rc;
}

static int flood(void *arg)
{
    struct bight_tls_context *context = wire_client_context(NULL);
    struct bight_stream *stream = dial(context);
    struct bight_gather calls[] = {{.fn = flood_write, .arg = stream},
                                   {.fn = flood_read, .arg = stream}};
    long before = server_resident_kib(&proxy);

    (void)arg;
    for (size_t i = 0; i < sizeof(piece); i++)
        piece[i] = (char)(i * 7 % 251);
    ck_assert_int_eq(bight_gather_all(calls, 2, 0), 0);
    ck_assert_int_lt(server_resident_kib(&proxy) - before, GROWTH_KIB);
    ck_ok(bight_stream_end(stream, 1000));
    bight_tls_context_free(context);
    return 0;
}

static void it_holds_a_fast_sender_up_and_does_not_grow(void)
{
    start_both();
    ck_assert_int_eq(bight_run(flood, NULL), 0);
    stop_both();
}

static const struct suite_case cases[] = {
    plain_case(it_speaks_tls_in_front_of_a_host),
    plain_case(a_hangup_renews_the_certificate),
    plain_case(it_holds_a_fast_sender_up_and_does_not_grow),
};

test_suite("sample_tls", cases, .open = wire_open, .close = wire_close);
