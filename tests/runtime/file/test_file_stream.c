/* A file as a stream: runtime/file/stream.c. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/harness/world.h"
#include "tests/runtime/file/place.h"

static struct bight_stream *stream_of(const char *name, int64_t offset)
{
    struct bight_stream *stream;
    struct bight_file *file;

    ck_ok(bight_file_open(&file, place_path(name), O_RDONLY, 0));
    ck_ok(bight_file_stream(&stream, file, offset));
    return stream;
}

static int lines(void *arg)
{
    char line[8], text[32];
    struct bight_stream *stream;

    (void)arg;
    place_put("a", "one\ntwo\r\n\nmuch too long\nlast");
    stream = stream_of("a", 0);
    ck_assert_str_eq(bight_stream_describe(stream, text, 5), "file");
    ck_assert_int_ge(bight_stream_fd(stream), 0);
    ck_assert_int_eq(bight_stream_read_line(stream, line, sizeof line), 3);
    ck_assert_str_eq(line, "one");
    ck_assert_int_eq(bight_stream_read_line(stream, line, sizeof line), 3);
    ck_assert_int_eq(bight_stream_read_line(stream, line, sizeof line), 0);
    ck_code((int)bight_stream_read_line(stream, line, sizeof line), BIGHT_ETOOBIG);
    ck_assert_int_eq(bight_stream_read_line(stream, line, sizeof line), 4);
    ck_assert_str_eq(line, "last");
    ck_code((int)bight_stream_read_line(stream, line, sizeof line), BIGHT_EOF);
    ck_code(bight_stream_write(stream, "x", 1), BIGHT_EBADF);
    ck_ok(bight_stream_end(stream, 0));
    return 0;
}

/* More than a chunk, from an offset on, into a pair. */
static int drain(void *arg)
{
    struct bight_stream *from = arg;
    char bytes[1000];
    int64_t count, sum = 0;

    while ((count = bight_stream_read(from, bytes, sizeof bytes)) > 0)
        sum += count;
    ck_assert_int_eq(count, 0);
    ck_assert_int_eq(sum, 300000 - 5);
    return 0;
}

static int copies(void *arg)
{
    struct bight_stream *stream, *left, *right;
    struct bight_task *task;
    FILE *file = fopen(place_path("a"), "we");

    (void)arg;
    ck_assert_ptr_nonnull(file);
    for (int i = 0; i < 30000; i++)
        fprintf(file, "%09d\n", i);
    fclose(file);
    ck_ok(bight_stream_pair(&left, &right, NULL));
    ck_ok(bight_spawn(&task, drain, right));
    stream = stream_of("a", 5);
    ck_assert_int_eq(bight_stream_copy(stream, left), 300000 - 5);
    ck_ok(bight_stream_end(stream, 0));
    ck_ok(bight_stream_end(left, 0));
    ck_ok(bight_join(task, NULL));
    ck_ok(bight_stream_end(right, 0));
    return 0;
}

/* The end of a file is not for ever. */
static int grows(void *arg)
{
    struct bight_stream *stream;
    char text[8] = "";
    int fd;

    (void)arg;
    place_put("a", "12");
    stream = stream_of("a", -1);
    ck_assert_int_eq(bight_stream_read(stream, text, 8), 2);
    ck_assert_int_eq(bight_stream_read(stream, text, 8), 0);
    fd = open(place_path("a"), O_WRONLY | O_APPEND | O_CLOEXEC);
    ck_assert_int_eq(write(fd, "345", 3), 3);
    close(fd);
    ck_assert_int_eq(bight_stream_read(stream, text, 8), 3);
    ck_assert_str_eq(text, "345");
    ck_ok(bight_stream_end(stream, 0));
    return 0;
}

static int read_one(void *arg)
{
    char byte;

    return (int)bight_stream_read(arg, &byte, 1);
}

/* A read that is cancelled takes nothing; an end does not wait for the thread. */
static int cancelled(void *arg)
{
    struct bight_stream *stream;
    struct bight_task *task;
    struct bight_file *file;
    int fds[2], status;
    char byte;

    (void)arg;
    ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0); /* a "file" whose read lasts until it is let go */
    ck_ok(bight_file_from_fd(&file, fds[0]));
    ck_ok(bight_file_stream(&stream, file, -1));
    ck_ok(bight_spawn(&task, read_one, stream));
    ck_ok(bight_yield());
    bight_task_cancel(task);
    ck_ok(bight_join(task, &status));
    ck_code(status, BIGHT_ECANCELED);
    ck_assert_int_eq(write(fds[1], "1", 1), 1);
    ck_assert_int_eq(bight_stream_read(stream, &byte, 1), 1);
    ck_assert_int_eq(byte, '1');
    ck_ok(bight_spawn(&task, read_one, stream));
    ck_ok(bight_yield());
    ck_ok(bight_stream_end(stream, 0));
    ck_ok(bight_join(task, &status));
    ck_code(status, BIGHT_ECLOSED);
    close(fds[1]); /* the thread comes back, and the runtime can end */
    return 0;
}

static int left_open(void *arg)
{
    struct bight_stream *stream;
    struct bight_task *task;

    (void)arg;
    place_put("a", "123");
    stream = stream_of("a", 0);
    ck_ok(bight_spawn(&task, read_one, stream));
    ck_ok(bight_yield());
    bight_task_cancel(task);
    return bight_join(task, NULL);
}

static const struct suite_case cases[] = {
    world_case(a_file_is_read_by_line, lines),
    world_case(a_file_is_copied_to_a_stream, copies),
    world_case(behind_the_end_a_read_asks_anew, grows),
    world_case(a_cancelled_read_takes_nothing, cancelled),
    world_case(the_runtime_closes_a_stream_with_a_request, left_open),
};

test_suite("file_stream", cases, .setup = place_make, .teardown = place_remove);
