/* Files, against raw uv_fs: one positional read of an open, warm file; and a walk over a tree that
 * prints each size, against find(1). Wall time, since threads and processes do the work. */
#include "bench/run.h"

#include <fcntl.h>
#include <ftw.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bight/directory.h>
#include <uv.h>

extern char **environ;

static char folder[] = "/tmp/bight-bench-XXXXXX";

/* Reads */

struct reads {
    size_t bytes;
    int fd;
    char *buffer;
    uint64_t left;
    double us;
};

static void reads_open(void *arg)
{
    struct reads *reads = arg;
    FILE *file = tmpfile();

    bench_check(file ? 0 : BIGHT_EIO, "tmpfile");
    reads->buffer = calloc(1, reads->bytes);
    bench_check(reads->buffer ? 0 : BIGHT_ENOMEM, "buffer");
    reads->fd = dup(fileno(file));
    fclose(file);
    bench_check(
        pwrite(reads->fd, reads->buffer, reads->bytes, 0) == (ssize_t)reads->bytes ? 0 : BIGHT_EIO,
        "pwrite");
}

static void reads_close(void *arg)
{
    struct reads *reads = arg;

    close(reads->fd);
    free(reads->buffer);
}

static int reads_main(void *arg)
{
    struct reads *reads = arg;
    uint64_t operations = reads->left, begin;
    struct bight_file *file;

    bench_check(bight_file_from_fd(&file, dup(reads->fd)), "file");
    bench_check(bight_file_read_exactly_at(file, reads->buffer, reads->bytes, 0), "first read");
    begin = bench_wall_begin();
    for (; reads->left; reads->left--)
        if (bight_file_read_at(file, reads->buffer, reads->bytes, 0) != (int64_t)reads->bytes)
            return BIGHT_EIO;
    reads->us = bench_wall_end(begin, operations) / 1000;
    return bight_file_end(file);
}

static double reads_ours(void *arg, uint64_t operations)
{
    struct reads *reads = arg;

    reads->left = operations;
    bench_run(reads_main, reads);
    return reads->us;
}

static void read_next(uv_fs_t *req)
{
    struct reads *reads = req->data;
    uv_buf_t part = uv_buf_init(reads->buffer, (unsigned)reads->bytes);

    bench_check(req->result == (ssize_t)reads->bytes ? 0 : BIGHT_EIO, "read");
    uv_fs_req_cleanup(req);
    if (reads->left-- == 0)
        return;
    bench_check(uv_fs_read(req->loop, req, reads->fd, &part, 1, 0, read_next), "uv_fs_read");
}

static double reads_raw(void *arg, uint64_t operations)
{
    struct reads *reads = arg;
    uv_buf_t part = uv_buf_init(reads->buffer, (unsigned)reads->bytes);
    uv_fs_t req = {.data = reads};
    uv_loop_t loop;
    uint64_t begin;
    double us;

    bench_check(uv_loop_init(&loop), "loop");
    bench_check(uv_fs_read(&loop, &req, reads->fd, &part, 1, 0, NULL) < 0 ? BIGHT_EIO : 0, "read");
    uv_fs_req_cleanup(&req);
    reads->left = operations - 1;
    begin = bench_wall_begin();
    bench_check(uv_fs_read(&loop, &req, reads->fd, &part, 1, 0, read_next), "uv_fs_read");
    uv_run(&loop, UV_RUN_DEFAULT);
    us = bench_wall_end(begin, operations) / 1000;
    bench_check(uv_loop_close(&loop), "close");
    return us;
}

/* Walks */

struct walks {
    uint64_t walks;
    int out; /* where the sizes go */
    double ms;
};

static void make(const char *path, size_t bytes)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

    bench_check(fd < 0 || ftruncate(fd, (off_t)bytes) || close(fd) ? BIGHT_EIO : 0, "file");
}

static int print_size(struct bight_directory *walk, FILE *out)
{
    struct bight_directory_entry entry;
    int rc;

    while ((rc = bight_directory_next(walk, &entry)) > 0) {
        bench_check(entry.error, "entry");
        fprintf(out, "%llu\n", (unsigned long long)entry.info.bytes);
    }
    return rc;
}

static int walk_main(void *arg)
{
    struct walks *walks = arg;
    uint64_t begin = bench_wall_begin();

    for (uint64_t i = 0; i < walks->walks; i++) {
        FILE *out = fdopen(dup(walks->out), "w");
        struct bight_directory *walk;

        bench_check(out ? 0 : BIGHT_EIO, "out");
        bench_check(bight_directory_walk(&walk, folder, NULL), "walk");
        bench_check(print_size(walk, out), "next");
        bench_check(bight_directory_end(walk), "end");
        bench_check(fclose(out) ? BIGHT_EIO : 0, "close");
    }
    walks->ms = bench_wall_end(begin, walks->walks) / 1e6;
    return 0;
}

