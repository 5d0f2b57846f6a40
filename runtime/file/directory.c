/* Iterations as their users see them: what is in the batch is handed out, and when it is empty a
 * turn on a thread fills it again. */
#include <bight/directory.h>

#include <string.h>

#include "runtime/file/file.h"
#include "runtime/file/walk.h"

struct bight_directory {
    struct bight_link link; /* in the runtime's list */
    struct files *files;
    bool inside; /* a task waits for a turn */
    struct walk walk;
};

struct walk_turn {
    struct file_turn turn;
    struct walk *walk;
};

void bight__directory_free(struct bight_link *iteration)
{
    struct bight_directory *directory = container_of(iteration, struct bight_directory, link);

    bight__walk_fini(&directory->walk);
    bight__free(directory);
}

static int begin(struct bight_directory **out, const char *path,
                 const struct bight_directory_options *options, bool scan)
{
    struct bight_directory *directory;
    struct files *files;
    int rc = bight__files_get(&files);

    if (rc)
        return rc;
    directory = bight__alloc(bight__files_seams(files), sizeof(*directory));
    if (!directory)
        return BIGHT_ENOMEM;
    /* Not all of it: the batch is large. */
    memset(directory, 0, offsetof(struct bight_directory, walk.dirents));
    directory->files = files;
    directory->walk.seams = bight__files_seams(files);
    directory->walk.options = *options;
    directory->walk.scan = scan;
    rc = bight__walk_init(&directory->walk, path);
    if (rc) {
        bight__free(directory);
        return rc;
    }
    link_append(&files->iterations, &directory->link);
    bight__opened_note(files->runtime, &directory->link);
    *out = directory;
    return 0;
}

int bight_directory_walk(struct bight_directory **out, const char *path,
                         const struct bight_directory_options *options)
{
    const struct bight_directory_options defaults = {0};

    if (!out || !path)
        return BIGHT_EINVAL;
    return begin(out, path, options ? options : &defaults, false);
}

int bight_directory_scan(struct bight_directory **out, const char *path, unsigned flags)
{
    const struct bight_directory_options options = {.flags = flags};

    if (!out || !path)
        return BIGHT_EINVAL;
    return begin(out, path, &options, true);
}

static void fill(struct file_turn *turn)
{
    bight__walk_fill(container_of(turn, struct walk_turn, turn)->walk, &turn->stop);
}

/* Have a thread go on. */
static int go_on(struct bight_directory *directory)
{
    struct walk_turn turn;
    int rc;

    turn.walk = &directory->walk;
    directory->inside = true;
    rc = bight__file_turn(&turn.turn, directory->files, fill);
    directory->inside = false;
    return rc;
}

static int check(const struct bight_directory *directory)
{
    const struct bight_sched *sched = bight__sched;

    if (!sched || !sched->current)
        return BIGHT_ENOTASK;
    if (&directory->files->runtime->sched != sched)
        return BIGHT_EPERM;
    return 0;
}

int bight_directory_next(struct bight_directory *directory, struct bight_directory_entry *entry)
{
    struct walk *walk;
    int rc;

    if (!directory || !entry)
        return BIGHT_EINVAL;
    rc = check(directory);
    walk = &directory->walk;
    while (rc == 0 && (rc = bight_checkpoint()) == 0) {
        const struct bight_directory_entry *next;
        size_t bytes;

        if (directory->inside)
            return BIGHT_EBUSY;
        if (walk->batch_begin == walk->batch_end) {
            if (walk->over)
                return walk->rc;
            rc = go_on(directory);
            if (walk->batch_begin == walk->batch_end)
                continue; /* the end, or it was stopped */
        }
        next = (const void *)(walk->batch + walk->batch_begin);
        bytes = sizeof(*next) + next->path_bytes + 1;
        *entry = *next;
        walk->batch_begin += (bytes + 7) & ~(size_t)7;
        return 1;
    }
    return rc;
}

int bight_directory_end(struct bight_directory *directory)
{
    if (!directory)
        return 0;
    if (&directory->files->runtime->sched != bight__sched)
        return BIGHT_EPERM;
    if (directory->inside)
        return BIGHT_EBUSY;
    link_cut(&directory->link);
    bight__opened_forget(directory->files->runtime, &directory->link);
    bight__directory_free(&directory->link);
    return 0;
}
