/* Trees: runtime/file/walk.c and walk_path.c. */
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/harness/support.h"
#include "tests/harness/world.h"
#include "tests/runtime/file/place.h"

/* What a walk has shown. */
struct seen {
    size_t entries, directories, after, errors;
    uint64_t bytes;
    size_t deepest;
    int error;
    int fds; /* the most that were open */
};

static struct seen walk(const char *path, const struct bight_directory_options *options)
{
    struct bight_directory *directory;
    struct bight_directory_entry entry;
    struct seen seen = {0};
    int rc;

    ck_ok(bight_directory_walk(&directory, path, options));
    while ((rc = bight_directory_next(directory, &entry)) > 0) {
        ck_assert_uint_eq(strlen(entry.path), entry.path_bytes);
        seen.errors += entry.error != 0;
        seen.error = entry.error ? entry.error : seen.error;
        seen.after += entry.after;
        seen.entries += !entry.error;
        seen.directories += !entry.error && entry.type == BIGHT_FILE_DIRECTORY;
        seen.bytes += entry.info.bytes;
        seen.deepest = entry.depth > seen.deepest ? entry.depth : seen.deepest;
        if (entry.depth % 64 == 63 && seen.fds < test_open_fds())
            seen.fds = test_open_fds();
    }
    ck_ok(rc);
    ck_ok(bight_directory_end(directory));
    return seen;
}

static struct seen by_ftw;

static int count_one(const char *path, const struct stat *info, int what, struct FTW *where)
{
    (void)path, (void)where;
    by_ftw.entries++;
    by_ftw.directories += what == FTW_D;
    by_ftw.bytes += (uint64_t)info->st_size;
    return 0;
}

static void make_tree(const char *name, int depth)
{
    char inner[PLACE_PATH_BYTES];

    ck_assert_int_eq(mkdir(place_path(name), 0755), 0);
    for (int i = 0; i < 5; i++) {
        snprintf(inner, sizeof inner, "%s/f%d", name, i);
        place_put(inner, &"0123456789"[2 * i]);
        snprintf(inner, sizeof inner, "%s/d%d", name, i);
        if (depth > 0)
            make_tree(inner, depth - 1);
    }
}

static int counts(void *arg)
{
    const struct bight_directory_options both = {.flags = BIGHT_DIRECTORY_BOTH};
    const struct bight_directory_options after = {.flags = BIGHT_DIRECTORY_AFTER};
    const struct bight_directory_options names = {.flags = BIGHT_DIRECTORY_NAMES};
    const struct bight_directory_options shallow = {.depth_most = 2};
    struct seen seen;

    (void)arg;
    make_tree("t", 3);
    ck_assert_int_eq(nftw(place_path("t"), count_one, 8, FTW_PHYS), 0);
    ck_assert_uint_gt(by_ftw.entries, 900);
    seen = walk(place_path("t"), NULL);
    ck_assert_uint_eq(seen.entries, by_ftw.entries);
    ck_assert_uint_eq(seen.directories, by_ftw.directories);
    ck_assert_uint_eq(seen.bytes, by_ftw.bytes);
    ck_assert_uint_eq(seen.deepest, 4);
    ck_assert_uint_eq(seen.after + seen.errors, 0);
    seen = walk(place_path("t"), &after);
    ck_assert_uint_eq(seen.entries, by_ftw.entries);
    ck_assert_uint_eq(seen.bytes, by_ftw.bytes);
    ck_assert_uint_eq(seen.after, by_ftw.directories);
    seen = walk(place_path("t"), &both);
    ck_assert_uint_eq(seen.entries, by_ftw.entries + by_ftw.directories);
    ck_assert_uint_eq(seen.after, by_ftw.directories);
    seen = walk(place_path("t"), &names);
    ck_assert_uint_eq(seen.entries, by_ftw.entries);
    ck_assert_uint_eq(seen.directories, by_ftw.directories);
    ck_assert_uint_eq(seen.bytes, 0);
    seen = walk(place_path("t"), &shallow);
    ck_assert_uint_eq(seen.entries, 1 + 10 + 50);
    seen = walk(place_path("t/f1"), NULL);
    ck_assert_uint_eq(seen.entries, 1);
    ck_assert_uint_eq(seen.bytes, 8);
    return 0;
}

/* Each directory comes behind what is in it, and before that; a path begins with its parent's. */
static int order(void *arg)
{
    const struct bight_directory_options both = {.flags = BIGHT_DIRECTORY_BOTH};
    static char stack[8][PLACE_PATH_BYTES];
    struct bight_directory *directory;
    struct bight_directory_entry entry;
    size_t open = 0;
    int rc;

    (void)arg;
    make_tree("t", 2);
    ck_ok(bight_directory_walk(&directory, place_path("t/"), &both));
    while ((rc = bight_directory_next(directory, &entry)) > 0) {
        const char *slash = strrchr(entry.path, '/');

        ck_assert_str_eq(entry.name, entry.depth ? slash + 1 : "t/");
        if (entry.type != BIGHT_FILE_DIRECTORY)
            continue;
        if (entry.after) { /* all within it have come */
            open--;
            continue;
        }
        open++;
        if (entry.depth)
            ck_assert(strncmp(entry.path, stack[entry.depth - 1], strlen(stack[0])) == 0);
        snprintf(stack[entry.depth], sizeof stack[0], "%s", entry.path);
    }
    ck_ok(rc);
    ck_assert_uint_eq(open, 0);
    ck_ok(bight_directory_end(directory));
    return 0;
}

