/* A status of BIGHT_ECANCELED that no cancellation is behind: the task, or the body, has failed. */
#include <bight.h>

#include "tests/harness/suite.h"
#include "tests/harness/world.h"

/* Waits for a page that nobody loads any more, and takes the future's status for its own. */
static int fetch(void *arg)
{
    int status;
    int rc = bight_future_wait(arg, &status, NULL);

    return rc ? rc : status;
}

static struct bight_future abandoned(void)
{
    struct bight_future page;

    bight_future_init(&page);
    ck_ok(bight_future_cancel(&page));
    return page;
}

static int joined(void *arg)
{
    struct bight_future page = abandoned();
    struct bight_task_result result;
    struct bight_task *task;

    (void)arg;
    ck_ok(bight_spawn(&task, fetch, &page));
    ck_assert(!bight_task_was_cancelled(task));
    ck_ok(bight_join_result(task, &result));
    ck_code(result.status, BIGHT_ECANCELED);
    ck_assert(!result.cancelled);

    ck_ok(bight_spawn(&task, world_forever, NULL));
    ck_ok(bight_yield());
    bight_task_cancel(task);
    ck_assert(!bight_task_was_cancelled(task));
    ck_ok(bight_yield());
    ck_assert(bight_task_was_cancelled(task));
    ck_ok(bight_join_result(task, &result));
    ck_code(result.status, BIGHT_ECANCELED);
    ck_assert(result.cancelled);

    ck_ok(bight_spawn(&task, world_forever, NULL));
    bight_task_cancel(task); /* before its first step */
    ck_ok(bight_join_result(task, &result));
    ck_code(result.status, BIGHT_ECANCELED);
    ck_assert(result.cancelled);
    return 0;
}

static int keeps_its_result(void *arg)
{
    ck_code(bight_sleep(-1), BIGHT_ECANCELED);
    return *(int *)arg;
}

static int cancelled_with_a_result(void *arg)
{
    struct bight_task_result result;
    struct bight_task *task;
    int code = 7;

    (void)arg;
    ck_ok(bight_spawn(&task, keeps_its_result, &code));
    ck_ok(bight_yield());
    bight_task_cancel(task);
    ck_ok(bight_join_result(task, &result));
    ck_assert_int_eq(result.status, 7);
    ck_assert(!result.cancelled);
    return 0;
}

/* Cancelled only when its body has returned: by somebody who finds it in its last handler. */
static void last_handler(void *arg)
{
    (void)arg;
    ck_ok(bight_yield());
}

static int fetch_and_clean_up(void *arg)
{
    ck_ok(bight_defer(last_handler, NULL));
    return fetch(arg);
}

static int cancelled_too_late(void *arg)
{
    struct bight_future page = abandoned();
    struct bight_task_result result;
    struct bight_task *task;

    (void)arg;
    ck_ok(bight_spawn(&task, fetch_and_clean_up, &page));
    ck_ok(bight_yield());
    bight_task_cancel(task);
    ck_ok(bight_join_result(task, &result));
    ck_code(result.status, BIGHT_ECANCELED);
    ck_assert(!result.cancelled);
    return 0;
}

static int gathered(void *arg)
{
    struct bight_future page = abandoned();
    struct bight_gather calls[] = {{.fn = fetch, .arg = &page}, {.fn = world_forever}};

    (void)arg;
    ck_code(bight_gather_all(calls, 2, 0), BIGHT_ECANCELED);
    ck_code(calls[0].status, BIGHT_ECANCELED);
    ck_code(calls[1].status, BIGHT_ECANCELED);
    ck_assert(!calls[0].cancelled && calls[1].cancelled);
    calls[1] = calls[0];
    ck_assert_int_eq(bight_gather_all(calls, 2, BIGHT_GATHER_COLLECT), 2);
    ck_assert(!calls[0].cancelled && !calls[1].cancelled);
    return bight_yield();
}

static int fetch_item(void *item)
{
    return fetch(*(struct bight_future **)item);
}

static int mapped(void *arg)
{
    struct bight_future page = abandoned();
    struct bight_future *items[] = {&page, &page, &page};

    (void)arg;
    ck_code(bight_map(fetch_item, items, sizeof items[0], 3, 1, 0), BIGHT_ECANCELED);
    ck_assert_int_eq(bight_map(fetch_item, items, sizeof items[0], 3, 2, BIGHT_GATHER_COLLECT), 3);
    return bight_yield();
}

