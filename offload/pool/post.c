/* Chooses a worker for each job and puts it into that worker's ring. A job goes to the worker with
 * the fewest jobs. Rings hold several jobs, so that a short one does not cost a wake-up each time;
 * a worker whose ring is empty gets jobs that another has not begun. See pool.h and channel.h. */
#include "offload/pool/pool.h"

#include <errno.h>
#include <string.h>

#include "offload/input.h"
#include "offload/wire/sum.h"

#define NOT_IN_ARENA UINT64_MAX

static struct worker *worker_of(struct bight_link *link)
{
    return container_of(link, struct worker, link);
}

static bool knows(const struct worker *worker, uint32_t number)
{
    return number < worker->known_count && worker->known[number];
}

/* Where the input goes: into the slot or a piece of the arena. NULL when there is no room. */
static unsigned char *find_room(const struct worker *worker, struct channel_slot *slot,
                                uint64_t bytes, struct seat *seat)
{
    unsigned char *base = (unsigned char *)worker->channel;

    seat->arena_at = NOT_IN_ARENA;
    if (bytes <= sizeof(slot->input))
        return slot->input;
    seat->arena_at = bight__arena_find(&worker->arena, channel_round(bytes));
    return seat->arena_at == NOT_IN_ARENA ? NULL : base + worker->input_arena + seat->arena_at;
}

static void take_room(struct worker *worker, uint64_t bytes, const struct seat *seat)
{
    if (seat->arena_at == NOT_IN_ARENA)
        return;
    bytes = channel_round(bytes);
    bight__arena_take(&worker->arena, seat->arena_at, bytes);
    worker->pieces[(worker->oldest_piece + worker->arena.pieces - 1) % CHANNEL_SLOTS] =
        (uint32_t)seat->arena_at;
    bight__trim_later(worker, seat->arena_at + bytes);
}

/* The file of an input goes before its slot, and stays the caller's. */
static bool send_file(struct worker *worker, struct channel_slot *slot,
                      const struct bight_job_input *input)
{
    int rc = -EPIPE;

    if (worker->watch)
        rc = bight__channel_send_input(bight__watch_fd(worker->watch), input->fd);
    if (rc)
        bight__shares_try_again(worker->pool, rc);
    else
        slot->placed = worker->placed++;
    return rc == 0;
}

static bool is_full(const struct worker *worker)
{
    return worker->head - worker->tail >= worker->pool->options.ahead ||
           bight__turnover_spent(worker);
}

/* Of the caller's input, and not of what is in the channel by now. */
static void sum_up(const struct worker *worker, struct channel_slot *slot, struct seat *seat,
                   const void *define, const struct bight_execution *record)
{
    seat->sum = bight__sum_of_job(slot, worker->head);
    if (seat->define_bytes)
        seat->sum = bight__sum_on(seat->sum, define, seat->define_bytes);
    if (!seat->missing && !record->options.placed)
        seat->sum = bight__sum_all(seat->sum, record->input, record->input_bytes);
    slot->sum = seat->sum;
}

/* Write the head of the slot, whose input is at `input`. */
static void write_head(const struct worker *worker, struct channel_slot *slot,
                       const struct seat *seat, const struct bight_execution *record,
                       const unsigned char *input)
{
    slot->cancel = 0;
    slot->serial = (uint32_t)worker->head;
    slot->def = execution_of(record)->number;
    slot->flags = (seat->define_bytes ? SLOT_DEFINES : 0) | (record->items ? SLOT_CHUNK : 0) |
                  (record->options.progress ? SLOT_REPORTS : 0) |
                  (record->options.placed ? SLOT_PLACED : 0) | (record->traced ? SLOT_TRACED : 0);
    if (record->traced)
        slot->trace = record->trace;
    slot->define_bytes = seat->define_bytes;
    slot->attempt = record->result.attempts + 1;
    slot->input_offset = (uint32_t)(input - (unsigned char *)worker->channel);
    slot->input_bytes = (uint32_t)record->input_bytes;
}

