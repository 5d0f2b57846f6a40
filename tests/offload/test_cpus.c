/* How many CPUs a control group's quota leaves, below a root directory made for each case. */
#include "offload/cpus.h"

#include <ftw.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/harness/suite.h"

static char root[32];

static void make_root(void)
{
    strcpy(root, "/tmp/bight-cpus-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(root));
}

static int drop(const char *path, const struct stat *about, int kind, struct FTW *at)
{
    (void)about;
    (void)kind;
    (void)at;
    return remove(path);
}

static void remove_root(void)
{
    ck_assert_int_eq(nftw(root, drop, 16, FTW_DEPTH | FTW_PHYS), 0);
}

/* Write the file, with the directories that it lies in. */
static void put(const char *name, const char *text)
{
    char path[1024];
    FILE *file;

    ck_assert_int_lt(snprintf(path, sizeof path, "%s%s", root, name), (int)sizeof path);
    for (char *end = path + strlen(root); (end = strchr(end + 1, '/'));) {
        *end = '\0';
        (void)mkdir(path, 0755);
        *end = '/';
    }
    file = fopen(path, "we");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(text, file), 0);
    ck_assert_int_eq(fclose(file), 0);
}

#define V2_MOUNT "29 22 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n"
#define OTHER_MOUNT "22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n"

static void the_quota_of_a_group_is_rounded_up(void)
{
    put("/proc/self/cgroup", "0::/box\n");
    put("/proc/self/mountinfo", OTHER_MOUNT V2_MOUNT);
    put("/sys/fs/cgroup/box/cpu.max", "250000 100000\n");
    ck_assert_uint_eq(bight__cgroup_cpus(root), 3);
    put("/sys/fs/cgroup/box/cpu.max", "200000 100000\n");
    ck_assert_uint_eq(bight__cgroup_cpus(root), 2);
    put("/sys/fs/cgroup/box/cpu.max", "1000 100000\n");
    ck_assert_uint_eq(bight__cgroup_cpus(root), 1);
}

static void no_quota_is_no_limit(void)
{
    static const char *const texts[] = {"max 100000\n", "",  "0 100000\n", "-1 100000\n",
                                        "100000 0\n",   "x", "100000\n"};

    ck_assert_uint_eq(bight__cgroup_cpus(root), UINT_MAX);
    put("/proc/self/cgroup", "0::/box\n");
    ck_assert_uint_eq(bight__cgroup_cpus(root), UINT_MAX);
    put("/proc/self/mountinfo", OTHER_MOUNT);
    ck_assert_uint_eq(bight__cgroup_cpus(root), UINT_MAX);
    put("/proc/self/mountinfo", V2_MOUNT);
    ck_assert_uint_eq(bight__cgroup_cpus(root), UINT_MAX);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        put("/sys/fs/cgroup/box/cpu.max", texts[i]);
        ck_assert_uint_eq(bight__cgroup_cpus(root), UINT_MAX);
    }
    put("/sys/fs/cgroup/box/cpu.max", "9000000000000000000 1\n");
    ck_assert_uint_eq(bight__cgroup_cpus(root), UINT_MAX);
}

