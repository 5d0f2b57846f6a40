/* What runs in a worker process: it takes jobs from the ring in order, runs them, puts their
 * outputs where the host finds them, and sleeps on the socket. It leaves by _exit. The worker
 * trusts the host; the host does not trust the worker (pool/harvest.c). See channel.h. */
#include "offload/child/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "coro/base/list.h"
#include "offload/child/check.h"
#include "offload/child/inputs.h"
#include "offload/child/large.h"
#include "offload/child/original.h"
#include "offload/child/process.h"
#include "offload/child/settings.h"
#include "offload/child/shares.h"
#include "offload/child/spin.h"
#include "offload/chunk.h"
#include "offload/job.h"
#include "offload/wire/channel.h"
#include "offload/wire/control.h"
#include "offload/wire/definition.h"

#define INLINE_OUTPUT UINT64_MAX

/* An output in the arena that the host has not freed yet. */
struct piece {
    uint64_t position;
    uint64_t at;
};

struct worker_process {
    struct channel *channel;
    struct original original;
    uint64_t position; /* of the job to take next */
    struct channel_slot *slot;
    void *local;
    const struct bight_job_def **defs; /* by number; NULL: not in this process */
    size_t def_count;
    struct arena arena;
    struct piece pieces[CHANNEL_SLOTS]; /* a ring: arena.pieces of them from `oldest` on */
    unsigned oldest;
    uint64_t output_at;        /* the running job's: in the arena, or INLINE_OUTPUT */
    uint32_t report_room;      /* that the report needs which is being written */
    struct large_output large; /* if it is mapped, the running job's output is there */
    bool too_big;
    uint64_t memory_max_bytes; /* 0: no limit */
    uint64_t map_bytes;
    uint32_t slots;
    bool sums; /* whether slots have them: copies, which no job writes over by mistake */
    struct bight_job job;
};

static _Noreturn void leave(void)
{
    fflush(stdout);
    _exit(0);
}

static void tell_parent(struct worker_process *worker)
{
    _Atomic uint32_t *told = &worker->channel->told;

    /* The slot's state is written before `told` is read. */
    atomic_thread_fence(memory_order_seq_cst);
    if (atomic_load_explicit(told, memory_order_relaxed) == CHANNEL_TOLD ||
        atomic_exchange(told, CHANNEL_TOLD) == CHANNEL_TOLD)
        return;
    if (bight__channel_wake(CONTROL_FD))
        leave();
}

/* Sleep until the host sends a byte, unless `ready` says that there is no need. The worker sets
 * `sleeping` before it calls `ready`, and the host reads it after its own change: one of the two
 * sees the other. Never returns when the host has closed the channel. */
static void sleep_for(struct worker_process *worker, uint32_t what,
                      bool (*ready)(struct worker_process *worker))
{
    ssize_t got = 1;
    bool any = false;

    atomic_store_explicit(&worker->channel->sleeping, what, memory_order_relaxed);
    atomic_thread_fence(memory_order_seq_cst);
    if (!ready(worker))
        got = bight__shares_receive(0, &any);
    atomic_store_explicit(&worker->channel->sleeping, 0, memory_order_relaxed);
    if (got <= 0)
        leave();
    if (any)
        tell_parent(worker); /* there is room in the socket again */
}

/* Forget the pieces whose slots the host has freed. */
static bool reclaim(struct worker_process *worker)
{
    bool any = false;

    while (worker->arena.pieces) {
        const struct piece *piece = &worker->pieces[worker->oldest % CHANNEL_SLOTS];
        struct channel_slot *slot = channel_slot(worker->channel, worker->slots, piece->position);

        if (atomic_load_explicit(&slot->state, memory_order_acquire) == SLOT_DONE)
            break;
        worker->oldest++;
        bight__arena_give(&worker->arena, worker->pieces[worker->oldest % CHANNEL_SLOTS].at);
        any = true;
    }
    return any;
}

/* Find room in the arena for `bytes` in one piece, waiting for the host to take outputs if need
 * be. An empty arena always has room: nobody asks for more than arena.bytes. */
static uint64_t find_room(struct worker_process *worker, uint64_t bytes)
{
    for (;;) {
        uint64_t at;

        (void)reclaim(worker);
        at = bight__arena_find(&worker->arena, channel_round(bytes));
        if (at != UINT64_MAX)
            return at;
        sleep_for(worker, SLEEPS_FOR_ROOM, reclaim);
    }
}

