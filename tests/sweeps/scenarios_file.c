/* Scenarios of files. Each has a folder of its own, which is empty again when the program has ended
 * whatever it had begun. See scenarios.h. */
#include "tests/sweeps/scenarios.h"

#include <bight.h>
#include <check.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[32];

static const char *path_of(const char *name)
{
    static char paths[2][64];
    static int next;
    char *path = paths[next++ % 2];

    snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    return path;
}

static int remove_one(const char *path, const struct stat *info, int what, struct FTW *walk)
{
    (void)info, (void)what, (void)walk;
    return remove(path);
}

static int in_folder(int (*fn)(void))
{
    int rc;

    setenv("UV_THREADPOOL_SIZE", "1", 1); /* each thread that allocates maps memory for good */
    strcpy(folder, "/tmp/bight-sweep-XXXXXX");
    EXPECT(mkdtemp(folder));
    rc = fn();
    EXPECT(nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS) == 0);
    return rc;
}

static int use(struct bight_file *file)
{
    struct bight_file_info info;
    char text[8];
    int rc = bight_file_write(file, "four", 4);

    rc = rc ? rc : bight_file_write_at(file, "more", 4, 4);
    rc = rc ? rc : bight_file_read_exactly_at(file, text, 8, 0);
    rc = rc ? rc : bight_file_fstat(file, &info);
    rc = rc ? rc : bight_file_truncate(file, 2);
    rc = rc ? rc : bight_file_datasync(file);
    return rc ? rc : bight_file_sync(file);
}

static int end_after(struct bight_file *file, int rc)
{
    int ended = bight_file_end(file);

    return rc ? rc : ended;
}

static int open_files(void)
{
    struct bight_file *file;
    char path[64];
    int rc = bight_file_open(&file, path_of("a"), O_RDWR | O_CREAT, 0600);

    if (rc == 0)
        rc = end_after(file, use(file));
    if (rc)
        return rc;
    strcpy(path, path_of("b-XXXXXX"));
    rc = bight_file_mkstemp(&file, path);
    return rc ? rc : end_after(file, 0);
}

static int read_byte(void *file)
{
    char byte;

    scenario_balance--;
    return bight_file_read_exactly(file, &byte, 1);
}

/* An end that has to wait for a thread. */
static int end_of_pipe(void)
{
    struct bight_file *file;
    struct bight_task *reader;
    int fds[2], rc, ended;

    EXPECT(pipe2(fds, O_CLOEXEC) == 0);
    rc = bight_file_from_fd(&file, fds[0]);
    if (rc) {
        close(fds[0]);
        close(fds[1]);
        return rc;
    }
    rc = scenario_spawn(NULL, &reader, "reads", read_byte, file);
    if (rc == 0) {
        rc = bight_yield();
        if (rc)
            (void)bight_task_cancel(reader); /* it has not begun, and the file goes */
        EXPECT(write(fds[1], "x", 1) == 1);
        ended = bight_file_end(file);
        rc = rc ? rc : ended;
        ended = bight_join(reader, NULL);
        if (ended)
            bight_task_detach(reader);
        rc = rc ? rc : ended;
    } else {
        (void)bight_file_end(file);
    }
    close(fds[1]);
    return rc;
}

int scenario_files(void *arg)
{
    (void)arg;
    return in_folder(open_files);
}

int scenario_file_end(void *arg)
{
    (void)arg;
    return end_of_pipe();
}

static int by_path(void)
{
    struct bight_file_system system;
    struct bight_file_info info;
    char text[64];
    int fd = open(path_of("a"), O_RDWR | O_CREAT | O_CLOEXEC, 0600), rc;

    EXPECT(fd >= 0);
    close(fd);
    rc = bight_file_rename(path_of("a"), path_of("b"));
    rc = rc ? rc : bight_file_link(path_of("b"), path_of("c"));
    rc = rc ? rc : bight_file_symlink("c", path_of("d"));
    rc = rc ? rc : bight_file_stat(path_of("d"), &info);
    rc = rc ? rc : bight_file_lstat(path_of("d"), &info);
    rc = rc ? rc : bight_file_access(path_of("d"), R_OK);
    rc = rc < 0 ? rc : (int)bight_file_readlink(path_of("d"), text, sizeof text);
    rc = rc < 0 ? rc : (int)bight_file_realpath(path_of("d"), text, sizeof text);
    rc = rc < 0 ? rc : bight_file_chmod(path_of("b"), 0644);
    rc = rc ? rc : bight_file_chown(path_of("b"), UINT32_MAX, UINT32_MAX);
    rc = rc ? rc : bight_file_utime(path_of("b"), 1, 2);
    rc = rc ? rc : bight_file_copy(path_of("b"), path_of("e"), 0);
    rc = rc ? rc : bight_file_statfs(path_of("b"), &system);
    return rc ? rc : bight_file_unlink(path_of("b"));
}

int scenario_paths(void *arg)
{
    (void)arg;
    return in_folder(by_path);
}

/* What is at "a" is whole, and nothing is beside it. */
static int check_whole(void)
{
    char text[8] = "";
    int fd = open(path_of("a"), O_RDONLY | O_CLOEXEC);

    EXPECT(fd >= 0 && read(fd, text, sizeof text) == 3);
    close(fd);
    EXPECT(unlink(path_of("a")) == 0);
    EXPECT(rmdir(folder) == 0 && mkdir(folder, 0700) == 0);
    return memcmp(text, "old", 3) == 0 || memcmp(text, "new", 3) == 0;
}