static int raced(void *arg)
{
    struct bight_future page = abandoned();
    struct bight_gather calls[] = {{.fn = fetch, .arg = &page}, {.fn = world_forever}};
    struct bight_scope scope;
    size_t winner;

    (void)arg;
    ck_assert_int_eq(bight_race(calls, 1, -1, &winner), 0);
    ck_assert(!calls[0].cancelled);
    ck_ok(bight_scope_begin(&scope, 10, 0));
    ck_code(bight_race(calls, 2, -1, &winner), BIGHT_ECANCELED);
    ck_assert(!calls[0].cancelled && calls[1].cancelled);
    ck_code(bight_scope_end(&scope, BIGHT_ECANCELED), BIGHT_ETIMEDOUT);
    return 0;
}

static int in_a_group(void *arg)
{
    struct bight_future page = abandoned();
    struct bight_group group;

    (void)arg;
    ck_ok(bight_group_begin(&group, 0));
    ck_ok(bight_group_spawn(NULL, &group, NULL, fetch, &page));
    ck_ok(bight_group_spawn(NULL, &group, NULL, world_forever, NULL));
    ck_code(bight_sleep(-1), BIGHT_ECANCELED);
    ck_code(bight_group_end(&group, BIGHT_ECANCELED), BIGHT_ECANCELED);
    ck_assert_uint_eq(group.failed, 1);
    ck_code(group.failures[0].code, BIGHT_ECANCELED);
    return bight_yield();
}

static int first_success(void *arg)
{
    struct bight_future page = abandoned();
    struct bight_group group;
    int five = 5;

    (void)arg;
    ck_ok(bight_group_begin(&group, BIGHT_GROUP_FIRST_SUCCESS));
    ck_ok(bight_group_spawn(NULL, &group, NULL, fetch, &page));
    ck_code(bight_group_end(&group, 0), BIGHT_ECANCELED);
    ck_assert_uint_eq(group.failed, 1);
    ck_ok(bight_group_begin(&group, BIGHT_GROUP_FIRST_SUCCESS));
    ck_ok(bight_group_spawn(NULL, &group, NULL, fetch, &page));
    ck_ok(bight_group_spawn(NULL, &group, NULL, world_return, &five));
    ck_assert_int_eq(bight_group_end(&group, 0), 5);
    return bight_yield();
}

static int body(struct bight_group *group, void *arg)
{
    ck_ok(bight_group_spawn(NULL, group, NULL, world_forever, NULL));
    return fetch(arg);
}

static int false_body(void *arg)
{
    struct bight_future page = abandoned();
    struct bight_group group;

    (void)arg;
    ck_code(bight_group_run(body, &page), BIGHT_ECANCELED);
    ck_ok(bight_group_begin(&group, 0));
    ck_code(bight_group_end(&group, fetch(&page)), BIGHT_ECANCELED);
    ck_assert_uint_eq(group.failed, 1);
    ck_ok(bight_group_begin(&group, 0));
    bight_scope_cancel(&group.scope);
    ck_ok(bight_group_end(&group, bight_yield()));
    ck_assert_uint_eq(group.failed, 0);
    return bight_yield();
}

/* A cancellation that a shield has lifted meanwhile was one all the same. */
static int lifted(void *arg)
{
    struct bight_scope scope;
    struct bight_group group;

    (void)arg;
    ck_ok(bight_scope_begin(&scope, -1, 0));
    ck_ok(bight_group_begin(&group, 0));
    ck_ok(bight_group_spawn(NULL, &group, NULL, world_forever, NULL));
    ck_ok(bight_yield());
    bight_scope_cancel(&scope);
    ck_ok(bight_scope_set_shield(&group.scope, true));
    ck_ok(bight_group_end(&group, 0));
    ck_assert_uint_eq(group.failed, 0);
    ck_ok(bight_scope_end(&scope, bight_yield()));
    return 0;
}

