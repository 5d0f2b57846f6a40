/* Taking results out of rings: the only place that reads what a worker wrote. The worker may be
 * anything by now, so each field is read once, checked against what the host knows by itself,
 * and used; bytes are copied once. What cannot be means that the worker scribbled over its
 * channel: it is killed, and the rest of its ring believed no more. */
#include "offload/pool/pool.h"

#include <string.h>
#include <unistd.h>

#include "offload/spare.h"
#include "offload/wire/sum.h"

struct outcome {
    uint32_t verdict;
    int32_t code;
    uint64_t offset;
    uint64_t bytes;
    uint64_t sum;
    bool sent;
    uint32_t grown;
    int fd; /* of one that was sent; -1: none */
};

/* A field that the worker may be changing at this moment. */
#define READ_ONCE(field) (*(const volatile __typeof__(field) *)&(field))

static bool within(uint64_t offset, uint64_t bytes, uint64_t low, uint64_t room)
{
    return offset >= low && offset - low <= room && bytes <= room - (offset - low);
}

/* Copy the slot's results to `out`; a descriptor is the caller's then. False when they are
 * impossible. */
static bool read_outcome(struct worker *worker, const struct channel_slot *slot, uint64_t position,
                         struct outcome *out)
{
    uint64_t inline_at = (uint64_t)(slot->output - (const unsigned char *)worker->channel);
    const struct pool *pool = worker->pool;

    out->verdict = READ_ONCE(slot->verdict);
    out->code = READ_ONCE(slot->code);
    out->offset = READ_ONCE(slot->output_offset);
    out->bytes = READ_ONCE(slot->output_bytes);
    out->sent = out->bytes && out->offset == OUTPUT_SENT;
    out->grown = READ_ONCE(slot->grown);
    out->sum = READ_ONCE(slot->sum);
    if (READ_ONCE(slot->serial) != (uint32_t)position || out->verdict < VERDICT_RAN ||
        out->verdict > VERDICT_PASSED_OVER ||
        (out->verdict == VERDICT_SPOILED && !pool->options.checksums))
        return false;
    if (out->bytes == 0)
        return true;
    if (within(out->offset, out->bytes, inline_at, sizeof(slot->output)))
        return true;
    if (out->bytes > pool->options.payload_max_bytes)
        return false;
    if (out->sent)
        return out->verdict == VERDICT_RAN && out->bytes > CHANNEL_LARGE_BYTES &&
               bight__outputs_take(worker, out->bytes, &out->fd);
    return within(out->offset, out->bytes, worker->output_arena, pool->output_arena_bytes);
}

/* The code that bight_execute returns for a job that has come back. */
static int settle(struct worker *worker, struct bight_result *result, const struct outcome *outcome)
{
    const unsigned char *base = (const unsigned char *)worker->channel;

    if (outcome->verdict == VERDICT_UNKNOWN_JOB)
        return BIGHT_EUNKNOWNJOB;
    if (outcome->verdict == VERDICT_NO_MEMORY)
        return BIGHT_ENOMEM;
    if (outcome->verdict == VERDICT_SPOILED)
        return BIGHT_EUNKNOWNOUTCOME;
    result->attempts++;
    result->code = outcome->code;
    if (outcome->verdict == VERDICT_TOO_BIG)
        return BIGHT_ETOOBIG;
    if (outcome->verdict == VERDICT_LOST)
        return BIGHT_ENOMEM;
    if (outcome->sent) {
        int rc = bight__output_map(worker->pool, outcome->fd, outcome->bytes, result);

        if (rc)
            return rc;
    } else if (outcome->bytes) {
        const struct bight_seams *seams = pool_seams(worker->pool);
        bool small = outcome->bytes <= SPARE_BYTES;

        result->output =
            small ? spare_take(worker->pool->spares, seams) : bight__alloc(seams, outcome->bytes);
        if (!result->output)
            return BIGHT_ENOMEM;
        result->spare = small;
        memcpy(result->output, base + outcome->offset, outcome->bytes);
        result->output_bytes = outcome->bytes;
    }
    return outcome->code < 0 ? BIGHT_EJOBFAILED : 0;
}

