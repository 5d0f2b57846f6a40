/* offload/pool/harvest.c: a ring whose worker has written whatever it liked. The host takes
 * results that can be, each execution ends at most once, and what it copies lies within the
 * channel. Input: the number of jobs, then for each what the worker wrote: its state as a
 * letter, and the head of the slot; then what it wrote of progress. */
#include "offload/pool/pool.h"
#include "offload/spare.h"
#include "tests/fuzz/fuzz.h"

enum { ARENA_BYTES = 4096, PAYLOAD_MAX = 2048, JOBS_MAX = 8 };

/* What the worker writes of a slot. */
struct scribble {
    uint8_t state;
    uint8_t serial;
    uint8_t verdict;
    uint8_t place; /* 0: inline, 1: in the arena, otherwise anywhere */
    uint32_t offset;
    uint32_t bytes;
    int32_t code;
};

static struct job {
    struct bight_execution record;
    int ends;
} jobs[JOBS_MAX];

static void ended(struct bight_execution *record, int rc)
{
    (void)rc;
    jobs[execution_of(record)->position].ends++;
}

static void heard(void *arg, const void *data, size_t bytes)
{
    const unsigned char *at = data;
    unsigned sum = 0;

    (void)arg;
    FUZZ_CHECK(bytes <= BIGHT_JOB_PROGRESS_MAX);
    while (bytes > 0)
        sum += at[--bytes];
    FUZZ_CHECK(sum <= 255 * BIGHT_JOB_PROGRESS_MAX);
}

static uint32_t state_of(uint8_t letter)
{
    static const uint32_t states[] = {SLOT_FREE, SLOT_READY, SLOT_TAKEN, SLOT_DONE, SLOT_REVOKED};

    return letter < 128 ? states[letter % 5 == 4 ? 4 : 3] : states[letter % 5] + (letter > 250);
}

static void write_slot(struct worker *worker, uint64_t position, const struct scribble *from)
{
    struct channel_slot *slot = worker_slot(worker, position);
    uint64_t inline_at = (uint64_t)(slot->output - (unsigned char *)worker->channel);

    atomic_store(&slot->state, state_of(from->state));
    slot->serial = (uint32_t)position + from->serial % 4 / 3;
    slot->verdict = from->verdict % 8;
    slot->code = from->code;
    slot->output_bytes = from->bytes;
    slot->output_offset = from->offset;
    if (from->place == 0)
        slot->output_offset = (uint32_t)inline_at + from->offset % 512;
    else if (from->place == 1)
        slot->output_offset = (uint32_t)worker->output_arena + from->offset % ARENA_BYTES;
    else if (from->place == 2)
        slot->output_offset = OUTPUT_SENT;
}

/* Seats without an execution are those of jobs that were withdrawn. */
static void seat_jobs(struct worker *worker, unsigned count, uint8_t withdrawn)
{
    for (unsigned i = 0; i < count; i++) {
        bool called = !(withdrawn >> i & 1);

        struct execution *execution = execution_of(&jobs[i].record);

        jobs[i] = (struct job){.record = {.ended = ended,
                                          .executor = &worker->pool->base,
                                          .options = {.progress = heard}}};
        *execution = (struct execution){.worker = worker, .position = i};
        worker->seats[i] =
            (struct seat){.execution = called ? execution : NULL, .arena_at = UINT64_MAX};
        worker->load += called;
    }
    worker->head = worker->posted = count;
}

static void check_jobs(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        FUZZ_CHECK(jobs[i].ends <= 1);
        FUZZ_CHECK(jobs[i].record.result.output_bytes <= PAYLOAD_MAX);
        bight_result_free(&jobs[i].record.result);
    }
}

/* Mostly as many bytes as there are. */
static void write_reports(struct worker *worker, const uint8_t *data, size_t size, size_t at)
{
    size_t bytes = at < size ? size - at : 0;

    if (bytes > CHANNEL_REPORTS_BYTES)
        bytes = CHANNEL_REPORTS_BYTES;
    if (bytes)
        memcpy(worker->channel->reports, data + at, bytes);
    bytes &= ~(size_t)7;
    atomic_store(&worker->channel->reported,
                 size && data[size - 1] > 250 ? UINT32_MAX : (uint32_t)bytes);
}

static void harvest(struct worker *worker, const uint8_t *data, size_t size)
{
    struct scribble scribble;
    uint64_t finished = 0;
    unsigned count = size > 1 ? data[0] % (JOBS_MAX + 1) : 0;

    seat_jobs(worker, count, count ? data[1] : 0);
    for (unsigned i = 0; i < count; i++) {
        size_t at = 2 + i * sizeof scribble;

        memset(&scribble, 0, sizeof scribble);
        if (at < size)
            memcpy(&scribble, data + at, size - at < sizeof scribble ? size - at : sizeof scribble);
        write_slot(worker, i, &scribble);
    }
    /* What it says to have finished: mostly what it has. */
    write_reports(worker, data, size, 2 + count * sizeof scribble);
    while (finished < count && atomic_load(&worker_slot(worker, finished)->state) == SLOT_DONE)
        finished++;
    if (size > 2 + count * sizeof scribble)
        finished = data[size - 1] % (count + 2);
    atomic_store(&worker->channel->finished, finished);
    (void)bight__harvest(worker);
    FUZZ_CHECK(worker->tail <= worker->head && worker->load <= count);
    check_jobs(count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct bight_runtime runtime;
    static struct pool pool;
    static struct spares spares;
    static struct worker worker;
    static struct channel *channel;
    size_t map_bytes = sizeof(struct channel) + 2 * ARENA_BYTES;

    pool = (struct pool){.runtime = &runtime,
                         .options = {.payload_max_bytes = PAYLOAD_MAX, .ahead = CHANNEL_SLOTS},
                         .arena_bytes = ARENA_BYTES,
                         .output_arena_bytes = ARENA_BYTES,
                         .settings = {.slots = CHANNEL_SLOTS},
                         .registry = {.room = 4},
                         .spares = &spares};
    worker = (struct worker){.pool = &pool,
                             .map_bytes = map_bytes,
                             .input_arena = sizeof(struct channel),
                             .output_arena = sizeof(struct channel) + ARENA_BYTES};
    /* A block of exactly this size, so that a read beyond the mapping is seen. */
    if (!channel) {
        channel = aligned_alloc(4096, map_bytes);
        FUZZ_CHECK(channel);
        memset(channel, 0, map_bytes);
    }
    memset(channel->slots, 0, JOBS_MAX * sizeof channel->slots[0]);
    worker.channel = channel;
    harvest(&worker, data, size);
    bight__free(worker.known);
    return 0;
}
