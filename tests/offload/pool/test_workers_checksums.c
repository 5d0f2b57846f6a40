/* Workers with checksums: jobs that write over their neighbours in the ring spoil no result that
 * anybody gets. */
#include "tests/offload/worker_cases.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "offload/pool/pool.h"

#define AHEAD 16
#define INLINE_BYTES 100
#define ARENA_BYTES 5000

/* What a job writes over. */
enum victim {
    A_BYTE,    /* of the input, or of the output */
    AN_OFFSET, /* of it */
    A_FAR_OFFSET,
    A_LENGTH,
    A_HUGE_LENGTH,
    A_DEFINITION, /* or the code */
    FLAGS,        /* or the verdict */
    AN_ATTEMPT,
    A_DEFINITION_LENGTH,
    A_SUM,
    ANOTHER_SLOT, /* all of it is that of a neighbour */
    VICTIMS,
};

struct target {
    enum victim victim;
    bool result; /* of the job before this one; otherwise the job behind it */
};

static void spoil_job(struct channel *channel, struct channel_slot *slot, enum victim victim)
{
    unsigned char *input = (unsigned char *)channel + slot->input_offset;

    input[slot->input_bytes / 2] ^= victim == A_BYTE;
    slot->input_offset += victim == AN_OFFSET ? 16 : 0;
    slot->input_offset |= victim == A_FAR_OFFSET ? 0xfffff000u : 0;
    slot->input_bytes -= victim == A_LENGTH;
    slot->input_bytes |= victim == A_HUGE_LENGTH ? 0xfff00000u : 0;
    slot->def += victim == A_DEFINITION;
    slot->flags ^= victim == FLAGS ? SLOT_CHUNK : 0;
    slot->attempt += victim == AN_ATTEMPT;
    slot->define_bytes += victim == A_DEFINITION_LENGTH ? 8 : 0;
    slot->sum ^= victim == A_SUM ? (uint64_t)1 << 63 : 0;
}

static void spoil_result(struct channel *channel, struct channel_slot *slot, enum victim victim)
{
    unsigned char *output = (unsigned char *)channel + slot->output_offset;

    output[slot->output_bytes / 2] ^= victim == A_BYTE;
    slot->output_offset += victim == AN_OFFSET ? 16 : 0;
    slot->output_offset |= victim == A_FAR_OFFSET ? 0xfffff000u : 0;
    slot->output_bytes -= victim == A_LENGTH;
    slot->output_bytes |= victim == A_HUGE_LENGTH ? 0xfff00000u : 0;
    slot->code += victim == A_DEFINITION;
    slot->verdict += victim == FLAGS;
    slot->cancel = victim == AN_ATTEMPT;
    slot->grown ^= victim == A_DEFINITION_LENGTH;
    slot->sum ^= victim == A_SUM;
}

static int spoil(struct bight_job *job)
{
    struct target target = *(struct target *)job->input;
    struct channel *channel = worker_channel();
    uint64_t own = atomic_load(&channel->finished);
    struct channel_slot *next = channel_slot(channel, channel->settings.slots, own + 1);

    if (target.victim == ANOTHER_SLOT && target.result)
        memcpy(channel_slot(channel, channel->settings.slots, own - 1),
               channel_slot(channel, channel->settings.slots, own - 2), sizeof *next);
    else if (target.victim == ANOTHER_SLOT)
        memcpy(next, channel_slot(channel, channel->settings.slots, own + 2), sizeof *next);
    else if (target.result)
        spoil_result(channel, channel_slot(channel, channel->settings.slots, own - 1),
                     target.victim);
    else
        spoil_job(channel, next, target.victim);
    atomic_fetch_add(&worker_shared->counter, 1);
    return 0;
}

static const struct bight_job_def spoil_job_def = {.name = "spoil", .fn = spoil};

static int echo(struct bight_job *job)
{
    int rc = bight_job_output_append(job, job->input, job->input_bytes);

    return rc ? rc : (int)job->input_bytes;
}

