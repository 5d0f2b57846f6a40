/* Open files: runtime/file/file.c, transfer.c and info.c. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/harness/world.h"
#include "tests/runtime/file/place.h"

static struct bight_file *opened(const char *name, int flags)
{
    struct bight_file *file;

    ck_ok(bight_file_open(&file, place_path(name), flags, 0644));
    return file;
}

static int reads_and_writes(void *arg)
{
    struct bight_file *file = opened("a", O_RDWR | O_CREAT);
    char text[16] = "";

    (void)arg;
    ck_assert(fcntl(bight_file_fd(file), F_GETFD) & FD_CLOEXEC);
    ck_ok(bight_file_write(file, "hello, ", 7));
    ck_ok(bight_file_write(file, "loop", 4));
    ck_assert_uint_eq(bight_file_last_moved(file), 4);
    ck_assert_int_eq(bight_file_read(file, text, 16), 0); /* the position is at the end */
    ck_assert_int_eq(bight_file_read_at(file, text, 16, 7), 4);
    ck_assert_str_eq(text, "loop");
    ck_ok(bight_file_write_at(file, "J", 1, 0));
    ck_ok(bight_file_write(file, "!", 1)); /* where it was */
    ck_ok(bight_file_end(file));
    ck_assert_str_eq(place_get("a"), "Jello, loop!");
    return 0;
}

static int reads_exactly(void *arg)
{
    char text[8] = "";
    struct bight_file *file;

    (void)arg;
    place_put("a", "0123456789");
    file = opened("a", O_RDONLY);
    ck_ok(bight_file_read_exactly(file, text, 4));
    ck_assert_str_eq(text, "0123");
    ck_ok(bight_file_read_exactly_at(file, text, 4, 6));
    ck_assert_str_eq(text, "6789");
    ck_code(bight_file_read_exactly_at(file, text, 4, 7), BIGHT_EOF);
    ck_assert_uint_eq(bight_file_last_moved(file), 3);
    ck_ok(bight_file_read_exactly(file, text, 6));
    ck_code(bight_file_read_exactly(file, text, 1), BIGHT_EOF);
    ck_assert_uint_eq(bight_file_last_moved(file), 0);
    ck_code(bight_file_write(file, "x", 1), BIGHT_EBADF);
    ck_ok(bight_file_read_exactly(file, NULL, 0));
    ck_assert_int_eq(bight_file_read(file, NULL, 0), 0);
    ck_ok(bight_file_end(file));
    return 0;
}

static int refuses(void *arg)
{
    struct bight_file *file;
    char text[8];

    (void)arg;
    ck_code(bight_file_open(&file, place_path("none"), O_RDONLY, 0), BIGHT_ENOENT);
    ck_code(bight_file_from_fd(&file, -1), BIGHT_EBADF);
    file = opened("a", O_RDWR | O_CREAT);
    ck_code((int)bight_file_read_at(file, text, 1, -1), BIGHT_EINVAL);
    ck_code(bight_file_read_exactly_at(file, text, 1, -1), BIGHT_EINVAL);
    ck_code(bight_file_write_at(file, "", 1, -1), BIGHT_EINVAL);
    ck_code(bight_file_truncate(file, -1), BIGHT_EINVAL);
    ck_ok(bight_file_end(file));
    return 0;
}

static int tells(void *arg)
{
    struct bight_file_info info, by_path;
    struct bight_file *file;
    struct stat is;

    (void)arg;
    place_put("a", "0123456789");
    ck_assert_int_eq(chmod(place_path("a"), 0640), 0);
    ck_assert_int_eq(symlink("a", place_path("link")), 0);
    file = opened("a", O_RDWR);
    ck_ok(bight_file_fstat(file, &info));
    ck_assert_int_eq(fstat(bight_file_fd(file), &is), 0);
    ck_assert_int_eq(info.type, BIGHT_FILE_REGULAR);
    ck_assert_uint_eq(info.mode, 0640);
    ck_assert_uint_eq(info.bytes, 10);
    ck_assert_uint_eq(info.uid, is.st_uid);
    ck_assert_uint_eq(info.gid, is.st_gid);
    ck_assert_uint_eq(info.inode, is.st_ino);
    ck_assert_uint_eq(info.device, is.st_dev);
    ck_assert_uint_eq(info.links, 1);
    ck_assert_uint_eq(info.allocated_bytes, (uint64_t)is.st_blocks * 512);
    ck_assert_int_eq(info.modified_ns, is.st_mtim.tv_sec * 1000000000 + is.st_mtim.tv_nsec);
    ck_ok(bight_file_stat(place_path("link"), &by_path));
    ck_assert_mem_eq(&info, &by_path, sizeof info);
    ck_ok(bight_file_lstat(place_path("link"), &by_path));
    ck_assert_int_eq(by_path.type, BIGHT_FILE_SYMLINK);
    ck_code(bight_file_stat(place_path("none"), &info), BIGHT_ENOENT);
    ck_ok(bight_file_truncate(file, 3));
    ck_ok(bight_file_datasync(file));
    ck_ok(bight_file_sync(file));
    ck_ok(bight_file_end(file));
    ck_assert_str_eq(place_get("a"), "012");
    ck_ok(bight_file_stat("/dev/null", &info));
    ck_assert_int_eq(info.type, BIGHT_FILE_CHARACTER);
    ck_assert_uint_ne(info.special_device, 0);
    return 0;
}

