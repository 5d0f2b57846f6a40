/* Task locals. */
#include "tests/conformance/conf.h"

static char default_value[] = "default";
static const struct bight_local c = {"c", default_value};

static void expect(const char *value)
{
    ck_assert_str_eq(bight_local_get(&c), value);
}

/* A callback stands outside of tasks: it sees the initial value and can set none. */
static bool called;

static void tries_to_set(struct bight_future_callback *callback)
{
    (void)callback;
    called = true;
    expect("default");
    ck_code(bight_local_set(&c, "something else"), BIGHT_ENOTASK);
    expect("default");
}

struct round {
    struct bight_call call;
    struct bight_future future;
    struct bight_future_callback callback;
};

static void sets_future(struct bight_call *call)
{
    ck_ok(bight_future_set(&((struct round *)call)->future, NULL));
}

static void one_round(struct round *round)
{
    bight_future_init(&round->future);
    bight_call_init(&round->call, sets_future);
    ck_ok(bight_future_add_callback(&round->future, &round->callback, tries_to_set));
    ck_ok(bight_local_set(&c, "yes0"));
    ck_ok(bight_call_soon(&round->call));
    called = false;
    ck_ok(bight_future_wait(&round->future, NULL, NULL));
    ck_assert(called);
    expect("yes0");
    ck_ok(bight_local_set(&c, "yes1"));
    ck_ok(bight_sleep(1));
    expect("yes1");
    ck_ok(bight_local_set(&c, "yes2"));
    ck_ok(bight_sleep(1));
    expect("yes2");
}

static int rounds(void *arg)
{
    struct round round;

    (void)arg;
    for (int i = 0; i < 10; i++)
        one_round(&round);
    return 0;
}

static void tls_02_a_callback_does_not_change_what_its_task_sees(void)
{
    conf_ok(rounds);
    expect("default");
}

#define TASKS 100

struct owner {
    int values[10];
    int number;
};

/* 1 to 50 ms, in an order that differs from task to task. */
static int64_t pause_ms(const struct owner *owner, int round)
{
    return 1 + (owner->number * 37 + round * 23) % 50;
}

static int sets_and_reads(void *item)
{
    struct owner *owner = item;

    for (int i = 0; i < 10; i++) {
        owner->values[i] = owner->number + i;
        ck_ok(bight_local_set(&c, &owner->values[i]));
        ck_ok(bight_sleep(pause_ms(owner, i)));
        ck_assert_ptr_eq(bight_local_get(&c), &owner->values[i]);
    }
    return 0;
}

static int many_owners(void *arg)
{
    static struct owner owners[TASKS];

    (void)arg;
    for (int i = 0; i < TASKS; i++)
        owners[i].number = i;
    ck_ok(bight_map(sets_and_reads, owners, sizeof(*owners), TASKS, TASKS, 0));
    expect("default");
    return 0;
}

static void tls_03_a_hundred_interleaved_tasks_never_see_each_others_values(void)
{
    conf_ok(many_owners);
    expect("default");
}

static const struct suite_case cases[] = {
    plain_case(tls_02_a_callback_does_not_change_what_its_task_sees),
    plain_case(tls_03_a_hundred_interleaved_tasks_never_see_each_others_values),
};

test_suite("tasks, locals", cases);
