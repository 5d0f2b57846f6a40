/* stacks: of the tasks that live, by the place that spawned them, how much stack they have used,
 * and what would do. */
#include "net/monitor/answer.h"

#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "coro/base/seams.h"

#define SITES 64

/* What is suggested is a power of two that leaves at least half of the stack free, because use is
 * seen only when a task switches. */
#define LEAST_SUGGESTED ((size_t)16 << 10)
#define MARGIN 2

struct site {
    const void *spawned_at;
    char name[BIGHT_TASK_NAME_BYTES]; /* of the first one */
    size_t tasks;
    size_t used;  /* at most */
    size_t bytes; /* at least */
};

struct sites {
    size_t walked;
    size_t tasks_max;
    size_t count;
    struct site sites[SITES];
};

/* The place of that site, the last one being for all that find none. */
static struct site *find(struct sites *sites, const struct bight_task_info *info)
{
    size_t i = 0;

    while (i < sites->count && sites->sites[i].spawned_at != info->spawned_at)
        i++;
    if (i == SITES) {
        i = SITES - 1;
        sites->sites[i].spawned_at = NULL;
        strcpy(sites->sites[i].name, "others");
    } else if (i == sites->count) {
        sites->count++;
        sites->sites[i] = (struct site){.spawned_at = info->spawned_at, .bytes = SIZE_MAX};
        memcpy(sites->sites[i].name, info->name, sizeof info->name);
    }
    return &sites->sites[i];
}

static bool visit(void *arg, struct bight_task *task)
{
    struct sites *sites = arg;
    struct bight_task_info info;
    struct site *site;

    if (sites->walked++ == sites->tasks_max || bight_task_get_info(task, &info))
        return false;
    site = find(sites, &info);
    site->tasks++;
    site->used = info.stack_used > site->used ? info.stack_used : site->used;
    site->bytes = info.stack_bytes < site->bytes ? info.stack_bytes : site->bytes;
    return true;
}

static size_t suggested(const struct site *site)
{
    size_t bytes = LEAST_SUGGESTED;

    while (bytes < MARGIN * site->used)
        bytes *= 2;
    return bytes;
}

/* As addr2line takes it: "program+0x1234", where the address is inside of the call. */
static void describe(const void *spawned_at, char *text, size_t text_bytes)
{
    const char *inside, *slash;
    Dl_info info;

    if (!spawned_at) {
        snprintf(text, text_bytes, "-");
        return;
    }
    inside = (const char *)spawned_at - 1;
    if (dladdr(inside, &info) && info.dli_fname) {
        slash = strrchr(info.dli_fname, '/');
        snprintf(text, text_bytes, "%s+0x%zx", slash ? slash + 1 : info.dli_fname,
                 (size_t)(inside - (const char *)info.dli_fbase));
    } else {
        snprintf(text, text_bytes, "%p", (const void *)inside);
    }
}

/* Of some KiB, so it does not lie on the stack. To be freed. */
static struct sites *collect(struct bight_answer *answer)
{
    struct sites *sites = bight__alloc_zero(answer->seams, sizeof *sites);

    if (!sites) {
        answer->failed = true;
        return NULL;
    }
    sites->tasks_max = answer->tasks_max;
    bight_tasks(visit, sites);
    return sites;
}

void bight__reply_stacks(struct bight_answer *answer)
{
    struct sites *sites = collect(answer);
    char place[128];

    bight__reply_add(answer, "%8s %9s %9s %9s %-24s %s\n", "TASKS", "USED", "BYTES", "SUGGESTED",
                     "NAME", "SPAWNED AT");
    for (size_t i = 0; sites && i < sites->count; i++) {
        const struct site *site = &sites->sites[i];

        describe(site->spawned_at, place, sizeof place);
        bight__reply_add(answer, "%8zu %9zu %9zu %9zu %-24s %s\n", site->tasks, site->used,
                         site->bytes, suggested(site), site->name[0] ? site->name : "-", place);
    }
    bight__free(sites);
}

void bight__reply_stacks_json(struct bight_answer *answer)
{
    struct sites *sites = collect(answer);
    char place[128];

    bight__reply_add(answer, "[");
    for (size_t i = 0; sites && i < sites->count; i++) {
        const struct site *site = &sites->sites[i];

        describe(site->spawned_at, place, sizeof place);
        bight__reply_add(answer, "%s{\"tasks\": %zu, \"stack_used\": %zu, \"stack_bytes\": %zu, ",
                         i ? ", " : "", site->tasks, site->used, site->bytes);
        bight__reply_add(answer, "\"suggested_bytes\": %zu, \"name\": ", suggested(site));
        bight__reply_add_string(answer, site->name);
        bight__reply_add(answer, ", \"spawned_at\": ");
        bight__reply_add_string(answer, place);
        bight__reply_add(answer, "}");
    }
    bight__reply_add(answer, "]");
    bight__free(sites);
}
