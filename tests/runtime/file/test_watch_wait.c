/* runtime/file/watch.c: who waits for a watch, how it is chosen by a select, what is refused, and
 * what the system's limits make of it. */
#include "runtime/runtime.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/harness/world.h"
#include "tests/runtime/file/place.h"
#include "tests/runtime/file/watched.h"

static int put_a(void *arg)
{
    (void)arg;
    place_put("a", "");
    return 0;
}

static int wakes(void *arg)
{
    (void)arg;
    watched_open("", 0, BIGHT_WATCH_CREATE);
    ck_ok(bight_spawn(NULL, put_a, NULL));
    watched_say("create a");
    watched_end();
    return 0;
}

static int take_next(void *arg)
{
    struct bight_watch_event event;

    (void)arg;
    return bight_watch_next(watched, &event);
}

static int one_at_a_time(void *arg)
{
    struct bight_watch_event event;
    struct bight_task *task;
    struct bight_case one;
    int status;

    (void)arg;
    watched_open("", 0, BIGHT_WATCH_CREATE);
    ck_ok(bight_spawn(&task, take_next, NULL));
    ck_ok(bight_yield());
    ck_code(bight_watch_next(watched, &event), BIGHT_EBUSY);
    ck_code(bight_watch_try_next(watched, &event), BIGHT_EBUSY);
    ck_code(bight_watch_end(watched), BIGHT_EBUSY);
    bight_case_watch(&one, watched);
    ck_ok(bight_select(&one, 1, 0));
    ck_code(one.status, BIGHT_EBUSY);
    bight_task_cancel(task);
    ck_ok(bight_join(task, &status));
    ck_code(status, BIGHT_ECANCELED);
    place_put("a", "");
    watched_say("create a"); /* nothing was taken */
    return 0;                /* the runtime ends it */
}

static int remove_d(void *arg)
{
    (void)arg;
    ck_assert_int_eq(rmdir(place_path("d")), 0);
    return 0;
}

static int choose(int64_t timeout_ms)
{
    struct bight_case cases[2];
    int rc;

    bight_case_watch(&cases[0], watched);
    bight_case_sleep(&cases[1], timeout_ms);
    rc = bight_select(cases, 2, 0);
    return rc == 0 ? cases[0].status : rc;
}

static int selects(void *arg)
{
    struct bight_watch_event event;

    (void)arg;
    watched_open("", BIGHT_WATCH_RECURSIVE, BIGHT_WATCH_CREATE);
    ck_assert_int_eq(choose(5), 1);
    ck_ok(bight_spawn(NULL, put_a, NULL));
    ck_ok(choose(-1));
    ck_ok(choose(-1)); /* it is there still */
    watched_say("create a");
    ck_assert_int_eq(choose(5), 1);
    ck_assert_int_eq(mkdir(place_path("d"), 0755), 0);
    ck_ok(choose(-1));
    watched_say("create directory d");
    ck_ok(choose(-1)); /* a directory is to be gone through, in which nothing is found */
    ck_code(bight_watch_try_next(watched, &event), BIGHT_EBUSY);
    place_put("b", "");
    watched_say("create b");
    ck_ok(bight_spawn(NULL, remove_d, NULL)); /* the kernel tells this, and nobody asked */
    ck_assert_int_eq(choose(50), 1);
    ck_assert_int_eq(choose(5), 1);
    watched_end();
    ck_assert_int_eq(mkdir(place_path("e"), 0755), 0);
    watched_open("e", 0, BIGHT_WATCH_CREATE);
    ck_assert_int_eq(rmdir(place_path("e")), 0);
    ck_ok(choose(-1));
    watched_say("lost directory e");
    ck_ok(choose(-1));
    watched_over();
    watched_end();
    return 0;
}

static int refuses(void *arg)
{
    struct bight_watch_options options = {.flags = 8};

    (void)arg;
    ck_code(bight_watch_open(&watched, place_path("none"), NULL), BIGHT_ENOENT);
    ck_code(bight_watch_open(&watched, "", NULL), BIGHT_ENOENT);
    ck_code(bight_watch_open(&watched, place_root(), &options), BIGHT_EINVAL);
    options = (struct bight_watch_options){.kinds = BIGHT_WATCH_RESCAN};
    ck_code(bight_watch_open(&watched, place_root(), &options), BIGHT_EINVAL);
    place_put("f", "");
    ck_code(bight_watch_open(&watched, place_path("f/g"), NULL), -ENOTDIR);
    return 0;
}