static void of_nested_groups_the_smallest_counts(void)
{
    put("/proc/self/cgroup", "0::/a/b/c\n");
    put("/proc/self/mountinfo", V2_MOUNT);
    put("/sys/fs/cgroup/a/b/c/cpu.max", "800000 100000\n");
    put("/sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
    put("/sys/fs/cgroup/a/cpu.max", "400000 100000\n");
    ck_assert_uint_eq(bight__cgroup_cpus(root), 4);
    put("/sys/fs/cgroup/cpu.max", "300000 100000\n"); /* a container's own root has one */
    ck_assert_uint_eq(bight__cgroup_cpus(root), 3);
    put("/sys/fs/cgroup/a/b/c/cpu.max", "50000 50000\n");
    ck_assert_uint_eq(bight__cgroup_cpus(root), 1);
}

/* The container sees its group's part of the hierarchy only. */
static void a_group_is_found_below_its_mount(void)
{
    put("/proc/self/cgroup", "0::/docker/12ab/inner\n");
    put("/proc/self/mountinfo", "29 22 0:26 /docker/12ab /cg rw - cgroup2 none rw\n");
    put("/cg/inner/cpu.max", "700000 100000\n");
    ck_assert_uint_eq(bight__cgroup_cpus(root), 7);
    put("/cg/cpu.max", "600000 100000\n");
    ck_assert_uint_eq(bight__cgroup_cpus(root), 6);
    put("/proc/self/cgroup", "0::/docker/12abc\n"); /* lies elsewhere: what is mounted counts */
    ck_assert_uint_eq(bight__cgroup_cpus(root), 6);
    put("/proc/self/cgroup", "0::/../else\n");
    put("/proc/self/mountinfo", "29 22 0:26 / /cg rw - cgroup2 none rw\n");
    ck_assert_uint_eq(bight__cgroup_cpus(root), 6);
}

/* Where the controller is of version 1, version 2 has none of it. */
static void groups_of_version_1_count_too(void)
{
    put("/proc/self/cgroup", "5:memory:/m\n4:cpu,cpuacct:/x/y\n2:cpuset:/s\n0::/box\n");
    put("/proc/self/mountinfo",
        V2_MOUNT "31 30 0:28 / /cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"
                 "32 30 0:29 / /cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n");
    put("/sys/fs/cgroup/box/cpu.max", "100000 100000\n");
    put("/cgroup/cpu,cpuacct/x/y/cpu.cfs_quota_us", "-1\n");
    put("/cgroup/cpu,cpuacct/x/y/cpu.cfs_period_us", "100000\n");
    ck_assert_uint_eq(bight__cgroup_cpus(root), UINT_MAX);
    put("/cgroup/cpu,cpuacct/x/cpu.cfs_quota_us", "150000\n");
    put("/cgroup/cpu,cpuacct/x/cpu.cfs_period_us", "50000\n");
    ck_assert_uint_eq(bight__cgroup_cpus(root), 3);
    put("/cgroup/cpu,cpuacct/x/y/cpu.cfs_quota_us", "110000\n");
    ck_assert_uint_eq(bight__cgroup_cpus(root), 2);
}

static void names_that_are_too_long_are_no_limit(void)
{
    char text[2048] = "0::/";

    memset(text + 4, 'a', 1500);
    put("/proc/self/cgroup", text);
    put("/proc/self/mountinfo", V2_MOUNT);
    ck_assert_uint_eq(bight__cgroup_cpus(root), UINT_MAX);
    text[4 + 500] = '\0'; /* with its mount it is too long, so the mount's own quota counts */
    put("/proc/self/cgroup", text);
    put("/sys/fs/cgroup/cpu.max", "200000 100000\n");
    ck_assert_uint_eq(bight__cgroup_cpus(root), 2);
}

static void there_is_at_least_one_cpu_and_no_more_than_allowed(void)
{
    unsigned count = bight__cpu_count();
    cpu_set_t set;

    ck_assert_uint_ge(count, 1);
    ck_assert_int_eq(sched_getaffinity(0, sizeof set, &set), 0);
    ck_assert_uint_le(count, (unsigned)CPU_COUNT(&set));
    ck_assert_uint_le(count, bight__cgroup_cpus(""));
    for (size_t cpu = 0, left = 1; cpu < CPU_SETSIZE; cpu++) {
        if (CPU_ISSET(cpu, &set) && left-- != 1)
            CPU_CLR(cpu, &set);
    }
    ck_assert_int_eq(sched_setaffinity(0, sizeof set, &set), 0);
    ck_assert_uint_eq(bight__cpu_count(), 1); /* affinity is looked at each time */
}

static const struct suite_case cases[] = {
    plain_case(the_quota_of_a_group_is_rounded_up),
    plain_case(no_quota_is_no_limit),
    plain_case(of_nested_groups_the_smallest_counts),
    plain_case(a_group_is_found_below_its_mount),
    plain_case(groups_of_version_1_count_too),
    plain_case(names_that_are_too_long_are_no_limit),
    plain_case(there_is_at_least_one_cpu_and_no_more_than_allowed),
};

test_suite("cpus", cases, .setup = make_root, .teardown = remove_root);
