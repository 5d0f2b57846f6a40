/* Files as answers at sockets, where the kernel sends them, and others. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/net/server/listened.h"

static int file;
static int64_t file_bytes, file_length;

static int sends(struct bight_exchange *exchange, void *arg)
{
    (void)arg;
    if (file_length != -2)
        ck_ok(bight_exchange_begin(exchange, 200, file_length));
    listened.last = bight_exchange_send_file(exchange, file, 0, file_bytes);
    return listened.last;
}

static const char *ask_file(int64_t bytes, int64_t length)
{
    struct bight_stream *client = listened_dial();
    const char *answer;

    file_bytes = bytes;
    file_length = length;
    listened_say(client, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    answer = listened_hear(client, "<end>");
    ck_ok(bight_stream_end(client, 0));
    return answer;
}

static void make_file(size_t bytes)
{
    char name[] = "/tmp/bight-server-XXXXXX";
    char *text = malloc(bytes);

    memset(text, 'c', bytes);
    file = mkostemp(name, O_CLOEXEC);
    ck_assert_int_ge(file, 0);
    ck_assert_int_eq(write(file, text, bytes), (ssize_t)bytes);
    unlink(name);
    free(text);
}

static int files(void *arg)
{
    const char *answer;

    listened_begin(sends, NULL, arg != NULL);
    make_file(500000);
    answer = ask_file(500000, -2);
    ck_assert(listened_has(answer, "\r\nContent-Length: 500000\r\n"));
    ck_assert_uint_eq(strspn(strstr(answer, "\r\n\r\n") + 4, "c"), 500000);
    answer = ask_file(500000, -1);
    ck_assert(listened_has(answer, "\r\n7a120\r\n"));
    ck_assert_uint_eq(strspn(strstr(answer, "\r\n7a120\r\n") + 9, "c"), 500000);
    ck_assert_str_eq(answer + strlen(answer) - 12, "\r\n0\r\n\r\n<end>");
    close(file);
    return listened_end();
}

static int short_files(void *arg)
{
    (void)arg;
    listened_begin(sends, NULL, false);
    make_file(1000);
    for (int64_t length = -2; length <= 0; length++) {
        ck_assert(listened_has(ask_file(1001, length ? length : 2000), "<reset>"));
        ck_code(listened.last, BIGHT_EOF);
    }
    ck_assert_int_eq(listened.failures, 3);
    close(file);
    return listened_end();
}

/* The kernel does not send this one, and calls it empty. */
static int odd_file(void *arg)
{
    char text[1000];
    ssize_t count;
    const char *answer;

    (void)arg;
    file = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    ck_assert_int_ge(file, 0);
    count = pread(file, text, 100, 0);
    ck_assert_int_eq(count, 100);
    text[100] = '\0';
    listened_begin(sends, NULL, false);
    answer = ask_file(100, -2);
    ck_assert(listened_has(answer, text) && listened_has(answer, "<end>"));
    close(file);
    return listened_end();
}

static bool local = true;

static const struct suite_case cases[] = {
    world_case(files_go_out_from_the_kernel, files),
    world_case(over_a_unix_socket_too, files, .arg = &local),
    world_case(a_file_that_is_too_short_is_a_reset, short_files),
    world_case(a_file_that_the_kernel_does_not_send, odd_file),
};

test_suite("server_files", cases);