/* Cancelled before and while a thread goes through the tree: nothing is left. */
static int open_cancelled(void *arg)
{
    struct bight_watch_options options = {.flags = BIGHT_WATCH_RECURSIVE};
    struct bight_scope scope;

    (void)arg;
    ck_assert_int_eq(mkdir(place_path("d"), 0755), 0);
    ck_ok(bight_scope_begin(&scope, -1, 0));
    bight_scope_cancel(&scope);
    ck_code(bight_watch_open(&watched, place_root(), &options), BIGHT_ECANCELED);
    ck_ok(bight_scope_end(&scope, 0));
    return 0;
}

/* Limits: the call that may be refused fails from its `first` time on. */
struct refusal {
    const char *name;
    int first;
    int error;
};
static struct refusal refusal;

static bool refuse(void *ctx, const void *site, const char *name, int *error, size_t *bytes)
{
    (void)ctx, (void)site, (void)bytes;
    if (!refusal.name || strcmp(name, refusal.name) != 0 || --refusal.first > 0)
        return false;
    *error = refusal.error;
    return true;
}

static int limited(void *arg)
{
    const struct bight_watch_options options = {.flags = BIGHT_WATCH_RECURSIVE};
    const struct bight_watch_event *event;

    (void)arg;
    ck_assert_int_eq(mkdir(place_path("d"), 0755), 0);
    refusal = (struct refusal){"inotify_init1", 1, EMFILE};
    ck_code(bight_watch_open(&watched, place_root(), &options), BIGHT_EMFILE);
    refusal = (struct refusal){"inotify_add_watch", 1, ENOSPC};
    ck_code(bight_watch_open(&watched, place_root(), &options), -ENOSPC);
    refusal = (struct refusal){"inotify_add_watch", 2, ENOSPC};
    ck_code(bight_watch_open(&watched, place_root(), &options), -ENOSPC);
    refusal = (struct refusal){"inotify_add_watch", 2, EACCES};
    ck_ok(bight_watch_open(&watched, place_root(), &options));
    watched_say("failed directory d");
    refusal = (struct refusal){"inotify_add_watch", 1, ENOSPC};
    ck_assert_int_eq(mkdir(place_path("e"), 0755), 0);
    watched_say("create directory e");
    event = watched_next();
    ck_assert_int_eq(event->kind, BIGHT_WATCH_FAILED);
    ck_code(event->error, -ENOSPC);
    ck_assert_str_eq(event->path, place_path("e"));
    refusal.name = NULL;
    watched_end();
    return 0;
}

static void limits_are_told(void)
{
    struct bight_seams seams = {.fail_call = refuse};

    ck_ok(bight__run_with_seams(NULL, &seams, limited, NULL));
}

/* Where the directory of half a rename cannot be looked at, time has to do. */
static int fenceless(void *arg)
{
    (void)arg;
    place_put("a", "");
    ck_assert_int_eq(mkdir(place_path("d"), 0755), 0);
    watched_open("d", 0, BIGHT_WATCH_CREATE | BIGHT_WATCH_REMOVE | BIGHT_WATCH_RENAME);
    place_move("a", "d/a");
    place_move("d/a", "a");
    refusal = (struct refusal){"open", 1, EACCES};
    watched_say("create d/a", "remove d/a");
    refusal.name = NULL;
    watched_end();
    return 0;
}

static void half_a_rename_does_without_the_fence(void)
{
    struct bight_seams seams = {.fail_call = refuse};

    ck_ok(bight__run_with_seams(NULL, &seams, fenceless, NULL));
}

static const struct suite_case cases[] = {
    world_case(a_watch_wakes_who_waits, wakes),
    world_case(one_task_at_a_time_reads_a_watch, one_at_a_time),
    world_case(a_select_takes_nothing_from_a_watch, selects),
    world_case(what_cannot_be_watched_is_refused, refuses),
    world_case(a_cancelled_open_leaves_nothing, open_cancelled),
    plain_case(limits_are_told),
    plain_case(half_a_rename_does_without_the_fence),
};

test_suite("watch_wait", cases, .setup = place_make, .teardown = place_remove);
