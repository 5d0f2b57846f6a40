/* tail -F: what is appended to files, by name, however they are rotated. Prints the last lines of
 * each, and then what comes, until it is interrupted.
 *
 *     file_tail [-n LINES] FILE...
 *
 * One task per file watches the directory that the file is in, so the file may come later, be
 * renamed, removed and made again, or be cut short and written from its beginning (copytruncate).
 * A file that was renamed is read to its end before its successor, and on until the next rotation:
 * who writes may be slow to notice. Renames are followed, so that also a file is read that had the
 * name only between two looks.
 *
 * Lost is what nobody can have: bytes that are cut off before they were read (copytruncate loses
 * those itself that are written between its two steps), files that were removed or left the
 * directory before they were opened, and the beginning of a file that was cut short and is longer
 * than it was when it is looked at next. Nothing comes twice. */
#include <bight.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHUNK_BYTES ((size_t)64 << 10)
#define PATH_BYTES ((size_t)4096)
#define FOUND_MOST 1024
#define RETRY_MS 1000

/* Where all tasks write, one chunk at a time. */
struct output {
    struct bight_mutex mutex;
    struct bight_file *file;
    const char *last; /* whose bytes came last */
    bool titles;
};

struct part {
    struct bight_file *file; /* NULL: none */
    char path[PATH_BYTES];   /* what it is called now */
    struct bight_file_info info;
    int64_t offset;
};

struct tail {
    struct output *output;
    const char *path; /* as the user has it */
    char directory[PATH_BYTES];
    char name[PATH_BYTES]; /* in the directory, as events have it */
    int64_t lines;
    struct part now;           /* has the name, or had it last */
    struct part before;        /* had it before that */
    struct part next;          /* is being opened */
    struct bight_watch *watch; /* of the directory */
    /* Files that got the name and were not opened yet: what they are called now. */
    char (*found)[PATH_BYTES];
    size_t found_first, found_end;
    char *chunk;
};

static int put(struct output *output, const char *text)
{
    return bight_file_write(output->file, text, strlen(text));
}

static int put_title(struct output *output, const char *path)
{
    int rc = put(output, output->last ? "\n==> " : "==> ");

    output->last = path;
    rc = rc ? rc : put(output, path);
    return rc ? rc : put(output, " <==\n");
}

static int say(struct output *output, const char *path, const char *data, size_t bytes)
{
    int rc = bight_mutex_lock(&output->mutex);

    if (rc)
        return rc;
    if (output->titles && output->last != path)
        rc = put_title(output, path);
    if (rc == 0)
        rc = bight_file_write(output->file, data, bytes);
    bight_mutex_unlock(&output->mutex);
    return rc;
}

/* Parts */

static bool is_same(const struct part *part, const struct bight_file_info *info)
{
    return part->file && part->info.device == info->device && part->info.inode == info->inode;
}

static void part_end(struct part *part)
{
    if (part->file)
        (void)bight_file_end(part->file);
    part->file = NULL;
}

/* Print what there is from where it was left. */
static int part_read(struct tail *tail, struct part *part)
{
    int64_t count;
    int rc = part->file ? bight_file_fstat(part->file, &part->info) : 0;

    if (rc || !part->file)
        return rc;
    if ((int64_t)part->info.bytes < part->offset) {
        fprintf(stderr, "%s: the file was cut short\n", part->path);
        part->offset = 0;
    }
    while ((count = bight_file_read_at(part->file, tail->chunk, CHUNK_BYTES, part->offset)) > 0) {
        rc = say(tail->output, tail->path, tail->chunk, (size_t)count);
        if (rc)
            return rc;
        part->offset += count;
    }
    return (int)count;
}

/* Where the last `lines` lines begin. */
static int part_seek(struct tail *tail, struct part *part, int64_t lines)
{
    int64_t at = (int64_t)part->info.bytes;

    while (at > 0) {
        int64_t begin = at > (int64_t)CHUNK_BYTES ? at - (int64_t)CHUNK_BYTES : 0;
        int64_t count =
            bight_file_read_exactly_at(part->file, tail->chunk, (size_t)(at - begin), begin);

        if (count < 0)
            return (int)count;
        while (at > begin) {
            bool ends = tail->chunk[at - begin - 1] == '\n' && at < (int64_t)part->info.bytes;

            if (ends && lines-- <= 1) {
                part->offset = at;
                return 0;
            }
            at--;
        }
    }
    part->offset = 0;
    return 0;
}