static void find(int out)
{
    char *const words[] = {"find", folder, "-printf", "%s\\n", NULL};
    posix_spawn_file_actions_t actions;
    int status;
    pid_t pid;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, out, 1);
    bench_check(posix_spawnp(&pid, words[0], &actions, NULL, words, environ), "find");
    posix_spawn_file_actions_destroy(&actions);
    bench_check(waitpid(pid, &status, 0) != pid || status ? BIGHT_EIO : 0, "find");
}

static double walks_ours(void *arg, uint64_t operations)
{
    struct walks *walks = arg;

    walks->walks = operations;
    bench_run(walk_main, walks);
    return walks->ms;
}

static double walks_find(void *arg, uint64_t operations)
{
    struct walks *walks = arg;
    uint64_t begin = bench_wall_begin();

    for (uint64_t i = 0; i < operations; i++)
        find(walks->out);
    return bench_wall_end(begin, operations) / 1e6;
}

static int by_text(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

/* The lines of the file `fd` in alphabetical order: that of the trees need not be the same. They
 * are in *memory. */
static char **lines_of(int fd, char **memory, size_t *count)
{
    off_t bytes = lseek(fd, 0, SEEK_END);
    char *text = calloc(1, (size_t)bytes + 1), **lines, *rest = NULL;

    bench_check(text && pread(fd, text, (size_t)bytes, 0) == bytes ? 0 : BIGHT_EIO, "output");
    lines = calloc((size_t)bytes, sizeof(*lines));
    bench_check(lines ? 0 : BIGHT_ENOMEM, "lines");
    *memory = text;
    *count = 0;
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        lines[(*count)++] = line;
    qsort(lines, *count, sizeof(*lines), by_text);
    return lines;
}

static void compare(size_t entries)
{
    FILE *files[2] = {tmpfile(), tmpfile()};
    struct walks walks = {.walks = 1};
    size_t counts[2];
    char **lines[2], *memory[2];

    bench_check(files[0] && files[1] ? 0 : BIGHT_EIO, "tmpfile");
    walks.out = fileno(files[0]);
    bench_run(walk_main, &walks);
    find(fileno(files[1]));
    for (int i = 0; i < 2; i++)
        lines[i] = lines_of(fileno(files[i]), &memory[i], &counts[i]);
    bench_check(counts[0] == entries && counts[1] == entries ? 0 : BIGHT_EIO, "count");
    for (size_t i = 0; i < entries; i++)
        bench_check(strcmp(lines[0][i], lines[1][i]) ? BIGHT_EIO : 0, "output is not find's");
    for (int i = 0; i < 2; i++) {
        free(memory[i]);
        free(lines[i]);
        fclose(files[i]);
    }
}

/* The path of entry number `i`: each hundred has a directory, as its first entry; the first 32 of
 * these are in the folder, the others in one of them. */
static bool name(char *path, size_t path_bytes, size_t i)
{
    size_t group = i / 100;
    bool directory = i == 1 || i % 100 == 0;
    int length = group < 32 ? snprintf(path, path_bytes, "%s/%02zu", folder, group)
                            : snprintf(path, path_bytes, "%s/%02zu/%zu", folder, group % 32, group);

    if (!directory)
        snprintf(path + length, path_bytes - (size_t)length, "/file-%zu", i);
    return directory;
}

static void walks_open(void *arg)
{
    struct walks *walks = arg;
    const char *asked = getenv("WALK_ENTRIES");
    size_t entries = asked ? strtoul(asked, NULL, 10) : 100000;
    char path[128];

    bench_check(mkdtemp(folder) ? 0 : BIGHT_EIO, "mkdtemp");
    for (size_t i = 1; i < entries; i++) {
        if (name(path, sizeof path, i))
            bench_check(mkdir(path, 0755) ? BIGHT_EIO : 0, "mkdir");
        else
            make(path, i);
    }
    walks->out = open("/dev/null", O_WRONLY | O_CLOEXEC);
    compare(entries);
}

static int remove_one(const char *path, const struct stat *info, int what, struct FTW *walk)
{
    (void)info, (void)what, (void)walk;
    return remove(path);
}

static void walks_close(void *arg)
{
    struct walks *walks = arg;

    close(walks->out);
    bench_check(nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS), "remove");
    memset(folder + strlen(folder) - 6, 'X', 6);
}

static struct reads read_4k = {.bytes = 4096}, read_1m = {.bytes = (size_t)1 << 20};
static struct walks walk_100000;

static const struct bench_row rows[] = {
    {"file_read_4k", "us", "uv_fs_read", reads_ours, reads_raw, &read_4k, .operations = 5000,
     .open = reads_open, .close = reads_close},
    {"file_read_1m", "us", "uv_fs_read", reads_ours, reads_raw, &read_1m, .operations = 1000,
     .open = reads_open, .close = reads_close},
    {"walk_100000", "ms", "find", walks_ours, walks_find, &walk_100000, .operations = 1,
     .open = walks_open, .close = walks_close},
};

int main(int argc, char **argv)
{
    return bench_main(argc, argv, rows, sizeof rows / sizeof *rows);
}