/* Have the output in the arena, with room for `wanted` bytes, or `bytes` if there is no more. */
static void move_to_arena(struct worker_process *worker, uint64_t bytes, uint64_t wanted)
{
    struct bight_job *job = &worker->job;
    unsigned char *arena = (unsigned char *)worker->channel + worker->channel->output_arena;

    (void)reclaim(worker);
    worker->output_at = bight__arena_find(&worker->arena, channel_round(wanted));
    if (worker->output_at == UINT64_MAX) {
        wanted = bytes;
        worker->output_at = find_room(worker, wanted);
    }
    if (job->output_bytes)
        memmove(arena + worker->output_at, job->output, job->output_bytes);
    job->output = arena + worker->output_at;
    job->output_room = wanted;
    bight__large_drop(&worker->large);
}

/* The same for a file. */
static bool move_to_file(struct worker_process *worker, uint64_t bytes, uint64_t wanted)
{
    struct bight_job *job = &worker->job;

    if (!bight__large_grow(&worker->large, wanted, job->output, job->output_bytes)) {
        wanted = bytes;
        if (!bight__large_grow(&worker->large, wanted, job->output, job->output_bytes))
            return false;
    }
    job->output = worker->large.at;
    job->output_room = wanted;
    return true;
}

static int grow(struct bight_job *job, size_t bytes)
{
    struct worker_process *worker = container_of(job, struct worker_process, job);
    uint64_t most = worker->channel->payload_max_bytes;
    uint64_t wanted = job->output_room * 2;

    if (bytes > most) {
        worker->too_big = true;
        return BIGHT_ETOOBIG;
    }
    if (bytes <= CHANNEL_LARGE_BYTES && most > CHANNEL_LARGE_BYTES)
        most = CHANNEL_LARGE_BYTES;
    if (wanted < bytes)
        wanted = bytes;
    if (wanted > most)
        wanted = most;
    if (bytes > CHANNEL_LARGE_BYTES && move_to_file(worker, bytes, wanted))
        return 0;
    if (bytes > worker->arena.bytes)
        return BIGHT_ENOMEM;
    move_to_arena(worker, bytes, wanted < worker->arena.bytes ? wanted : bytes);
    return 0;
}

static void clear(struct bight_job *job)
{
    container_of(job, struct worker_process, job)->too_big = false;
}

static void set_local(struct bight_job *job, void *local)
{
    container_of(job, struct worker_process, job)->local = local;
}

static bool has_report_room(struct worker_process *worker)
{
    const struct channel *channel = worker->channel;
    uint32_t used = atomic_load_explicit(&channel->reported, memory_order_relaxed) -
                    atomic_load_explicit(&channel->reports_taken, memory_order_acquire);

    return CHANNEL_REPORTS_BYTES - used >= worker->report_room;
}

static void put_report(struct channel *channel, uint32_t at, const void *data, uint32_t bytes)
{
    uint32_t begin = at % CHANNEL_REPORTS_BYTES, first = CHANNEL_REPORTS_BYTES - begin;

    if (first > bytes)
        first = bytes;
    memcpy(channel->reports + begin, data, first);
    memcpy(channel->reports, (const char *)data + first, bytes - first);
}

static int progress(struct bight_job *job, const void *data, size_t bytes)
{
    struct worker_process *worker = container_of(job, struct worker_process, job);
    struct channel *channel = worker->channel;
    const struct channel_report report = {worker->slot->serial, (uint32_t)bytes};
    uint32_t at = atomic_load_explicit(&channel->reported, memory_order_relaxed);

    if (!(worker->slot->flags & SLOT_REPORTS) || !bight__original_is_here(&worker->original))
        return 0;
    worker->report_room = channel_report_room((uint32_t)bytes);
    while (!has_report_room(worker))
        sleep_for(worker, SLEEPS_FOR_ROOM, has_report_room);
    put_report(channel, at, &report, sizeof(report));
    if (bytes)
        put_report(channel, at + (uint32_t)sizeof(report), data, (uint32_t)bytes);
    atomic_store_explicit(&channel->reported, at + worker->report_room, memory_order_release);
    tell_parent(worker);
    return 0;
}

/* The channel and the unwritten output are the worker's. */
static void returned(struct bight_job *job)
{
    if (!bight__original_is_here(&container_of(job, struct worker_process, job)->original))
        _exit(0);
}

static const struct bight__job_ops job_ops = {grow, clear, set_local, progress, returned};

