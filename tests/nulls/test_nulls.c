/* NULL is refused before anything else is looked at, by every public function: outside of a
 * runtime, in a task, and in a task that is cancelled. */
#include "tests/nulls/rows.h"

char some[4096];

static void walk(void)
{
    walk_library();
    for (size_t i = 0; i < sizeof(some); i++)
        ck_assert_int_eq(some[i], 0);
}

static void null_is_refused_outside_of_a_runtime(void)
{
    walk();
}

static int in_task(void *arg)
{
    (void)arg;
    walk();
    return 0;
}

static int cancelled(void *arg)
{
    struct bight_scope scope;

    (void)arg;
    ck_ok(bight_scope_begin(&scope, -1, 0));
    bight_scope_cancel(&scope);
    walk();
    ck_ok(bight_scope_end(&scope, BIGHT_ECANCELED));
    return 0;
}

static const struct suite_case cases[] = {
    plain_case(null_is_refused_outside_of_a_runtime),
    world_case(null_is_refused_in_a_task, in_task),
    world_case(null_is_refused_in_a_cancelled_task, cancelled),
};

test_suite("nulls", cases);
