/* What is open at the end, and where it was opened: BIGHT_CHECK_OPEN. What the runtime ends where
 * the program does not is noted here with the chain of its callers while that is on; handles that
 * the program has opened on the loop are only seen. */
#include "runtime/runtime.h"
#include "coro/core/task.h"

#include <execinfo.h>
#include <stdio.h>
#include <string.h>

/* What is noted at a time; of what is opened beyond that it is not known where. */
#define OBJECTS_MOST 1024
#define PLACES_MOST 12

struct opened {
    const void *object; /* NULL: free */
    size_t count;
    const void *places[PLACES_MOST];
};

struct bight_opened {
    struct opened objects[OBJECTS_MOST];
};

/* The unwinder is loaded by its first use, which takes more stack than a task may have. */
static void unwinder_load(void)
{
    void *place;

    (void)!backtrace(&place, 1);
}

int bight__opened_begin(struct bight_runtime *runtime)
{
    if (!(runtime->sched.options.checks & BIGHT_CHECK_OPEN))
        return 0;
    unwinder_load();
    runtime->opened = bight__alloc_zero(&runtime->sched.seams, sizeof(*runtime->opened));
    return runtime->opened ? 0 : BIGHT_ENOMEM;
}

static struct opened *find(struct bight_opened *opened, const void *object)
{
    for (size_t i = 0; i < OBJECTS_MOST; i++) {
        if (opened->objects[i].object == object)
            return &opened->objects[i];
    }
    return NULL;
}

void bight__opened_note(const struct bight_runtime *runtime, const void *object)
{
    void *places[PLACES_MOST + 1]; /* the first is in here */
    struct opened *entry;
    int count;

    if (likely(!runtime->opened))
        return;
    entry = find(runtime->opened, NULL);
    if (!entry)
        return;
    count = backtrace(places, PLACES_MOST + 1) - 1;
    entry->object = object;
    entry->count = count > 0 ? (size_t)count : 0;
    memcpy(entry->places, places + 1, entry->count * sizeof(places[0]));
}

void bight__opened_forget(const struct bight_runtime *runtime, const void *object)
{
    struct opened *entry = likely(!runtime->opened) ? NULL : find(runtime->opened, object);

    if (entry)
        entry->object = NULL;
}

void bight__opened_left(struct bight_runtime *runtime, const void *object, const char *text)
{
    struct opened *entry;
    struct bight_report report = {.kind = BIGHT_REPORT_LEFT_OPEN, .task_name = "", .text = text};

    if (!runtime->opened)
        return;
    entry = object ? find(runtime->opened, object) : NULL;
    if (entry) {
        report.places = entry->places;
        report.place_count = entry->count;
    }
    runtime->sched.driver->report(&runtime->sched, NULL, &report);
    if (entry)
        entry->object = NULL;
}

/* All of ours is closing by now. */
static void on_handle(uv_handle_t *handle, void *arg)
{
    const char *kind = uv_handle_type_name(uv_handle_get_type(handle));
    char text[64];

    if (uv_is_closing(handle))
        return;
    snprintf(text, sizeof(text), "a handle of libuv's: uv_%s_t%s", kind ? kind : "handle",
             uv_is_active(handle) ? ", active" : "");
    bight__opened_left(arg, NULL, text);
}

void bight__opened_end(struct bight_runtime *runtime)
{
    if (!runtime->opened)
        return;
    if (runtime->owns_loop)
        uv_walk(runtime->loop, on_handle, runtime);
    bight__free(runtime->opened);
    runtime->opened = NULL;
}

void bight__opened_tasks(const struct bight_runtime *runtime)
{
    const struct bight_task *task = bight__task_first(&runtime->sched);
    struct bight_task_info info;
    unsigned depth = 0;
    char text[192];

    if (!runtime->opened)
        return;
    for (; task; task = bight__task_next(task, &depth)) {
        if (task->flags & TASK_MAIN || bight_task_get_info(task, &info))
            continue;
        snprintf(text, sizeof(text), "at the end of main: %s%s",
                 *info.waits_for ? "waits for " : "ready to run", info.waits_for);
        bight__task_report(task, BIGHT_REPORT_LEFT_RUNNING, 0, 0, text);
    }
}