/* The worker has looked at the definition that came with this job. */
static void note_known(struct worker *worker, uint32_t number)
{
    if (number >= worker->known_room) {
        uint32_t count = worker->pool->registry.room;
        unsigned char *known = bight__alloc_zero(pool_seams(worker->pool), count);

        if (!known)
            return; /* it will be told again */
        if (worker->known_room)
            memcpy(known, worker->known, worker->known_room);
        bight__free(worker->known);
        worker->known = known;
        worker->known_room = count;
    }
    worker->known[number] = 1;
    while (worker->known_below < worker->known_room && worker->known[worker->known_below])
        worker->known_below++;
}

/* Free the oldest slot. */
static inline void release(struct worker *worker, struct channel_slot *slot,
                           const struct seat *seat)
{
    atomic_store_explicit(&slot->state, SLOT_FREE, memory_order_release);
    worker->tail++;
    if (unlikely(seat->arena_at != UINT64_MAX))
        bight__arena_give(&worker->arena, worker->pieces[++worker->oldest_piece % CHANNEL_SLOTS]);
}

static inline void forget_interrupt(struct worker *worker, const struct execution *execution)
{
    if (likely(worker->interrupted != execution))
        return;
    worker->interrupted = NULL;
    pool_disarm(worker->pool, &worker->grace);
}

/* With checksums: whether nobody has written over what the worker said, and over the copy of the
 * output. One that was sent in a file is sealed. */
static bool is_sound(const struct worker *worker, const struct outcome *outcome,
                     const struct bight_result *result)
{
    const struct sum_outcome head = {.position = worker->tail,
                                     .verdict = outcome->verdict,
                                     .code = outcome->code,
                                     .offset = (uint32_t)outcome->offset,
                                     .bytes = (uint32_t)outcome->bytes,
                                     .grown = outcome->grown};
    uint64_t sum = bight__sum_of_outcome(&head);

    if (outcome->bytes && !outcome->sent) {
        if (!result || !result->output)
            return false;
        sum = bight__sum_all(sum, result->output, outcome->bytes);
    }
    return sum == outcome->sum;
}

/* With checksums, after settle(): whether there is anything in the slot that can be believed. */
static bool is_believed(const struct worker *worker, const struct execution *execution,
                        const struct channel_slot *slot, const struct outcome *outcome, int rc)
{
    if (rc == BIGHT_ENOMEM && outcome->verdict == VERDICT_RAN && !outcome->sent)
        return true; /* there is no copy, and nothing is handed out */
    /* A job that was told to stop by somebody else has another result. */
    return is_sound(worker, outcome, &record_of(execution)->result) &&
           (execution->unwanted || execution->late || !READ_ONCE(slot->cancel));
}

/* What an execution comes to whose slot is free again. */
static void end_taken(struct worker *worker, struct execution *execution,
                      const struct outcome *outcome, int rc)
{
    if (outcome->verdict == VERDICT_SPOILED) {
        worker->spoiled = true;
        bight__execution_spoiled(execution);
        return;
    }
    if (unlikely(execution->late) && (rc == 0 || rc == BIGHT_EJOBFAILED))
        rc = BIGHT_ETIMEDOUT;
    execution_end(execution, rc);
}

/* The result of the oldest slot has been copied. */
static inline void leave_seat(struct worker *worker, struct channel_slot *slot, struct seat *seat,
                              const struct execution *execution)
{
    forget_interrupt(worker, execution);
    seat->execution = NULL;
    worker->load--;
    worker->served++;
    release(worker, slot, seat);
}

/* Take the result of the oldest slot, which is DONE: any that it may be. */
static __attribute__((noinline)) bool take_any(struct worker *worker, struct channel_slot *slot,
                                               struct seat *seat)
{
    struct execution *execution = seat->execution;
    bool sums = worker->pool->options.checksums;
    struct outcome outcome = {.fd = -1};
    struct bight_result *result, before;
    int rc;

    if (!read_outcome(worker, slot, worker->tail, &outcome))
        return false;
    if ((outcome.verdict == VERDICT_PASSED_OVER) != !execution ||
        (outcome.verdict == VERDICT_SPOILED && execution == execution_of(&worker->init))) {
        if (outcome.fd >= 0)
            close(outcome.fd);
        return false;
    }
    if (!execution) {
        if (sums && !is_sound(worker, &outcome, NULL))
            return false;
        release(worker, slot, seat);
        return true;
    }
    result = &record_of(execution)->result;
    if (unlikely(sums))
        before = *result;
    rc = settle(worker, result, &outcome);
    if (unlikely(sums) && !is_believed(worker, execution, slot, &outcome, rc)) {
        bight_result_free(result);
        *result = before;
        return false;
    }
    if (outcome.verdict != VERDICT_NO_MEMORY && outcome.verdict != VERDICT_SPOILED)
        note_known(worker, execution->number);
    worker->grown |= worker->pool->options.memory_max_bytes && outcome.grown;
    leave_seat(worker, slot, seat, execution);
    end_taken(worker, execution, &outcome, rc);
    return true;
}