#define DEEP 200

/* Deeper than a path can be long, with something behind the deepest on each level. */
static int deep(void *arg)
{
    static const char name[] = "a-name-that-is-not-short";
    const struct bight_directory_options after = {.flags = BIGHT_DIRECTORY_AFTER};
    int fd = open(place_path("."), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int before;
    struct seen seen;

    (void)arg;
    for (int i = 0; i < DEEP; i++) {
        int inner;

        ck_assert_int_eq(mkdirat(fd, "z", 0755), 0);
        ck_assert_int_eq(mkdirat(fd, name, 0755), 0);
        ck_assert_int_eq(mkdirat(fd, "b", 0755), 0);
        inner = openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_ge(inner, 0);
        close(fd);
        fd = inner;
    }
    close(fd);
    before = test_open_fds();
    seen = walk(place_path("."), &after);
    ck_assert_uint_eq(seen.entries, 3 * DEEP + 1);
    ck_assert_uint_eq(seen.deepest, DEEP);
    ck_assert_uint_eq(seen.errors, 0);
    ck_assert_int_le(seen.fds, before + 16);
    return 0;
}

/* Remove it, which nftw cannot, deepest first. */
static void remove_deep(void)
{
    char command[PLACE_PATH_BYTES + 16];

    snprintf(command, sizeof command, "rm -rf %s", place_path("*"));
    ck_assert_int_eq(system(command), 0);
    place_remove();
}

static int follows(void *arg)
{
    const struct bight_directory_options follow = {.flags = BIGHT_DIRECTORY_FOLLOW};
    struct seen seen;

    (void)arg;
    ck_assert_int_eq(mkdir(place_path("d"), 0755), 0);
    ck_assert_int_eq(mkdir(place_path("e"), 0755), 0);
    place_put("e/f", "12345");
    ck_assert_int_eq(symlink("../e", place_path("d/to-e")), 0);
    ck_assert_int_eq(symlink("..", place_path("d/up")), 0);
    ck_assert_int_eq(symlink("nowhere", place_path("d/none")), 0);
    seen = walk(place_path("."), NULL);
    ck_assert_uint_eq(seen.entries, 7);
    ck_assert_uint_eq(seen.errors, 0);
    seen = walk(place_path("."), &follow);
    ck_assert_uint_eq(seen.errors, 1);
    ck_assert_int_eq(seen.error, -ELOOP);
    ck_assert_uint_eq(seen.entries, 8); /* e/f comes by two ways */
    return 0;
}

static bool not_d1(void *arg, const struct bight_directory_entry *entry)
{
    return strcmp(entry->name, arg) != 0;
}

static int prunes(void *arg)
{
    char name[] = "d1";
    const struct bight_directory_options options = {.enters = not_d1, .arg = name};
    const struct bight_directory_options one = {.flags = BIGHT_DIRECTORY_ONE_SYSTEM,
                                                .depth_most = 2};
    struct seen seen;

    (void)arg;
    make_tree("t", 2);
    seen = walk(place_path("t"), &options);
    ck_assert_uint_eq(seen.directories, 1 + 5 + 4 * 5);
    ck_assert_uint_eq(seen.entries, seen.directories + 5 + 4 * 5 + 16 * 5);
    seen = walk("/dev", &one); /* has other file systems in it, or not */
    ck_assert_uint_gt(seen.entries, 1);
    return 0;
}

/* What cannot be entered comes with its error, and the walk goes on. */
static int errors(void *arg)
{
    struct seen seen;

    (void)arg;
    if (geteuid() == 0)
        ck_assert_int_eq(seteuid(65534), 0);
    seen = walk("/root", NULL);
    if (seen.errors) { /* who may read it sees none */
        ck_assert_int_eq(seen.error, BIGHT_EACCES);
        ck_assert_uint_eq(seen.entries, 1);
    }
    if (geteuid() == 65534)
        ck_assert_int_eq(seteuid(0), 0);
    return 0;
}

/* Others remove the tree meanwhile. */
static int vanishes(void *arg)
{
    struct bight_directory *directory;
    struct bight_directory_entry entry;
    int rc, count = 0;

    (void)arg;
    make_tree("t", 3);
    ck_ok(bight_directory_walk(&directory, place_path("t"), NULL));
    ck_assert_int_eq(bight_directory_next(directory, &entry), 1);
    remove_deep();
    while ((rc = bight_directory_next(directory, &entry)) > 0) {
        ck_assert_int_eq(entry.error, 0);
        count++;
    }
    ck_ok(rc);
    ck_assert_int_gt(count, 0);
    ck_ok(bight_directory_end(directory));
    place_make();
    return 0;
}

static const struct suite_case cases[] = {
    world_case(a_walk_shows_what_nftw_shows, counts),
    world_case(directories_come_before_and_behind, order),
    world_case(depth_costs_neither_paths_nor_descriptors, deep),
    world_case(links_are_followed_when_asked_for_and_not_in_circles, follows),
    world_case(directories_are_left_out, prunes),
    world_case(errors_come_as_entries, errors),
    world_case(what_vanishes_is_no_error, vanishes),
};

test_suite("walk", cases, .setup = place_make, .teardown = remove_deep);
