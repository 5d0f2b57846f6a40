/* What a thread does for a watch: goes through directories and has the kernel watch each before it
 * is read, so that what comes into it later is told and what was there before is found; takes
 * watches away; and passes the fence of a rename. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/file/watch.h"

/* How long to wait where there is no fence. */
#define NO_FENCE_MS 20

static bool has_gone(int rc)
{
    return rc == BIGHT_ENOENT || rc == -ENOTDIR;
}

/* Have a record of a failure at a path so long in store, before there is one. Not inlined: it
 * seldom does anything. */
static __attribute__((noinline)) int spare_reserve(struct bight_watch *watch, size_t path_bytes)
{
    if (watch->spare && watch->spare->room > path_bytes)
        return 0;
    bight__free(watch->spare);
    watch->spare = bight__alloc(watch->seams, sizeof(*watch->spare) + 2 * path_bytes + 1);
    if (!watch->spare)
        return BIGHT_ENOMEM;
    watch->spare->room = 2 * path_bytes + 1;
    return 0;
}

/* The directory at `path` is not watched because of `error`. */
static void note_failure(struct bight_watch *watch, const char *path, size_t path_bytes, int error)
{
    struct watch_failure *failure;

    if (has_gone(error))
        return;
    if (error == -ELOOP) {
        watch->overflown |= !watch->entire; /* a mount that closes a circle */
        return;
    }
    if (!watch->fatal && (error == BIGHT_ENOMEM || error == -ENOSPC))
        watch->fatal = error;
    if (spare_reserve(watch, path_bytes)) {
        watch->overflown = true;
        return;
    }
    failure = watch->spare;
    watch->spare = NULL;
    failure->error = error;
    memcpy(failure->path, path, path_bytes);
    failure->path[path_bytes] = '\0';
    link_append(&watch->failures, &failure->link);
}

/* The directory that the entry is in; NULL: the entry is the root, or it is not known. */
static struct watch_node *parent_of(struct bight_watch *watch,
                                    const struct bight_directory_entry *entry)
{
    struct watch_node *node = watch->base_parent;
    const char *at = entry->path + watch->base_bytes, *end = entry->name;

    if (!entry->depth)
        return node;
    node = watch->base;
    while (node && at < end) {
        const char *slash = memchr(at, '/', (size_t)(end - at));
        const char *stop = slash ? slash : end;

        if (stop > at)
            node = bight__watch_by_place(watch, node, at, (size_t)(stop - at), true);
        at = stop + 1;
    }
    return node;
}

static int watch_add(const struct bight_watch *watch, const char *path, uint32_t flags)
{
    int wd = bight__call_fails(watch->seams, "inotify_add_watch")
                 ? -1
                 : inotify_add_watch(watch->fd, path, watch->mask | flags);

    return wd < 0 ? -errno : wd;
}

/* Have the kernel watch the directory `entry`, which is in `parent`. */
static int enter_below(struct bight_watch *watch, const struct bight_directory_entry *entry,
                       struct watch_node *parent)
{
    bool fresh;
    int rc, wd = watch_add(watch, entry->path, IN_ONLYDIR | IN_DONT_FOLLOW);

    if (wd < 0)
        return wd;
    if (watch->root->wd == wd)
        return BIGHT_ENOENT; /* the root again, by a mount */
    rc = bight__watch_place(watch, wd, parent, entry->name, strlen(entry->name), &fresh);
    if (rc && fresh)
        (void)inotify_rm_watch(watch->fd, wd);
    if (rc == 0 && !entry->depth)
        watch->base = bight__watch_by_wd(watch, wd);
    return rc;
}

static int enter(struct bight_watch *watch, const struct bight_directory_entry *entry)
{
    struct watch_node *parent = parent_of(watch, entry);

    if (parent)
        return enter_below(watch, entry, parent);
    if (entry->depth)
        return BIGHT_ENOENT;
    watch->base = watch->root;
    watch->root->seen = watch->scan;
    return 0;
}

/* Of the walk: whether to go into a directory. */
static bool on_directory(void *arg, const struct bight_directory_entry *entry)
{
    struct bight_watch *watch = arg;
    const struct bight_watch_options *options = &watch->options;
    int rc;

    if (watch->opening && watch->fatal)
        return false;
    if ((entry->depth || watch->base_parent) && options->enters &&
        !options->enters(options->arg, entry))
        return false;
    rc = spare_reserve(watch, entry->path_bytes);
    rc = rc ? rc : enter(watch, entry);
    if (rc)
        note_failure(watch, entry->path, entry->path_bytes, rc);
    return rc == 0;
}

