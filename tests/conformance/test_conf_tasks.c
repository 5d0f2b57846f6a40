/* Tasks: making them, their names, the current one, all of them, what a waiting one shows and
 * gets. */
#include "tests/conformance/conf.h"

#include "runtime/runtime.h"

#include <stdio.h>
#include <string.h>

static int not_much(void *arg)
{
    *(const char **)arg = "ok";
    return 7;
}

static int makes_a_task(void *arg)
{
    const char *said = NULL;
    struct bight_task *task;
    uint64_t mine;

    (void)arg;
    ck_ok(bight_spawn(&task, not_much, &said));
    mine = bight_task_id(bight_self());
    ck_assert_uint_gt(bight_task_id(task), mine);
    ck_assert(!bight_task_done(task));
    conf_join(task, 7);
    ck_assert_str_eq(said, "ok");
    return 0;
}

static int counts_spawned(void *arg)
{
    struct bight_runtime_stats stats;

    (void)arg;
    world_settle();
    ck_ok(bight_runtime_get_stats(&stats));
    ck_assert_uint_eq(stats.spawned, 1); /* main */
    return 0;
}

static void task_04_a_task_or_a_wait_without_a_runtime_is_refused(void)
{
    struct bight_future future;
    struct bight_task *task = NULL;
    int begun = 0;

    ck_code(bight_spawn(&task, world_add_one, &begun), BIGHT_ENORUNTIME);
    ck_assert_ptr_null(task);
    bight_future_init(&future);
    ck_code(bight_future_wait(&future, NULL, NULL), BIGHT_ENOTASK);
    conf_ok(counts_spawned);
    ck_assert_int_eq(begun, 0);
}

/* All tasks of the runtime. */
struct listing {
    struct bight_task *tasks[8];
    size_t count;
};

static bool list_one(void *arg, struct bight_task *task)
{
    struct listing *listing = arg;

    ck_assert_uint_lt(listing->count, 8);
    listing->tasks[listing->count++] = task;
    return true;
}

static struct listing all_tasks(void)
{
    struct listing listing = {.count = 0};

    bight_tasks(list_one, &listing);
    return listing;
}

static bool listed(const struct bight_task *task)
{
    struct listing listing = all_tasks();

    for (size_t i = 0; i < listing.count; i++)
        if (listing.tasks[i] == task)
            return true;
    return false;
}

static int spawns_nothing(void *arg)
{
    struct bight_task *task = NULL;

    (void)arg;
    for (int i = 0; i < 2; i++)
        ck_code(bight_spawn(&task, NULL, "123"), BIGHT_EINVAL);
    ck_assert_ptr_null(task);
    ck_assert_uint_eq(all_tasks().count, 1);
    ck_assert(listed(bight_self()));
    return 0;
}

static bool poor; /* while it is, every allocation fails */

static bool is_poor(void *ctx, const void *site)
{
    (void)ctx;
    (void)site;
    return poor;
}

static int spawns_while_poor(void *arg)
{
    struct bight_spawn_options options = {.stack_bytes = (size_t)1 << 20}; /* not a warm one */
    struct bight_task *task = NULL;
    int begun = 0;

    (void)arg;
    poor = true;
    ck_code(bight_spawn_with(&task, &options, world_add_one, &begun), BIGHT_ENOMEM);
    poor = false;
    ck_assert_ptr_null(task);
    ck_assert_uint_eq(all_tasks().count, 1);
    world_settle();
    ck_assert_int_eq(begun, 0);
    ck_ok(bight_spawn_with(&task, &options, world_add_one, &begun));
    ck_assert(listed(task));
    conf_join(task, 0);
    ck_assert_int_eq(begun, 1);
    return 0;
}

static void task_08_a_spawn_that_fails_leaves_no_task(void)
{
    struct bight_seams seams = {.fail_alloc = is_poor};

    ck_ok(bight__run_with_seams(NULL, &seams, spawns_while_poor, NULL));
}

/* What bight_dump writes. */
struct text {
    char bytes[2048];
    size_t used;
};