/* The output of such a slot. A copy of all that fits into a block is a few moves. */
static inline int copy_small(const struct worker *worker, struct bight_result *result,
                             const struct channel_slot *slot, uint32_t bytes)
{
    result->output = spare_take(worker->pool->spares, pool_seams(worker->pool));
    if (unlikely(!result->output))
        return BIGHT_ENOMEM;
    result->spare = true;
    memcpy(result->output, slot->output, SPARE_BYTES);
    result->output_bytes = bytes;
    return 0;
}

/* Take what most slots are: the job has run, and its output, if any, lies at its place in the slot
 * and is small. False: nothing has been done, it may be something else. */
static inline bool take_usual(struct worker *worker, struct channel_slot *slot, struct seat *seat)
{
    struct execution *execution = seat->execution;
    uint32_t inline_at = (uint32_t)(slot->output - (const unsigned char *)worker->channel);
    uint32_t bytes = READ_ONCE(slot->output_bytes);
    int32_t code = READ_ONCE(slot->code);
    struct bight_result *result;
    int rc = 0;

    if (READ_ONCE(slot->serial) != (uint32_t)worker->tail ||
        READ_ONCE(slot->verdict) != VERDICT_RAN || READ_ONCE(slot->output_offset) != inline_at ||
        bytes > SPARE_BYTES || READ_ONCE(slot->grown) || !execution || seat->define_bytes ||
        worker->pool->options.checksums || execution->late)
        return false;
    result = &record_of(execution)->result;
    result->attempts++;
    result->code = code;
    if (bytes)
        rc = copy_small(worker, result, slot, bytes);
    if (likely(!rc) && code < 0)
        rc = BIGHT_EJOBFAILED;
    leave_seat(worker, slot, seat, execution);
    execution_end(execution, rc);
    return true;
}

/* Whether the first slot is what it may be that is not known to be finished: it may be just now. */
static bool plausible(const struct worker *worker)
{
    const struct channel_slot *slot = worker_slot(worker, worker->tail);
    uint32_t state = atomic_load_explicit(&slot->state, memory_order_acquire);

    if (worker->tail == worker->posted)
        return state == SLOT_FREE;
    return state == SLOT_READY || state == SLOT_TAKEN || state == SLOT_REVOKED ||
           state == SLOT_DONE;
}

/* Take what is finished at this moment. */
static bool take_finished(struct worker *worker)
{
    uint64_t finished = atomic_load_explicit(&worker->channel->finished, memory_order_acquire);

    if (finished < worker->tail || finished > worker->posted || !bight__reports_take(worker))
        return false;
    while (worker->tail != finished) {
        struct channel_slot *slot = worker_slot(worker, worker->tail);
        struct seat *seat = &worker->seats[worker->tail % CHANNEL_SLOTS];

        if (atomic_load_explicit(&slot->state, memory_order_acquire) != SLOT_DONE)
            return false;
        if (unlikely(!take_usual(worker, slot, seat)) && !take_any(worker, slot, seat))
            return false;
    }
    return true;
}

static bool harvest(struct worker *worker)
{
    uint64_t before = worker->tail;

    do { /* the worker does not wake us for what it has done before we listened */
        worker->listened = false;
        if (!take_finished(worker))
            return false;
    } while (worker->listened);
    if (worker->tail != worker->head && !plausible(worker))
        return false;
    if (worker->output_count > worker->posted - worker->tail)
        return false;
    if (worker->tail != before) {
        bight__wake_if_asleep(worker, SLEEPS_FOR_ROOM);
        limit_watch(worker);
        bight__rank(worker);
    }
    return true;
}

bool bight__harvest(struct worker *worker)
{
    if (!harvest(worker))
        worker->scribbled = true;
    return !worker->scribbled && !worker->spoiled;
}
