/* Workers that write over what they share with their host: they are killed, the host believes
 * nothing of it, and the next job finds a worker. */
#include "tests/offload/worker_cases.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "offload/pool/pool.h"

/* Finds the channel's socket as the only one that is open. */
static int scribble_socket(struct bight_job *job)
{
    (void)job;
    (void)!send(3, "garbage of some length", 22, MSG_NOSIGNAL);
    pause();
    return 0;
}

/* What the second, later slots hold is nonsense afterwards; this job's own says so at its end. */
static int scribble_memory(struct bight_job *job)
{
    struct channel *channel = worker_channel();

    memset((void *)channel->slots, *(int *)job->input, sizeof channel->slots);
    return 0;
}

/* Claims an output that lies elsewhere. */
static int lie_about_output(struct bight_job *job)
{
    struct channel *channel = worker_channel();
    int kind = *(int *)job->input;

    for (unsigned i = 0; i < channel->settings.slots; i++) {
        struct channel_slot *slot = &channel->slots[i];

        if (atomic_load(&slot->state) != SLOT_TAKEN)
            continue;
        slot->code = 0;
        slot->verdict = kind == 3 ? 99 : VERDICT_RAN;
        slot->serial += kind == 4;
        slot->output_offset = kind == 1 ? (uint32_t)channel->map_bytes + 4096 : UINT32_MAX - 8;
        slot->output_bytes = kind == 2 ? UINT32_MAX : 4096;
        if (kind == 5) {
            slot->output_offset =
                (uint32_t)(channel->output_arena + channel->output_arena_bytes - 4);
            slot->output_bytes = 64;
        }
        if (kind == 6)
            slot->verdict = VERDICT_PASSED_OVER;
        atomic_store(&slot->state, kind == 7 ? 12345 : SLOT_DONE);
        atomic_fetch_add(&channel->finished, kind == 8 ? 2 : 1);
    }
    (void)bight__channel_wake(3);
    pause();
    return 0;
}

static const struct bight_job_def scribble_socket_job = {.name = "scribble socket",
                                                         .fn = scribble_socket};
static const struct bight_job_def scribble_memory_job = {.name = "scribble memory",
                                                         .fn = scribble_memory};
static const struct bight_job_def lying_job = {.name = "lying", .fn = lie_about_output};

static int a_scribbling_worker_is_killed(void *arg)
{
    struct bight_executor *executor = worker_open_count(1);
    struct bight_result result;

    (void)arg;
    CHECK_EQ(bight_execute(executor, &scribble_socket_job, NULL, 0, &result),
             BIGHT_EUNKNOWNOUTCOME);
    CHECK_EQ(bight_execute(executor, &echo_job, NULL, 0, NULL), 0);
    for (int byte = 0; byte < 256; byte += 85) {
        int rc = bight_execute(executor, &scribble_memory_job, &byte, sizeof byte, &result);

        CHECK_EQ(rc, BIGHT_EUNKNOWNOUTCOME);
        CHECK_EQ(bight_execute(executor, &echo_job, NULL, 0, NULL), 0);
    }
    for (int kind = 1; kind <= 8; kind++) {
        CHECK_EQ(bight_execute(executor, &lying_job, &kind, sizeof kind, &result),
                 BIGHT_EUNKNOWNOUTCOME);
        CHECK_EQ(result.output_bytes, 0);
        CHECK_EQ(bight_execute(executor, &echo_job, NULL, 0, NULL), 0);
    }
    CHECK_EQ(worker_stats(executor).died, 1 + 4 + 8);
    worker_close(executor);
    return 0;
}

/* One word: the state of another slot. */
static int change_state(struct bight_job *job)
{
    const uint32_t *change = job->input;
    struct channel *channel = worker_channel();

    for (unsigned i = 0; i < channel->settings.slots; i++) {
        if (atomic_load(&channel->slots[i].state) != change[0])
            continue;
        atomic_store(&channel->slots[i].state, change[1]);
        break;
    }
    atomic_fetch_add(&worker_shared->counter, 1);
    return 0;
}

static const struct bight_job_def change_job = {.name = "change", .fn = change_state};

/* Three jobs in a ring, of which the second changes the slot of the first, which is done, or of the
 * third. `victim` is the one whose slot it is: it must not have a result. The others may have
 * theirs, if the host looks before the worker does. */
static void change(struct bight_executor *executor, uint32_t from, uint32_t to, int victim)
{
    const uint32_t words[] = {from, to};
    struct worker_call calls[] = {
        {.executor = executor, .def = &hold_job},
        {.executor = executor, .def = &change_job, .input = words, .input_bytes = sizeof words},
        {.executor = executor, .def = &echo_job},
    };
    uint64_t died = worker_stats(executor).died;
    int changes = atomic_load(&worker_shared->counter);

    atomic_store(&worker_shared->running, 0);
    atomic_store(&worker_shared->released, 0);
    for (int i = 0; i < 3; i++)
        worker_spawn(&calls[i]);
    worker_await(&worker_shared->running, 1);
    /* All are in the ring. The loop stands still until the second has run. */
    atomic_store(&worker_shared->released, 1);
    while (atomic_load(&worker_shared->counter) == changes)
        usleep(1000);
    for (int i = 0; i < 3; i++) {
        worker_join(&calls[i]);
        CHECK(calls[i].rc == BIGHT_EUNKNOWNOUTCOME || (i != victim && calls[i].rc >= 0));
    }
    while (worker_stats(executor).died == died)
        CHECK_EQ(bight_sleep(1), 0);
    CHECK_EQ(worker_stats(executor).died, died + 1);
    CHECK_EQ(bight_execute(executor, &echo_job, NULL, 0, NULL), 0);
}

