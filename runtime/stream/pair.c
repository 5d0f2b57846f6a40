/* The kind "memory": two streams in one block, and two ways between them. A way is a ring of bytes
 * with marks that say when the bytes up to a number arrive. An attempt that finds nothing arms the
 * way's timer for what comes next, so that nothing is armed while nobody wants to know. */
#include "coro/base/units.h"
#include "runtime/stream/stream.h"

#include <bight/time.h>

#include <stdio.h>
#include <string.h>

#define DEFAULT_CAPACITY ((size_t)64 << 10)
#define CAPACITY_MAX ((size_t)1 << 30)
#define MARKS 32
#define NEVER UINT64_MAX

/* Bytes up to number `until` arrive at that time. */
struct mark {
    uint64_t until;
    uint64_t when_ns;
};

/* From one of the streams to the other. */
struct way {
    struct bight_stream *writer, *reader; /* NULL: that stream is closed */
    struct bight_timer for_writer, for_reader;
    struct bight_timer for_watch; /* of the reader's stream, of what comes after all bytes */
    char *ring;
    uint64_t written; /* numbers of bytes since the start */
    uint64_t arrived;
    uint64_t read;
    struct mark marks[MARKS];
    size_t first_mark, mark_count;
    uint64_t end_ns;   /* from then on the reader can notice that nothing more was written */
    uint64_t left_ns;  /* from then on the writer can notice that nobody reads */
    uint64_t reset_ns; /* from then on both can notice a reset */
};

/* The first member of struct pair_end is the stream that its kind is given. */
struct pair_end {
    struct bight_stream stream;
    struct pair *pair;
    struct way *in, *out;
};

struct pair {
    struct bight_stream_pair_options options;
    struct pair_end ends[2];
    struct way ways[2];
    char rings[];
};

static struct pair_end *end_of(const struct bight_stream *stream)
{
    return (struct pair_end *)(uintptr_t)stream;
}

static struct bight_wheel *wheel_of(const struct bight_stream *stream)
{
    return &stream->streams->poller.runtime->wheel;
}

static uint64_t earlier(uint64_t one_ns, uint64_t other_ns)
{
    return one_ns < other_ns ? one_ns : other_ns;
}

/* When there is something new for the reader. */
static uint64_t next_for_reader(const struct way *way)
{
    if (way->arrived > way->read)
        return 0;
    return earlier(way->mark_count ? way->marks[way->first_mark].when_ns : way->end_ns,
                   way->reset_ns);
}

static uint64_t next_for_writer(const struct way *way)
{
    return earlier(way->left_ns, way->reset_ns);
}

/* Have `side` try again at `when_ns`, unless it is about to try anyway. */
static void expect(const struct bight_stream *stream, struct stream_side *side,
                   struct bight_timer *timer, uint64_t when_ns)
{
    if (side->ready || when_ns == NEVER)
        return;
    if (when_ns <= bight_now_ns())
        bight__stream_ready(stream, side);
    else
        bight__wheel_arm(wheel_of(stream), timer, when_ns);
}

static void expect_to_read(struct way *way)
{
    if (way->reader)
        expect(way->reader, &way->reader->in, &way->for_reader, next_for_reader(way));
}

static void expect_to_write(struct way *way)
{
    if (way->writer)
        expect(way->writer, &way->writer->out, &way->for_writer, next_for_writer(way));
}

static void reader_is_due(struct bight_timer *timer)
{
    struct bight_stream *reader = container_of(timer, struct way, for_reader)->reader;

    bight__stream_ready(reader, &reader->in);
}

static void writer_is_due(struct bight_timer *timer)
{
    struct bight_stream *writer = container_of(timer, struct way, for_writer)->writer;

    bight__stream_ready(writer, &writer->out);
}

/* Tell the reader's watch what it can notice by now. */
static void tell_watch(const struct way *way)
{
    uint64_t now_ns = bight_now_ns();

    if (way->reader && way->reset_ns <= now_ns)
        bight__stream_peer_gone(way->reader, PEER_RESET);
    else if (way->reader && way->end_ns <= now_ns)
        bight__stream_peer_gone(way->reader, PEER_ENDED);
}

static void watch_is_due(struct bight_timer *timer)
{
    tell_watch(container_of(timer, struct way, for_watch));
}

/* The same at `when_ns`, whoever reads meanwhile. */
static void expect_to_tell(struct way *way, uint64_t when_ns)
{
    if (!way->reader)
        return;
    if (when_ns <= bight_now_ns())
        tell_watch(way);
    else
        bight__wheel_arm(wheel_of(way->reader), &way->for_watch, when_ns);
}

