/* See site.h. */
#include "tests/net/server/site.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/harness/program.h"
#include "tests/harness/world.h"

char site_root[64];

/* Above the root, so that there is something that must not be reached. */
static char site_top[48];

const char *site_path(const char *path)
{
    static char paths[4][256];
    static unsigned next;
    char *at = paths[next++ % 4];

    snprintf(at, sizeof(paths[0]), "%s/%s", site_root, path);
    return at;
}

char site_big_byte(size_t at)
{
    return (char)('a' + at % 23);
}

void site_set_time(const char *path, int64_t seconds)
{
    const struct timespec times[2] = {{.tv_sec = seconds}, {.tv_sec = seconds}};

    ck_assert_int_eq(utimensat(AT_FDCWD, site_path(path), times, AT_SYMLINK_NOFOLLOW), 0);
}

void site_write(const char *path, const void *data, size_t bytes)
{
    FILE *file = fopen(site_path(path), "w");

    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(data, 1, bytes, file), bytes);
    ck_assert_int_eq(fclose(file), 0);
    site_set_time(path, SITE_MODIFIED_S);
}

void site_write_text(const char *path, const char *text)
{
    site_write(path, text, strlen(text));
}

static void write_big(void)
{
    char *bytes = malloc(SITE_BIG_BYTES);

    ck_assert_ptr_nonnull(bytes);
    for (size_t i = 0; i < SITE_BIG_BYTES; i++)
        bytes[i] = site_big_byte(i);
    site_write("big.bin", bytes, SITE_BIG_BYTES);
    free(bytes);
}

static void make_folder(const char *path)
{
    ck_assert_int_eq(mkdir(site_path(path), 0755), 0);
}

static void make_link(const char *target, const char *path)
{
    ck_assert_int_eq(symlink(target, site_path(path)), 0);
}

void site_make(void)
{
    strcpy(site_top, "/tmp/bight-site-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(site_top));
    snprintf(site_root, sizeof(site_root), "%s/root", site_top);
    ck_assert_int_eq(mkdir(site_root, 0755), 0);
    site_write_text("../outside.txt", "outside\n");
    site_write_text("index.html", "home\n");
    site_write_text("letters.txt", "abcdefghijklmnopqrstuvwxyz");
    site_write_text("empty.txt", "");
    site_write_text("a b%c.txt", "odd\n");
    site_write_text(".hidden", "hidden\n");
    write_big();
    make_folder("sub");
    site_write_text("sub/index.html", "sub\n");
    make_folder("bare");
    make_folder("odd");
    make_folder("odd/index.html");
    make_folder(".well-known");
    site_write_text(".well-known/x", "known\n");
    make_link("letters.txt", "inside");
    make_link("../letters.txt", "sub/up");
    make_link("sub", "folder");
    make_link("../outside.txt", "outside");
    make_link(site_path("letters.txt"), "absolute");
    make_link("circle", "circle");
    make_link("/proc/self/exe", "magic");
    ck_assert_int_eq(mkfifo(site_path("fifo"), 0644), 0);
}

void site_remove(void)
{
    test_remove_folder(site_top);
}

struct service {
    struct bight_stream *stream;
    const struct bight_static *files;
    const char *path;
    int code;
};

static int handler(struct bight_exchange *exchange, void *arg)
{
    const struct service *service = arg;

    return bight_static_answer(exchange, service->files, service->path);
}

static int serve(void *arg)
{
    struct service *service = arg;

    service->code = bight_http_serve_stream(service->stream, handler, service, NULL);
    if (service->code)
        bight_stream_abort(service->stream);
    else
        bight_stream_end(service->stream, 0);
    return 0;
}

/* All that comes, with a NUL behind it. */
static char *read_all(struct bight_stream *stream, size_t *bytes)
{
    size_t capacity = SITE_BIG_BYTES + 8192;
    char *all = malloc(capacity);
    int64_t count;

    ck_assert_ptr_nonnull(all);
    *bytes = 0;
    while ((count = bight_stream_read(stream, all + *bytes, capacity - 1 - *bytes)) > 0)
        *bytes += (size_t)count;
    all[*bytes] = '\0';
    return all;
}

static struct said take_apart(char *all, size_t bytes)
{
    struct said said = {.head = all};
    char *end = strstr(all, "\r\n\r\n");

    ck_assert_ptr_nonnull(end);
    ck_assert_int_eq(sscanf(all, "HTTP/1.1 %d ", &said.status), 1);
    said.body = end + 4;
    said.body_bytes = bytes - (size_t)(said.body - all);
    end[2] = '\0';
    return said;
}

struct said site_ask_code(const struct bight_static *files, const char *request, const char *path,
                          int code)
{
    struct service service = {.files = files, .path = path};
    struct bight_stream *client;
    struct bight_task *task;
    char text[2048], *all;
    size_t bytes;

    ck_ok(bight_stream_pair(&client, &service.stream, NULL));
    ck_ok(bight_spawn(&task, serve, &service));
    snprintf(text, sizeof(text), "%s\r\nHost: example.org\r\nConnection: close\r\n\r\n", request);
    ck_ok(bight_stream_write(client, text, strlen(text)));
    all = read_all(client, &bytes);
    ck_ok(bight_join(task, NULL));
    ck_code(service.code, code);
    ck_ok(bight_stream_end(client, 0));
    return take_apart(all, bytes);
}

struct said site_ask(const struct bight_static *files, const char *request)
{
    return site_ask_code(files, request, NULL, 0);
}

void said_drop(struct said *said)
{
    free(said->head);
    said->head = NULL;
}

const char *said_header(const struct said *said, const char *name)
{
    static char values[4][512];
    static unsigned next;
    const char *line = said->head;
    size_t bytes = strlen(name);

    while ((line = strstr(line, "\r\n"))) {
        line += 2;
        if (strncasecmp(line, name, bytes) == 0 && strncmp(line + bytes, ": ", 2) == 0) {
            char *value = values[next++ % 4];

            line += bytes + 2;
            snprintf(value, sizeof(values[0]), "%.*s", (int)strcspn(line, "\r"), line);
            return value;
        }
    }
    return NULL;
}
