/* runtime/file/watch.c and watch_read.c: what comes of one directory, and of one file. */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/harness/world.h"
#include "tests/runtime/file/place.h"
#include "tests/runtime/file/watched.h"

static int changes(void *arg)
{
    (void)arg;
    watched_open("", 0, 0);
    watched_nothing();
    place_put("a", "");
    watched_say("create a", "written a");
    place_put("a", "text");
    watched_say("modify a", "written a");
    ck_assert_int_eq(chmod(place_path("a"), 0600), 0);
    watched_say("attribute a");
    place_move("a", "b");
    watched_say("rename a > b");
    ck_assert_int_eq(unlink(place_path("b")), 0);
    watched_say("remove b");
    ck_assert_int_eq(mkdir(place_path("d"), 0755), 0);
    place_put("d/unseen", "");
    ck_assert_int_eq(unlink(place_path("d/unseen")), 0);
    ck_assert_int_eq(rmdir(place_path("d")), 0);
    watched_say("create directory d", "remove directory d");
    watched_nothing();
    watched_end();
    return 0;
}

static int kinds(void *arg)
{
    (void)arg;
    watched_open("", 0, BIGHT_WATCH_REMOVE | BIGHT_WATCH_WRITTEN);
    place_put("a", "text");
    place_move("a", "b");
    ck_assert_int_eq(chmod(place_path("b"), 0600), 0);
    ck_assert_int_eq(unlink(place_path("b")), 0);
    watched_say("written a", "remove b");
    watched_nothing();
    watched_end();
    return 0;
}

static int one_file(void *arg)
{
    (void)arg;
    place_put("f", "");
    watched_open("f", BIGHT_WATCH_RECURSIVE | BIGHT_WATCH_EXISTING, 0);
    place_put("f", "x");
    watched_say("modify f", "written f");
    ck_assert_int_eq(chmod(place_path("f"), 0600), 0);
    watched_say("attribute f");
    place_put("other", "");
    watched_nothing();
    ck_assert_int_eq(unlink(place_path("f")), 0);
    watched_say("attribute f", "lost f");
    watched_over();
    watched_end();
    return 0;
}

static int existing(void *arg)
{
    (void)arg;
    place_put("a", "");
    watched_open("", BIGHT_WATCH_EXISTING, 0);
    place_put("b", "");
    /* b was there before the directory was read, and the kernel tells it too */
    for (int i = 0; i < 2; i++)
        ck_assert(watched_next()->found);
    watched_say("create b", "written b");
    watched_nothing();
    watched_end();
    return 0;
}

static int root_goes(void *arg)
{
    (void)arg;
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(mkdir(place_path("d"), 0755), 0);
        watched_open("d", i ? BIGHT_WATCH_RECURSIVE : 0, 0);
        ck_assert_int_eq(rmdir(place_path("d")), 0);
        watched_say("lost directory d");
        watched_over();
        watched_end();
        ck_assert_int_eq(mkdir(place_path("d"), 0755), 0);
        watched_open("d", i ? BIGHT_WATCH_RECURSIVE : 0, 0);
        place_put("d/f", "");
        place_move("d", "e");
        watched_say("create d/f", "written d/f", "lost directory d");
        watched_over();
        watched_end();
        ck_assert_int_eq(unlink(place_path("e/f")), 0);
        ck_assert_int_eq(rmdir(place_path("e")), 0);
    }
    return 0;
}

/* Half a rename: the other half is not seen. */
static int in_and_out(void *arg)
{
    (void)arg;
    ck_assert_int_eq(mkdir(place_path("in"), 0755), 0);
    place_put("a", "");
    watched_open("in", 0, 0);
    place_move("a", "in/a");
    watched_say("create in/a");
    place_move("in/a", "a");
    watched_say("remove in/a");
    for (int i = 0; i < 500; i++) {
        place_move("a", "in/a");
        place_move("in/a", "in/b");
        place_move("in/b", "a");
    }
    for (int i = 0; i < 500; i++)
        watched_say("create in/a", "rename in/a > in/b", "remove in/b");
    watched_nothing();
    watched_end();
    return 0;
}

static int exchanged(void *arg)
{
    (void)arg;
    place_put("a", "");
    place_put("b", "");
    watched_open("", 0, 0);
    ck_assert_int_eq(renameat2(-1, place_path("a"), -1, place_path("b"), RENAME_EXCHANGE), 0);
    watched_say("rename a > b", "rename b > a");
    watched_nothing();
    watched_end();
    return 0;
}

/* More than the kernel's queue holds, without anybody who reads. */
static int overflow(void *arg)
{
    unsigned most = watched_queue_most(), renames = 0;

    (void)arg;
    place_put("a", "");
    watched_open("", 0, BIGHT_WATCH_CREATE | BIGHT_WATCH_RENAME);
    for (unsigned i = 0; i <= most / 4; i++) {
        place_move("a", "b");
        place_move("b", "a");
    }
    while (watched_next()->kind == BIGHT_WATCH_RENAME)
        renames++;
    ck_assert_uint_eq(renames, most / 2);
    place_put("after", "");
    watched_say("create after");
    watched_nothing();
    watched_end();
    return 0;
}

static const struct suite_case cases[] = {
    world_case(a_watch_tells_what_changes_in_a_directory, changes),
    world_case(a_watch_tells_only_what_was_chosen, kinds),
    world_case(a_watched_file_is_lost_when_it_is_removed, one_file),
    world_case(a_watch_may_begin_with_what_is_there, existing),
    world_case(a_watch_is_over_when_its_root_goes, root_goes),
    world_case(half_a_rename_is_a_coming_or_a_going, in_and_out),
    world_case(an_exchange_is_two_renames, exchanged),
    world_case(a_watch_says_that_events_were_dropped, overflow),
};

test_suite("watch", cases, .setup = place_make, .teardown = place_remove);
