/* Groups: children that fail or are cancelled, a body that is, groups in groups. */
#include "tests/conformance/conf.h"

#define Z BIGHT_EIO
#define V BIGHT_ERANGE
#define B BIGHT_EPIPE

static void start(struct bight_group *group, struct conf_sleeper *sleeper)
{
    ck_ok(bight_group_spawn(NULL, group, NULL, conf_sleeper, sleeper));
}

static int one_child_cancelled(void *arg)
{
    struct conf_sleeper first = {.sleep_ms = 1000}, second = {.sleep_ms = 200, .returns = 11};
    struct bight_task *tasks[2];
    struct bight_group group;

    (void)arg;
    ck_ok(bight_group_begin(&group, 0));
    ck_ok(bight_group_spawn(&tasks[0], &group, NULL, conf_sleeper, &first));
    ck_ok(bight_sleep(150));
    bight_task_cancel(tasks[0]);
    ck_ok(bight_group_spawn(&tasks[1], &group, NULL, conf_sleeper, &second));
    ck_ok(bight_group_end(&group, 0));
    ck_assert_uint_eq(group.failed, 0);
    conf_join(tasks[0], BIGHT_ECANCELED);
    conf_join(tasks[1], 11);
    return 0;
}

struct owner {
    struct conf_sleeper children[5];
    int count;
    int64_t body_ms; /* how long the body sleeps; 0: not at all */
    int body_fails;  /* what the body ends with, in place of its sleep's code */
    int body_saw;
    int after; /* raised behind the group, when that ended well */
    struct bight_group group;
};

static int owns(void *arg)
{
    struct owner *owner = arg;
    int rc = 0;

    ck_ok(bight_group_begin(&owner->group, 0));
    for (int i = 0; i < owner->count; i++)
        start(&owner->group, &owner->children[i]);
    if (owner->body_ms)
        rc = owner->body_saw = bight_sleep(owner->body_ms);
    if (owner->body_fails)
        rc = owner->body_fails;
    rc = bight_group_end(&owner->group, rc);
    if (rc)
        return rc;
    owner->after += 10;
    return 0;
}

/* An owner of `count` children that sleep `sleep_ms`, in a body that sleeps `body_ms`. */
static struct owner owner_of(int count, int64_t sleep_ms, int64_t body_ms)
{
    struct owner owner = {.count = count, .body_ms = body_ms};

    for (int i = 0; i < count; i++)
        owner.children[i].sleep_ms = sleep_ms;
    return owner;
}

static int children_cancelled(const struct owner *owner)
{
    int count = 0;

    for (int i = 0; i < owner->count; i++)
        count += owner->children[i].saw == BIGHT_ECANCELED;
    return count;
}

static int a_child_fails(void *arg)
{
    struct owner owner = owner_of(2, 1000, 0);
    struct bight_task *task;

    (void)arg;
    owner.children[0] = (struct conf_sleeper){.sleep_ms = 100, .returns = Z};
    ck_ok(bight_spawn(&task, owns, &owner));
    conf_join(task, Z);
    ck_assert_int_eq(conf_now_ms(), 100);
    ck_assert_uint_eq(owner.group.failed, 1);
    ck_code(owner.group.failures[0].code, Z);
    ck_code(owner.children[1].saw, BIGHT_ECANCELED);
    ck_assert_int_eq(owner.after, 0);
    return 0;
}

static int owner_cancelled_closing(void *arg)
{
    struct owner owner = owner_of(5, 5000, 0);
    struct owner early = owner_of(2, 1000, 0);

    (void)arg;
    conf_cancelled_after(100, owns, &owner, BIGHT_ECANCELED);
    ck_assert_int_eq(children_cancelled(&owner), 5);
    ck_assert_uint_eq(owner.group.failed, 0);
    early.children[1].sleep_ms = 2000;
    conf_cancelled_after(50, owns, &early, BIGHT_ECANCELED);
    ck_assert_int_eq(children_cancelled(&early), 2);
    ck_assert_int_eq(conf_now_ms(), 150);
    return 0;
}

static int owner_cancelled_in_the_body(void *arg)
{
    struct owner owner = owner_of(5, 5000, 10000);
    struct owner alone = owner_of(0, 0, 10000);

    (void)arg;
    conf_cancelled_after(100, owns, &owner, BIGHT_ECANCELED);
    ck_assert_int_eq(children_cancelled(&owner), 5);
    ck_code(owner.body_saw, BIGHT_ECANCELED);
    conf_cancelled_after(100, owns, &alone, BIGHT_ECANCELED);
    ck_code(alone.body_saw, BIGHT_ECANCELED);
    ck_assert_int_eq(owner.after + alone.after, 0);
    return 0;
}

/* Five children that sleep for long and fail in their cleanup, in a body that sleeps for long. */
static struct owner owner_of_failing(void)
{
    struct owner owner = owner_of(5, 10000, 10000);

    for (int i = 0; i < owner.count; i++)
        owner.children[i].on_cancel = Z;
    return owner;
}

static int children_fail_in_cleanup(void *arg)
{
    struct owner owner = owner_of_failing();

    (void)arg;
    conf_cancelled_after(100, owns, &owner, Z);
    ck_assert_uint_eq(owner.group.failed, 5);
    for (int i = 0; i < 5; i++)
        ck_code(owner.group.failures[i].code, Z);
    return 0;
}

