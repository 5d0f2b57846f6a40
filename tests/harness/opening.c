#include "tests/harness/opening.h"

#include "tests/harness/world.h"

struct rival {
    void (*fn)(void *arg);
    void *arg;
    bool ran;
};

static int rival_main(void *arg)
{
    struct rival *rival = arg;

    rival->ran = true;
    if (rival->fn)
        rival->fn(rival->arg);
    return 0;
}

/* The rival is ready, and the running task has all operations before it that it may have. */
static void rival_start(struct bight_task **task, struct rival *rival)
{
    ck_ok(bight_yield());
    ck_ok(bight_spawn(task, rival_main, rival));
}

/* How many operations complete before one lets the rival run. */
static int operations(void)
{
    struct rival rival = {.fn = NULL};
    struct bight_task *task;
    int count = 0;

    rival_start(&task, &rival);
    for (; !rival.ran; count++)
        ck_ok(bight_checkpoint());
    ck_ok(bight_join(task, NULL));
    return count - 1;
}

int opening_race(int (*call)(void *arg), void (*rival)(void *arg), void *arg)
{
    struct rival record = {.fn = rival, .arg = arg};
    struct bight_task *task;
    int rc, before = operations();

    rival_start(&task, &record);
    for (int i = 0; i < before; i++)
        ck_ok(bight_checkpoint());
    ck_assert(!record.ran);
    rc = call(arg);
    ck_assert(record.ran);
    ck_ok(bight_join(task, NULL));
    return rc;
}