/* How many of `bytes` one step moves. */
static size_t portion(const struct pair_end *end, size_t bytes, size_t most)
{
    struct bight_sched *sched = &end->stream.streams->poller.runtime->sched;

    if (most && bytes > most)
        bytes = most;
    if (end->pair->options.split && bytes > 1)
        bytes = 1 + (size_t)bight__random_below(sched, bytes);
    return bytes;
}

/* Byte number `at` in the ring; *bytes is lowered to what follows without a break. */
static char *in_ring(const struct way *way, size_t capacity, uint64_t at, size_t *bytes)
{
    size_t begin = (size_t)(at % capacity);

    if (*bytes > capacity - begin)
        *bytes = capacity - begin;
    return way->ring + begin;
}

static void copy_out(struct way *way, size_t capacity, char *buffer, size_t bytes)
{
    size_t first = bytes;
    const char *from = in_ring(way, capacity, way->read, &first);

    memcpy(buffer, from, first);
    memcpy(buffer + first, way->ring, bytes - first);
    way->read += bytes;
}

static void copy_in(struct way *way, size_t capacity, const char *data, size_t bytes)
{
    size_t first = bytes;
    char *to = in_ring(way, capacity, way->written, &first);

    memcpy(to, data, first);
    memcpy(way->ring, data + first, bytes - first);
    way->written += bytes;
}

static void let_arrive(struct way *way)
{
    if (!way->mark_count)
        return;
    for (uint64_t now_ns = bight_now_ns(); way->mark_count; way->mark_count--) {
        const struct mark *first = &way->marks[way->first_mark];

        if (first->when_ns > now_ns)
            return;
        way->arrived = first->until;
        way->first_mark = (way->first_mark + 1) % MARKS;
    }
}

/* What was written is on its way. */
static void mark(struct way *way, int64_t delay_ms)
{
    if (delay_ms == 0) {
        way->arrived = way->written;
        return;
    }
    if (way->mark_count < MARKS)
        way->mark_count++; /* otherwise the bytes of the last mark arrive a little later */
    way->marks[(way->first_mark + way->mark_count - 1) % MARKS] =
        (struct mark){.until = way->written, .when_ns = ns_after(bight_now_ns(), delay_ms)};
}

static bool has_passed(uint64_t when_ns)
{
    return when_ns != NEVER && when_ns <= bight_now_ns();
}

/* Whether so many bytes are all that this direction carries. */
static bool is_worn_out(const struct pair_end *end, uint64_t passed)
{
    return end->pair->options.reset_after && passed >= end->pair->options.reset_after;
}

static int64_t read_now(struct bight_stream *stream, void *buffer, size_t bytes)
{
    struct pair_end *end = end_of(stream);
    const struct bight_stream_pair_options *options = &end->pair->options;
    struct way *way = end->in;
    size_t there;

    let_arrive(way);
    there = (size_t)(way->arrived - way->read);
    if (has_passed(way->reset_ns))
        return BIGHT_ECONNRESET;
    if (there) {
        bytes = portion(end, bytes < there ? bytes : there, options->read_max);
        copy_out(way, options->capacity, buffer, bytes);
        if (way->writer && !way->writer->out.ready)
            bight__stream_ready(way->writer, &way->writer->out);
        return (int64_t)bytes;
    }
    if (is_worn_out(end, way->read))
        return BIGHT_ECONNRESET;
    if (way->read == way->written && has_passed(way->end_ns))
        return 0;
    stream->in.ready = false;
    expect_to_read(way);
    return BIGHT_EAGAIN;
}

/* Something may come between the attempt's look at the clock and that of what it expects. */
static int64_t pair_read(struct bight_stream *stream, void *buffer, size_t bytes)
{
    int64_t count;

    do {
        count = read_now(stream, buffer, bytes);
    } while (count == BIGHT_EAGAIN && stream->in.ready);
    return count;
}

/* How many bytes of `slices` a step moves when there is room for so many. */
static size_t to_move(const struct pair_end *end, const struct bight_slice *slices, size_t count,
                      size_t room)
{
    const struct bight_stream_pair_options *options = &end->pair->options;
    size_t bytes = 0;

    for (size_t i = 0; i < count && bytes < room; i++)
        bytes += slices[i].bytes < room - bytes ? slices[i].bytes : room - bytes;
    if (options->reset_after && bytes > options->reset_after - end->out->written)
        bytes = (size_t)(options->reset_after - end->out->written);
    return portion(end, bytes, options->write_max);
}

static void move(struct way *way, size_t capacity, const struct bight_slice *slices, size_t bytes)
{
    for (; bytes; slices++) {
        size_t part = slices->bytes < bytes ? slices->bytes : bytes;

        if (part)
            copy_in(way, capacity, slices->data, part);
        bytes -= part;
    }
}

