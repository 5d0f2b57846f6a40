/* See scenarios.h. */
#include "tests/sweeps/scenarios.h"

#include <bight.h>
#include <check.h>
#include <stdlib.h>
#include <string.h>

int scenario_balance;

/* Tasks */

static void dropped(void *arg)
{
    (void)arg;
    scenario_balance--;
}

int scenario_spawn(struct bight_group *group, struct bight_task **out, const char *name,
                   int (*fn)(void *arg), void *arg)
{
    const struct bight_spawn_options options = {.name = name, .drop = dropped};
    int rc = group ? bight_group_spawn(out, group, &options, fn, arg)
                   : bight_spawn_with(out, &options, fn, arg);

    if (rc == 0)
        scenario_balance++;
    return rc;
}

static int worker(void *arg)
{
    (void)arg;
    scenario_balance--;
    int rc = bight_yield();
    return rc ? rc : bight_sleep(10);
}

/* Join, and take the task's failure for one's own. */
static int join_or_detach(struct bight_task *task)
{
    struct bight_task_result result;
    int rc = bight_join_result(task, &result);

    if (rc) {
        bight_task_detach(task);
        return rc;
    }
    return result.status < 0 && !result.cancelled ? result.status : 0;
}

static int spawn_and_join(void *arg)
{
    struct bight_task *first, *second;
    int rc = scenario_spawn(NULL, &first, "first", worker, NULL);

    (void)arg;
    if (rc)
        return rc;
    rc = scenario_spawn(NULL, &second, "second", worker, NULL);
    if (rc == 0) {
        bight_task_cancel(second);
        rc = join_or_detach(second);
    }
    int last = join_or_detach(first);
    return rc ? rc : last;
}

static int large_stack(void *arg)
{
    const struct bight_spawn_options options = {
        .name = "large", .stack_bytes = (size_t)3 << 20, .drop = dropped};
    struct bight_task *task;
    int rc = bight_spawn_with(&task, &options, worker, NULL);

    (void)arg;
    if (rc)
        return rc;
    scenario_balance++;
    return join_or_detach(task);
}

/* Groups */

static int inner_body(struct bight_group *group, void *arg)
{
    int rc = 0;

    for (int i = 0; i < 3 && !rc; i++)
        rc = scenario_spawn(group, NULL, "inner", worker, arg);
    return rc;
}

static int opens_group(void *arg)
{
    scenario_balance--;
    return bight_group_run(inner_body, arg);
}

static int outer_body(struct bight_group *group, void *arg)
{
    struct bight_task *handle;
    int rc = scenario_spawn(group, NULL, "opens group", opens_group, arg);

    if (rc)
        return rc;
    rc = scenario_spawn(group, &handle, "worker", worker, arg);
    if (rc)
        return rc;
    return join_or_detach(handle);
}

static int nested_groups(void *arg)
{
    return bight_group_run(outer_body, arg);
}

static int fails(void *arg)
{
    (void)arg;
    scenario_balance--;
    int rc = bight_sleep(1);
    return rc ? rc : BIGHT_EIO;
}

static int sleeps_long(void *arg)
{
    (void)arg;
    scenario_balance--;
    return bight_sleep(3600000);
}

static int failing_body(struct bight_group *group, void *arg)
{
    int rc = scenario_spawn(group, NULL, "sleeps", sleeps_long, arg);

    if (rc)
        return rc;
    rc = scenario_spawn(group, NULL, "fails", fails, arg);
    return rc ? rc : bight_sleep(3600000);
}

static int failing_group(void *arg)
{
    int rc = bight_group_run(failing_body, arg);

    return rc == BIGHT_EIO ? 0 : rc;
}

/* More tasks at a time than a fresh runtime has stacks for. */
static int crowd_body(struct bight_group *group, void *arg)
{
    int rc = 0;

    for (int i = 0; i < 60 && !rc; i++)
        rc = scenario_spawn(group, NULL, "one of many", worker, arg);
    return rc;
}

static int crowd(void *arg)
{
    return bight_group_run(crowd_body, arg);
}

/* What tasks carry */

static void deferred(void *arg)
{
    (void)arg;
    EXPECT(bight_yield() == 0); /* shielded */
    EXPECT(bight_sleep(5) == 0);
    scenario_balance--;
}

static int defer_counted(void)
{
    int rc = bight_defer(deferred, NULL);

    if (rc == 0)
        scenario_balance++;
    return rc;
}

static int defers_twice(void *arg)
{
    (void)arg;
    scenario_balance--;
    int rc = defer_counted();
    if (rc)
        return rc;
    rc = bight_sleep(1);
    if (rc)
        return rc;
    return defer_counted();
}