/* Rotation */

/* A file has the name, or may have it. */
static void found(struct tail *tail)
{
    for (size_t i = tail->found_first; i < tail->found_end; i++) {
        if (strcmp(tail->found[i], tail->name) == 0)
            return;
    }
    if (tail->found_end < FOUND_MOST) /* else: rotated that often, and not read */
        strcpy(tail->found[tail->found_end++], tail->name);
}

static void moved(char *path, const struct bight_watch_event *event)
{
    if (strcmp(path, event->from) == 0 && strlen(event->path) < PATH_BYTES)
        strcpy(path, event->path);
}

static void note(struct tail *tail, const struct bight_watch_event *event)
{
    bool ours = strcmp(event->path, tail->name) == 0;

    if (event->kind == BIGHT_WATCH_RENAME) {
        for (size_t i = tail->found_first; i < tail->found_end; i++)
            moved(tail->found[i], event);
        moved(tail->now.path, event);
        moved(tail->before.path, event);
    }
    if (event->kind == BIGHT_WATCH_RESCAN ||
        (ours && event->kind & (BIGHT_WATCH_CREATE | BIGHT_WATCH_RENAME)))
        found(tail);
}

/* All that has happened until now. 0, also when the directory has gone. */
static int note_all(struct tail *tail)
{
    struct bight_watch_event event;
    int rc;

    while ((rc = bight_watch_try_next(tail->watch, &event)) > 0)
        note(tail, &event);
    return rc == BIGHT_EAGAIN ? 0 : rc;
}

/* Open the next that was found as tail->next. 1; 0: it is not there. Only when it has its path
 * still, after all that has happened until it was open, is it what had the name. */
static int open_next(struct tail *tail)
{
    struct part *next = &tail->next;
    int opened, rc;

    do {
        part_end(next);
        strcpy(next->path, tail->found[tail->found_first]);
        opened = bight_file_open(&next->file, next->path, O_RDONLY | O_NONBLOCK, 0);
        rc = note_all(tail);
        if (rc)
            return rc;
    } while (strcmp(next->path, tail->found[tail->found_first]) != 0);
    tail->found_first++;
    next->offset = 0;
    if (opened == BIGHT_ENOENT)
        return 0;
    rc = opened ? opened : bight_file_fstat(next->file, &next->info);
    return rc ? rc : 1;
}

/* The next that was found comes after those that are open. */
static int go_on(struct tail *tail, int64_t lines)
{
    struct part *next = &tail->next;
    int rc = open_next(tail);

    if (rc <= 0)
        return rc;
    rc = 0;
    if (is_same(&tail->before, &next->info)) /* it came back */
        next->offset = tail->before.offset;
    else if (lines >= 0)
        rc = part_seek(tail, next, lines);
    if (rc || is_same(&tail->now, &next->info)) {
        part_end(next);
        return rc;
    }
    rc = part_read(tail, &tail->now);
    part_end(&tail->before);
    tail->before = tail->now;
    tail->now = *next;
    next->file = NULL;
    return rc ? rc : part_read(tail, &tail->now);
}

/* All that is new. */
static int catch_up(struct tail *tail, int64_t lines)
{
    int rc = part_read(tail, &tail->before);

    rc = rc ? rc : part_read(tail, &tail->now);
    while (rc == 0 && tail->found_first < tail->found_end)
        rc = go_on(tail, lines);
    tail->found_first = tail->found_end = 0;
    return rc;
}

/* 1: something has happened; 0: the directory has gone; BIGHT_ETIMEDOUT. */
static int await_changes(struct tail *tail)
{
    struct bight_watch_event event;
    struct bight_scope scope;
    int rc = bight_scope_begin(&scope, RETRY_MS, 0);

    if (rc)
        return rc;
    rc = bight_watch_next(tail->watch, &event);
    if (rc > 0)
        note(tail, &event);
    rc = bight_scope_end(&scope, rc);
    if (rc <= 0)
        return rc;
    rc = note_all(tail);
    return rc ? rc : 1;
}

/* Whether the directory is still what was watched. One that was removed says so itself, but only
 * when nobody has a file open that was in it, and we have. */
