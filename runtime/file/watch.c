/* The life of a watch, and who waits for it. Its descriptor is registered as a stream's is. */
#include "runtime/file/watch.h"
#include "coro/core/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#define ALL_FLAGS (0u | BIGHT_WATCH_RECURSIVE | BIGHT_WATCH_EXISTING | BIGHT_WATCH_ONE_SYSTEM)
#define ALL_KINDS 63u
#define ALWAYS                                                                                     \
    (IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF |         \
     IN_EXCL_UNLINK)

struct watch_wait {
    struct bight_waiter waiter;
    struct bight_watch *watch;
};

struct watch_turn {
    struct file_turn turn;
    struct bight_watch *watch;
};

static int case_abort(struct bight_waiter *waiter)
{
    struct bight_watch *watch = bight_case_of(waiter)->source;

    if (watch->waiter == waiter)
        watch->waiter = NULL;
    return 0;
}

static const struct bight_waiter_ops case_wait = {
    .name = "select: watch",
    .abort = case_abort,
    .flags = BIGHT_WAITER_OUTSIDE,
};

/* What a case is to say: 0, an error, or BIGHT_EAGAIN: it is too early. */
static int look(struct bight_watch *watch)
{
    int rc = watch->holds ? 1 : bight__watch_take(watch, &watch->held);

    watch->holds = rc == 1;
    return rc < 0 ? rc : 0;
}

/* Not all that the kernel tells is of interest. A case goes on waiting then; who sleeps in
 * bight_watch_next looks by itself. */
static void on_ready(struct poll_source *source, uint32_t events)
{
    struct bight_watch *watch = container_of(source, struct bight_watch, source);
    struct bight_waiter *waiter = watch->waiter;
    int rc = waiter && waiter->ops == &case_wait ? look(watch) : 0;

    (void)events;
    if (!waiter || rc == BIGHT_EAGAIN)
        return;
    watch->waiter = NULL;
    (void)bight_unpark(waiter, rc);
}

/* All but the descriptor. */
static void watch_free(struct bight_watch *watch)
{
    struct bight_link *link;

    if (watch->walk)
        bight__watch_scan_end(watch);
    while ((link = link_take(&watch->failures)))
        bight__free(container_of(link, struct watch_failure, link));
    bight__watch_tree_free(watch);
    bight__free(watch->told);
    bight__free(watch->spare);
    bight__free(watch->path.data);
    bight__free(watch->from.data);
    bight__free(watch->at.data);
    bight__free(watch);
}

static void unregister(struct bight_watch *watch)
{
    bight__guest_remove(&watch->guest, watch->streams);
    bight__source_remove(watch->streams, &watch->source, watch->fd);
}

/* No task is left. */
static void on_runtime_end(struct stream_guest *guest)
{
    struct bight_watch *watch = container_of(guest, struct bight_watch, guest);

    unregister(watch);
    close(watch->fd);
    watch_free(watch);
}

/* Turns */

static void run(struct file_turn *turn)
{
    bight__watch_turn(container_of(turn, struct watch_turn, turn)->watch, &turn->stop);
}

/* Have a thread do what it has to. */
static int turn_wait(struct bight_watch *watch)
{
    struct watch_turn turn = {.watch = watch};
    int rc;

    watch->inside = true;
    rc = bight__file_turn(&turn.turn, watch->files, run);
    watch->inside = false;
    return rc;
}

/* Opening */

static uint32_t mask_of(unsigned kinds)
{
    return ALWAYS | (kinds & BIGHT_WATCH_MODIFY ? IN_MODIFY : 0) |
           (kinds & BIGHT_WATCH_ATTRIBUTE ? IN_ATTRIB : 0) |
           (kinds & BIGHT_WATCH_WRITTEN ? IN_CLOSE_WRITE : 0);
}

/* With its tables. */
static int watch_new(struct bight_watch **out, struct files *files, struct streams *streams,
                     const struct bight_watch_options *options)
{
    const struct bight_seams *seams = bight__files_seams(files);
    struct bight_watch *watch = bight__alloc(seams, sizeof(*watch));
    int rc;

    if (!watch)
        return BIGHT_ENOMEM;
    memset(watch, 0, offsetof(struct bight_watch, records));
    watch->files = files;
    watch->streams = streams;
    watch->seams = seams;
    watch->fd = -1;
    watch->options = *options;
    if (!options->kinds)
        watch->options.kinds = ALL_KINDS;
    watch->recursive = options->flags & BIGHT_WATCH_RECURSIVE;
    watch->mask = mask_of(watch->options.kinds);
    link_init(&watch->dropped);
    link_init(&watch->failures);
    rc = bight__hash_init(&watch->wds, seams);
    rc = rc ? rc : bight__hash_init(&watch->places, seams);
    if (rc) {
        watch_free(watch);
        return rc;
    }
    *out = watch;
    return 0;
}

struct root_turn {
    struct file_turn turn;
    struct bight_watch *watch;
    const char *path;
    int rc;
};

static void run_root(struct file_turn *turn)
{
    struct root_turn *of = container_of(turn, struct root_turn, turn);

    of->rc = bight__watch_root(of->watch, of->path);
}