static void take_text(void *arg, const char *piece, size_t bytes)
{
    struct text *text = arg;

    ck_assert_uint_lt(text->used + bytes, sizeof(text->bytes));
    memcpy(text->bytes + text->used, piece, bytes);
    text->used += bytes;
    text->bytes[text->used] = '\0';
}

static bool dump_has(const char *what)
{
    static struct text text;

    text.used = 0;
    ck_ok(bight_dump(take_text, &text));
    return strstr(text.bytes, what);
}

static int numbers(void *arg)
{
    struct bight_task *tasks[2];
    uint64_t ids[2];
    char label[32];
    int zero = 0;

    (void)arg;
    for (int i = 0; i < 2; i++) {
        ck_ok(bight_spawn(&tasks[i], world_return, &zero));
        ids[i] = bight_task_id(tasks[i]);
        snprintf(label, sizeof(label), "#%llu ", (unsigned long long)ids[i]);
        ck_assert(dump_has(label));
    }
    ck_assert_uint_lt(ids[0], ids[1]);
    conf_join(tasks[0], 0);
    conf_join(tasks[1], 0);
    return 0;
}

static int waits_for(void *future)
{
    return bight_future_wait(future, NULL, NULL);
}

static int joins(void *task)
{
    return bight_join(task, NULL);
}

static int shows_waits(void *arg)
{
    struct bight_spawn_options options = {.name = "cook"};
    struct bight_task *waiter, *joiner;
    struct bight_future future;
    char wait[64];

    (void)arg;
    bight_future_init(&future);
    ck_ok(bight_spawn_with(&waiter, &options, waits_for, &future));
    ck_ok(bight_spawn(&joiner, joins, waiter));
    world_settle();
    snprintf(wait, sizeof(wait), "cook: waits for future (%p)", (void *)&future);
    ck_assert(dump_has(wait));
    ck_assert(dump_has("waits for join (#2 cook)"));
    ck_ok(bight_future_set(&future, NULL));
    conf_join(joiner, 0);
    ck_assert(!dump_has("future"));
    return 0;
}

struct receiver {
    struct bight_future future;
    void *value;
    int status;
};

static int receives(void *arg)
{
    struct receiver *receiver = arg;

    receiver->status = 7;
    return bight_future_wait(&receiver->future, &receiver->status, &receiver->value);
}

static size_t ready_now(void)
{
    struct bight_runtime_stats stats;

    ck_ok(bight_runtime_get_stats(&stats));
    return stats.ready;
}

static int hands_a_value_on(void *arg)
{
    struct receiver receiver = {.value = NULL};
    struct bight_task *task;
    int value;

    (void)arg;
    bight_future_init(&receiver.future);
    ck_ok(bight_spawn(&task, receives, &receiver));
    world_settle();
    ck_ok(bight_future_set(&receiver.future, &value));
    ck_assert_uint_eq(ready_now(), 1); /* it waited once, and does not run in here */
    ck_assert_ptr_null(receiver.value);
    world_settle();
    ck_assert_ptr_eq(receiver.value, &value);
    ck_assert_int_eq(receiver.status, 0);
    conf_join(task, 0);
    return 0;
}

struct switches {
    struct bight_task *tasks[2];
    struct bight_future futures[2];
    int checks;
};

static void check_current(struct switches *switches, int which)
{
    ck_assert_ptr_eq(bight_self(), switches->tasks[which]);
    switches->checks++;
}

static int first_of_two(void *arg)
{
    struct switches *switches = arg;

    check_current(switches, 0);
    ck_ok(bight_future_wait(&switches->futures[0], NULL, NULL));
    check_current(switches, 0);
    return bight_future_set(&switches->futures[1], NULL);
}

static int second_of_two(void *arg)
{
    struct switches *switches = arg;

    check_current(switches, 1);
    ck_ok(bight_future_set(&switches->futures[0], NULL));
    check_current(switches, 1); /* setting runs nobody */
    ck_ok(bight_future_wait(&switches->futures[1], NULL, NULL));
    check_current(switches, 1);
    return 0;
}