static int waited(void *arg)
{
    struct bight_future page = abandoned();
    struct bight_wait_item items[3] = {{0}};

    (void)arg;
    ck_ok(bight_spawn(&items[0].task, world_forever, NULL));
    ck_ok(bight_spawn(&items[1].task, fetch, &page));
    ck_assert_int_eq(bight_wait(items, 2, BIGHT_WAIT_FIRST_FAILED, 100), 1);
    ck_code(items[1].status, BIGHT_ECANCELED);
    ck_assert(items[1].done && !items[1].cancelled);
    bight_task_cancel(items[0].task);
    items[2].task = items[0].task;
    ck_assert_int_eq(bight_wait(items, 3, BIGHT_WAIT_ALL_COMPLETED, -1), 2);
    ck_assert(items[0].cancelled && !items[1].cancelled && items[2].cancelled);
    ck_assert_int_eq(bight_wait(items, 1, BIGHT_WAIT_FIRST_FAILED, -1), 1);
    ck_ok(bight_join(items[0].task, NULL));
    ck_ok(bight_join(items[1].task, NULL));
    return 0;
}

static int as_completed(void *arg)
{
    struct bight_future page = abandoned();
    struct bight_wait_item items[2] = {{0}}, *item;
    struct bight_as_completed completed;

    (void)arg;
    ck_ok(bight_spawn(&items[0].task, fetch, &page));
    ck_ok(bight_spawn(&items[1].task, world_forever, NULL));
    bight_task_cancel(items[1].task);
    ck_ok(bight_as_completed_begin(&completed, items, 2));
    ck_ok(bight_as_completed_next(&completed, &item));
    ck_assert(item == &items[0] && !item->cancelled);
    ck_ok(bight_as_completed_next(&completed, &item));
    ck_assert(item == &items[1] && item->cancelled);
    bight_as_completed_end(&completed);
    ck_ok(bight_join(items[0].task, NULL));
    ck_ok(bight_join(items[1].task, NULL));
    return 0;
}

static int selected(void *arg)
{
    struct bight_future page = abandoned();
    struct bight_task *tasks[2];
    struct bight_case end;

    (void)arg;
    ck_ok(bight_spawn(&tasks[0], fetch, &page));
    ck_ok(bight_spawn(&tasks[1], world_forever, NULL));
    bight_task_cancel(tasks[1]);
    for (int i = 0; i < 4; i++) { /* asleep in it, then after the end */
        bight_case_join(&end, tasks[i % 2]);
        ck_ok(bight_select(&end, 1, 0));
        ck_code(end.status, BIGHT_ECANCELED);
        ck_assert_int_eq(end.cancelled, i % 2);
    }
    ck_ok(bight_join(tasks[0], NULL));
    ck_ok(bight_join(tasks[1], NULL));
    return 0;
}

static int waited_for(void *arg)
{
    struct bight_future page = abandoned();
    struct bight_task *task;
    int status;

    (void)arg;
    ck_ok(bight_spawn(&task, fetch_and_clean_up, &page));
    ck_ok(bight_yield());
    /* The time passes in the last handler of a task that has failed by then. */
    ck_ok(bight_wait_for(task, 0, &status));
    ck_code(status, BIGHT_ECANCELED);
    ck_ok(bight_spawn(&task, world_forever, NULL));
    ck_code(bight_wait_for(task, 1, &status), BIGHT_ETIMEDOUT);
    return 0;
}

static bool called_back, called_cancelled;

static void note_end(struct bight_task_callback *callback)
{
    called_back = true;
    called_cancelled = callback->cancelled;
}

static int called(void *arg)
{
    struct bight_future page = abandoned();
    struct bight_task_callback callback;
    struct bight_task *task;

    (void)arg;
    for (int really = 0; really < 2; really++) {
        ck_ok(bight_spawn(&task, really ? world_forever : fetch, &page));
        ck_ok(bight_task_add_callback(task, &callback, note_end));
        ck_ok(bight_yield());
        if (really)
            bight_task_cancel(task);
        ck_ok(bight_join(task, NULL));
        ck_ok(bight_yield());
        ck_assert(called_back && called_cancelled == really);
        called_back = false;
    }
    return 0;
}

static int ran;

static int run_once(void *arg)
{
    ran++;
    return fetch(arg);
}

static int once(void *arg)
{
    struct bight_future page = abandoned();
    struct bight_once one;

    (void)arg;
    bight_once_init(&one);
    ck_code(bight_once_run(&one, run_once, &page), BIGHT_ECANCELED);
    ck_assert(bight_once_done(&one));
    ck_code(bight_once_run(&one, run_once, &page), BIGHT_ECANCELED);
    ck_assert_int_eq(ran, 1);
    return 0;
}