static const struct bight_job_def again_job = {
    .name = "echo again", .fn = echo, .flags = BIGHT_JOB_IDEMPOTENT};

static struct bight_executor *open_checked(unsigned workers)
{
    struct bight_workers_options options = {
        .workers = workers, .ahead = AHEAD, .checksums = true, .attempts_max = 3};

    return worker_open(&options);
}

static void fill(unsigned char *data, size_t bytes, unsigned seed)
{
    for (size_t i = 0; i < bytes; i++)
        data[i] = (unsigned char)(i * 7 + seed);
}

#define CALLS 6
#define AT 3 /* the job that writes over others is that one */

static void prepare(struct worker_call calls[CALLS], struct bight_executor *executor,
                    const struct bight_job_def *def, size_t bytes)
{
    static unsigned char data[CALLS][ARENA_BYTES];

    for (unsigned i = 0; i < CALLS; i++) {
        fill(data[i], bytes, i);
        calls[i] = (struct worker_call){
            .executor = executor, .def = def, .input = data[i], .input_bytes = bytes};
    }
    calls[0].def = &hold_job;
}

/* Let all of them be in the ring before the first ends, and the loop stand still until the one that
 * writes over others has run. */
static void run_all(struct worker_call calls[CALLS])
{
    int changes = atomic_load(&worker_shared->counter);

    atomic_store(&worker_shared->running, 0);
    atomic_store(&worker_shared->released, 0);
    for (int i = 0; i < CALLS; i++)
        worker_spawn(&calls[i]);
    worker_await(&worker_shared->running, 1);
    atomic_store(&worker_shared->released, 1);
    while (atomic_load(&worker_shared->counter) == changes)
        usleep(1000);
    for (int i = 0; i < CALLS; i++)
        CHECK_EQ(bight_join(calls[i].task, NULL), 0);
}

static void check_echo(struct worker_call *call, unsigned attempts)
{
    CHECK_EQ(call->rc, 0);
    CHECK_EQ(call->result.attempts, attempts);
    CHECK_EQ(call->result.code, call->input_bytes);
    CHECK_EQ(call->result.output_bytes, call->input_bytes);
    CHECK(!call->input_bytes || !memcmp(call->result.output, call->input, call->input_bytes));
    bight_result_free(&call->result);
}

static void spoil_an_input(struct bight_executor *executor, enum victim victim, size_t bytes)
{
    struct target target = {.victim = victim};
    uint64_t died = worker_stats(executor).died;
    struct worker_call calls[CALLS];

    prepare(calls, executor, &echo_job, bytes);
    calls[AT].def = &spoil_job_def;
    calls[AT].input = &target;
    calls[AT].input_bytes = sizeof target;
    run_all(calls);
    CHECK_EQ(calls[AT].rc, 0);
    for (unsigned i = 1; i < CALLS; i++) {
        if (i == AT)
            continue;
        calls[i].result.code = (int)calls[i].result.output_bytes; /* echo_job returns 0 */
        check_echo(&calls[i], 1);
    }
    worker_await_died(executor, died + 1);
    CHECK_EQ(worker_stats(executor).died, died + 1);
}

/* Although it is not idempotent: it has not run. */
static int a_job_that_was_written_over_runs_elsewhere(void *arg)
{
    struct bight_executor *executor = open_checked(1);

    (void)arg;
    for (enum victim victim = A_BYTE; victim < ANOTHER_SLOT; victim++) {
        spoil_an_input(executor, victim, INLINE_BYTES);
        spoil_an_input(executor, victim, ARENA_BYTES);
    }
    spoil_an_input(executor, ANOTHER_SLOT, INLINE_BYTES);
    worker_close(executor);
    return 0;
}

