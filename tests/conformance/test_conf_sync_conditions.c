/* Conditions: who is notified, and when it goes on. Their mutex has an owner: where the cases
 * have main release for others, others are told to do so. */
#include "tests/conformance/conf.h"

struct place {
    struct bight_mutex mutex;
    struct bight_condition condition;
    struct conf_notes notes;
    int state;
};

static void place_init(struct place *place)
{
    *place = (struct place){.state = 0};
    bight_mutex_init(&place->mutex);
    bight_condition_init(&place->condition, &place->mutex);
}

static void lock(struct place *place)
{
    ck_ok(bight_mutex_lock(&place->mutex));
}

static void unlock(struct place *place)
{
    ck_ok(bight_mutex_unlock(&place->mutex));
}

static void notify(struct place *place, size_t count)
{
    ck_ok(bight_condition_notify(&place->condition, count));
}

/* Waits once, notes its number, and keeps the mutex until it is told otherwise. */
struct keeper {
    struct place *place;
    const char *number;
    size_t notifies; /* how many others, when it is told to */
    struct bight_event notify;
    struct bight_event let_go;
    struct bight_task *task;
};

static int keeper(void *arg)
{
    struct keeper *keeper = arg;

    lock(keeper->place);
    ck_ok(bight_condition_wait(&keeper->place->condition));
    ck_assert_ptr_eq(bight_mutex_owner(&keeper->place->mutex), bight_self());
    conf_note(&keeper->place->notes, keeper->number);
    if (keeper->notifies) {
        ck_ok(bight_event_wait(&keeper->notify));
        notify(keeper->place, keeper->notifies);
    }
    ck_ok(bight_event_wait(&keeper->let_go));
    unlock(keeper->place);
    return 0;
}

static void start_keeper(struct keeper *keeps, struct place *place, const char *number)
{
    *keeps = (struct keeper){.place = place, .number = number};
    bight_event_init(&keeps->notify);
    bight_event_init(&keeps->let_go);
    ck_ok(bight_spawn(&keeps->task, keeper, keeps));
}

/* Have the mutex passed on, and its next owner run. */
static void pass_on(struct keeper *keeps)
{
    bight_event_set(&keeps->let_go);
    ck_ok(bight_yield());
    ck_ok(bight_yield());
}

static int one_by_one(void *arg)
{
    struct keeper keepers[3];
    struct place place;

    (void)arg;
    place_init(&place);
    for (int i = 0; i < 3; i++)
        start_keeper(&keepers[i], &place, (const char *[]){"1", "2", "3"}[i]);
    keepers[0].notifies = 2;
    ck_ok(bight_yield());
    ck_assert_str_eq(place.notes.text, "");
    ck_assert_ptr_null(bight_mutex_owner(&place.mutex));
    lock(&place);
    notify(&place, 1);
    ck_ok(bight_yield());
    ck_assert_str_eq(place.notes.text, "");
    ck_assert_ptr_eq(bight_mutex_owner(&place.mutex), bight_self());
    unlock(&place);
    ck_ok(bight_yield());
    ck_assert_str_eq(place.notes.text, " 1");
    ck_assert_ptr_eq(bight_mutex_owner(&place.mutex), keepers[0].task);
    bight_event_set(&keepers[0].notify);
    ck_ok(bight_yield());
    ck_assert_str_eq(place.notes.text, " 1");
    pass_on(&keepers[0]);
    ck_assert_str_eq(place.notes.text, " 1 2");
    pass_on(&keepers[1]);
    ck_assert_str_eq(place.notes.text, " 1 2 3");
    ck_assert_ptr_eq(bight_mutex_owner(&place.mutex), keepers[2].task);
    bight_event_set(&keepers[2].let_go);
    for (int i = 0; i < 3; i++)
        conf_join(keepers[i].task, 0);
    return 0;
}

static bool state_is_set(void *arg)
{
    const struct place *place = arg;

    return place->state != 0;
}

static bool never(void *arg)
{
    (void)arg;
    return false;
}

