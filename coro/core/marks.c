/* How much of their stacks tasks use, by the place that spawned them: BIGHT_CHECK_STACKS. No stack
 * is kept warm, so that each is all zeros at first; when it is put back, or when somebody asks, it
 * is seen how far down it was written to. */
#include "coro/core/task.h"

#include <stdio.h>
#include <string.h>

/* Places that are told apart. */
#define SITES 64

struct bight_marks {
    size_t count;
    struct bight_stack_mark sites[SITES];
};

/* The mark for tasks spawned there, of `count` marks; the last of `max` is for those without. */
static struct bight_stack_mark *find(struct bight_stack_mark *marks, size_t *count, size_t max,
                                     const void *spawned_at, const char *name)
{
    size_t i = 0;

    while (i < *count && marks[i].spawned_at != spawned_at)
        i++;
    if (i == max) {
        i = max - 1;
        marks[i].spawned_at = NULL;
        strcpy(marks[i].name, "others");
    } else if (i == *count) {
        ++*count;
        marks[i] = (struct bight_stack_mark){.spawned_at = spawned_at, .bytes = SIZE_MAX};
        memcpy(marks[i].name, name, sizeof(marks[i].name));
    }
    return &marks[i];
}

static size_t suggested(size_t used)
{
    size_t bytes = BIGHT_STACK_MIN;

    while (bytes < used + used / 2)
        bytes *= 2;
    return bytes;
}

static void add(struct bight_stack_mark *mark, size_t tasks, size_t used, size_t bytes)
{
    mark->tasks += tasks;
    mark->used = used > mark->used ? used : mark->used;
    mark->bytes = bytes < mark->bytes ? bytes : mark->bytes;
    mark->suggested_bytes = suggested(mark->used);
}

static void add_task(struct bight_stack_mark *marks, size_t *count, size_t max,
                     const struct bight_task *task)
{
    size_t deepest = bight__stack_deepest(&task->sched->stacks, &task->stack);
    size_t switched = (size_t)((const char *)task - task->stack.low_water);

    add(find(marks, count, max, task->spawned_at, task->name), 1,
        deepest > switched ? deepest : switched, bight__stack_bytes(&task->stack));
}

static void on_leave(struct bight_stackpool *pool, const struct bight_stack *stack)
{
    struct bight_marks *marks = container_of(pool, struct bight_sched, stacks)->marks;

    add_task(marks->sites, &marks->count, SITES, (const struct bight_task *)stack);
}

int bight__marks_open(struct bight_sched *sched)
{
    if (!(sched->options.checks & BIGHT_CHECK_STACKS))
        return 0;
    sched->marks = bight__alloc_zero(&sched->seams, sizeof(*sched->marks));
    if (!sched->marks)
        return BIGHT_ENOMEM;
    bight__stackpool_keep_none(&sched->stacks, on_leave);
    return 0;
}

static int by_use(const void *left, const void *right)
{
    size_t a = ((const struct bight_stack_mark *)left)->used;
    size_t b = ((const struct bight_stack_mark *)right)->used;

    return (a < b) - (a > b);
}

void bight__marks_close(struct bight_sched *sched)
{
    struct bight_marks *marks = sched->marks;
    char text[96];

    if (!marks)
        return;
    qsort(marks->sites, marks->count, sizeof(marks->sites[0]), by_use);
    for (size_t i = 0; i < marks->count; i++) {
        const struct bight_stack_mark *mark = &marks->sites[i];
        const struct bight_report report = {
            .kind = BIGHT_REPORT_STACK_MARK,
            .count = mark->used,
            .task_name = mark->name,
            .text = text,
            .places = &mark->spawned_at,
            .place_count = mark->spawned_at != NULL,
        };

        snprintf(text, sizeof(text), "%zu tasks with stacks of %zu bytes, %zu would do",
                 mark->tasks, mark->bytes, mark->suggested_bytes);
        sched->driver->report(sched, NULL, &report);
    }
    sched->marks = NULL;
    sched->stacks.leaves = NULL;
    bight__free(marks);
}

int bight_runtime_get_stack_marks(struct bight_stack_mark *marks, size_t max)
{
    const struct bight_sched *sched = bight__sched;
    const struct bight_task *task;
    size_t count = 0;
    unsigned depth = 0;

    if (!marks || max == 0)
        return BIGHT_EINVAL;
    if (!sched)
        return BIGHT_ENORUNTIME;
    if (!sched->marks)
        return 0;
    for (size_t i = 0; i < sched->marks->count; i++) {
        const struct bight_stack_mark *site = &sched->marks->sites[i];

        add(find(marks, &count, max, site->spawned_at, site->name), site->tasks, site->used,
            site->bytes);
    }
    for (task = bight__task_first(sched); task; task = bight__task_next(task, &depth))
        add_task(marks, &count, max, task);
    qsort(marks, count, sizeof(marks[0]), by_use);
    return (int)count;
}