static int whole_files(void)
{
    const struct bight_file_replace_options keep = {.keep_mode = true, .keep_owner = true};
    void *data;
    size_t bytes;
    int fd = open(path_of("a"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600), rc;

    EXPECT(fd >= 0 && write(fd, "old", 3) == 3);
    close(fd);
    rc = bight_file_replace(path_of("a"), "new", 3, &keep);
    EXPECT(check_whole());
    rc = rc ? rc : bight_file_save(path_of("b"), "text", 4, 0600);
    rc = rc ? rc : bight_file_load("/proc/self/maps", &data, &bytes, SIZE_MAX);
    if (rc == 0)
        free(data);
    return rc;
}

int scenario_whole_files(void *arg)
{
    (void)arg;
    return in_folder(whole_files);
}

static int lines_of(struct bight_stream *stream)
{
    char line[64];
    int64_t count;

    while ((count = bight_stream_read_line(stream, line, sizeof line)) >= 0)
        ;
    return count == BIGHT_EOF ? 0 : (int)count;
}

static int lines(void)
{
    struct bight_file *file;
    struct bight_stream *stream;
    int fd = open(path_of("a"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600), rc;

    EXPECT(fd >= 0 && write(fd, "one\ntwo\n", 8) == 8);
    close(fd);
    rc = bight_file_open(&file, path_of("a"), O_RDONLY, 0);
    if (rc)
        return rc;
    rc = bight_file_stream(&stream, file, 0);
    if (rc)
        return end_after(file, rc);
    rc = lines_of(stream);
    EXPECT(bight_stream_end(stream, 0) == 0);
    return rc;
}

int scenario_file_lines(void *arg)
{
    (void)arg;
    return in_folder(lines);
}

static int see(struct bight_directory *directory)
{
    struct bight_directory_entry entry;
    int rc, error = 0;

    while ((rc = bight_directory_next(directory, &entry)) > 0)
        error = error ? error : entry.error;
    return rc ? rc : error;
}

static int see_tree(unsigned flags)
{
    const struct bight_directory_options options = {.flags = flags};
    struct bight_directory *directory;
    int rc = bight_directory_walk(&directory, folder, &options);

    if (rc)
        return rc;
    rc = see(directory);
    EXPECT(bight_directory_end(directory) == 0);
    return rc;
}

/* So deep that directories are closed and opened again, and more are kept than there was room. */
static int trees(void)
{
    char path[256];
    struct bight_directory *directory;
    int rc;

    strcpy(path, path_of("d-XXXXXX"));
    rc = bight_directory_mkdtemp(path);
    rc = rc ? rc : bight_directory_remove(path);
    rc = rc ? rc : bight_directory_make(path_of("a"), 0700);
    snprintf(path, sizeof path, "%s/a/1/2/3/4/5/6/7/8/9/a/b/c/d/e/f/10", folder);
    rc = rc ? rc : bight_directory_make_all(path, 0700);
    EXPECT(rc || symlink("nowhere", path_of("l")) == 0);
    rc = rc ? rc : bight_directory_sync(folder);
    rc = rc ? rc : see_tree(BIGHT_DIRECTORY_BOTH);
    rc = rc ? rc : see_tree(BIGHT_DIRECTORY_FOLLOW | BIGHT_DIRECTORY_NAMES);
    rc = rc ? rc : bight_directory_scan(&directory, folder, 0);
    if (rc)
        return rc;
    rc = see(directory); /* left to the runtime */
    return rc;
}

int scenario_trees(void *arg)
{
    (void)arg;
    return in_folder(trees);
}

/* Until "end" is there. */
static int see_changes(struct bight_watch *watch)
{
    struct bight_watch_event event;
    struct bight_case one;
    int rc;

    bight_case_watch(&one, watch);
    rc = bight_select(&one, 1, 0);
    rc = rc ? rc : one.status;
    if (rc)
        return rc;
    while ((rc = bight_watch_next(watch, &event)) > 0) {
        if (event.error)
            return event.error;
        if (strcmp(event.path, path_of("in/end")) == 0)
            return 0;
    }
    EXPECT(rc); /* it is not over */
    return rc;
}

/* And then nothing. */
static int see_none(void *watch)
{
    struct bight_watch_event event;
    int rc;

    do {
        rc = bight_watch_next(watch, &event);
    } while (rc > 0);
    return rc;
}

/* Directories that come, move and go. */
static int change_watched(void)
{
    int rc = bight_directory_make_all(path_of("in/a/b"), 0700);

    rc = rc ? rc : bight_file_rename(path_of("in/a"), path_of("in/c"));
    rc = rc ? rc : bight_file_rename(path_of("in/c"), path_of("out/c"));
    rc = rc ? rc : bight_file_rename(path_of("in/was/x"), path_of("out/x"));
    rc = rc ? rc : bight_file_rename(path_of("in/was"), path_of("in/is"));
    return rc ? rc : bight_file_save(path_of("in/end"), "x", 1, 0600);
}

static int watches(void)
{
    const struct bight_watch_options options = {.flags = BIGHT_WATCH_RECURSIVE};
    const struct bight_watch_options existing = {.flags = BIGHT_WATCH_EXISTING};
    struct bight_watch *watch, *left;
    int rc = bight_directory_make_all(path_of("in/was/x"), 0700);

    rc = rc ? rc : bight_directory_make(path_of("out"), 0700);
    rc = rc ? rc : bight_watch_open(&left, path_of("in"), &existing); /* to the runtime */
    rc = rc ? rc : bight_watch_open(&watch, path_of("in"), &options);
    if (rc)
        return rc;
    rc = change_watched();
    rc = rc ? rc : see_changes(watch);
    rc = rc ? rc : bight_timeout(1, see_none, watch);
    rc = rc == BIGHT_ETIMEDOUT ? 0 : rc;
    EXPECT(bight_watch_end(watch) == 0);
    return rc;
}

int scenario_watches(void *arg)
{
    (void)arg;
    return in_folder(watches);
}
