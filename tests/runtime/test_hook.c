/* runtime/hook.c: when hooks are called, and what they may do. */
#include <bight.h>

#include <string.h>

#include "tests/harness/suite.h"
#include "tests/harness/world.h"

struct noting {
    struct bight_hook hook;
    char sign;
};

static char trace[64];
static size_t traced;

static void note(char sign)
{
    if (traced + 1 < sizeof trace)
        trace[traced++] = sign;
}

/* What was noted since the last time. */
static void expect_trace(const char *expected)
{
    trace[traced] = '\0';
    ck_assert_str_eq(trace, expected);
    traced = 0;
}

static void note_hook(struct bight_hook *hook)
{
    ck_assert_ptr_null(bight_self());
    ck_code(bight_yield(), BIGHT_ENOTASK);
    note(((struct noting *)hook)->sign);
}

static void noting_init(struct noting *noting, char sign, void (*fn)(struct bight_hook *hook))
{
    noting->sign = sign;
    bight_hook_init(&noting->hook, fn);
}

static int note_task(void *arg)
{
    note('0');
    int rc = bight_sleep(5);
    note('1');
    (void)arg;
    return rc;
}

static int see_turns(void *arg)
{
    struct noting turn, second, idle;
    struct bight_hook nothing;
    struct bight_task *task;

    (void)arg;
    noting_init(&turn, 't', note_hook);
    noting_init(&second, 'u', note_hook);
    noting_init(&idle, 'i', note_hook);
    ck_ok(bight_hook_add_turn(&turn.hook));
    ck_ok(bight_hook_add_turn(&second.hook));
    ck_ok(bight_hook_add_idle(&idle.hook));
    ck_code(bight_hook_add_turn(&idle.hook), BIGHT_EALREADY);
    bight_hook_init(&nothing, NULL);
    ck_code(bight_hook_add_turn(&nothing), BIGHT_EINVAL);
    ck_ok(bight_spawn(&task, note_task, NULL));
    ck_ok(bight_join(task, NULL));
    expect_trace("0itu1"); /* in virtual time the wait is over at once */
    ck_assert(bight_hook_remove(&turn.hook));
    ck_assert(!bight_hook_remove(&turn.hook));
    ck_ok(bight_sleep(1));
    expect_trace("iu");
    ck_ok(bight_hook_add_turn(&turn.hook));
    ck_ok(bight_sleep(1));
    expect_trace("iut");
    ck_assert(bight_hook_remove(&turn.hook));
    ck_assert(bight_hook_remove(&second.hook));
    ck_assert(bight_hook_remove(&idle.hook));
    ck_ok(bight_sleep(1));
    expect_trace("");
    return 0;
}

/* Hooks that change the list they are in. */

static struct noting rows[4];

static void remove_next(struct bight_hook *hook)
{
    struct noting *noting = (struct noting *)hook;

    note_hook(hook);
    bight_hook_remove(&noting[1].hook);
    bight_hook_remove(hook);
}

static void remove_before(struct bight_hook *hook)
{
    struct noting *noting = (struct noting *)hook;

    note_hook(hook);
    bight_hook_remove(&noting[-2].hook);
    ck_ok(bight_hook_add_turn(&noting[-2].hook));
}

static int change_list(void *arg)
{
    (void)arg;
    noting_init(&rows[0], 'a', remove_next);
    noting_init(&rows[1], 'b', note_hook);
    noting_init(&rows[2], 'c', remove_before);
    noting_init(&rows[3], 'd', note_hook);
    for (int i = 0; i < 4; i++)
        ck_ok(bight_hook_add_turn(&rows[i].hook));
    ck_ok(bight_sleep(1));
    expect_trace("acd"); /* a took out b and itself; c put a in again, for the next time */
    ck_ok(bight_sleep(1));
    expect_trace("cd"); /* each time before its turn comes */
    ck_assert(bight_hook_remove(&rows[2].hook));
    ck_ok(bight_sleep(1));
    expect_trace("ad");
    ck_ok(bight_sleep(1));
    expect_trace("d");
    return 0;
}

static void hooks_may_add_and_remove_hooks(void)
{
    ck_ok(world_run(change_list, NULL, NULL));
    for (int i = 0; i < 4; i++)
        ck_assert(!bight_hook_remove(&rows[i].hook)); /* the runtime has let go of them */
}

/* What an idle hook makes ready. */

struct feeder {
    struct bight_hook hook;
    struct bight_event event;
    int left;
};

static void feed(struct bight_hook *hook)
{
    struct feeder *feeder = (struct feeder *)hook;

    if (feeder->left--)
        bight_event_set(&feeder->event);
}

static int be_fed(void *arg)
{
    struct feeder feeder = {.left = 3};

    bight_event_init(&feeder.event);
    bight_hook_init(&feeder.hook, feed);
    ck_ok(bight_hook_add_idle(&feeder.hook));
    for (int i = 0; i < 3; i++) {
        ck_ok(bight_event_wait(&feeder.event));
        bight_event_clear(&feeder.event);
    }
    ck_assert_int_eq(feeder.left, 0);
    (void)arg;
    int rc = bight_event_wait(&feeder.event); /* nothing more comes */
    bight_hook_remove(&feeder.hook);
    return rc;
}

static void without_a_runtime_there_is_nothing_to_hook(void)
{
    struct noting noting;

    noting_init(&noting, 'x', note_hook);
    ck_code(bight_hook_add_turn(&noting.hook), BIGHT_ENORUNTIME);
    ck_code(bight_hook_add_idle(&noting.hook), BIGHT_ENORUNTIME);
    ck_assert(!bight_hook_remove(&noting.hook));
}

static const struct suite_case cases[] = {
    world_case(turn_hooks_come_before_a_slice_idle_hooks_before_a_wait, see_turns),
    plain_case(hooks_may_add_and_remove_hooks),
    body_case(what_an_idle_hook_wakes_runs_instead_of_a_wait, bight_run, be_fed,
              .code = BIGHT_ESTALLED),
    plain_case(without_a_runtime_there_is_nothing_to_hook),
};

test_suite("hook", cases);
