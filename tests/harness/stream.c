/* The streams of stream.h: two directions, each a ring of bytes with marks that say when the bytes
 * up to a number can be read. A pair is one block of memory, freed with its second end. Sleepers
 * are given nothing: a woken one looks again, so nothing is lost when one goes away. */
#include "tests/harness/stream.h"

#include <limits.h>
#include <string.h>

#include "coro/core/source.h"
#include "runtime/runtime.h"

#define DEFAULT_CAPACITY ((size_t)64 << 10)
#define CAPACITY_MAX ((size_t)1 << 30)
#define MARKS 32

/* Bytes up to number `until` arrive at that time. */
struct mark {
    uint64_t until;
    uint64_t when_ns;
};

struct way {
    struct test_stream_options options;
    char *ring;
    uint64_t written; /* numbers of bytes since the start */
    uint64_t arrived;
    uint64_t read;
    struct mark marks[MARKS];
    size_t first_mark, mark_count;
    bool ended;   /* nothing more will be written; the reader sees it from end_ns on */
    bool dropped; /* nobody will read any more */
    uint64_t end_ns;
    struct stream_wait *reader, *writer;
};

struct test_stream {
    struct test_stream *peer; /* NULL once the other end is closed */
    struct way *in, *out;
    struct pair *pair;
};

struct pair {
    struct test_stream ends[2];
    struct way ways[2];
    char rings[];
};

struct stream_wait {
    struct bight_waiter waiter;
    struct bight_timer timer;
    struct stream_wait **place;
};

static int wait_abort(struct bight_waiter *waiter)
{
    struct stream_wait *wait = container_of(waiter, struct stream_wait, waiter);

    bight__wheel_disarm(&bight__runtime()->wheel, &wait->timer);
    *wait->place = NULL;
    return 0;
}

static const struct bight_waiter_ops wait_ops = {
    .name = "stream of a test",
    .abort = wait_abort,
};

static void wake(struct stream_wait **place, int result)
{
    struct stream_wait *wait = *place;

    if (!wait)
        return;
    *place = NULL;
    bight__wheel_disarm(&bight__runtime()->wheel, &wait->timer);
    (void)bight_unpark(&wait->waiter, result);
}

static void time_has_come(struct bight_timer *timer)
{
    wake(container_of(timer, struct stream_wait, timer)->place, 0);
}

/* Sleep in `place` until woken, or until `when_ns`. */
static int sleep_in(struct stream_wait **place, uint64_t when_ns)
{
    struct stream_wait wait = {.timer.fire = time_has_come, .place = place};

    bight__waiter_begin(&wait.waiter, &wait_ops);
    link_init(&wait.timer.link);
    *place = &wait;
    if (when_ns != UINT64_MAX)
        bight__wheel_arm(&bight__runtime()->wheel, &wait.timer, when_ns);
    return bight_park(&wait.waiter);
}

int test_stream_pair(struct test_stream **left, struct test_stream **right,
                     const struct test_stream_options *options)
{
    struct test_stream_options how = {0};
    struct pair *pair;

    if (!left || !right)
        return BIGHT_EINVAL;
    if (!bight__sched)
        return BIGHT_ENORUNTIME;
    if (options)
        how = *options;
    if (!how.capacity)
        how.capacity = DEFAULT_CAPACITY;
    if (how.delay_ms < 0 || how.delay_ms > INT64_MAX / 1000000 || how.capacity > CAPACITY_MAX)
        return BIGHT_EINVAL;
    pair = bight__alloc_zero(&bight__sched->seams, sizeof *pair + 2 * how.capacity);
    if (!pair)
        return BIGHT_ENOMEM;
    for (int i = 0; i < 2; i++) {
        pair->ways[i].options = how;
        pair->ways[i].ring = pair->rings + (size_t)i * how.capacity;
        pair->ends[i] = (struct test_stream){
            .peer = &pair->ends[1 - i],
            .in = &pair->ways[i],
            .out = &pair->ways[1 - i],
            .pair = pair,
        };
    }
    *left = &pair->ends[0];
    *right = &pair->ends[1];
    return 0;
}

/* How many of `bytes` one call moves. */
static size_t portion(const struct way *way, size_t bytes, size_t most)
{
    if (most && bytes > most)
        bytes = most;
    return way->options.split && bytes > 1 ? 1 + (size_t)(bight_test_random() % bytes) : bytes;
}

/* Byte number `at` in the ring; *bytes is lowered to what follows without a break. */
static char *in_ring(const struct way *way, uint64_t at, size_t *bytes)
{
    size_t begin = (size_t)(at % way->options.capacity);

    if (*bytes > way->options.capacity - begin)
        *bytes = way->options.capacity - begin;
    return way->ring + begin;
}

static void copy_out(const struct way *way, char *buffer, size_t bytes)
{
    size_t first = bytes;
    const char *from = in_ring(way, way->read, &first);

    memcpy(buffer, from, first);
    memcpy(buffer + first, way->ring, bytes - first);
}