/* Have the kernel watch what is at `path` and below. */
static int begin(struct bight_watch *watch, const char *path)
{
    bool existing = watch->options.flags & BIGHT_WATCH_EXISTING;
    struct root_turn turn = {.watch = watch, .path = path};
    int rc = bight__file_turn(&turn.turn, watch->files, run_root);

    rc = rc ? rc : turn.rc;
    if (rc || !watch->directory || !(watch->recursive || existing))
        return rc;
    rc = bight__watch_scan_begin(watch, NULL, NULL, !existing);
    watch->opening = true;
    while (rc == 0 && !existing && bight__watch_has_turn(watch)) {
        rc = bight_checkpoint();
        rc = rc ? rc : turn_wait(watch);
        rc = rc ? rc : watch->fatal;
        rc = rc ? rc : watch->walk->rc;
    }
    watch->opening = false;
    return rc;
}

static int enlist(struct bight_watch *watch)
{
    int rc = bight__source_add(watch->streams, &watch->source, watch->fd);

    if (rc)
        return rc;
    watch->source.ready = on_ready;
    watch->guest = (struct stream_guest){.kind = "a watch", .end = on_runtime_end};
    bight__guest_add(&watch->guest, watch->streams);
    return 0;
}

int bight_watch_open(struct bight_watch **out, const char *path,
                     const struct bight_watch_options *options)
{
    const struct bight_watch_options defaults = {0};
    struct bight_watch *watch = NULL;
    struct streams *streams;
    struct files *files;
    int rc;

    options = options ? options : &defaults;
    if (!out || !path || options->flags & ~ALL_FLAGS || options->kinds & ~ALL_KINDS)
        return BIGHT_EINVAL;
    rc = bight_checkpoint();
    rc = rc ? rc : bight__files_get(&files);
    rc = rc ? rc : bight__streams_get(&streams);
    rc = rc ? rc : watch_new(&watch, files, streams, options);
    if (rc)
        return rc;
    rc = begin(watch, path);
    rc = rc ? rc : enlist(watch);
    if (rc) {
        if (watch->fd >= 0)
            (void)bight__file_fd_close(watch->fd);
        watch_free(watch);
        return rc;
    }
    *out = watch;
    return 0;
}

/* Events */

static int watch_abort(struct bight_waiter *waiter)
{
    container_of(waiter, struct watch_wait, waiter)->watch->waiter = NULL;
    return 0;
}

static void watch_describe(const struct bight_waiter *waiter, char *text, size_t text_bytes)
{
    const struct watch_wait *wait = container_of(waiter, const struct watch_wait, waiter);
    const struct watch_node *root = wait->watch->root;

    snprintf(text, text_bytes, "%s", root ? root->name : "");
}

static const struct bight_waiter_ops watch_ops = {
    .name = "watch",
    .abort = watch_abort,
    .describe = watch_describe,
    .flags = BIGHT_WAITER_OUTSIDE,
};

static int ready_wait(struct bight_watch *watch)
{
    struct watch_wait wait = {.watch = watch};

    bight__waiter_begin(&wait.waiter, &watch_ops);
    watch->waiter = &wait.waiter;
    return bight_park(&wait.waiter);
}

/* Whether the task may use it now. */
static int check(const struct bight_watch *watch)
{
    if (&watch->files->runtime->sched != bight__sched)
        return BIGHT_EPERM;
    return watch->inside || watch->waiter ? BIGHT_EBUSY : 0;
}

int bight_watch_next(struct bight_watch *watch, struct bight_watch_event *event)
{
    int rc;

    if (!watch || !event)
        return BIGHT_EINVAL;
    while ((rc = bight_checkpoint()) == 0 && (rc = check(watch)) == 0) {
        rc = bight__watch_take(watch, event);
        if (rc == WATCH_TURN)
            rc = turn_wait(watch);
        else if (rc == BIGHT_EAGAIN)
            rc = ready_wait(watch);
        else
            return rc;
        if (rc)
            break;
    }
    return rc;
}

int bight_watch_try_next(struct bight_watch *watch, struct bight_watch_event *event)
{
    int rc;

    if (!watch || !event)
        return BIGHT_EINVAL;
    rc = check(watch);
    rc = rc ? rc : bight__watch_take(watch, event);
    return rc == WATCH_TURN ? BIGHT_EBUSY : rc;
}

/* The case */

static bool case_attempt(struct bight_case *chosen)
{
    struct bight_watch *watch = chosen->source;
    int rc = check(watch);

    chosen->status = rc ? rc : look(watch);
    return chosen->status != BIGHT_EAGAIN;
}

static int case_arm(struct bight_case *chosen)
{
    struct bight_watch *watch = chosen->source;

    if (watch->waiter)
        return BIGHT_EBUSY; /* it is in another case of the same select */
    watch->waiter = &chosen->waiter;
    return 0;
}

static const struct bight_case_ops case_ops = {&case_wait, case_attempt, case_arm, NULL};

void bight_case_watch(struct bight_case *to, struct bight_watch *watch)
{
    if (!to)
        return;
    /* Without a source it is invalid: it has no ops, and the select says so. */
    bight_case_custom(to, watch ? &case_ops : NULL, watch);
}

int bight_watch_end(struct bight_watch *watch)
{
    int rc, fd;

    if (!watch)
        return 0;
    if (!bight__sched || !bight__sched->current)
        return BIGHT_ENOTASK;
    rc = check(watch);
    if (rc)
        return rc;
    fd = watch->fd;
    unregister(watch);
    watch_free(watch);
    (void)bight__file_fd_close(fd); /* there is nothing in it that could be lost */
    return 0;
}