static int defer_body(struct bight_group *group, void *arg)
{
    int rc = scenario_spawn(group, NULL, "defers", defers_twice, arg);

    if (rc)
        return rc;
    rc = defer_counted();
    return rc ? rc : bight_sleep(2);
}

static int defers(void *arg)
{
    return bight_group_run(defer_body, arg);
}

static const struct bight_local color = {"color", NULL};
static const struct bight_local size = {"size", NULL};

static int inherits(void *arg)
{
    scenario_balance--;
    EXPECT(strcmp(bight_local_get(&color), "red") == 0);
    int rc = bight_local_set_copy(&color, "blue", sizeof("blue"));
    if (rc)
        return rc;
    rc = bight_yield();
    EXPECT(strcmp(bight_local_get(&color), "blue") == 0);
    EXPECT(bight_local_get(&size) == arg);
    return rc;
}

static int local_body(struct bight_group *group, void *arg)
{
    int rc = bight_local_set(&color, "red");

    if (rc)
        return rc;
    rc = bight_local_set(&size, arg);
    if (rc)
        return rc;
    rc = scenario_spawn(group, NULL, "inherits", inherits, arg);
    if (rc)
        return rc;
    rc = bight_yield();
    EXPECT(strcmp(bight_local_get(&color), "red") == 0);
    return rc;
}

static int locals(void *arg)
{
    int rc = bight_group_run(local_body, &scenario_balance);

    (void)arg;
    return rc;
}

/* Synchronisation */

static void drop_item(void *balance, void *item)
{
    free(item);
    (*(int *)balance)--;
}

static int produces(void *queue)
{
    int rc = 0;

    scenario_balance--;
    for (int i = 0; i < 7 && !rc; i++) {
        void *item = malloc(1);
        EXPECT(item);
        scenario_balance++;
        rc = bight_queue_put(queue, item);
        if (rc)
            drop_item(&scenario_balance, item);
    }
    if (rc == 0)
        rc = bight_queue_join(queue);
    bight_queue_close(queue); /* in every case: somebody waits for it */
    return rc == BIGHT_ECLOSED ? 0 : rc;
}

static int consumes(void *queue)
{
    void *item;
    int rc;

    scenario_balance--;
    while (!(rc = bight_queue_get(queue, &item))) {
        drop_item(&scenario_balance, item);
        bight_queue_task_done(queue);
    }
    bight_queue_abort(queue, drop_item, &scenario_balance); /* nobody will take what is left */
    return rc == BIGHT_ECLOSED ? 0 : rc;
}

static int queue_body(struct bight_group *group, void *queue)
{
    int rc = scenario_spawn(group, NULL, "produces", produces, queue);

    return rc ? rc : scenario_spawn(group, NULL, "consumes", consumes, queue);
}

static int queues(void *arg)
{
    struct bight_queue *queue;
    int rc = bight_queue_new(&queue, 2);

    (void)arg;
    if (rc)
        return rc;
    rc = bight_group_run(queue_body, queue);
    bight_queue_abort(queue, drop_item, &scenario_balance);
    EXPECT(bight_queue_free(queue) == 0);
    return rc;
}

struct shared {
    struct bight_mutex mutex;
    struct bight_event event;
};

static int locks(void *arg)
{
    struct shared *shared = arg;

    scenario_balance--;
    int rc = bight_mutex_lock(&shared->mutex);
    if (rc)
        return rc;
    scenario_balance++;
    rc = bight_sleep(3);
    EXPECT(bight_mutex_unlock(&shared->mutex) == 0);
    scenario_balance--;
    return rc;
}

static int sets(void *arg)
{
    struct shared *shared = arg;
    int rc = locks(shared);

    bight_event_set(&shared->event); /* in every case: somebody waits for it */
    return rc;
}

static void drop_setter(void *arg)
{
    bight_event_set(&((struct shared *)arg)->event);
    scenario_balance--;
}

static int sync_body(struct bight_group *group, void *arg)
{
    const struct bight_spawn_options options = {.name = "sets", .drop = drop_setter};
    struct shared *shared = arg;
    int rc = bight_group_spawn(NULL, group, &options, sets, shared);

    if (rc)
        return rc;
    scenario_balance++;
    for (int i = 0; i < 2 && !rc; i++)
        rc = scenario_spawn(group, NULL, "locks", locks, shared);
    return rc ? rc : bight_event_wait(&shared->event);
}

