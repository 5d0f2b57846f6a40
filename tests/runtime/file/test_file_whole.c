/* Whole files: runtime/file/whole.c and replace.c. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/testing/testing.h"
#include "tests/harness/world.h"
#include "tests/runtime/file/place.h"

static int loads(void *arg)
{
    void *data;
    size_t bytes;

    (void)arg;
    place_put("a", "0123456789");
    ck_ok(bight_file_load(place_path("a"), &data, &bytes, 10));
    ck_assert_uint_eq(bytes, 10);
    ck_assert_str_eq(data, "0123456789");
    free(data);
    ck_code(bight_file_load(place_path("a"), &data, &bytes, 9), BIGHT_ETOOBIG);
    ck_code(bight_file_load(place_path("none"), &data, &bytes, 9), BIGHT_ENOENT);
    place_put("a", "");
    ck_ok(bight_file_load(place_path("a"), &data, &bytes, 0));
    ck_assert_uint_eq(bytes, 0);
    ck_assert_str_eq(data, "");
    free(data);
    /* What does not say how large it is. */
    ck_ok(bight_file_load("/proc/self/maps", &data, &bytes, SIZE_MAX));
    ck_assert_uint_gt(bytes, 1000);
    ck_assert_uint_eq(strlen(data), bytes);
    free(data);
    ck_code(bight_file_load("/proc/self/maps", &data, &bytes, 100), BIGHT_ETOOBIG);
    ck_code(bight_file_load("/dev/zero", &data, &bytes, 100000), BIGHT_ETOOBIG);
    return 0;
}

static int saves(void *arg)
{
    (void)arg;
    ck_ok(bight_file_save(place_path("a"), "longer", 6, 0644));
    ck_ok(bight_file_save(place_path("a"), "short", 5, 0644));
    ck_assert_str_eq(place_get("a"), "short");
    ck_code(bight_file_save(place_path("none/a"), "x", 1, 0644), BIGHT_ENOENT);
    return 0;
}

static uint32_t mode_of(const char *name)
{
    struct stat is;

    ck_assert_int_eq(stat(place_path(name), &is), 0);
    return is.st_mode & 07777;
}

static int replaces(void *arg)
{
    const struct bight_file_replace_options keep = {.keep_mode = true, .keep_owner = true};
    const struct bight_file_replace_options given = {.mode = 0604, .no_sync = true};

    (void)arg;
    ck_ok(bight_file_replace(place_path("a"), "first", 5, NULL));
    ck_assert_str_eq(place_get("a"), "first");
    ck_assert_uint_eq(mode_of("a"), 0644);
    ck_assert_int_eq(chmod(place_path("a"), 0751), 0);
    ck_ok(bight_file_replace(place_path("a"), "second", 6, &keep));
    ck_assert_str_eq(place_get("a"), "second");
    ck_assert_uint_eq(mode_of("a"), 0751);
    ck_ok(bight_file_replace(place_path("a"), "", 0, &given));
    ck_assert_uint_eq(mode_of("a"), 0604);
    ck_ok(bight_file_replace(place_path("b"), "new", 3, &keep));
    ck_assert_uint_eq(mode_of("b"), 0644);
    ck_assert_int_eq(place_count("."), 2);
    ck_code(bight_file_replace(place_path("none/a"), "x", 1, NULL), BIGHT_ENOENT);
    ck_assert_int_eq(mkdir(place_path("d"), 0755), 0);
    ck_code(bight_file_replace(place_path("d"), "x", 1, NULL), -EISDIR);
    ck_assert_int_eq(place_count("."), 3);
    ck_assert_int_eq(chdir(place_path(".")), 0);
    ck_ok(bight_file_replace("here", "x", 1, NULL));
    ck_assert_str_eq(place_get("here"), "x");
    ck_assert_int_eq(chdir("/"), 0);
    return 0;
}

/* The order of the system calls, and what is there when one of them fails */

static struct {
    char calls[256];
    int number; /* of the call that fails, from 1 */
    int count;
} script;