static void spoil_a_result(struct bight_executor *executor, enum victim victim, size_t bytes,
                           const struct bight_job_def *def)
{
    struct target target = {.victim = victim, .result = true};
    bool again = def->flags & BIGHT_JOB_IDEMPOTENT;
    struct worker_call calls[CALLS];

    prepare(calls, executor, def, bytes);
    calls[AT].def = &spoil_job_def;
    calls[AT].input = &target;
    calls[AT].input_bytes = sizeof target;
    run_all(calls);
    CHECK_EQ(calls[AT - 1].rc, again ? 0 : BIGHT_EUNKNOWNOUTCOME);
    for (unsigned i = 1; i < CALLS; i++) {
        if (again && i != AT) {
            check_echo(&calls[i], calls[i].result.attempts);
            continue;
        }
        CHECK(calls[i].rc == 0 || calls[i].rc == BIGHT_EUNKNOWNOUTCOME);
        CHECK_EQ(calls[i].result.output_bytes, calls[i].rc || i == AT ? 0 : bytes);
        bight_result_free(&calls[i].result);
    }
}

static int a_result_that_was_written_over_is_nobody_s(void *arg)
{
    struct bight_executor *executor = open_checked(1);

    (void)arg;
    for (enum victim victim = A_BYTE; victim < VICTIMS; victim++) {
        spoil_a_result(executor, victim, INLINE_BYTES, &echo_job);
        spoil_a_result(executor, victim, ARENA_BYTES, &again_job);
    }
    worker_close(executor);
    return 0;
}

/* Words of slots and bytes of arenas, of others or its own. */
static int spoil_at_random(struct bight_job *job)
{
    struct channel *channel = worker_channel();
    unsigned seed = *(unsigned *)job->input;

    for (int i = 0; i < 3; i++) {
        unsigned slot = (unsigned)rand_r(&seed) % AHEAD, word = (unsigned)rand_r(&seed) % 256;
        unsigned char *arenas = (unsigned char *)channel + channel->input_arena;
        uint64_t output_at = channel->output_arena - channel->input_arena;

        ((uint32_t *)&channel->slots[slot])[word] = (uint32_t)rand_r(&seed);
        arenas[(unsigned)rand_r(&seed) % (AHEAD * ARENA_BYTES)] ^= 1;
        arenas[output_at + (unsigned)rand_r(&seed) % (AHEAD * ARENA_BYTES)] ^= 1;
    }
    return 0;
}

static const struct bight_job_def random_job = {.name = "spoil at random", .fn = spoil_at_random};

#define STORM 64
#define STORMS 24

static int no_wrong_result_is_handed_out(void *arg)
{
    static struct worker_call calls[STORM];
    static unsigned char data[STORM][ARENA_BYTES];
    struct bight_executor *executor = open_checked(2);
    unsigned good = 0, seed = 1;

    (void)arg;
    for (int storm = 0; storm < STORMS; storm++) {
        for (unsigned i = 0; i < STORM; i++) {
            fill(data[i], sizeof data[i], seed + i);
            calls[i] = (struct worker_call){.executor = executor,
                                            .def = &again_job,
                                            .input = data[i],
                                            .input_bytes = i % 2 ? INLINE_BYTES : ARENA_BYTES};
            if (i % 8 != 7)
                continue;
            memcpy(data[i], &(unsigned){seed++}, sizeof seed);
            calls[i].def = &random_job;
        }
        for (unsigned i = 0; i < STORM; i++)
            worker_spawn(&calls[i]);
        for (unsigned i = 0; i < STORM; i++) {
            CHECK_EQ(bight_join(calls[i].task, NULL), 0);
            good += calls[i].rc == 0;
            if (calls[i].def == &again_job && calls[i].rc == 0)
                check_echo(&calls[i], calls[i].result.attempts);
            CHECK_EQ(calls[i].result.output_bytes, 0);
        }
    }
    CHECK(good > STORM * STORMS / 2);
    CHECK(worker_stats(executor).died > 0);
    worker_close(executor);
    return 0;
}