/* Learn definition `number` from the record before the slot's input. */
static int learn(struct worker_process *worker, uint32_t number, const unsigned char *record)
{
    struct channel_define define;
    struct definition_place place;

    memcpy(&define, record, sizeof(define));
    if (number >= worker->def_count) {
        size_t count = (size_t)number + 16;
        const struct bight_job_def **defs =
            (const struct bight_job_def **)realloc((void *)worker->defs, count * sizeof(*defs));

        if (!defs)
            return BIGHT_ENOMEM;
        memset((void *)(defs + worker->def_count), 0, (count - worker->def_count) * sizeof(*defs));
        worker->defs = defs;
        worker->def_count = count;
    }
    place.offset = define.offset;
    place.module = (const char *)record + sizeof(define);
    worker->defs[number] =
        bight__definition_find(&place, place.module + define.module_bytes, define.version);
    return 0;
}

/* Note the piece of the arena that the host has to free. */
static void hand_over_piece(struct worker_process *worker)
{
    worker->slot->output_offset = (uint32_t)(worker->channel->output_arena + worker->output_at);
    worker->pieces[(worker->oldest + worker->arena.pieces) % CHANNEL_SLOTS] =
        (struct piece){worker->position, worker->output_at};
    bight__arena_take(&worker->arena, worker->output_at, channel_round(worker->job.output_bytes));
}

/* Send the file of the output. One that cannot be sent, or is small in the end, goes into the arena
 * if it fits. False when it is lost. */
static bool send_file(struct worker_process *worker)
{
    size_t bytes = worker->job.output_bytes;

    if (bytes > CHANNEL_LARGE_BYTES) {
        int rc = bight__large_send(&worker->large, bytes, CONTROL_FD);

        if (rc == -EPIPE)
            leave();
        if (rc == 0)
            worker->slot->output_offset = OUTPUT_SENT;
        if (rc == 0 || !worker->large.at || bytes > worker->arena.bytes) {
            bight__large_drop(&worker->large);
            return rc == 0;
        }
        worker->job.output = worker->large.at;
    }
    move_to_arena(worker, bytes, bytes);
    hand_over_piece(worker);
    return true;
}

/* Tell the host where the output is. */
static void hand_over(struct worker_process *worker)
{
    struct channel_slot *slot = worker->slot;

    slot->output_bytes = (uint32_t)worker->job.output_bytes;
    slot->output_offset = (uint32_t)(slot->output - (unsigned char *)worker->channel);
    if (worker->job.output_bytes == 0) {
        bight__large_drop(&worker->large);
    } else if (worker->large.at) {
        if (!send_file(worker)) {
            slot->verdict = VERDICT_LOST;
            slot->output_bytes = 0;
        }
    } else if (worker->output_at != INLINE_OUTPUT) {
        hand_over_piece(worker);
    }
}

static uint32_t run(struct worker_process *worker)
{
    struct channel_slot *slot = worker->slot;
    unsigned char *input = (unsigned char *)worker->channel + slot->input_offset;
    const struct bight_job_def *def;
    int code;

    worker->too_big = false;
    worker->output_at = INLINE_OUTPUT;
    worker->job = (struct bight_job){.ops = &job_ops,
                                     .cancel_flag = &slot->cancel,
                                     .trace = slot->flags & SLOT_TRACED ? &slot->trace : NULL,
                                     .attempt = slot->attempt,
                                     .local = worker->local,
                                     .input = slot->input_bytes ? input + slot->define_bytes : NULL,
                                     .input_bytes = slot->input_bytes,
                                     .output = slot->output,
                                     .output_room = sizeof(slot->output)};
    if ((slot->flags & SLOT_DEFINES) && learn(worker, slot->def, input))
        return VERDICT_NO_MEMORY;
    def = slot->def < worker->def_count ? worker->defs[slot->def] : NULL;
    if (!def)
        return VERDICT_UNKNOWN_JOB;
    if (slot->flags & SLOT_PLACED)
        worker->job.input = bight__inputs_map(slot->placed, slot->input_bytes);
    if (slot->input_bytes && !worker->job.input)
        return VERDICT_NO_MEMORY;
    code = slot->flags & SLOT_CHUNK ? bight__chunk_run(&worker->job, def) : def->fn(&worker->job);
    returned(&worker->job);
    slot->code = code;
    if (worker->too_big)
        worker->job.output_bytes = 0;
    return worker->too_big ? VERDICT_TOO_BIG : VERDICT_RAN;
}

static bool slot_is_filled(struct worker_process *worker)
{
    return spin_finds(channel_slot(worker->channel, worker->slots, worker->position));
}

/* The host has filled the next slot, and it does not look so: a job wrote where it should not.
 * Nothing here can be relied on any more, nor can the host. */
