/* See cpus.h. The quota is cpu.max in cgroups(7) of version 2, and cpu.cfs_quota_us with
 * cpu.cfs_period_us in version 1; that of each group around a group holds too. Where a group lies
 * is put together from /proc/self/cgroup, which names it as its hierarchy does, and
 * /proc/self/mountinfo, since a container may see only a part of the hierarchy. */
#include "offload/cpus.h"

#include <limits.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_BYTES 512
#define NO_QUOTA UINT_MAX

/* The group of this process that may limit its CPUs. */
struct group {
    char name[PATH_BYTES]; /* in its hierarchy */
    bool unified;          /* of version 2 */
    bool found;
};

/* Not inlined, so that no frame has many paths. */
static __attribute__((noinline)) FILE *open_in(const char *root, const char *directory,
                                               const char *name)
{
    char path[PATH_BYTES];
    int length = snprintf(path, sizeof(path), "%s%s%s", root, directory, name);

    return length > 0 && (size_t)length < sizeof(path) ? fopen(path, "re") : NULL;
}

/* Call `look` for each line of the file until it says true. */
static bool find_line(const char *root, const char *file, bool (*look)(char *line, void *arg),
                      void *arg)
{
    FILE *lines = open_in(root, file, "");
    char *line = NULL;
    size_t room = 0;
    bool found = false;

    if (!lines)
        return false;
    while (!found && getline(&line, &room, lines) > 0) {
        line[strcspn(line, "\n")] = '\0';
        found = look(line, arg);
    }
    free(line);
    fclose(lines);
    return found;
}

/* Whether `word` is in a list with commas. */
static bool lists(const char *list, const char *word)
{
    size_t length = strlen(word);

    for (;; list++) {
        if (strncmp(list, word, length) == 0 && (list[length] == ',' || list[length] == '\0'))
            return true;
        list = strchr(list, ',');
        if (!list)
            return false;
    }
}

static bool copy(char to[static PATH_BYTES], const char *from)
{
    return (size_t)snprintf(to, PATH_BYTES, "%s", from) < PATH_BYTES;
}

/* A line of /proc/self/cgroup: NUMBER:CONTROLLERS:NAME. True for a group of version 1 with that
 * controller; one of version 2 has it if there is no such group. */
static bool look_for_group(char *line, void *arg)
{
    struct group *group = arg;
    char *controllers = strchr(line, ':');
    char *name = controllers ? strchr(controllers + 1, ':') : NULL;
    bool unified;

    if (!name)
        return false;
    *controllers++ = *name++ = '\0';
    unified = strcmp(line, "0") == 0 && !*controllers;
    if (!unified && !lists(controllers, "cpu"))
        return false;
    group->unified = unified;
    group->found = copy(group->name, name);
    return !unified;
}

/* Where the group's hierarchy is mounted: a directory, and its name in the hierarchy. */
struct mount {
    bool unified;
    char at[PATH_BYTES];
    char name[PATH_BYTES];
};

/* The next word of a line, which is cut there; "" at its end. */
static char *next_word(char **at)
{
    char *word = *at;
    size_t length = strcspn(word, " ");

    *at += length;
    if (**at)
        *(*at)++ = '\0';
    return word;
}

/* A line of /proc/self/mountinfo: ID PARENT DEVICE NAME DIRECTORY ... - TYPE SOURCE OPTIONS. */
static bool look_for_mount(char *line, void *arg)
{
    struct mount *mount = arg;
    char *rest = strstr(line, " - "), *at = line, *name, *directory, *type;

    if (!rest)
        return false;
    for (int i = 0; i < 3; i++)
        (void)next_word(&at);
    name = next_word(&at);
    directory = next_word(&at);
    at = rest + 3;
    type = next_word(&at);
    (void)next_word(&at);
    if (strcmp(type, mount->unified ? "cgroup2" : "cgroup") != 0 ||
        (!mount->unified && !lists(next_word(&at), "cpu")))
        return false;
    return copy(mount->at, directory) && copy(mount->name, name);
}

/* The group's name below the mount: "" for what is mounted itself, and for what does not lie there
 * as far as this process sees. */
static const char *below(const struct mount *mount, const struct group *group)
{
    size_t length = strlen(mount->name);
    const char *rest = group->name;

    if (length > 1) {
        if (strncmp(rest, mount->name, length) != 0 || (rest[length] && rest[length] != '/'))
            return "";
        rest += length;
    }
    return strstr(rest, "/..") || strcmp(rest, "/") == 0 ? "" : rest;
}

static bool read_number(const char *root, const char *directory, const char *name, long long *out)
{
    FILE *file = open_in(root, directory, name);
    bool read;

    if (!file)
        return false;
    read = fscanf(file, "%lld", out) == 1;
    fclose(file);
    return read;
}

static unsigned quota_at(const char *root, const char *directory, bool unified)
{
    long long share = 0, period = 0, cpus;

    if (unified) {
        FILE *file = open_in(root, directory, "/cpu.max");

        if (!file)
            return NO_QUOTA;
        if (fscanf(file, "%lld %lld", &share, &period) != 2) /* "max 100000" */
            share = 0;
        fclose(file);
    } else if (!read_number(root, directory, "/cpu.cfs_quota_us", &share) ||
               !read_number(root, directory, "/cpu.cfs_period_us", &period)) {
        return NO_QUOTA;
    }
    if (share <= 0 || period <= 0)
        return NO_QUOTA;
    cpus = (share - 1) / period + 1;
    return cpus < NO_QUOTA ? (unsigned)cpus : NO_QUOTA;
}

unsigned bight__cgroup_cpus(const char *root)
{
    struct group group = {.found = false};
    struct mount mount;
    unsigned least = NO_QUOTA;
    size_t length;
    char *end;

    (void)find_line(root, "/proc/self/cgroup", look_for_group, &group);
    if (!group.found)
        return NO_QUOTA;
    mount.unified = group.unified;
    if (!find_line(root, "/proc/self/mountinfo", look_for_mount, &mount))
        return NO_QUOTA;
    length = strlen(mount.at);
    if ((size_t)snprintf(mount.at + length, PATH_BYTES - length, "%s", below(&mount, &group)) >=
        PATH_BYTES - length)
        mount.at[length] = '\0';
    for (;;) {
        unsigned cpus = quota_at(root, mount.at, mount.unified);

        if (cpus < least)
            least = cpus;
        end = strrchr(mount.at + length, '/');
        if (!end)
            return least;
        *end = '\0';
    }
}

/* 0: not read yet. */
static _Atomic unsigned quota;

unsigned bight__cpu_count(void)
{
    unsigned most = atomic_load_explicit(&quota, memory_order_relaxed);
    cpu_set_t set;
    int count = 0;

    if (most == 0) {
        most = bight__cgroup_cpus("");
        atomic_store_explicit(&quota, most, memory_order_relaxed);
    }
    if (sched_getaffinity(0, sizeof(set), &set) == 0)
        count = CPU_COUNT(&set);
    if (count <= 0)
        return 1;
    return (unsigned)count < most ? (unsigned)count : most;
}