static void copy_in(const struct way *way, const char *data, size_t bytes)
{
    size_t first = bytes;
    char *to = in_ring(way, way->written, &first);

    memcpy(to, data, first);
    memcpy(way->ring, data + first, bytes - first);
}

static void mark(struct way *way)
{
    uint64_t when_ns = bight_now_ns() + (uint64_t)way->options.delay_ms * 1000000;

    if (way->options.delay_ms == 0) {
        way->arrived = way->written;
        return;
    }
    if (way->mark_count < MARKS)
        way->mark_count++; /* otherwise the bytes of the last mark arrive a little later */
    way->marks[(way->first_mark + way->mark_count - 1) % MARKS] =
        (struct mark){.until = way->written, .when_ns = when_ns};
}

static void let_arrive(struct way *way)
{
    if (!way->mark_count)
        return;
    for (uint64_t now = bight_now_ns(); way->mark_count; way->mark_count--) {
        const struct mark *first = &way->marks[way->first_mark];

        if (first->when_ns > now)
            return;
        way->arrived = first->until;
        way->first_mark = (way->first_mark + 1) % MARKS;
    }
}

static bool is_reset(const struct way *way, uint64_t passed)
{
    return way->options.reset_after && passed >= way->options.reset_after;
}

/* When the reader should look again. */
static uint64_t next_arrival(const struct way *way)
{
    if (way->mark_count)
        return way->marks[way->first_mark].when_ns;
    return way->ended ? way->end_ns : UINT64_MAX;
}

static int take(struct way *way, void *buffer, size_t bytes)
{
    size_t there = (size_t)(way->arrived - way->read);

    bytes = portion(way, bytes < there ? bytes : there, way->options.read_max);
    copy_out(way, buffer, bytes);
    way->read += bytes;
    wake(&way->writer, 0);
    return (int)bytes;
}

int test_stream_read(struct test_stream *stream, void *buffer, size_t bytes)
{
    struct way *way;
    struct bight_task *self;
    int rc;

    if (!stream || !buffer || bytes == 0 || bytes > INT_MAX)
        return BIGHT_EINVAL;
    way = stream->in;
    rc = bight__checkpoint(&self);
    if (rc)
        return rc;
    if (way->reader)
        return BIGHT_EALREADY;
    while (rc == 0) {
        let_arrive(way);
        if (way->arrived > way->read)
            return take(way, buffer, bytes);
        if (is_reset(way, way->read))
            return BIGHT_ECONNRESET;
        if (way->ended && way->read == way->written && bight_now_ns() >= way->end_ns)
            return 0;
        rc = sleep_in(&way->reader, next_arrival(way));
    }
    return rc;
}

static int give(struct way *way, const void *data, size_t bytes, size_t room)
{
    bytes = bytes < room ? bytes : room;
    if (way->options.reset_after && bytes > way->options.reset_after - way->written)
        bytes = (size_t)(way->options.reset_after - way->written);
    bytes = portion(way, bytes, way->options.write_max);
    copy_in(way, data, bytes);
    way->written += bytes;
    mark(way);
    wake(&way->reader, 0);
    return (int)bytes;
}

int test_stream_write(struct test_stream *stream, const void *data, size_t bytes)
{
    struct way *way;
    struct bight_task *self;
    int rc;

    if (!stream || !data || bytes == 0 || bytes > INT_MAX)
        return BIGHT_EINVAL;
    way = stream->out;
    rc = bight__checkpoint(&self);
    if (rc)
        return rc;
    if (way->writer)
        return BIGHT_EALREADY;
    while (rc == 0) {
        size_t room = way->options.capacity - (size_t)(way->written - way->read);

        if (way->ended)
            return BIGHT_ECLOSED;
        if (way->dropped)
            return BIGHT_EPIPE;
        if (is_reset(way, way->written))
            return BIGHT_ECONNRESET;
        if (room)
            return give(way, data, bytes, room);
        rc = sleep_in(&way->writer, UINT64_MAX);
    }
    return rc;
}

int test_stream_shutdown(struct test_stream *stream)
{
    struct way *way;

    if (!stream)
        return BIGHT_EINVAL;
    way = stream->out;
    if (way->ended)
        return BIGHT_ECLOSED;
    way->ended = true;
    way->end_ns = bight_now_ns() + (uint64_t)way->options.delay_ms * 1000000;
    wake(&way->writer, BIGHT_ECLOSED);
    wake(&way->reader, 0);
    return 0;
}

void test_stream_close(struct test_stream *stream)
{
    if (!stream)
        return;
    (void)test_stream_shutdown(stream);
    stream->in->dropped = true;
    wake(&stream->in->reader, BIGHT_ECLOSED);
    wake(&stream->in->writer, 0);
    if (!stream->peer) {
        bight__free(stream->pair);
        return;
    }
    stream->peer->peer = NULL;
}
