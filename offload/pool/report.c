/* Progress of jobs, from the ring in the channel to the callers' functions. Nothing that is read
 * here is believed: see harvest.c. */
#include "offload/pool/pool.h"

#include <string.h>

static void get(const struct channel *channel, uint32_t at, void *data, uint32_t bytes)
{
    uint32_t begin = at % CHANNEL_REPORTS_BYTES, first = CHANNEL_REPORTS_BYTES - begin;

    if (first > bytes)
        first = bytes;
    memcpy(data, channel->reports + begin, first);
    memcpy((char *)data + first, channel->reports, bytes - first);
}

/* The execution that runs in the slot `serial`, or NULL. */
static struct bight_execution *find(const struct worker *worker, uint32_t serial)
{
    uint64_t position = worker->tail + (uint32_t)(serial - (uint32_t)worker->tail);
    struct execution *execution;

    if (position >= worker->posted)
        return NULL;
    execution = worker->seats[position % CHANNEL_SLOTS].execution;
    return execution ? record_of(execution) : NULL;
}

/* Hand out the first report of `left` bytes. How many it takes; 0: there is none. */
static uint32_t take(struct worker *worker, uint32_t left)
{
    char data[BIGHT_JOB_PROGRESS_MAX];
    struct channel_report report;
    const struct bight_execution *record;
    uint32_t at = worker->reports_taken, room;

    if (left < sizeof(report))
        return 0;
    get(worker->channel, at, &report, sizeof(report));
    if (report.bytes > sizeof(data))
        return 0;
    room = channel_report_room(report.bytes);
    if (room > left)
        return 0;
    get(worker->channel, at + (uint32_t)sizeof(report), data, report.bytes);
    worker->reports_taken = at + room;
    atomic_store_explicit(&worker->channel->reports_taken, at + room, memory_order_release);
    record = find(worker, report.serial);
    if (record && record->options.progress)
        record->options.progress(record->options.progress_arg, data, report.bytes);
    return room;
}

bool bight__reports_take(struct worker *worker)
{
    uint32_t reported = atomic_load_explicit(&worker->channel->reported, memory_order_acquire);
    uint32_t left = reported - worker->reports_taken;

    if (likely(!left))
        return true;
    if (left > CHANNEL_REPORTS_BYTES)
        return false;
    while (left) {
        uint32_t taken = take(worker, left);

        if (!taken)
            return false;
        left -= taken;
    }
    bight__wake_if_asleep(worker, SLEEPS_FOR_ROOM);
    return true;
}
