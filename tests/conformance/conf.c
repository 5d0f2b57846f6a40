#include "tests/conformance/conf.h"

#include <stdio.h>

static uint64_t start_ns;

static int main_task(void *arg)
{
    int (**body)(void *arg) = arg;

    start_ns = bight_now_ns();
    return (*body)(NULL);
}

int conf_main(int (*body)(void *arg), struct world_reports *reports)
{
    return world_run(main_task, &body, reports);
}

int conf_plain(int (*body)(void *arg), void *unused)
{
    (void)unused;
    return conf_main(body, NULL);
}

int64_t conf_now_ms(void)
{
    return (int64_t)((bight_now_ns() - start_ns) / 1000000);
}

void conf_join_at(struct bight_task *task, int code, const char *file, int line)
{
    int status = 0;

    world_code(bight_join(task, &status), 0, "join", file, line);
    world_code(status, code, "status of the task", file, line);
}

void conf_cancelled_after_at(int64_t after_ms, int (*fn)(void *arg), void *arg, int code,
                             const char *file, int line)
{
    struct bight_task *task;

    world_code(bight_spawn(&task, fn, arg), 0, "spawn", file, line);
    world_code(bight_sleep(after_ms), 0, "sleep", file, line);
    bight_task_cancel(task);
    conf_join_at(task, code, file, line);
}

int conf_sleeper(void *arg)
{
    struct conf_sleeper *sleeper = arg;

    sleeper->begun = true;
    sleeper->saw = bight_sleep(sleeper->sleep_ms);
    sleeper->ended = true;
    sleeper->ended_ms = conf_now_ms();
    if (sleeper->saw)
        return sleeper->on_cancel ? sleeper->on_cancel : sleeper->saw;
    return sleeper->returns;
}

void conf_note(struct conf_notes *notes, const char *word)
{
    int more = snprintf(notes->text + notes->used, sizeof(notes->text) - notes->used, " %s", word);

    ck_assert_int_lt(more, (int)(sizeof(notes->text) - notes->used));
    notes->used += (size_t)more;
}
