/* Puts jobs into workers' rings. A job goes to the worker with the fewest jobs, or nearly so, as
 * rank.c has it. Rings hold several jobs, so that a short one does not cost a wake-up each time;
 * a worker whose ring is empty gets jobs that another has not begun. See pool.h and channel.h. */
#include "offload/pool/pool.h"

#include <errno.h>
#include <string.h>

#include "offload/input.h"
#include "offload/wire/sum.h"

#define NOT_IN_ARENA UINT64_MAX
/* One store, as it stands here: those of a slot's head, gathered in vector registers, are twice as
 * many instructions. */
#define WRITE_ONCE(field, value) (*(volatile __typeof__(field) *)&(field) = (value))

static bool knows(const struct worker *worker, uint32_t number)
{
    return likely(number < worker->known_below) ||
           (number < worker->known_room && worker->known[number]);
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

/* Of the caller's input, and not of what is in the channel by now. */
static void sum_up(const struct worker *worker, struct channel_slot *slot, struct seat *seat,
                   const struct bight_execution *record)
{
    const void *define = worker->pool->registry.entries[execution_of(record)->number].record;

    seat->sum = bight__sum_of_job(slot, worker->head);
    if (seat->define_bytes)
        seat->sum = bight__sum_on(seat->sum, define, seat->define_bytes);
    if (!seat->missing && !record->options.placed)
        seat->sum = bight__sum_all(seat->sum, record->input, record->input_bytes);
    slot->sum = seat->sum;
}

/* What the slot carries beside a job's input. */
static uint32_t flags_of(const struct bight_execution *record, bool defines)
{
    uint32_t flags = defines ? SLOT_DEFINES : 0;

    if (likely(record->bare))
        return flags;
    return flags | (record->items ? SLOT_CHUNK : 0) |
           (record->options.progress ? SLOT_REPORTS : 0) |
           (record->options.placed ? SLOT_PLACED : 0) | (record->traced ? SLOT_TRACED : 0);
}

/* Find a place for an input that goes with a definition, is large or is a file, and put there what
 * can be copied at once. NULL when there is no room. */
static __attribute__((noinline)) unsigned char *
put_input(struct worker *worker, struct channel_slot *slot, struct seat *seat,
          const struct bight_execution *record, uint32_t flags)
{
    const struct registry_entry *entry =
        &worker->pool->registry.entries[execution_of(record)->number];
    uint32_t define_bytes = flags & SLOT_DEFINES ? entry->record_bytes : 0;
    size_t input_bytes = flags & SLOT_PLACED ? 0 : record->input_bytes;
    uint64_t bytes = define_bytes + input_bytes;
    unsigned char *at = slot->input;

    if (bytes > sizeof(slot->input)) {
        seat->arena_at = bight__arena_find(&worker->arena, channel_round(bytes));
        if (seat->arena_at == NOT_IN_ARENA)
            return NULL;
        at = (unsigned char *)worker->channel + worker->input_arena + seat->arena_at;
    }
    if ((flags & SLOT_PLACED) && !send_file(worker, slot, record->options.placed))
        return NULL;
    take_room(worker, bytes, seat);
    if (define_bytes)
        memcpy(at, entry->record, define_bytes);
    seat->define_bytes = define_bytes;
    if (input_bytes > FILL_BYTES)
        seat->missing = (uint32_t)input_bytes;
    else if (input_bytes)
        memcpy(at + define_bytes, record->input, input_bytes);
    return at;
}

/* memcpy, inlined for a number or two. */
static inline void copy_input(unsigned char *to, const void *from, size_t bytes)
{
    uint64_t first, last;

    if (likely(bytes - sizeof(first) <= sizeof(first))) {
        memcpy(&first, from, sizeof(first));
        memcpy(&last, (const char *)from + bytes - sizeof(last), sizeof(last));
        memcpy(to, &first, sizeof(first));
        memcpy(to + bytes - sizeof(last), &last, sizeof(last));
    } else if (bytes) {
        memcpy(to, from, bytes);
    }
}

bool bight__post(struct worker *worker, struct execution *execution)
{
    const struct bight_execution *record = record_of(execution);
    uint64_t position = worker->head;
    struct channel_slot *slot = worker_slot(worker, position);
    struct seat *seat = &worker->seats[position % CHANNEL_SLOTS];
    unsigned char *input = slot->input;
    uint32_t flags = flags_of(record, !knows(worker, execution->number));

    *seat = (struct seat){.execution = execution, .arena_at = NOT_IN_ARENA};
    if (likely(!(flags & (SLOT_DEFINES | SLOT_PLACED)) &&
               record->input_bytes <= sizeof(slot->input))) {
        copy_input(input, record->input, record->input_bytes);
    } else {
        input = put_input(worker, slot, seat, record, flags);
        if (!input)
            return false;
    }
    WRITE_ONCE(slot->cancel, 0);
    WRITE_ONCE(slot->serial, (uint32_t)position);
    WRITE_ONCE(slot->def, execution->number);
    WRITE_ONCE(slot->flags, flags);
    WRITE_ONCE(slot->attempt, record->result.attempts + 1);
    WRITE_ONCE(slot->define_bytes, seat->define_bytes);
    WRITE_ONCE(slot->input_offset, (uint32_t)(input - (unsigned char *)worker->channel));
    WRITE_ONCE(slot->input_bytes, (uint32_t)record->input_bytes);
    if (unlikely(flags & SLOT_TRACED))
        slot->trace = record->trace;
    if (unlikely(worker->pool->options.checksums))
        sum_up(worker, slot, seat, record);
    execution->worker = worker;
    execution->position = position;
    worker->load++;
    worker->head = position + 1;
    if (unlikely(seat->missing)) {
        bight__fill_begin(worker);
        return true;
    }
    atomic_store_explicit(&slot->state, SLOT_READY, memory_order_release);
    if (likely(worker->posted == position)) /* there is none before it that is not complete */
        worker->posted = position + 1;
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
    bight__rank(worker);
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

/* The worker that gets the next job. */
static struct worker *first_worker(struct pool *pool)
{
    for (uint32_t used = pool->ranks_used; used; used &= used - 1) {
        struct bight_link *list = &pool->ranks[__builtin_ctz(used)];

        for (struct bight_link *at = list->next; at != list; at = at->next) {
            struct worker *worker = container_of(at, struct worker, ranked);

            if (shares_are_sent(&pool->shares, &worker->shares) || bight__shares_send(worker))
                return worker;
        }
    }
    return NULL;
}

/* It has got jobs. Without one it may sleep, and can begin meanwhile; else it hears of a row of
 * them at its end. */
static void note_posted(struct worker *worker, uint64_t posted_before)
{
    if (worker->posted != posted_before) {
        if (worker->load == 1)
            bight__fill_tell(worker);
        else if (link_empty(&worker->untold))
            link_append(&worker->pool->untold, &worker->untold);
    }
    bight__turnover_posted(worker);
    bight__rank(worker);
}

/* Give the worker what it may have of the queue until it is another one's turn. False: it has no
 * room for the next job. */
static bool post_some(struct worker *worker)
{
    struct bight_link *queue = &worker->pool->queue, *link = queue->next;
    uint64_t posted_before = worker->posted;
    uint32_t left = link->next == queue ? 1 : bight__rank_run(worker);
    bool fits = left > 0;

    while (left > 0 && link != queue) {
        fits = bight__post(worker, container_of(link, struct execution, link));
        if (!fits)
            break;
        link = link->next;
        /* While an input is being filled in, others may be better. */
        left = likely(worker->posted == worker->head) ? left - 1 : 0;
    }
    queue->next = link; /* those before it are in the ring */
    link->prev = queue;
    note_posted(worker, posted_before);
    return fits;
}

void bight__pool_pump(struct pool *pool)
{
    struct bight_link *link;

    while (!link_empty(&pool->queue)) {
        struct worker *worker = first_worker(pool);

        if (!worker || !post_some(worker))
            break;
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
        struct worker *worker = container_of(at, struct worker, link);

        if (worker->phase == WORKER_READY && (!busiest || worker->load > busiest->load))
            busiest = worker;
    }
    if (busiest && busiest->load > 1)
        bight__unpost_some(busiest, busiest->load / 2);
    bight__pool_pump(pool);
}