static void check_ring(struct worker_process *worker)
{
    static const char broken = CHANNEL_BROKEN;
    uint64_t posted = atomic_load_explicit(&worker->channel->posted, memory_order_acquire);

    /* It may lag: the host counts a slot after it has filled it. */
    if (posted <= worker->position || slot_is_filled(worker))
        return;
    (void)send(CONTROL_FD, &broken, 1, MSG_NOSIGNAL);
    _exit(1);
}

/* Wait until there is a job in the next slot. */
static void await_slot(struct worker_process *worker)
{
    bight__spin(channel_slot(worker->channel, worker->slots, worker->position),
                worker->channel->spins, worker->channel->settings.spin_us);
    while (!slot_is_filled(worker)) {
        check_ring(worker);
        bight__shares_tidy();
        sleep_for(worker, SLEEPS_FOR_JOB, slot_is_filled);
    }
}

/* The host ends a worker that has too much memory, or a ring that somebody wrote over: it gets no
 * further job. */
static _Noreturn void await_end(void)
{
    char bytes[64];
    ssize_t got;

    do
        got = recv(CONTROL_FD, bytes, sizeof(bytes), 0);
    while (got > 0 || (got < 0 && errno == EINTR));
    leave();
}

static bool is_grown(const struct worker_process *worker)
{
    return worker->memory_max_bytes && worker->position >= worker->channel->settings.memory_from &&
           bight__has_more_memory(worker->memory_max_bytes);
}

/* Run the job that was taken. False when it is the last one. */
static bool serve_job(struct worker_process *worker)
{
    struct channel_slot *slot = worker->slot;

    slot->code = 0;
    if (worker->sums &&
        !bight__check_job(worker->channel, worker->map_bytes, slot, worker->position)) {
        slot->verdict = VERDICT_SPOILED;
        slot->serial = (uint32_t)worker->position;
        slot->output_bytes = 0;
        return false;
    }
    slot->verdict = run(worker);
    hand_over(worker);
    slot->grown = is_grown(worker);
    return !slot->grown;
}

static void serve_slot(struct worker_process *worker)
{
    uint32_t state = SLOT_READY, number;
    bool last = false, placed;

    worker->slot = channel_slot(worker->channel, worker->slots, worker->position);
    placed = worker->slot->flags & SLOT_PLACED;
    number = worker->slot->placed;
    if (worker->arena.pieces)
        (void)reclaim(worker); /* also makes room in `pieces` for this output */
    if (atomic_compare_exchange_strong(&worker->slot->state, &state, SLOT_TAKEN)) {
        last = !serve_job(worker);
    } else {
        worker->slot->verdict = VERDICT_PASSED_OVER;
        worker->slot->output_bytes = 0;
    }
    if (worker->sums)
        bight__check_write(worker->channel, worker->slot, worker->position);
    worker->position++;
    atomic_store_explicit(&worker->slot->state, SLOT_DONE, memory_order_release);
    atomic_store_explicit(&worker->channel->finished, worker->position, memory_order_release);
    tell_parent(worker);
    if (placed)
        bight__inputs_drop(number);
    if (last)
        await_end();
}

static void map(struct worker_process *worker, int memory_fd)
{
    struct stat about;
    void *memory;

    if (fstat(memory_fd, &about) < 0)
        _exit(1);
    memory = mmap(NULL, (size_t)about.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, memory_fd, 0);
    if (memory == MAP_FAILED)
        _exit(1);
    worker->channel = memory;
    worker->map_bytes = (uint64_t)about.st_size;
}

_Noreturn void bight__worker_main(int socket_fd, int memory_fd)
{
    struct worker_process *worker = calloc(1, sizeof(*worker));

    if (!worker)
        _exit(1);
    map(worker, memory_fd);
    worker->arena.bytes = worker->channel->output_arena_bytes;
    worker->large.fd = -1;
    bight__original_mark(&worker->original);
    bight__shares_begin(worker->channel->member);
    if (dup3(socket_fd, CONTROL_FD, O_CLOEXEC) < 0)
        _exit(1);
    bight__close_from(CONTROL_FD + 1);
    bight__settings_take(&worker->channel->settings);
    worker->memory_max_bytes = worker->channel->settings.memory_max_bytes;
    worker->slots = worker->channel->settings.slots;
    worker->sums = worker->channel->settings.sums;
    tell_parent(worker); /* the process has started */
    for (;;) {
        await_slot(worker);
        serve_slot(worker);
    }
}