static int mutex_and_event(void *arg)
{
    struct shared shared;

    (void)arg;
    bight_mutex_init(&shared.mutex);
    bight_event_init(&shared.event);
    int rc = bight_group_run(sync_body, &shared);
    EXPECT(bight_mutex_try_lock(&shared.mutex) == 0); /* nobody has kept it */
    EXPECT(bight_mutex_unlock(&shared.mutex) == 0);
    return rc;
}

/* Time */

static int sleep_hour(void *arg)
{
    (void)arg;
    return bight_sleep(3600000);
}

static int expire_inside(void *arg)
{
    int rc = bight_timeout(1000, sleep_hour, arg);

    if (rc != BIGHT_ETIMEDOUT)
        return rc;
    rc = bight_shield(500, sleep_hour, arg);
    if (rc != BIGHT_ETIMEDOUT)
        return rc;
    return sleep_hour(arg);
}

static int timeouts(void *arg)
{
    struct bight_scope scope;
    int rc = bight_timeout(60000, expire_inside, arg);

    if (rc != BIGHT_ETIMEDOUT)
        return rc;
    rc = bight_scope_begin(&scope, -1, 0);
    if (rc)
        return rc;
    EXPECT(bight_scope_set_timeout(&scope, 10) == 0);
    rc = bight_scope_end(&scope, bight_sleep(20));
    return rc == BIGHT_ETIMEDOUT ? 0 : rc;
}

const struct scenario scenarios[] = {
    {"spawn and join", spawn_and_join},
    {"large stack", large_stack},
    {"nested groups", nested_groups},
    {"failing group", failing_group},
    {"crowd", crowd},
    {"hash table", scenario_hash},
    {"deep stack", scenario_deep_stack},
    {"dump", scenario_dump},
    {"future", scenario_future},
    {"start", scenario_started},
    {"background", scenario_background},
    {"points in time", scenario_points},
    {"queue join", scenario_queue_join},
    {"stream", scenario_stream},
    {"tcp", scenario_tcp},
    {"no answer", scenario_no_answer},
    {"listeners", scenario_listeners},
    {"unix", scenario_unix},
    {"serve", scenario_serve},
    {"passed descriptors", scenario_pass},
    {"monitor", scenario_monitor},
    {"trace", scenario_trace},
    {"stack depth", scenario_stack_depth},
    {"udp", scenario_udp},
    {"multicast", scenario_multicast},
    {"patient sends", scenario_patient_sends},
    {"lines of a stream", scenario_stream_lines},
    {"file to a stream", scenario_stream_file},
    {"file to a socket", scenario_stream_socket},
    {"talk by sockets", scenario_stream_talk},
    {"byte by byte", scenario_stream_dribble},
    {"stream of a pipe", scenario_stream_pipe},
    {"end of a stream", scenario_stream_end},
    {"descriptors", scenario_descriptors},
    {"many descriptors", scenario_many_descriptors},
    {"sequencer", scenario_sequencer},
    {"defers", defers},
    {"locals", locals},
    {"queue", queues},
    {"queue kinds", scenario_queue_kinds},
    {"rendezvous", scenario_rendezvous},
    {"channel", scenario_channel},
    {"broadcast", scenario_broadcast},
    {"latest", scenario_latest},
    {"mutex and event", mutex_and_event},
    {"condition", scenario_condition},
    {"semaphore and limiter", scenario_semaphore},
    {"rwlock", scenario_rwlock},
    {"barrier, once, wait group", scenario_start},
    {"timeouts", timeouts},
    {"gather", scenario_gather},
    {"map", scenario_map},
    {"race", scenario_race},
    {"retry", scenario_retry},
    {"generator", scenario_generator},
    {"wait", scenario_wait},
    {"select", scenario_select},
    {"posts", scenario_posts},
    {"signals", scenario_signals},
    {"service", scenario_service},
    {"service manager", scenario_manager},
    {"process", scenario_process},
    {"process run", scenario_process_run},
    {"no process", scenario_no_process},
    {"uv requests", scenario_uv_requests},
    {"files", scenario_files},
    {"end of a file", scenario_file_end},
    {"files by path", scenario_paths},
    {"whole files", scenario_whole_files},
    {"lines of a file", scenario_file_lines},
    {"trees", scenario_trees},
    {"watches", scenario_watches},
    {"thread queue", scenario_thread_queue},
    {"thread queue in a select", scenario_thread_select},
    {"submission", scenario_submission},
    {"threads", scenario_threads},
    {"room in an executor", scenario_room},
    {"shared", scenario_shared},
    {"placed input", scenario_placed},
};
const int scenario_count = (int)(sizeof scenarios / sizeof scenarios[0]);