/* A job that writes into the input that is being copied behind it. */
static int spoil_what_is_copied(struct bight_job *job)
{
    struct channel *channel = worker_channel();
    unsigned char *arena = (unsigned char *)channel + channel->input_arena;

    (void)job;
    atomic_fetch_add(&worker_shared->running, 1);
    while (!atomic_load(&worker_shared->released))
        usleep(1000);
    arena[job->input_bytes + 100] ^= 1;
    return 0;
}

static const struct bight_job_def copied_job = {.name = "spoil what is copied",
                                                .fn = spoil_what_is_copied};

static int large_inputs_are_checked_too(void *arg)
{
    size_t bytes = ((size_t)8 << 20) + 3;
    struct bight_executor *executor = open_checked(1);
    unsigned char *data = malloc(bytes);
    struct worker_call first = {.executor = executor, .def = &copied_job};
    struct worker_call large = {
        .executor = executor, .def = &echo_job, .input = data, .input_bytes = bytes};
    struct pool *pool = container_of(executor, struct pool, base);

    (void)arg;
    fill(data, bytes, 1);
    worker_spawn(&first);
    worker_await(&worker_shared->running, 1);
    worker_spawn(&large);
    while (link_empty(&pool->filling))
        CHECK_EQ(bight_yield(), 0);
    while (!link_empty(&pool->filling))
        CHECK_EQ(bight_yield(), 0);
    atomic_store(&worker_shared->released, 1);
    CHECK_EQ(bight_join(large.task, NULL), 0);
    CHECK_EQ(worker_stats(executor).died, 1);
    large.result.code = (int)bytes;
    check_echo(&large, 1);
    worker_join(&first);
    CHECK_EQ(first.rc, 0);
    free(data);
    worker_close(executor);
    return 0;
}

static int succeed(struct bight_job *job)
{
    return job->input_bytes == INLINE_BYTES ? 0 : -1;
}

static const struct bight_job_def init_job = {.name = "init", .fn = succeed};

/* Where nothing is written over: an initialiser, jobs that were withdrawn, outputs of each kind, an
 * item that fails. */
static int what_is_sound_passes(void *arg)
{
    static unsigned char data[(size_t)3 << 20];
    static const size_t sizes[] = {0, 1, 31, 32, 33, 448, 449, 65536, 65537, (size_t)3 << 20};
    struct bight_workers_options options = {.workers = 1,
                                            .checksums = true,
                                            .init = &init_job,
                                            .init_input = data,
                                            .init_input_bytes = INLINE_BYTES};
    struct bight_executor *executor = worker_open(&options);
    struct bight_execution held, withdrawn;

    (void)arg;
    fill(data, sizeof data, 2);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct worker_call call = {.input = data, .input_bytes = sizes[i]};

        call.rc = bight_execute(executor, &again_job, data, sizes[i], &call.result);
        check_echo(&call, 1);
    }
    CHECK_EQ(bight_execution_begin(&held, executor, &hold_job, NULL, 0, NULL), 0);
    CHECK_EQ(bight_execution_begin(&withdrawn, executor, &echo_job, data, 3, NULL), 0);
    CHECK_EQ(bight_execution_end(&withdrawn), 0);
    atomic_store(&worker_shared->released, 1);
    CHECK_EQ(bight_future_wait(&held.future, NULL, NULL), 0);
    CHECK_EQ(bight_execution_end(&held), 0);
    CHECK_EQ(bight_execute(executor, &init_job, NULL, 0, NULL), BIGHT_EJOBFAILED);
    CHECK_EQ(worker_stats(executor).died, 0);
    worker_close(executor);
    return 0;
}

static const struct suite_case cases[] = {
    worker_case(a_job_that_was_written_over_runs_elsewhere, 0),
    worker_case(a_result_that_was_written_over_is_nobody_s, 0),
    worker_case(no_wrong_result_is_handed_out, 0),
    worker_case(large_inputs_are_checked_too, 0),
    worker_case(what_is_sound_passes, 0),
};

worker_suite("workers_checksums", cases);