static int a_word_in_the_ring_is_enough(void *arg)
{
    static const uint32_t of_finished[] = {SLOT_READY, SLOT_TAKEN, SLOT_REVOKED, SLOT_FREE, 7};
    static const uint32_t of_waiting[] = {SLOT_DONE, SLOT_TAKEN, SLOT_FREE, 7};
    struct bight_executor *executor = worker_open_count(1);

    (void)arg;
    for (size_t i = 0; i < sizeof of_finished / sizeof *of_finished; i++)
        change(executor, SLOT_DONE, of_finished[i], 0);
    for (size_t i = 0; i < sizeof of_waiting / sizeof *of_waiting; i++)
        change(executor, SLOT_READY, of_waiting[i], 2);
    worker_close(executor);
    return 0;
}

/* Says that the job behind it, whose input is being copied, may be taken or has ended. */
static int release_next(struct bight_job *job)
{
    struct channel *channel = worker_channel();
    uint32_t state = *(const uint32_t *)job->input;

    atomic_fetch_add(&worker_shared->running, 1);
    while (!atomic_load(&worker_shared->released))
        usleep(1000);
    atomic_store(
        &channel_slot(channel, channel->settings.slots, atomic_load(&channel->finished) + 1)->state,
        state);
    atomic_fetch_add(&worker_shared->counter, 1);
    return 0;
}

static const struct bight_job_def release_job = {.name = "release", .fn = release_next};

static void take_unfinished(struct bight_executor *executor, uint32_t state, const void *input,
                            size_t bytes)
{
    struct worker_call call = {
        .executor = executor, .def = &release_job, .input = &state, .input_bytes = sizeof state};
    struct worker_call large = {
        .executor = executor, .def = &echo_job, .input = input, .input_bytes = bytes};
    struct pool *pool = container_of(executor, struct pool, base);
    int changes = atomic_load(&worker_shared->counter);
    uint64_t died = worker_stats(executor).died;

    atomic_store(&worker_shared->running, 0);
    atomic_store(&worker_shared->released, 0);
    worker_spawn(&call);
    worker_await(&worker_shared->running, 1);
    worker_spawn(&large);
    while (link_empty(&pool->filling))
        CHECK_EQ(bight_yield(), 0);
    /* The loop stands still until the worker has been there. */
    atomic_store(&worker_shared->released, 1);
    while (atomic_load(&worker_shared->counter) == changes)
        usleep(1000);
    usleep(20000);
    worker_join(&call);
    worker_join(&large);
    CHECK_EQ(large.rc, BIGHT_EUNKNOWNOUTCOME);
    CHECK_EQ(worker_stats(executor).died, died + 1);
    CHECK_EQ(bight_execute(executor, &echo_job, NULL, 0, NULL), 0);
}

static int an_input_that_is_being_copied_is_nobody_s(void *arg)
{
    static const uint32_t states[] = {SLOT_READY, SLOT_REVOKED, SLOT_TAKEN, SLOT_DONE, 7};
    size_t bytes = (size_t)32 << 20;
    struct bight_executor *executor = worker_open_count(1);
    void *input = calloc(1, bytes);

    (void)arg;
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        take_unfinished(executor, states[i], input, bytes);
    free(input);
    worker_close(executor);
    return 0;
}

/* Whoever has its ring for itself harms nobody else. */
static int a_job_alone_spoils_itself_only(void *arg)
{
    struct bight_workers_options options = {.workers = 1, .ahead = 1};
    struct bight_executor *executor = worker_open(&options);
    struct worker_call before[4], after[4], bad;
    int byte = 85;

    (void)arg;
    bad = (struct worker_call){.executor = executor,
                               .def = &scribble_memory_job,
                               .input = &byte,
                               .input_bytes = sizeof byte};
    for (int i = 0; i < 4; i++)
        before[i] = after[i] = (struct worker_call){.executor = executor, .def = &echo_job};
    for (int i = 0; i < 4; i++)
        worker_spawn(&before[i]);
    worker_spawn(&bad);
    for (int i = 0; i < 4; i++)
        worker_spawn(&after[i]);
    for (int i = 0; i < 4; i++) {
        worker_join(&before[i]);
        worker_join(&after[i]);
        CHECK_EQ(before[i].rc, 0);
        CHECK_EQ(after[i].rc, 0);
    }
    worker_join(&bad);
    CHECK_EQ(bad.rc, BIGHT_EUNKNOWNOUTCOME);
    worker_close(executor);
    return 0;
}

static int close_channel(struct bight_job *job)
{
    (void)job;
    close(3);
    pause();
    return 0;
}

static const struct bight_job_def close_channel_job = {.name = "close channel",
                                                       .fn = close_channel};

static int a_job_that_closes_its_channel_is_killed(void *arg)
{
    struct bight_executor *executor = worker_open_count(1);
    struct bight_result result;

    (void)arg;
    CHECK_EQ(bight_execute(executor, &close_channel_job, NULL, 0, &result), BIGHT_EWORKERDIED);
    CHECK_EQ(result.exit_signal, SIGKILL);
    CHECK_EQ(bight_execute(executor, &echo_job, NULL, 0, NULL), 0);
    worker_close(executor);
    return 0;
}

static const struct suite_case cases[] = {
    worker_case(a_scribbling_worker_is_killed, 0),
    worker_case(a_word_in_the_ring_is_enough, 0),
    worker_case(an_input_that_is_being_copied_is_nobody_s, 0),
    worker_case(a_job_alone_spoils_itself_only, 0),
    worker_case(a_job_that_closes_its_channel_is_killed, 0),
};

worker_suite("workers_hostile", cases);