static int interleaves(void *arg)
{
    struct switches switches = {.checks = 0};
    struct bight_task *main_task = bight_self();

    (void)arg;
    bight_future_init(&switches.futures[0]);
    bight_future_init(&switches.futures[1]);
    ck_ok(bight_spawn(&switches.tasks[0], first_of_two, &switches));
    ck_ok(bight_spawn(&switches.tasks[1], second_of_two, &switches));
    conf_join(switches.tasks[0], 0);
    conf_join(switches.tasks[1], 0);
    ck_assert_int_eq(switches.checks, 5);
    ck_assert_ptr_eq(bight_self(), main_task);
    return 0;
}

static void task_22_the_current_task_follows_the_switches(void)
{
    conf_ok(interleaves);
    ck_assert_ptr_null(bight_self());
}

static void sees_no_task(struct bight_call *call)
{
    ck_assert_ptr_null(bight_self());
    ck_code(bight_sleep(0), BIGHT_ENOTASK);
    call->fn = NULL;
}

static int asks_in_a_call(void *arg)
{
    struct bight_call call;

    (void)arg;
    bight_call_init(&call, sees_no_task);
    ck_ok(bight_call_soon(&call));
    ck_ok(bight_yield());
    ck_assert(!call.fn);
    ck_assert_ptr_nonnull(bight_self());
    return 0;
}

static void task_23_there_is_no_current_task_outside_of_tasks(void)
{
    struct bight_runtime *idle;
    uv_loop_t loop;

    ck_assert_ptr_null(bight_self());
    ck_code(bight_sleep(0), BIGHT_ENOTASK);
    conf_ok(asks_in_a_call);
    ck_ok(uv_loop_init(&loop));
    ck_ok(bight_attach(&idle, &loop, NULL));
    ck_assert_ptr_null(bight_self());
    ck_code(bight_sleep(0), BIGHT_ENOTASK);
    ck_ok(bight_detach(idle, NULL, NULL));
    uv_run(&loop, UV_RUN_DEFAULT);
    ck_ok(uv_loop_close(&loop));
}

static int lists(void *arg)
{
    struct bight_task *kept, *detached;

    (void)arg;
    ck_ok(bight_spawn(&kept, world_return, &(int){0}));
    ck_ok(bight_spawn(&detached, world_forever, NULL));
    ck_ok(bight_task_detach(detached));
    ck_assert(listed(kept) && listed(detached) && listed(bight_self()));
    ck_assert_uint_eq(all_tasks().count, 3);
    world_settle();
    ck_assert(bight_task_done(kept)); /* and its handle is still there */
    ck_assert(!listed(kept));
    ck_assert(listed(detached));
    conf_join(kept, 0);
    bight_task_cancel(detached);
    world_settle();
    ck_assert_uint_eq(all_tasks().count, 1);
    return 0;
}

static void task_24_the_list_of_all_tasks_has_no_ended_ones(void)
{
    bight_tasks(list_one, NULL); /* without a runtime: none, and no error */
    conf_ok(lists);
}

static const struct suite_case cases[] = {
    conf_case(task_03_a_task_made_inside_a_run_belongs_to_it_and_its_handle_gives_the_result,
              makes_a_task),
    plain_case(task_04_a_task_or_a_wait_without_a_runtime_is_refused),
    conf_case(task_07_what_cannot_be_run_is_refused_each_time, spawns_nothing),
    plain_case(task_08_a_spawn_that_fails_leaves_no_task),
    conf_case(task_12_tasks_without_a_name_are_numbered_upwards, numbers),
    conf_case(task_17_a_waiting_task_shows_what_it_waits_for, shows_waits),
    conf_case(task_18_a_waiter_gets_the_very_value, hands_a_value_on),
    plain_case(task_22_the_current_task_follows_the_switches),
    plain_case(task_23_there_is_no_current_task_outside_of_tasks),
    plain_case(task_24_the_list_of_all_tasks_has_no_ended_ones),
};

test_suite("tasks", cases);