static int makes_temporary(void *arg)
{
    struct bight_file *file;
    char path[PLACE_PATH_BYTES];

    (void)arg;
    strcpy(path, place_path("x-XXXXXX"));
    ck_ok(bight_file_mkstemp(&file, path));
    ck_assert(!strstr(path, "XXXXXX"));
    ck_assert(fcntl(bight_file_fd(file), F_GETFD) & FD_CLOEXEC);
    ck_ok(bight_file_write(file, "x", 1));
    ck_ok(bight_file_end(file));
    ck_assert_int_eq(access(path, R_OK), 0);
    strcpy(path, place_path("x-XXXX"));
    ck_code(bight_file_mkstemp(&file, path), BIGHT_EINVAL);
    return 0;
}

/* More than one step takes. */
static int writes_much(void *arg)
{
    const size_t bytes = (size_t)40 << 20;
    struct bight_file *file = opened("a", O_RDWR | O_CREAT);
    char *much = malloc(bytes), *back = calloc(1, bytes);

    (void)arg;
    ck_assert(much && back);
    for (size_t i = 0; i < bytes; i++)
        much[i] = (char)(i * 2654435761u >> 24);
    ck_ok(bight_file_write(file, much, bytes));
    ck_ok(bight_file_read_exactly_at(file, back, bytes, 0));
    ck_assert(memcmp(much, back, bytes) == 0);
    ck_assert_uint_eq(bight_file_last_moved(file), bytes);
    ck_ok(bight_file_end(file));
    free(much);
    free(back);
    return 0;
}

struct reader {
    struct bight_file *file;
    int64_t count;
};

static int read_pipe(void *arg)
{
    struct reader *reader = arg;
    char byte;

    reader->count = bight_file_read(reader->file, &byte, 1);
    return 0;
}

static int end_file(void *arg)
{
    return bight_file_end(arg);
}

/* The end waits for a read that a thread is at, and later calls are told. */
static int end_waits(void *arg)
{
    struct reader reader;
    struct bight_task *reads, *ends;
    char byte;
    int fds[2];

    (void)arg;
    ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
    ck_ok(bight_file_from_fd(&reader.file, fds[0]));
    ck_ok(bight_spawn(&reads, read_pipe, &reader));
    ck_ok(bight_yield());
    ck_ok(bight_spawn(&ends, end_file, reader.file));
    ck_ok(bight_yield());
    ck_code((int)bight_file_read(reader.file, &byte, 1), BIGHT_ECLOSED);
    ck_code(bight_file_end(reader.file), BIGHT_EALREADY);
    ck_assert_int_eq(write(fds[1], "x", 1), 1);
    ck_ok(bight_join(reads, NULL));
    ck_assert_int_eq(reader.count, 1);
    ck_ok(bight_join(ends, NULL));
    close(fds[1]);
    return 0;
}

static int leave_open(void *arg)
{
    (void)arg;
    (void)opened("a", O_RDONLY | O_CREAT);
    return 0;
}

static int end_in_cancelled_scope(void *arg)
{
    struct bight_file *file = opened("a", O_RDWR | O_CREAT);
    struct bight_file_info info;
    struct bight_scope scope;

    (void)arg;
    ck_ok(bight_scope_begin(&scope, -1, 0));
    bight_scope_cancel(&scope);
    ck_code(bight_file_fstat(file, &info), BIGHT_ECANCELED);
    ck_code(bight_file_write(file, "x", 1), BIGHT_ECANCELED);
    ck_code(bight_file_open(&(struct bight_file *){NULL}, place_path("b"), O_CREAT, 0644),
            BIGHT_ECANCELED);
    ck_ok(bight_file_end(file));
    ck_ok(bight_scope_end(&scope, BIGHT_ECANCELED));
    ck_assert_int_eq(access(place_path("b"), F_OK), -1);
    return 0;
}

static void outside_of_tasks(void)
{
    struct bight_file_info info;
    struct bight_file *file;

    ck_code(bight_file_open(&file, "/", O_RDONLY, 0), BIGHT_ENOTASK);
    ck_code(bight_file_stat("/", &info), BIGHT_ENOTASK);
    ck_code(bight_file_utime("/", 0, 0), BIGHT_ENOTASK);
    ck_code(bight_file_from_fd(&file, 0), BIGHT_ENORUNTIME);
}

static const struct suite_case cases[] = {
    world_case(what_is_written_is_read, reads_and_writes),
    world_case(exactly_is_exactly_or_says_how_much, reads_exactly),
    world_case(bad_arguments_and_absent_files_are_refused, refuses),
    world_case(information_is_the_systems, tells),
    world_case(a_temporary_file_has_a_name_of_its_own, makes_temporary),
    world_case(much_goes_in_steps, writes_much),
    world_case(an_end_waits_for_a_thread, end_waits),
    world_case(the_runtime_closes_what_is_left_open, leave_open),
    world_case(a_cancelled_scope_does_not_keep_a_file_open, end_in_cancelled_scope),
    plain_case(outside_of_tasks),
};

test_suite("file", cases, .setup = place_make, .teardown = place_remove);
