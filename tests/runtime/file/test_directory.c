/* Directories that are made and removed, and what is in one: runtime/file/make.c, directory.c. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/harness/world.h"
#include "tests/runtime/file/place.h"

static int makes(void *arg)
{
    char path[PLACE_PATH_BYTES];
    struct bight_file_info info;

    (void)arg;
    ck_ok(bight_directory_make(place_path("d"), 0700));
    ck_code(bight_directory_make(place_path("d"), 0700), BIGHT_EEXIST);
    ck_code(bight_directory_make(place_path("none/d"), 0700), BIGHT_ENOENT);
    place_put("d/f", "");
    ck_code(bight_directory_remove(place_path("d")), -ENOTEMPTY);
    ck_ok(bight_directory_sync(place_path("d")));
    ck_code(bight_directory_sync(place_path("d/f")), -ENOTDIR);
    ck_ok(bight_file_unlink(place_path("d/f")));
    ck_ok(bight_directory_remove(place_path("d")));
    strcpy(path, place_path("t-XXXXXX"));
    ck_ok(bight_directory_mkdtemp(path));
    ck_ok(bight_file_stat(path, &info));
    ck_assert_int_eq(info.type, BIGHT_FILE_DIRECTORY);
    ck_assert_uint_eq(info.mode, 0700);
    strcpy(path, "t");
    ck_code(bight_directory_mkdtemp(path), BIGHT_EINVAL);
    return 0;
}

static int makes_all(void *arg)
{
    (void)arg;
    ck_ok(bight_directory_make_all(place_path("a//b/c/d/"), 0755));
    ck_assert_int_eq(place_count("a/b/c/d"), 0);
    ck_ok(bight_directory_make_all(place_path("a/b"), 0755));
    ck_ok(bight_directory_make_all("/", 0755));
    place_put("f", "");
    ck_code(bight_directory_make_all(place_path("f"), 0755), BIGHT_EEXIST);
    ck_code(bight_directory_make_all(place_path("f/x/y"), 0755), -ENOTDIR);
    ck_code(bight_directory_make_all("", 0755), BIGHT_ENOENT);
    return 0;
}

static int scans(void *arg)
{
    static const char *const names[] = {"d/x", "d/y", "d/z"};
    struct bight_directory *scan;
    struct bight_directory_entry entry;
    int seen = 0, rc;

    (void)arg;
    ck_assert_int_eq(mkdir(place_path("d"), 0755), 0);
    ck_assert_int_eq(mkdir(place_path("d/x"), 0755), 0);
    place_put("d/x/inner", "");
    place_put("d/y", "12345");
    ck_assert_int_eq(symlink("nowhere", place_path("d/z")), 0);
    ck_assert_int_eq(symlink("d", place_path("link")), 0);
    ck_ok(bight_directory_scan(&scan, place_path("d"), 0));
    while ((rc = bight_directory_next(scan, &entry)) > 0) {
        ck_assert_uint_eq(entry.depth, 1);
        ck_assert_int_eq(entry.error, 0);
        ck_assert_uint_eq(strlen(entry.path), entry.path_bytes);
        for (size_t i = 0; i < 3; i++)
            if (strcmp(entry.name, names[i] + 2) == 0) {
                seen |= 1 << i;
                ck_assert_str_eq(entry.path, place_path(names[i]));
                ck_assert_int_eq(entry.type, i == 0   ? BIGHT_FILE_DIRECTORY
                                             : i == 1 ? BIGHT_FILE_REGULAR
                                                      : BIGHT_FILE_SYMLINK);
                ck_assert(i != 1 || entry.info.bytes == 5);
            }
    }
    ck_ok(rc);
    ck_ok(bight_directory_next(scan, &entry));
    ck_ok(bight_directory_end(scan));
    ck_assert_int_eq(seen, 7);
    ck_ok(bight_directory_scan(&scan, place_path("link"), BIGHT_DIRECTORY_NAMES));
    for (seen = 0; (rc = bight_directory_next(scan, &entry)) > 0; seen++)
        ck_assert_uint_eq(entry.info.bytes, 0);
    ck_ok(rc);
    ck_assert_int_eq(seen, 3);
    ck_ok(bight_directory_end(scan));
    return 0;
}

static int refuses(void *arg)
{
    struct bight_directory *scan;
    struct bight_directory_entry entry;

    (void)arg;
    place_put("f", "");
    ck_code(bight_directory_scan(&scan, "", 0), BIGHT_ENOENT);
    ck_ok(bight_directory_scan(&scan, place_path("none"), 0));
    ck_code(bight_directory_next(scan, &entry), BIGHT_ENOENT);
    ck_code(bight_directory_next(scan, &entry), BIGHT_ENOENT);
    ck_ok(bight_directory_end(scan));
    ck_ok(bight_directory_scan(&scan, place_path("f"), 0));
    ck_code(bight_directory_next(scan, &entry), -ENOTDIR);
    ck_ok(bight_directory_end(scan));
    return 0;
}

struct second {
    struct bight_directory *scan;
    int rc;
};

static int take_one(void *arg)
{
    struct second *second = arg;
    struct bight_directory_entry entry;

    second->rc = bight_directory_next(second->scan, &entry);
    return 0;
}

static int one_at_a_time(void *arg)
{
    struct second first = {.rc = -1}, second = {.rc = -1};
    struct bight_task *tasks[2];

    (void)arg;
    place_put("f", "");
    ck_ok(bight_directory_scan(&first.scan, place_path("."), 0));
    second.scan = first.scan;
    ck_ok(bight_spawn(&tasks[0], take_one, &first));
    ck_ok(bight_spawn(&tasks[1], take_one, &second));
    ck_ok(bight_yield());
    ck_code(bight_directory_end(first.scan), BIGHT_EBUSY);
    ck_ok(bight_join(tasks[0], NULL));
    ck_ok(bight_join(tasks[1], NULL));
    ck_assert_int_eq(first.rc, 1);
    ck_code(second.rc, BIGHT_EBUSY);
    return 0; /* the runtime ends it */
}

static const struct suite_case cases[] = {
    world_case(directories_come_and_go, makes),
    world_case(parents_are_made_too, makes_all),
    world_case(a_scan_has_what_is_in_one_directory, scans),
    world_case(what_is_no_directory_is_refused, refuses),
    world_case(one_task_at_a_time_takes_entries, one_at_a_time),
};

test_suite("directory", cases, .setup = place_make, .teardown = place_remove);
