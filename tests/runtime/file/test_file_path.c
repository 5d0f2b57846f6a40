/* What is done to files by their paths: runtime/file/path.c. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "tests/harness/world.h"
#include "tests/runtime/file/place.h"

static int names(void *arg)
{
    char text[PLACE_PATH_BYTES], real[PLACE_PATH_BYTES];
    struct bight_file_info info;

    (void)arg;
    place_put("a", "one");
    ck_ok(bight_file_rename(place_path("a"), place_path("b")));
    ck_code(bight_file_rename(place_path("a"), place_path("b")), BIGHT_ENOENT);
    ck_ok(bight_file_link(place_path("b"), place_path("c")));
    ck_code(bight_file_link(place_path("b"), place_path("c")), BIGHT_EEXIST);
    ck_ok(bight_file_stat(place_path("b"), &info));
    ck_assert_uint_eq(info.links, 2);
    ck_ok(bight_file_symlink("b", place_path("d")));
    ck_assert_int_eq(bight_file_readlink(place_path("d"), text, sizeof text), 1);
    ck_assert_str_eq(text, "b");
    ck_code((int)bight_file_readlink(place_path("d"), text, 1), BIGHT_ETOOBIG);
    ck_code((int)bight_file_readlink(place_path("b"), text, sizeof text), BIGHT_EINVAL);
    ck_assert_int_eq(bight_file_realpath(place_path("./d"), real, sizeof real),
                     (int64_t)strlen(place_path("b")));
    ck_assert_str_eq(real, place_path("b"));
    ck_code((int)bight_file_realpath(place_path("d"), real, 3), BIGHT_ETOOBIG);
    ck_ok(bight_file_unlink(place_path("c")));
    ck_code(bight_file_unlink(place_path("c")), BIGHT_ENOENT);
    ck_assert_str_eq(place_get("b"), "one");
    return 0;
}

static int permissions(void *arg)
{
    struct bight_file_info info;

    (void)arg;
    place_put("a", "");
    ck_ok(bight_file_chmod(place_path("a"), 0751));
    ck_ok(bight_file_stat(place_path("a"), &info));
    ck_assert_uint_eq(info.mode, 0751);
    ck_ok(bight_file_access(place_path("a"), R_OK));
    ck_code(bight_file_access(place_path("none"), F_OK), BIGHT_ENOENT);
    ck_ok(bight_file_chown(place_path("a"), UINT32_MAX, UINT32_MAX));
    ck_ok(bight_file_chown(place_path("a"), geteuid(), getegid()));
    return 0;
}

static int times(void *arg)
{
    const int64_t accessed_ns = 1234567890123456789, modified_ns = -1500000001;
    struct bight_file_info info;

    (void)arg;
    place_put("a", "");
    ck_ok(bight_file_utime(place_path("a"), accessed_ns, modified_ns));
    ck_ok(bight_file_stat(place_path("a"), &info));
    ck_assert_int_eq(info.accessed_ns, accessed_ns);
    ck_assert_int_eq(info.modified_ns, modified_ns);
    ck_code(bight_file_utime(place_path("none"), 0, 0), BIGHT_ENOENT);
    return 0;
}

static int copies(void *arg)
{
    struct bight_file_info info;

    (void)arg;
    place_put("a", "content");
    ck_assert_int_eq(chmod(place_path("a"), 0640), 0);
    ck_ok(bight_file_copy(place_path("a"), place_path("b"), BIGHT_FILE_COPY_NEW));
    ck_assert_str_eq(place_get("b"), "content");
    ck_ok(bight_file_stat(place_path("b"), &info));
    ck_assert_uint_eq(info.mode, 0640);
    ck_code(bight_file_copy(place_path("a"), place_path("b"), BIGHT_FILE_COPY_NEW), BIGHT_EEXIST);
    place_put("a", "other");
    ck_ok(bight_file_copy(place_path("a"), place_path("b"), BIGHT_FILE_COPY_REFLINK));
    ck_assert_str_eq(place_get("b"), "other");
    ck_code(bight_file_copy(place_path("a"), place_path("b"), 64), BIGHT_EINVAL);
    return 0;
}

static int file_systems(void *arg)
{
    struct bight_file_system system;
    struct statfs is;

    (void)arg;
    ck_ok(bight_file_statfs("/proc", &system));
    ck_assert_int_eq(statfs("/proc", &is), 0);
    ck_assert_uint_eq(system.type, (uint64_t)is.f_type);
    ck_ok(bight_file_statfs("/", &system));
    ck_assert_int_eq(statfs("/", &is), 0);
    ck_assert_uint_eq(system.bytes, (uint64_t)is.f_blocks * (uint64_t)is.f_bsize);
    ck_assert_uint_ge(system.free_bytes, system.available_bytes);
    ck_code(bight_file_statfs(place_path("none"), &system), BIGHT_ENOENT);
    return 0;
}

static const struct suite_case cases[] = {
    world_case(names_come_and_go, names),
    world_case(permissions_are_set, permissions),
    world_case(times_are_exact_to_the_nanosecond, times),
    world_case(a_copy_has_content_and_mode, copies),
    world_case(file_systems_are_told, file_systems),
};

test_suite("file_path", cases, .setup = place_make, .teardown = place_remove);