static int nobody_looks(void *arg)
{
    struct bight_future *page = arg;
    struct bight_task *task;

    ck_ok(bight_spawn(NULL, fetch, page));
    ck_ok(bight_spawn(&task, fetch, page));
    ck_ok(bight_yield());
    ck_ok(bight_task_detach(task));
    ck_ok(bight_spawn(&task, world_forever, NULL));
    ck_ok(bight_yield());
    bight_task_cancel(task);
    return bight_task_detach(task);
}

static void a_task_that_nobody_looks_at_is_reported(void)
{
    struct bight_future page = abandoned();
    struct world_reports reports;

    ck_ok(world_run(nobody_looks, &page, &reports));
    ck_assert_uint_eq(reports.count[BIGHT_REPORT_UNSEEN_FAILURE], 2);
    ck_code(reports.last_code, BIGHT_ECANCELED);
}

static void on_failure(void *arg, const struct bight_failure *failure)
{
    ck_code(failure->code, BIGHT_ECANCELED);
    ++*(int *)arg;
}

static int in_background(void *arg)
{
    struct bight_future page = abandoned();
    struct bight_background *background;
    int failures = 0;

    (void)arg;
    ck_ok(bight_background_new(&background, on_failure, &failures));
    ck_ok(bight_background_spawn(NULL, background, NULL, fetch, &page));
    ck_ok(bight_background_spawn(NULL, background, NULL, world_forever, NULL));
    ck_ok(bight_yield());
    ck_ok(bight_background_end(background));
    ck_assert_int_eq(failures, 1);
    return 0;
}

static int yields_then_fetches(struct bight_generator *generator, void *arg)
{
    int rc = bight_generator_yield(generator, arg);

    return rc && rc != BIGHT_ECLOSED ? rc : fetch(arg);
}

static int generated(void *arg)
{
    struct bight_future page = abandoned();
    struct bight_generator *generator;
    struct bight_group group;
    void *value;

    (void)arg;
    ck_ok(bight_group_begin(&group, 0));
    ck_ok(bight_generator_new_in(&generator, &group, NULL, yields_then_fetches, &page));
    ck_ok(bight_generator_next(generator, &value));
    ck_code(bight_generator_next(generator, &value), BIGHT_ECANCELED); /* once */
    ck_code(bight_generator_next(generator, &value), BIGHT_ECLOSED);
    ck_ok(bight_generator_end(generator));
    ck_ok(bight_generator_free(generator));
    /* When nobody has asked, the end says it. */
    ck_ok(bight_generator_new_in(&generator, &group, NULL, yields_then_fetches, &page));
    ck_ok(bight_generator_next(generator, &value));
    ck_code(bight_generator_end(generator), BIGHT_ECANCELED);
    ck_ok(bight_generator_free(generator));
    /* The failure was the consumer's, not the group's. */
    return bight_group_end(&group, 0);
}

static const struct suite_case cases[] = {
    world_case(a_join_tells_the_cancelled_task, joined),
    world_case(a_cancelled_task_with_a_result_did_not_give_way, cancelled_with_a_result),
    world_case(what_cancels_after_the_body_came_too_late, cancelled_too_late),
    world_case(such_a_call_fails_its_gather, gathered),
    world_case(such_an_item_fails_its_map, mapped),
    world_case(such_an_alternative_has_lost_its_race, raced),
    world_case(such_a_task_fails_its_group, in_a_group),
    world_case(such_a_task_is_no_success_and_no_cancelled_one, first_success),
    world_case(such_a_body_fails_its_group, false_body),
    world_case(a_cancellation_that_was_lifted_was_one, lifted),
    world_case(a_wait_for_the_first_failure_sees_it, waited),
    world_case(as_completed_tells_the_cancelled_task, as_completed),
    world_case(a_select_tells_the_cancelled_task, selected),
    world_case(a_time_limit_does_not_claim_such_an_end, waited_for),
    world_case(a_callback_is_told_whether_the_task_was_cancelled, called),
    world_case(such_a_result_is_one_for_all, once),
    plain_case(a_task_that_nobody_looks_at_is_reported),
    world_case(a_background_group_hands_on_such_a_failure, in_background),
    world_case(a_producer_has_failed, generated),
};

test_suite("false_cancel", cases);
