/* Counting tasks by what they wait for. Reads only and allocates nothing. */
#include "coro/core/task.h"

#include <string.h>

/* The place of that name, or where it belongs: behind those that are there, or in the last place,
 * whose name is that of all the rest. */
static size_t place_of(struct bight_parked *counts, size_t used, size_t max, const char *name)
{
    size_t i = 0;

    while (i < used && counts[i].name != name && strcmp(counts[i].name, name) != 0)
        i++;
    if (i < max)
        return i;
    counts[max - 1].name = "other";
    return max - 1;
}

static size_t count(struct bight_parked *counts, size_t used, size_t max, const char *name)
{
    size_t i = place_of(counts, used, max, name);

    if (i == used)
        counts[used++] = (struct bight_parked){.name = name};
    counts[i].tasks++;
    return used;
}

/* The most first; the rest stays last. There are few. */
static void sort(struct bight_parked *counts, size_t used)
{
    for (size_t i = 1; i < used; i++) {
        struct bight_parked one = counts[i];
        size_t at = i;

        for (; at > 0 && counts[at - 1].tasks < one.tasks; at--)
            counts[at] = counts[at - 1];
        counts[at] = one;
    }
}

int bight_runtime_count_parked(struct bight_parked *counts, size_t max)
{
    const struct bight_sched *sched = bight__sched;
    const struct bight_task *task;
    unsigned depth = 0;
    size_t used = 0;
    bool rest;

    if (!counts || !max)
        return BIGHT_EINVAL;
    if (!sched)
        return BIGHT_ENORUNTIME;
    for (task = bight__task_first(sched); task; task = bight__task_next(task, &depth)) {
        if (task->parked)
            used = count(counts, used, max, task->parked->ops->name);
    }
    rest = used == max && !strcmp(counts[max - 1].name, "other");
    sort(counts, used - rest);
    return (int)used;
}