static int body_fails(void *arg)
{
    struct owner later = owner_of(2, 1000, 100);
    struct owner at_once = owner_of(2, 1000, 0);

    (void)arg;
    later.body_fails = at_once.body_fails = Z;
    ck_code(owns(&later), Z);
    ck_assert_int_eq(conf_now_ms(), 100);
    ck_assert_uint_eq(later.group.failed, 1);
    ck_assert_int_eq(children_cancelled(&later), 2);
    ck_code(owns(&at_once), Z);
    ck_assert_int_eq(conf_now_ms(), 100);
    ck_assert_uint_eq(at_once.group.failed, 1);
    ck_assert(!at_once.children[0].begun && !at_once.children[1].begun);
    return 0;
}

/* An outer group around an inner one. */
struct nested {
    struct owner inner;
    struct conf_sleeper *outer_child; /* may be NULL */
    struct bight_group outer;
    int inner_rc;
};

static int nests(void *arg)
{
    struct nested *nested = arg;

    ck_ok(bight_group_begin(&nested->outer, 0));
    if (nested->outer_child)
        start(&nested->outer, nested->outer_child);
    nested->inner_rc = owns(&nested->inner);
    return bight_group_end(&nested->outer, nested->inner_rc);
}

static int inner_failures(void *arg)
{
    struct conf_sleeper child = {.sleep_ms = 10000};
    struct nested alone = {.inner = owner_of_failing()};
    struct nested beside = {.inner = owner_of_failing(), .outer_child = &child};

    (void)arg;
    conf_cancelled_after(100, nests, &alone, Z);
    ck_assert_uint_eq(alone.inner.group.failed, 5);
    ck_assert_uint_eq(alone.outer.failed, 1); /* the inner group as a whole */
    ck_code(alone.outer.failures[0].code, Z);
    conf_cancelled_after(100, nests, &beside, Z);
    ck_assert_uint_eq(beside.inner.group.failed, 5);
    ck_assert_uint_eq(beside.outer.failed, 1);
    ck_code(child.saw, BIGHT_ECANCELED);
    return 0;
}

static int outer_child_fails(void *arg)
{
    struct conf_sleeper child = {.sleep_ms = 100, .returns = V};
    struct nested nested = {.inner = owner_of(1, 10000, 0), .outer_child = &child};

    (void)arg;
    nested.inner.children[0].returns = Z;
    ck_code(nests(&nested), V);
    ck_assert_int_eq(conf_now_ms(), 100);
    ck_assert_uint_eq(nested.outer.failed, 1);
    ck_code(nested.inner_rc, BIGHT_ECANCELED);
    ck_assert_uint_eq(nested.inner.group.failed, 0);
    ck_code(nested.inner.children[0].saw, BIGHT_ECANCELED);
    return 0;
}

static int inner_child_fails(void *arg)
{
    struct conf_sleeper child = {.sleep_ms = 10000, .returns = Z};
    struct nested nested = {.inner = owner_of(1, 100, 0), .outer_child = &child};

    (void)arg;
    nested.inner.children[0].returns = V;
    ck_code(nests(&nested), V);
    ck_assert_int_eq(conf_now_ms(), 100);
    ck_code(nested.inner_rc, V);
    ck_assert_uint_eq(nested.outer.failed, 1);
    ck_code(nested.outer.failures[0].code, V);
    ck_code(child.saw, BIGHT_ECANCELED);
    return 0;
}

static int both_fail(void *arg)
{
    struct owner owner = owner_of(1, 100, 10000);
    struct owner other = owner_of(1, 100, 10000);

    (void)arg;
    owner.children[0].returns = Z;
    owner.body_fails = B;
    ck_code(owns(&owner), Z);
    ck_code(owner.body_saw, BIGHT_ECANCELED);
    ck_assert_uint_eq(owner.group.failed, 2);
    ck_code(owner.group.failures[1].code, B);
    other.children[0].returns = B;
    other.body_fails = V;
    ck_code(owns(&other), B);
    ck_assert_uint_eq(other.group.failed, 2);
    ck_code(other.group.failures[0].code, B);
    ck_code(other.group.failures[1].code, V);
    return 0;
}

static const struct suite_case cases[] = {
    conf_case(tg_03_cancelling_one_child_leaves_the_group_alone, one_child_cancelled),
    conf_case(tg_04_a_failing_child_cancels_its_siblings, a_child_fails),
    /* TG-06, TG-21 */
    conf_case(tg_06_cancelling_the_owner_while_it_closes_cancels_all_children,
              owner_cancelled_closing),
    /* TG-07, TG-15 */
    conf_case(tg_07_cancelling_the_owner_in_the_body_cancels_body_and_children,
              owner_cancelled_in_the_body),
    conf_case(tg_08_children_failing_in_their_cleanup_make_a_failure_of_a_cancellation,
              children_fail_in_cleanup),
    conf_case(tg_09_a_failing_body_cancels_the_children, body_fails),
    /* TG-10, TG-11 */
    conf_case(tg_10_an_inner_groups_failure_is_one_failure_of_the_outer_one, inner_failures),
    conf_case(tg_12_a_failing_outer_child_closes_an_inner_group_quietly, outer_child_fails),
    conf_case(tg_13_a_failing_inner_child_closes_the_outer_group, inner_child_fails),
    conf_case(tg_20_any_code_of_the_body_is_listed_like_any_other, both_fail),
};

test_suite("taskgroups", cases);
