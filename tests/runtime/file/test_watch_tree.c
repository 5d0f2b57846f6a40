/* runtime/file/watch_scan.c and watch_tree.c: watching a tree, whose directories come, move and
 * go. */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/harness/world.h"
#include "tests/runtime/file/place.h"
#include "tests/runtime/file/watched.h"

#define MOVES 200
#define SOME (BIGHT_WATCH_CREATE | BIGHT_WATCH_REMOVE | BIGHT_WATCH_RENAME)

static void make(const char *name)
{
    ck_assert_int_eq(mkdir(place_path(name), 0755), 0);
}

static void take(const char *name)
{
    ck_assert_int_eq(remove(place_path(name)), 0);
}

static int below(void *arg)
{
    (void)arg;
    make("a");
    make("a/b");
    make("c");
    watched_open("", BIGHT_WATCH_RECURSIVE, SOME);
    watched_nothing();
    place_put("a/b/f", "");
    place_put("c/f", "");
    watched_say("create a/b/f", "create c/f");
    place_move("a/b/f", "c/g");
    watched_say("rename a/b/f > c/g");
    take("c/g");
    take("c/f");
    take("c");
    watched_say("remove c/g", "remove c/f", "remove directory c");
    watched_nothing();
    watched_end();
    return 0;
}

/* What is in it before the kernel watches it is found, to any depth. */
static int new_directories(void *arg)
{
    (void)arg;
    watched_open("", BIGHT_WATCH_RECURSIVE, SOME);
    make("a");
    make("a/b");
    place_put("a/b/f", "");
    watched_say("create directory a", "found create directory a/b", "found create a/b/f");
    watched_nothing();
    place_put("a/g", "");
    place_put("a/b/h", "");
    make("a/b/c");
    watched_say("create a/g", "create a/b/h", "create directory a/b/c");
    place_put("a/b/c/i", "");
    watched_say("found create a/b/c/i");
    watched_nothing();
    place_put("a/b/c/j", "");
    watched_say("create a/b/c/j");
    watched_nothing();
    watched_end();
    return 0;
}

static int moved_within(void *arg)
{
    (void)arg;
    make("a");
    make("a/b");
    make("c");
    watched_open("", BIGHT_WATCH_RECURSIVE, SOME);
    place_move("a", "c/d");
    watched_say("rename directory a > c/d");
    place_put("c/d/b/f", "");
    place_put("c/d/g", "");
    watched_say("create c/d/b/f", "create c/d/g");
    place_move("c/d/b", "b");
    place_put("b/h", "");
    make("c/d/b"); /* another one, where that was */
    watched_say("rename directory c/d/b > b", "create b/h", "create directory c/d/b");
    place_put("c/d/b/i", "");
    watched_say("found create c/d/b/i");
    place_put("b/j", "");
    watched_say("create b/j");
    watched_nothing();
    watched_end();
    return 0;
}

static int exchanged(void *arg)
{
    (void)arg;
    make("a");
    make("b");
    place_put("a/in_a", "");
    watched_open("", BIGHT_WATCH_RECURSIVE, SOME);
    ck_assert_int_eq(renameat2(-1, place_path("a"), -1, place_path("b"), RENAME_EXCHANGE), 0);
    watched_say("rename directory a > b", "rename directory b > a");
    take("b/in_a");
    place_put("a/f", "");
    watched_say("remove b/in_a", "create a/f");
    watched_nothing();
    watched_end();
    return 0;
}

static int moved_in_and_out(void *arg)
{
    (void)arg;
    make("out");
    make("out/a");
    make("out/a/b");
    place_put("out/a/f", "");
    make("in");
    watched_open("in", BIGHT_WATCH_RECURSIVE, SOME);
    place_move("out/a", "in/a");
    watched_say("create directory in/a");
    for (int i = 0; i < 2; i++) /* in the order of the file system */
        ck_assert(watched_next()->found);
    place_put("in/a/b/g", "");
    watched_say("create in/a/b/g");
    place_move("in/a", "out/a");
    place_put("out/a/b/h", "");
    watched_say("remove directory in/a");
    watched_nothing();
    place_put("out/a/b/i", "");
    place_move("out/a/b", "in/b");
    watched_say("create directory in/b");
    for (int i = 0; i < 3; i++)
        ck_assert(watched_next()->found);
    watched_nothing();
    watched_end();
    return 0;
}

static int replaced(void *arg)
{
    (void)arg;
    make("a");
    make("b");
    watched_open("", BIGHT_WATCH_RECURSIVE, SOME);
    place_move("a", "b"); /* over an empty one */
    place_put("b/f", "");
    watched_say("rename directory a > b", "create b/f");
    take("b/f");
    take("b");
    make("b");
    watched_say("remove b/f", "remove directory b", "create directory b");
    place_put("b/g", "");
    watched_say("found create b/g");
    watched_nothing();
    watched_end();
    return 0;
}

static bool enters(void *arg, const struct bight_directory_entry *entry)
{
    return strcmp(entry->name, arg) != 0;
}

static int left_out(void *arg)
{
    char out[] = ".git";
    const struct bight_watch_options options = {
        .flags = BIGHT_WATCH_RECURSIVE, .kinds = SOME, .enters = enters, .arg = out};

    (void)arg;
    make(".git");
    ck_ok(bight_watch_open(&watched, place_root(), &options));
    place_put(".git/f", "");
    make("a");
    make("a/.git");
    place_put("a/.git/f", "");
    watched_say("create directory a", "found create directory a/.git");
    watched_nothing();
    watched_end();
    return 0;
}