static struct walk *walk_new(struct bight_watch *watch, const char *path)
{
    struct walk *walk = bight__alloc(watch->seams, sizeof(*walk));

    if (!walk)
        return NULL;
    memset(walk, 0, offsetof(struct walk, dirents)); /* not all of it: the batch is large */
    walk->seams = watch->seams;
    walk->scan = !watch->recursive;
    walk->options.flags =
        BIGHT_DIRECTORY_NAMES |
        (watch->options.flags & BIGHT_WATCH_ONE_SYSTEM ? BIGHT_DIRECTORY_ONE_SYSTEM : 0u);
    walk->options.enters = on_directory;
    walk->options.arg = watch;
    if (bight__walk_init(walk, path) == 0)
        return walk;
    bight__free(walk);
    return NULL;
}

int bight__watch_scan_begin(struct bight_watch *watch, struct watch_node *parent, const char *name,
                            bool silent)
{
    int rc = bight__watch_path(watch, &watch->at, parent ? parent : watch->root, name);

    if (rc)
        return rc;
    watch->base_bytes = strlen(watch->at.data);
    /* What is at the root's path, also where a symbolic link leads there. */
    if (!parent)
        rc = bight__watch_path(watch, &watch->at, watch->root, "");
    if (rc)
        return rc;
    watch->walk = walk_new(watch, watch->at.data);
    if (!watch->walk)
        return BIGHT_ENOMEM;
    watch->base = NULL;
    watch->base_parent = parent;
    watch->silent = silent;
    watch->entire = !parent;
    watch->scan++;
    return 0;
}

void bight__watch_scan_end(struct bight_watch *watch)
{
    bight__walk_fini(watch->walk);
    bight__free(watch->walk);
    watch->walk = NULL;
}

/* The failures of a batch, and nothing else of it. */
static void skip_batch(struct bight_watch *watch)
{
    const struct bight_directory_entry *entry;

    while ((entry = bight__watch_entry(watch->walk)))
        if (entry->error)
            note_failure(watch, entry->path, entry->path_bytes, entry->error);
}

static void scan_more(struct bight_watch *watch, const atomic_bool *stop)
{
    struct walk *walk = watch->walk;

    do {
        bight__walk_fill(walk, stop);
        if (watch->silent)
            skip_batch(watch);
    } while (watch->silent && !walk->over && !atomic_load_explicit(stop, memory_order_relaxed));
}

/* The kernel holds both directories of a rename until it has queued both halves, and who lists one
 * of them waits for that. */
static void pass_fence(struct bight_watch *watch)
{
    char names[512];
    int fd = bight__call_fails(watch->seams, "open")
                 ? -1
                 : open(watch->at.data, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK);

    watch->fence = WATCH_FENCE_PASSED;
    if (fd < 0) {
        (void)poll(NULL, 0, NO_FENCE_MS);
        return;
    }
    (void)getdents64(fd, names, sizeof(names));
    close(fd);
}

bool bight__watch_has_turn(const struct bight_watch *watch)
{
    const struct walk *walk = watch->walk;

    return (walk && !walk->over && walk->batch_begin == walk->batch_end) ||
           watch->fence == WATCH_FENCE_DUE || !link_empty(&watch->dropped);
}

void bight__watch_turn(struct bight_watch *watch, const atomic_bool *stop)
{
    while (!link_empty(&watch->dropped)) {
        if (atomic_load_explicit(stop, memory_order_relaxed))
            return;
        bight__watch_let_go(watch);
    }
    if (watch->walk)
        scan_more(watch, stop);
    else if (watch->fence == WATCH_FENCE_DUE)
        pass_fence(watch);
}

int bight__watch_root(struct bight_watch *watch, const char *path)
{
    struct stat info;
    size_t bytes = strlen(path);
    bool fresh;
    int wd;

    watch->fd = bight__call_fails(watch->seams, "inotify_init1")
                    ? -1
                    : inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    wd = watch->fd < 0 ? -errno : watch_add(watch, path, 0);
    if (wd < 0)
        return wd;
    while (bytes > 1 && path[bytes - 1] == '/')
        bytes--;
    watch->directory = stat(path, &info) == 0 && S_ISDIR(info.st_mode);
    wd = bight__watch_place(watch, wd, NULL, path, bytes, &fresh);
    watch->root = bight__watch_by_place(watch, NULL, path, bytes, true);
    return wd;
}
