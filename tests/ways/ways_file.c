/* See ways.h. Calls on files. The one thread of libuv's pool stands at a gate, so that the request
 * of a seat is queued behind. Calls that take a path have libuv copy it, and memory is forbidden
 * only to the others. */
#include "tests/ways/ways.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[32];
static uv_work_t gate;
static bool gate_left;

static const char *path_of(const char *name)
{
    static char paths[2][64];
    static int next;
    char *path = paths[next++ % 2];

    snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    return path;
}

static void stand_at_gate(uv_work_t *work)
{
    struct stage *stage = work->data;

    atomic_store(&stage->begun, true);
    while (sem_wait(&stage->finish))
        ;
}

static void leave_gate(uv_work_t *work, int status)
{
    (void)work;
    ck_assert_int_eq(status, 0);
    gate_left = true;
}

/* There is a file "f" of four bytes, open as stage->file, and a link "l" to it. The record of the
 * runtime has been made. */
static void file_open(struct stage *stage)
{
    setenv("UV_THREADPOOL_SIZE", "1", 1);
    strcpy(folder, "/tmp/bight-ways-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(bight_file_open(&stage->file, path_of("f"), O_RDWR | O_CREAT, 0644), 0);
    ck_assert_int_eq(bight_file_write(stage->file, "four", 4), 0);
    ck_assert_int_eq(lseek(bight_file_fd(stage->file), 0, SEEK_SET), 0);
    ck_assert_int_eq(symlink("f", path_of("l")), 0);
    ck_assert_int_eq(sem_init(&stage->finish, 0, 0), 0);
    gate.data = stage;
    gate_left = false;
    ck_assert_int_eq(uv_queue_work(bight_uv_loop(), &gate, stand_at_gate, leave_gate), 0);
    while (!atomic_load(&stage->begun))
        ck_assert_int_eq(bight_yield(), 0);
}

static void file_wake(struct stage *stage)
{
    sem_post(&stage->finish);
}

/* `made`: what a call that was given its turn has left behind. */
static void close_with(struct stage *stage, const char *made)
{
    static const char *const names[] = {"f", "l", "g"};

    file_wake(stage);
    while (!gate_left)
        ck_assert_int_eq(bight_yield(), 0);
    ck_assert_int_eq(bight_file_end(stage->file), 0);
    if (made)
        ck_assert_int_eq(access(path_of(made), F_OK), stage->taken ? 0 : -1);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        (void)!remove(path_of(names[i]));
    ck_assert_int_eq(rmdir(folder), 0);
    sem_destroy(&stage->finish);
}

static void file_close(struct stage *stage)
{
    close_with(stage, NULL);
}

static void made_close(struct stage *stage)
{
    close_with(stage, "g");
}

/* The position has moved by what was taken. */
static void position_close(struct stage *stage)
{
    ck_assert_int_eq(lseek(bight_file_fd(stage->file), 0, SEEK_CUR), stage->taken ? 4 : 0);
    file_close(stage);
}

static int end_file(void *file)
{
    return bight_file_end(file);
}

static int open_wait(struct seat *seat)
{
    struct bight_file *file;
    int rc = bight_file_open(&file, path_of("g"), O_RDWR | O_CREAT, 0644);

    (void)seat;
    return rc ? rc : bight_shield(-1, end_file, file);
}

/* call(seat) with these arguments; those that take no path take no memory. */
#define plain(name, ...)                                                                           \
    static int name##_wait(struct seat *seat)                                                      \
    {                                                                                              \
        seat->stage->no_memory = true;                                                             \
        return (int)bight_file_##name(seat->stage->file __VA_ARGS__);                              \
    }
#define by_path(name, ...)                                                                         \
    static int name##_wait(struct seat *seat)                                                      \
    {                                                                                              \
        (void)seat;                                                                                \
        return (int)bight_file_##name(__VA_ARGS__);                                                \
    }

static char text[64];
static struct bight_file_info info;
static struct bight_file_system file_system;

/* clang-format off */
plain(read, , text, 4) plain(read_at, , text, 4, 0) plain(read_exactly, , text, 4)
plain(read_exactly_at, , text, 4, 0) plain(write, , "more", 4) plain(write_at, , "more", 4, 0)
plain(fstat, , &info) plain(sync) plain(datasync) plain(truncate, , 2)
by_path(stat, path_of("f"), &info) by_path(lstat, path_of("f"), &info)
by_path(access, path_of("f"), F_OK) by_path(rename, path_of("l"), path_of("g"))
by_path(link, path_of("f"), path_of("g")) by_path(symlink, "f", path_of("g"))
by_path(readlink, path_of("l"), text, sizeof(text))
by_path(realpath, "/", text, sizeof(text)) by_path(unlink, path_of("l"))
by_path(chmod, path_of("f"), 0600) by_path(chown, path_of("f"), UINT32_MAX, UINT32_MAX)
by_path(utime, path_of("f"), 0, 0) by_path(copy, path_of("f"), path_of("g"), 0)
by_path(statfs, path_of("f"), &file_system)
    /* clang-format on */

    static int mkstemp_wait(struct seat *seat)
{
    char path[64];
    struct bight_file *file;
    int rc;

    (void)seat;
    strcpy(path, path_of("t-XXXXXX"));
    rc = bight_file_mkstemp(&file, path);
    if (rc)
        return rc;
    ck_assert_int_eq(unlink(path), 0);
    return bight_shield(-1, end_file, file);
}

/* What is ended is another file. */
static int end_wait(struct seat *seat)
{
    struct bight_file *file;

    (void)seat;
    ck_assert_int_eq(bight_file_from_fd(&file, dup(0)), 0);
    return bight_file_end(file);
}

/* Whole files */

static int load_wait(struct seat *seat)
{
    void *data;
    size_t bytes;
    int rc = bight_file_load(path_of("f"), &data, &bytes, 100);

    (void)seat;
    if (rc == 0)
        free(data);
    return rc;
}

static int save_wait(struct seat *seat)
{
    (void)seat;
    return bight_file_save(path_of("f"), "x", 1, 0644);
}

static int replace_wait(struct seat *seat)
{
    (void)seat;
    return bight_file_replace(path_of("g"), "x", 1, NULL);
}

/* Directories */

static int next_wait(struct seat *seat)
{
    struct bight_directory *walk;
    struct bight_directory_entry entry;
    int rc;

    ck_assert_int_eq(bight_directory_walk(&walk, folder, NULL), 0);
    (void)seat;
    rc = bight_directory_next(walk, &entry);
    ck_assert_int_eq(bight_directory_end(walk), 0);
    return rc;
}

static int make_wait(struct seat *seat)
{
    (void)seat;
    return bight_directory_make(path_of("g"), 0700);
}

static int make_all_wait(struct seat *seat)
{
    (void)seat;
    return bight_directory_make_all(path_of("g"), 0700);
}

static int mkdtemp_wait(struct seat *seat)
{
    char path[64];
    int rc;

    (void)seat;
    strcpy(path, path_of("t-XXXXXX"));
    rc = bight_directory_mkdtemp(path);
    if (rc == 0)
        ck_assert_int_eq(rmdir(path), 0);
    return rc;
}

static int remove_wait(struct seat *seat)
{
    (void)seat;
    return bight_directory_remove(path_of("f"));
}

static int directory_sync_wait(struct seat *seat)
{
    (void)seat;
    return bight_directory_sync(folder);
}

/* Watches */

static int watch_open_wait(struct seat *seat)
{
    struct bight_watch *watch;
    int rc = bight_watch_open(&watch, folder, NULL);

    (void)seat;
    return rc ? rc : bight_watch_end(watch);
}

static int watch_end_wait(struct seat *seat)
{
    return bight_watch_end(seat->stage->watch);
}

static void watched_file_open(struct stage *stage)
{
    ck_assert_int_eq(bight_watch_open(&stage->watch, "/", NULL), 0);
    file_open(stage);
}

static void watch_open(struct stage *stage)
{
    strcpy(folder, "/tmp/bight-ways-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(bight_watch_open(&stage->watch, folder, NULL), 0);
}

static int watch_next_wait(struct seat *seat)
{
    struct bight_watch_event event;

    return bight_watch_next(seat->stage->watch, &event);
}

static int watch_case_wait(struct seat *seat)
{
    struct bight_case cases[2];
    int rc;

    bight_case_watch(&cases[0], seat->stage->watch);
    bight_case_sleep(&cases[1], -1);
    rc = bight_select(cases, 2, 0);
    if (rc == 0)
        ck_assert_int_eq(cases[0].status, 0);
    return rc;
}

static void watch_wake(struct stage *stage)
{
    if (stage->given == 1)
        ck_assert_int_eq(mkdir(path_of("d"), 0700), 0);
}

/* A select has taken nothing. */
static void watch_close_with(struct stage *stage, bool left)
{
    struct bight_watch_event event;
    int rc = bight_watch_try_next(stage->watch, &event);

    ck_assert_int_eq(rc, left ? 1 : BIGHT_EAGAIN);
    ck_assert_int_eq(bight_watch_end(stage->watch), 0);
    (void)!rmdir(path_of("d"));
    ck_assert_int_eq(rmdir(folder), 0);
}

static void watch_close(struct stage *stage)
{
    watch_close_with(stage, stage->given && !stage->taken);
}

static void watch_case_close(struct stage *stage)
{
    watch_close_with(stage, stage->given);
}

/* call, seats, woken, lets_go, flags, open, wait, wake, leave, close */
#define row(name, woken, over)                                                                     \
    {                                                                                              \
        "bight_file_" #name, 1, woken, true, 0, file_open, name##_wait, file_wake, NULL, over      \
    }
static const struct way file_ways[] = {
    row(open, 0, made_close),
    row(mkstemp, 0, file_close),
    {"bight_file_end", 1, 0, false, 0, file_open, end_wait, file_wake, NULL, file_close},
    row(read, 4, position_close),
    row(read_at, 4, file_close),
    row(read_exactly, 0, position_close),
    row(read_exactly_at, 0, file_close),
    row(write, 0, position_close),
    row(write_at, 0, file_close),
    row(fstat, 0, file_close),
    row(sync, 0, file_close),
    row(datasync, 0, file_close),
    row(truncate, 0, file_close),
    row(stat, 0, file_close),
    row(lstat, 0, file_close),
    row(access, 0, file_close),
    row(rename, 0, made_close),
    row(link, 0, made_close),
    row(symlink, 0, made_close),
    row(readlink, 1, file_close),
    row(realpath, 1, file_close),
    row(unlink, 0, file_close),
    row(chmod, 0, file_close),
    row(chown, 0, file_close),
    row(utime, 0, file_close),
    row(copy, 0, made_close),
    row(statfs, 0, file_close),
    {"bight_file_load", 1, 0, true, WAY_HINT, file_open, load_wait, file_wake, NULL, file_close},
    {"bight_file_save", 1, 0, true, WAY_HINT, file_open, save_wait, file_wake, NULL, file_close},
    {"bight_file_replace", 1, 0, true, WAY_HINT, file_open, replace_wait, file_wake, NULL,
     made_close},
    {"bight_directory_next", 1, 1, true, 0, file_open, next_wait, file_wake, NULL, file_close},
    {"bight_directory_make", 1, 0, true, 0, file_open, make_wait, file_wake, NULL, made_close},
    {"bight_directory_make_all", 1, 0, true, 0, file_open, make_all_wait, file_wake, NULL,
     made_close},
    {"bight_directory_mkdtemp", 1, 0, true, 0, file_open, mkdtemp_wait, file_wake, NULL,
     file_close},
    {"bight_directory_remove", 1, -ENOTDIR, true, 0, file_open, remove_wait, file_wake, NULL,
     file_close},
    {"bight_directory_sync", 1, 0, true, WAY_HINT, file_open, directory_sync_wait, file_wake, NULL,
     file_close},
    {"bight_watch_open", 1, 0, true, 0, file_open, watch_open_wait, file_wake, NULL, file_close},
    {"bight_watch_next", 1, 1, true, WAY_HINT, watch_open, watch_next_wait, watch_wake, NULL,
     watch_close},
    {"bight_select", 1, 0, true, 0, watch_open, watch_case_wait, watch_wake, NULL,
     watch_case_close},
    {"bight_watch_end", 1, 0, false, 0, watched_file_open, watch_end_wait, file_wake, NULL,
     file_close},
};

const struct way_table file_way_table = {file_ways, sizeof(file_ways) / sizeof(file_ways[0])};