static int without_the_mutex(void *arg)
{
    struct place place;

    (void)arg;
    place_init(&place);
    ck_code(bight_condition_wait(&place.condition), BIGHT_EPERM);
    ck_code(bight_condition_notify(&place.condition, 1), BIGHT_EPERM);
    ck_code(bight_condition_notify_all(&place.condition), BIGHT_EPERM);
    ck_code(bight_condition_wait_until(&place.condition, never, NULL), BIGHT_EPERM);
    ck_assert_ptr_null(bight_mutex_owner(&place.mutex));
    ck_assert_uint_eq(bight_condition_waiting(&place.condition), 0);
    return 0;
}

/* What the predicate found is in what it was given. */
struct found {
    const char *list;
    int asked;
};

static bool finds(void *arg)
{
    struct found *found = arg;

    found->asked++;
    found->list = "a list";
    return true;
}

static int predicate_holds(void *arg)
{
    struct found found = {0};
    struct place place;

    (void)arg;
    place_init(&place);
    ck_ok(bight_condition_wait_until(&place.condition, finds, &found));
    ck_assert_str_eq(found.list, "a list");
    ck_assert_int_eq(found.asked, 1);
    ck_assert_ptr_null(bight_mutex_owner(&place.mutex));
    return 0;
}

static int notes_once_state_is_set(void *arg)
{
    struct place *place = arg;

    lock(place);
    ck_ok(bight_condition_wait_until(&place->condition, state_is_set, place));
    conf_note(&place->notes, "1");
    unlock(place);
    return 0;
}

static int predicate_after_each_notification(void *arg)
{
    struct bight_task *task;
    struct place place;

    (void)arg;
    place_init(&place);
    ck_ok(bight_spawn(&task, notes_once_state_is_set, &place));
    ck_ok(bight_yield());
    for (int state = 0; state < 2; state++) {
        ck_assert_str_eq(place.notes.text, "");
        ck_assert_uint_eq(bight_condition_waiting(&place.condition), 1);
        place.state = state;
        lock(&place);
        notify(&place, 1);
        unlock(&place);
        ck_ok(bight_yield());
    }
    ck_assert_str_eq(place.notes.text, " 1");
    ck_assert(bight_task_done(task));
    conf_join(task, 0);
    return 0;
}

static int notes_and_unlocks(void *arg)
{
    struct keeper *keeps = arg;

    lock(keeps->place);
    ck_ok(bight_condition_wait(&keeps->place->condition));
    conf_note(&keeps->place->notes, keeps->number);
    unlock(keeps->place);
    return 0;
}

static int notified_in_numbers(void *arg)
{
    struct keeper keepers[3];
    struct place place;

    (void)arg;
    place_init(&place);
    for (int i = 0; i < 3; i++) {
        keepers[i] = (struct keeper){&place, (const char *[]){"1", "2", "3"}[i], 0, {0}, {0}, NULL};
        ck_ok(bight_spawn(&keepers[i].task, notes_and_unlocks, &keepers[i]));
    }
    ck_ok(bight_yield());
    lock(&place);
    notify(&place, 1);
    unlock(&place);
    ck_ok(bight_yield());
    ck_assert_str_eq(place.notes.text, " 1");
    ck_assert_uint_eq(bight_condition_waiting(&place.condition), 2);
    lock(&place);
    notify(&place, 1);
    notify(&place, 2048);
    unlock(&place);
    ck_ok(bight_yield()); /* the second passes the mutex on */
    ck_ok(bight_yield());
    ck_assert_str_eq(place.notes.text, " 1 2 3");
    for (int i = 0; i < 3; i++) {
        ck_assert(bight_task_done(keepers[i].task));
        conf_join(keepers[i].task, 0);
    }
    return 0;
}

static const struct suite_case cases[] = {
    conf_case(cond_01_the_notified_return_one_by_one_as_the_mutex_is_passed_on, one_by_one),
    conf_case(cond_05_waiting_and_notifying_without_the_mutex_is_refused, without_the_mutex),
    conf_case(cond_06_a_predicate_that_holds_already_needs_no_mutex, predicate_holds),
    conf_case(cond_07_the_predicate_is_looked_at_after_every_notification,
              predicate_after_each_notification),
    conf_case(cond_08_notify_wakes_at_most_so_many, notified_in_numbers),
};

test_suite("sync, conditions", cases);