static bool note_call(void *ctx, const void *site, const char *name, int *error, size_t *bytes)
{
    static const char *const file_calls[] = {"open",  "stat",  "write",  "fchown", "fchmod",
                                             "fsync", "close", "rename", "unlink", NULL};

    (void)ctx, (void)site, (void)bytes;
    for (int i = 0; file_calls[i]; i++)
        if (strcmp(file_calls[i], name) == 0) {
            strcat(script.calls, " ");
            strcat(script.calls, name);
            *error = EIO;
            return ++script.count == script.number;
        }
    return false;
}

static int replace_a(void *options)
{
    return bight_file_replace(place_path("a"), "new", 3, options);
}

static int run(const struct bight_file_replace_options *options, int number)
{
    struct bight__test test;
    struct bight_seams seams = {.fail_call = note_call};

    memset(&script, 0, sizeof script);
    script.number = number;
    place_put("a", "old");
    bight__test_time(&test, &seams);
    return bight__run_with_seams(NULL, &seams, replace_a, (void *)(uintptr_t)options);
}

/* Content, owner, mode; content on the disk; name; name on the disk. */
static void calls_are_in_order(void)
{
    const struct bight_file_replace_options keep = {.keep_mode = true, .keep_owner = true};
    const struct bight_file_replace_options no_sync = {.no_sync = true};

    ck_ok(run(NULL, 0));
    ck_assert_str_eq(script.calls, " open write fchmod fsync close rename open fsync close");
    ck_ok(run(&keep, 0));
    ck_assert_str_eq(script.calls,
                     " open write stat fchown fchmod fsync close rename open fsync close");
    ck_ok(run(&no_sync, 0));
    ck_assert_str_eq(script.calls, " open write fchmod close rename");
}

static void a_failure_leaves_the_old_or_the_new(void)
{
    static const char *const calls[] = {"open",   "write", "fchmod", "fsync", "close",
                                        "rename", "open",  "fsync",  "close"};

    for (int i = 0; i < 9; i++) {
        ck_code(run(NULL, i + 1), BIGHT_EIO);
        ck_assert_msg(strstr(script.calls, calls[i]), "%s", script.calls);
        ck_assert_str_eq(place_get("a"), i < 6 ? "old" : "new");
        ck_assert_int_eq(place_count("."), 1);
    }
}

static int cancel(void *scope)
{
    bight_scope_cancel(scope);
    return 0;
}

/* Whenever it is cancelled, it is one or the other, and nothing is beside it. */
static int cancelled(void *arg)
{
    int done = 0;

    (void)arg;
    for (int turns = 0; !done; turns++) {
        struct bight_scope scope;
        struct bight_task *task;
        int rc;

        place_put("a", "old");
        ck_ok(bight_scope_begin(&scope, -1, 0));
        ck_ok(bight_spawn(&task, cancel, &scope));
        for (int i = 0; i < turns && !scope.cancelled; i++)
            if (bight_yield())
                break;
        rc = bight_file_replace(place_path("a"), "new", 3, NULL);
        rc = bight_scope_end(&scope, rc);
        ck_ok(bight_join(task, NULL));
        ck_ok(rc);
        done = strcmp(place_get("a"), "new") == 0 || turns > 3;
        ck_assert(strcmp(place_get("a"), "new") == 0 || strcmp(place_get("a"), "old") == 0);
        ck_assert_int_eq(place_count("."), 1);
    }
    return 0;
}

static const struct suite_case cases[] = {
    world_case(a_whole_file_is_read_up_to_a_limit, loads),
    world_case(a_whole_file_is_written, saves),
    world_case(a_file_is_replaced, replaces),
    plain_case(calls_are_in_order),
    plain_case(a_failure_leaves_the_old_or_the_new),
    world_case(a_cancellation_leaves_the_old_or_the_new, cancelled),
};

test_suite("file_whole", cases, .setup = place_make, .teardown = place_remove);