static int link_at_root(void *arg)
{
    (void)arg;
    make("a");
    make("a/b");
    ck_assert_int_eq(symlink("a", place_path("l")), 0);
    ck_assert_int_eq(symlink("..", place_path("a/up")), 0);
    watched_open("l", BIGHT_WATCH_RECURSIVE | BIGHT_WATCH_EXISTING, SOME);
    for (int i = 0; i < 2; i++)
        ck_assert(watched_next()->found);
    place_put("a/b/f", "");
    watched_say("create l/b/f");
    place_put("f", "");
    watched_nothing();
    watched_end();
    return 0;
}

/* Only root may mount; to others the case says nothing. */
static int unmounted(void *arg)
{
    (void)arg;
    make("m");
    if (mount("none", place_path("m"), "tmpfs", 0, NULL))
        return 0;
    make("m/d");
    watched_open("", BIGHT_WATCH_RECURSIVE, SOME);
    place_put("m/d/f", "");
    watched_say("create m/d/f");
    ck_assert_int_eq(umount(place_path("m")), 0);
    for (int i = 0; i < 2; i++) /* m and m/d */
        ck_assert_int_eq(watched_next()->kind, BIGHT_WATCH_LOST);
    place_put("f", "");
    watched_say("create f");
    watched_nothing();
    watched_end();
    ck_assert_int_eq(mount("none", place_path("m"), "tmpfs", 0, NULL), 0);
    watched_open("m", 0, SOME);
    ck_assert_int_eq(umount(place_path("m")), 0);
    watched_say("lost directory m");
    watched_over();
    watched_end();
    return 0;
}

static int overflow(void *arg)
{
    unsigned most = watched_queue_most();

    (void)arg;
    make("a");
    make("away");
    make("away/x");
    place_put("f", "");
    watched_open("", BIGHT_WATCH_RECURSIVE, SOME);
    for (unsigned i = 0; i <= most / 4; i++) {
        place_move("f", "g");
        place_move("g", "f");
    }
    make("b"); /* nobody is told of this */
    make("b/c");
    place_move("a", "b/a");
    take("away/x");
    take("away");
    while (watched_next()->kind != BIGHT_WATCH_RESCAN)
        ;
    place_put("b/c/f", "");
    place_put("b/a/f", "");
    watched_say("create b/c/f", "create b/a/f");
    watched_nothing();
    watched_end();
    return 0;
}

/* Another thread makes a deep and wide tree, and moves parts of it, while it is watched: in the end
 * all is known that is there, and what comes then is told. */
static void churn(const char *root)
{
    char name[PLACE_PATH_BYTES + 32], other[PLACE_PATH_BYTES + 32];

    for (int i = 0; i < MOVES; i++) {
        snprintf(name, sizeof name, "%s/%d", root, i);
        mkdir(name, 0755);
        snprintf(name, sizeof name, "%s/%d/in", root, i);
        mkdir(name, 0755);
        snprintf(other, sizeof other, "%s/%d/moved", root, i / 2);
        rename(name, other);
        snprintf(name, sizeof name, "%s/%d/moved/f", root, i / 2);
        close(open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    }
}

struct churner {
    char root[PLACE_PATH_BYTES];
    atomic_bool done;
};

static void *churn_thread(void *arg)
{
    struct churner *churner = arg;

    churn(churner->root);
    atomic_store(&churner->done, true);
    return NULL;
}

/* Take what there is until nothing can come any more. */
static void take_all(atomic_bool *done)
{
    struct bight_watch_event event;
    bool was_done;
    int rc;

    do {
        was_done = atomic_load(done);
        rc = bight_watch_try_next(watched, &event);
        if (rc == BIGHT_EBUSY)
            rc = watched_go_on();
        else if (rc == BIGHT_EAGAIN)
            ck_ok(bight_yield());
        ck_assert(rc == 1 || rc == BIGHT_ETIMEDOUT || rc == BIGHT_EAGAIN);
    } while (rc != BIGHT_EAGAIN || !was_done);
}

static void make_and_see(const char *name)
{
    char text[PLACE_PATH_BYTES];

    make(name);
    snprintf(text, sizeof text, "create directory %s", name);
    watched_say(text);
}

static int churned(void *arg)
{
    struct churner churner = {.done = false};
    pthread_t thread;
    char name[64];

    (void)arg;
    make("t");
    snprintf(churner.root, sizeof churner.root, "%s", place_path("t"));
    watched_open("t", BIGHT_WATCH_RECURSIVE, SOME);
    ck_assert_int_eq(pthread_create(&thread, NULL, churn_thread, &churner), 0);
    take_all(&churner.done);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    take_all(&churner.done);
    for (int i = 0; i < MOVES; i++) {
        snprintf(name, sizeof name, "t/%d/last", i);
        make_and_see(name);
        snprintf(name, sizeof name, "t/%d/moved/last", i / 2);
        if (i % 2 == 0)
            make_and_see(name);
    }
    watched_nothing();
    watched_end();
    return 0;
}

static const struct suite_case cases[] = {
    world_case(a_tree_is_watched_below, below),
    world_case(a_new_directory_loses_nothing, new_directories),
    world_case(a_directory_that_moves_has_its_new_path, moved_within),
    world_case(directories_that_are_exchanged_have_their_new_paths, exchanged),
    world_case(a_directory_that_leaves_is_watched_no_more, moved_in_and_out),
    world_case(a_directory_may_take_the_place_of_another, replaced),
    world_case(directories_may_be_left_out, left_out),
    world_case(only_the_first_symbolic_link_is_followed, link_at_root),
    world_case(what_is_unmounted_is_lost, unmounted),
    world_case(dropped_events_lose_no_directory, overflow),
    world_case(a_tree_in_motion_is_known_when_it_rests, churned),
};

test_suite("watch_tree", cases, .setup = place_make, .teardown = place_remove);
