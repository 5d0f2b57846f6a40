/* What lies in a segment, used by two tasks: one gives, the other takes. */
#include "tests/sweeps/scenarios.h"

#include <bight.h>

#define GIVEN 3
#define ITEM_BYTES 8
#define PIPE_BYTES 4

struct ground {
    struct bight_shared_mutex mutex;
    struct bight_shared_semaphore semaphore;
    struct bight_shared_event event;
    struct bight_shared_barrier barrier;
    struct bight_shared_queue queue;
    struct bight_shared_pipe pipe;
    uint64_t storage[8];
};

static int prepare(struct ground *ground)
{
    int rc = bight_shared_mutex_init(&ground->mutex);

    rc = rc ? rc : bight_shared_semaphore_init(&ground->semaphore, 0, 1);
    rc = rc ? rc : bight_shared_event_init(&ground->event);
    rc = rc ? rc : bight_shared_barrier_init(&ground->barrier, 2);
    rc = rc ? rc : bight_shared_queue_init(&ground->queue, ground->storage, 1, ITEM_BYTES);
    return rc ? rc : bight_shared_pipe_init(&ground->pipe, ground->storage + 4, PIPE_BYTES);
}

static int alone(struct ground *ground, int64_t timeout_ms)
{
    int rc = bight_shared_mutex_lock(&ground->mutex, timeout_ms);

    if (rc)
        return rc;
    scenario_balance++;
    rc = bight_sleep(1);
    EXPECT(bight_shared_mutex_unlock(&ground->mutex) == 0);
    scenario_balance--;
    return rc;
}

/* The first of these fails where a cancellation came after a part of the bytes. */
static int all_of(int64_t count)
{
    return count == ITEM_BYTES ? 0 : count < 0 ? (int)count : BIGHT_ECANCELED;
}

static int met(int place)
{
    return place < 0 ? place : 0;
}

static int give_all(struct ground *ground)
{
    uint64_t item = 7;
    int rc = alone(ground, -1);

    rc = rc ? rc : bight_shared_semaphore_release(&ground->semaphore);
    rc = rc ? rc : met(bight_shared_barrier_wait(&ground->barrier, -1));
    for (int i = 0; i < GIVEN && !rc; i++)
        rc = bight_shared_queue_put(&ground->queue, &item, sizeof(item), i % 2 ? -1 : 1000);
    rc = rc ? rc : all_of(bight_shared_pipe_write(&ground->pipe, &item, sizeof(item), -1));
    return rc ? rc : bight_sleep(1);
}

/* Who takes is not to wait for what does not come. */
static int give(void *arg)
{
    struct ground *ground = arg;
    int rc = give_all(ground);

    if (rc) {
        int released = bight_shared_semaphore_release(&ground->semaphore);

        EXPECT(released == 0 || released == BIGHT_ERANGE);
        EXPECT(bight_shared_barrier_abort(&ground->barrier) == 0);
        EXPECT(bight_shared_queue_close(&ground->queue) == 0);
        EXPECT(bight_shared_pipe_close_write(&ground->pipe) == 0);
    }
    EXPECT(bight_shared_event_set(&ground->event) == 0);
    return rc;
}

static int take_pipe(struct ground *ground)
{
    char bytes[ITEM_BYTES];
    int64_t count = 0;

    for (size_t have = 0; have < sizeof(bytes); have += (size_t)count) {
        count = bight_shared_pipe_read(&ground->pipe, bytes, sizeof(bytes), -1);
        if (count <= 0)
            return (int)count;
    }
    return 0;
}

static int take_all(struct ground *ground)
{
    uint64_t item = 0;
    int rc = bight_yield();

    rc = rc ? rc : alone(ground, -1);
    rc = rc ? rc : alone(ground, 1000);
    rc = rc ? rc : bight_shared_semaphore_acquire(&ground->semaphore, 1000);
    rc = rc ? rc : met(bight_shared_barrier_wait(&ground->barrier, 1000));
    for (int i = 0; i < GIVEN && !rc; i++) {
        rc = met(bight_shared_queue_get(&ground->queue, &item, sizeof(item), i % 2 ? -1 : 1000));
        rc = rc ? rc : bight_shared_queue_task_done(&ground->queue);
    }
    rc = rc ? rc : bight_shared_queue_join(&ground->queue, -1);
    rc = rc ? rc : take_pipe(ground);
    return rc ? rc : bight_shared_event_wait(&ground->event, -1);
}

static int take(struct bight_group *group, void *arg)
{
    int rc = bight_group_spawn(NULL, group, NULL, give, arg);

    rc = rc ? rc : take_all(arg);
    return rc == BIGHT_EBROKEN || rc == BIGHT_ECLOSED ? 0 : rc;
}

int scenario_shared(void *arg)
{
    struct bight_shared *segment;
    struct ground *ground;
    int rc = bight_shared_new(&segment, sizeof(*ground));

    (void)arg;
    if (rc)
        return rc;
    ground = bight_shared_data(segment);
    rc = prepare(ground);
    if (!rc)
        rc = bight_group_run(take, ground);
    EXPECT(bight_shared_free(segment) == 0);
    return rc;
}

/* Memory for inputs that workers are given without a copy; threads take a copy of it. */
int scenario_placed(void *arg)
{
    struct bight_job_input *input;
    int rc = bight_job_input_new(&input, ITEM_BYTES);

    (void)arg;
    if (rc)
        return rc;
    *(char *)bight_job_input_data(input) = 'x';
    rc = bight_sleep(1);
    bight_job_input_free(input);
    return rc;
}