static int64_t write_now(struct bight_stream *stream, const struct bight_slice *slices,
                         size_t count)
{
    struct pair_end *end = end_of(stream);
    const struct bight_stream_pair_options *options = &end->pair->options;
    struct way *way = end->out;
    size_t room = options->capacity - (size_t)(way->written - way->read);
    size_t bytes;

    if (has_passed(way->reset_ns) || is_worn_out(end, way->written))
        return BIGHT_ECONNRESET;
    if (has_passed(way->left_ns))
        return BIGHT_EPIPE;
    if (!room) {
        stream->out.ready = false;
        expect_to_write(way);
        return BIGHT_EAGAIN;
    }
    bytes = to_move(end, slices, count, room);
    move(way, options->capacity, slices, bytes);
    mark(way, options->delay_ms);
    if (!way->reader)
        way->read = way->arrived = way->written; /* on its way to nobody */
    expect_to_read(way);
    return (int64_t)bytes;
}

/* The same of room. */
static int64_t pair_write(struct bight_stream *stream, const struct bight_slice *slices,
                          size_t count)
{
    int64_t written;

    do {
        written = write_now(stream, slices, count);
    } while (written == BIGHT_EAGAIN && stream->out.ready);
    return written;
}

static int pair_shutdown(struct bight_stream *stream)
{
    const struct pair_end *end = end_of(stream);

    end->out->end_ns = ns_after(bight_now_ns(), end->pair->options.delay_ms);
    expect_to_read(end->out);
    expect_to_tell(end->out, end->out->end_ns);
    return 0;
}

static void pair_close(struct bight_stream *stream, bool reset)
{
    struct pair_end *end = end_of(stream);
    struct way *in = end->in, *out = end->out;
    uint64_t when_ns = ns_after(bight_now_ns(), end->pair->options.delay_ms);

    bight__wheel_disarm(wheel_of(stream), &in->for_reader);
    bight__wheel_disarm(wheel_of(stream), &in->for_watch);
    bight__wheel_disarm(wheel_of(stream), &out->for_writer);
    in->reader = NULL;
    out->writer = NULL;
    if (!in->writer) {
        bight__free(end->pair);
        return;
    }
    if (reset) {
        in->reset_ns = earlier(in->reset_ns, when_ns);
        out->reset_ns = earlier(out->reset_ns, when_ns);
    }
    in->left_ns = when_ns;
    in->read = in->arrived = in->written;
    in->mark_count = 0;
    out->end_ns = earlier(out->end_ns, when_ns);
    expect_to_write(in);
    expect_to_read(out);
    expect_to_tell(out, when_ns);
}

static void pair_describe(const struct bight_stream *stream, char *text, size_t text_bytes)
{
    (void)stream;
    snprintf(text, text_bytes, "memory");
}

static const struct stream_ops pair_ops = {
    .inside = true,
    .read = pair_read,
    .write = pair_write,
    .shutdown = pair_shutdown,
    .close = pair_close,
    .describe = pair_describe,
};

/* The way that ends[from] writes. */
static void way_init(struct pair *pair, int from)
{
    struct way *way = &pair->ways[from];

    *way = (struct way){
        .writer = &pair->ends[from].stream,
        .reader = &pair->ends[1 - from].stream,
        .for_writer.fire = writer_is_due,
        .for_reader.fire = reader_is_due,
        .for_watch.fire = watch_is_due,
        .ring = pair->rings + (size_t)from * pair->options.capacity,
        .end_ns = NEVER,
        .left_ns = NEVER,
        .reset_ns = NEVER,
    };
    link_init(&way->for_writer.link);
    link_init(&way->for_reader.link);
    link_init(&way->for_watch.link);
}

static void end_init(struct pair *pair, int which, struct streams *streams)
{
    struct pair_end *end = &pair->ends[which];

    *end = (struct pair_end){
        .pair = pair,
        .in = &pair->ways[1 - which],
        .out = &pair->ways[which],
    };
    bight__stream_open(&end->stream, streams, &pair_ops);
}

int bight_stream_pair(struct bight_stream **left, struct bight_stream **right,
                      const struct bight_stream_pair_options *options)
{
    struct bight_stream_pair_options how = {0};
    struct streams *streams;
    struct pair *pair;
    int rc;

    if (options)
        how = *options;
    if (!left || !right || how.delay_ms < 0 || how.capacity > CAPACITY_MAX)
        return BIGHT_EINVAL;
    if (!how.capacity)
        how.capacity = DEFAULT_CAPACITY;
    rc = bight__streams_get(&streams);
    if (rc)
        return rc;
    pair = bight__alloc(&streams->poller.runtime->sched.seams, sizeof(*pair) + 2 * how.capacity);
    if (!pair)
        return BIGHT_ENOMEM;
    pair->options = how;
    for (int i = 0; i < 2; i++) {
        way_init(pair, i);
        end_init(pair, i, streams);
    }
    *left = &pair->ends[0].stream;
    *right = &pair->ends[1].stream;
    return 0;
}