static bool is_there(const struct tail *tail, const struct bight_file_info *directory)
{
    struct bight_file_info info;

    return bight_file_stat(tail->directory, &info) == 0 && info.device == directory->device &&
           info.inode == directory->inode;
}

/* Until the directory goes. */
static int follow(struct tail *tail, int64_t lines)
{
    struct bight_file_info directory;
    int rc = bight_file_stat(tail->directory, &directory);

    found(tail);
    while (rc >= 0 || rc == BIGHT_ETIMEDOUT) {
        bool quiet = rc == BIGHT_ETIMEDOUT;

        rc = catch_up(tail, lines);
        lines = -1;
        if (rc || (quiet && !is_there(tail, &directory)))
            return rc;
        rc = await_changes(tail);
        if (rc == 0)
            return catch_up(tail, -1);
    }
    return rc;
}

static int tail_file(struct tail *tail)
{
    const struct bight_watch_options options = {.kinds = BIGHT_WATCH_CREATE | BIGHT_WATCH_RENAME |
                                                         BIGHT_WATCH_MODIFY};
    int64_t lines = tail->lines;
    int rc;

    do {
        rc = bight_watch_open(&tail->watch, tail->directory, &options);
        if (rc == 0) {
            rc = follow(tail, lines);
            (void)bight_watch_end(tail->watch);
            lines = -1; /* from now on all that is there is new */
        }
        if (rc == 0 || rc == BIGHT_ENOENT)
            rc = bight_sleep(RETRY_MS); /* there is no directory */
    } while (rc == 0);
    return rc;
}

static int run(void *arg)
{
    struct tail *tail = arg;
    int rc = BIGHT_ENOMEM;

    tail->chunk = malloc(CHUNK_BYTES);
    tail->found = malloc(FOUND_MOST * sizeof(*tail->found));
    if (tail->chunk && tail->found)
        rc = tail_file(tail);
    if (rc && rc != BIGHT_ECANCELED)
        fprintf(stderr, "%s: %s\n", tail->path, bight_strerror(rc));
    part_end(&tail->now);
    part_end(&tail->before);
    part_end(&tail->next);
    free(tail->found);
    free(tail->chunk);
    return rc;
}

/* The command line */

struct command {
    struct output output;
    struct tail *tails;
    int count;
};

static int body(struct bight_group *group, void *arg)
{
    const struct command *command = arg;
    int rc = 0;

    for (int i = 0; i < command->count && rc == 0; i++)
        rc = bight_group_spawn(NULL, group, NULL, run, &command->tails[i]);
    return rc;
}

static int start(void *arg)
{
    struct command *command = arg;
    int rc = bight_file_from_fd(&command->output.file, dup(STDOUT_FILENO));

    if (rc)
        return rc;
    rc = bight_group_run(body, command);
    (void)bight_file_end(command->output.file);
    return rc;
}

static void split(struct tail *tail, const char *path)
{
    const char *slash = strrchr(path, '/');
    int bytes = slash ? (int)(slash - path) : 1;

    tail->path = path;
    snprintf(tail->directory, PATH_BYTES, "%.*s", bytes ? bytes : 1, slash ? path : ".");
    snprintf(tail->name, PATH_BYTES, slash ? "%s" : "./%s", path);
}

int main(int argc, char **argv)
{
    const struct bight_runtime_options options = {.interrupt_signal = SIGINT};
    struct command command = {.output.mutex = BIGHT_MUTEX_INIT};
    int first = argc > 2 && strcmp(argv[1], "-n") == 0 ? 3 : 1;
    int rc;

    command.count = argc - first;
    command.output.titles = command.count > 1;
    command.tails = command.count > 0 ? calloc((size_t)command.count, sizeof(*command.tails)) : 0;
    if (!command.tails) {
        fprintf(stderr, "usage: %s [-n LINES] FILE...\n", argv[0]);
        return 2;
    }
    for (int i = 0; i < command.count; i++) {
        command.tails[i].output = &command.output;
        command.tails[i].lines = first == 3 ? strtoll(argv[2], NULL, 10) : 10;
        split(&command.tails[i], argv[first + i]);
    }
    rc = bight_run_with(&options, start, &command);
    free(command.tails);
    if (rc == BIGHT_EINTR)
        return 0; /* that is how it ends */
    fprintf(stderr, "%s: %s\n", argv[0], bight_strerror(rc));
    return 1;
}