bool bight__post(struct worker *worker, struct execution *execution)
{
    struct channel_slot *slot = worker_slot(worker, worker->head);
    struct seat *seat = &worker->seats[worker->head % CHANNEL_SLOTS];
    const struct bight_execution *record = record_of(execution);
    const struct registry_entry *entry = &worker->pool->registry.entries[execution->number];
    const struct bight_job_input *placed = record->options.placed;
    uint32_t define_bytes = knows(worker, execution->number) ? 0 : entry->record_bytes;
    uint64_t bytes = define_bytes + (placed ? 0 : record->input_bytes);
    unsigned char *input;

    if (is_full(worker))
        return false;
    input = find_room(worker, slot, bytes, seat);
    if (!input || (unlikely(placed) && !send_file(worker, slot, placed)))
        return false;
    take_room(worker, bytes, seat);
    if (define_bytes)
        memcpy(input, entry->record, define_bytes);
    seat->define_bytes = define_bytes;
    seat->missing = !placed && record->input_bytes > FILL_BYTES ? (uint32_t)record->input_bytes : 0;
    if (bytes > define_bytes && !seat->missing)
        memcpy(input + define_bytes, record->input, record->input_bytes);
    write_head(worker, slot, seat, record, input);
    if (worker->pool->options.checksums)
        sum_up(worker, slot, seat, entry->record, record);
    seat->execution = execution;
    execution->worker = worker;
    execution->position = worker->head;
    worker->load++;
    bight__fill_begin(worker);
    bight__turnover_posted(worker);
    return true;
}

/* Withdraw the job of a slot that the worker may have begun. */
static bool withdraw(struct worker *worker, uint64_t position)
{
    struct channel_slot *slot = worker_slot(worker, position);
    uint64_t finished = atomic_load_explicit(&worker->channel->finished, memory_order_acquire);
    uint32_t state = SLOT_READY;

    if (finished > position)
        return false; /* whatever its state says */
    return atomic_compare_exchange_strong(&slot->state, &state, SLOT_REVOKED);
}

bool bight__unpost(struct execution *execution)
{
    struct worker *worker = execution->worker;
    struct seat *seat = &worker->seats[execution->position % CHANNEL_SLOTS];

    /* It was seen to have begun, whatever the slot says now. */
    if (execution->unwanted || execution->late)
        return false;
    if (!seat->missing && !withdraw(worker, execution->position))
        return false;
    seat->execution = NULL;
    if (seat->missing)
        bight__fill_revoke(worker, execution->position);
    worker->load--;
    execution->worker = NULL;
    return true;
}

void bight__unpost_some(struct worker *worker, uint32_t count)
{
    for (uint64_t at = worker->head; count > 0 && at > worker->tail; at--) {
        struct execution *execution = worker->seats[(at - 1) % CHANNEL_SLOTS].execution;

        if (!execution)
            continue;
        if (!bight__unpost(execution))
            return; /* what is older has begun too */
        bight__execution_requeue(execution);
        count--;
    }
}

/* Behind an input that is still being copied a job would wait for that too. */
static bool is_better(const struct worker *worker, const struct worker *than)
{
    bool filling = !link_empty(&worker->filling);

    if (!than || filling != !link_empty(&than->filling))
        return !than || !filling;
    return worker->load < than->load;
}

static struct worker *least_loaded(struct pool *pool)
{
    struct worker *best = NULL;

    for (struct bight_link *at = pool->workers.next; at != &pool->workers; at = at->next) {
        struct worker *worker = worker_of(at);

        if (worker->phase != WORKER_READY || is_full(worker))
            continue;
        if (!shares_are_sent(&pool->shares, &worker->shares) && !bight__shares_send(worker))
            continue;
        if (worker->load == 0)
            return worker;
        if (is_better(worker, best))
            best = worker;
    }
    return best;
}

void bight__pool_pump(struct pool *pool)
{
    struct bight_link *link;

    while (!link_empty(&pool->queue)) {
        struct execution *execution = container_of(pool->queue.next, struct execution, link);
        struct worker *worker = least_loaded(pool);

        if (!worker || !bight__post(worker, execution))
            break;
        link_remove(&execution->link);
    }
    while ((link = link_take(&pool->untold)))
        bight__fill_tell(container_of(link, struct worker, untold));
}

void bight__balance(struct worker *idle)
{
    struct pool *pool = idle->pool;
    struct worker *busiest = NULL;

    if (idle->load || idle->phase != WORKER_READY || !link_empty(&pool->queue) ||
        pool->base.jobs < 2)
        return;
    for (struct bight_link *at = pool->workers.next; at != &pool->workers; at = at->next) {
        struct worker *worker = worker_of(at);

        if (worker->phase == WORKER_READY && (!busiest || worker->load > busiest->load))
            busiest = worker;
    }
    if (busiest && busiest->load > 1)
        bight__unpost_some(busiest, busiest->load / 2);
    bight__pool_pump(pool);
}
