/* The runtime's record of streams. What is registered with the kernel has a place in a table, and
 * the kernel is given the place and its generation: an event that was already on its way when its
 * source went is not taken for another's. */
#include "runtime/stream/stream.h"

#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

/* Chunks that are kept while nobody uses them: 1 MiB. */
#define CHUNKS_KEPT 16

#define NO_PLACE UINT32_MAX
#define FIRST_PLACES 32

struct poll_place {
    struct poll_source *source; /* NULL: free */
    uint32_t generation;
    uint32_t next_free;
};

struct stream_chunk {
    struct stream_chunk *next;
};

static uint64_t token_of(const struct poll_place *places, uint32_t place)
{
    return (uint64_t)places[place].generation << 32 | place;
}

static void on_events(struct poller *poller, int count)
{
    const struct streams *streams = container_of(poller, struct streams, poller);

    for (int i = 0; i < count; i++) {
        uint64_t token = poller->taken[i].data.u64;
        const struct poll_place *place = &streams->places[(uint32_t)token];

        if (likely(place->source && place->generation == token >> 32))
            place->source->ready(place->source, poller->taken[i].events);
    }
}

static int streams_begin(struct bight_plugin *plugin, struct bight_runtime *runtime)
{
    struct streams *streams = container_of(plugin, struct streams, plugin);

    link_init(&streams->open);
    link_init(&streams->guests);
    streams->places_free = NO_PLACE;
    return bight__poller_open(&streams->poller, runtime, on_events);
}

static void on_closed(struct poller *poller)
{
    bight__free(container_of(poller, struct streams, poller));
}

void bight__guest_add(struct stream_guest *guest, struct streams *streams)
{
    link_append(&streams->guests, &guest->link);
    bight__opened_note(streams->poller.runtime, guest);
}

void bight__guest_remove(struct stream_guest *guest, const struct streams *streams)
{
    link_cut(&guest->link);
    bight__opened_forget(streams->poller.runtime, guest);
}

static void stream_left(const struct streams *streams, const struct bight_stream *stream)
{
    char kind[96], text[112];

    stream->ops->describe(stream, kind, sizeof(kind));
    snprintf(text, sizeof(text), "a stream: %s", kind);
    bight__opened_left(streams->poller.runtime, stream, text);
}

/* No task is left, so nobody is inside of a call. */
static void streams_end(struct bight_plugin *plugin)
{
    struct streams *streams = container_of(plugin, struct streams, plugin);

    while (!link_empty(&streams->open)) {
        struct bight_stream *stream = container_of(streams->open.next, struct bight_stream, link);

        stream_left(streams, stream);
        bight__stream_destroy(stream, true);
    }
    while (!link_empty(&streams->guests)) {
        struct stream_guest *guest = container_of(streams->guests.next, struct stream_guest, link);

        bight__opened_left(streams->poller.runtime, guest, guest->kind);
        guest->end(guest);
    }
    while (streams->chunks) {
        struct stream_chunk *chunk = streams->chunks;

        streams->chunks = chunk->next;
        bight__free(chunk);
    }
    bight__free(streams->places);
    bight__poller_close(&streams->poller, on_closed);
}

static const struct bight_plugin_kind streams_kind = {
    .bytes = sizeof(struct streams),
    .begin = streams_begin,
    .end = streams_end,
};

int bight__streams_get(struct streams **out)
{
    struct bight_runtime *runtime;
    struct bight_plugin *plugin;
    int rc = bight__runtime_get(&runtime);

    if (rc)
        return rc;
    plugin = bight__plugin_get(runtime, &streams_kind, &rc);
    if (!plugin)
        return rc;
    *out = container_of(plugin, struct streams, plugin);
    return 0;
}

/* Twice as many places, the new ones free. */
static int places_grow(struct streams *streams)
{
    uint32_t count = streams->places_count ? 2 * streams->places_count : FIRST_PLACES;
    struct poll_place *places =
        bight__alloc(&streams->poller.runtime->sched.seams, count * sizeof(*places));

    if (!places)
        return BIGHT_ENOMEM;
    if (streams->places_count)
        memcpy(places, streams->places, streams->places_count * sizeof(*places));
    for (uint32_t i = count; i-- > streams->places_count;) {
        places[i] = (struct poll_place){.next_free = streams->places_free};
        streams->places_free = i;
    }
    bight__free(streams->places);
    streams->places = places;
    streams->places_count = count;
    return 0;
}

int bight__source_add(struct streams *streams, struct poll_source *source, int fd)
{
    const uint32_t events = EPOLLIN | EPOLLPRI | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    uint32_t place;
    int rc = streams->places_free == NO_PLACE ? places_grow(streams) : 0;

    if (rc)
        return rc;
    place = streams->places_free;
    rc = bight__poller_control(&streams->poller, EPOLL_CTL_ADD, fd, events,
                               token_of(streams->places, place));
    if (rc)
        return rc;
    streams->places_free = streams->places[place].next_free;
    streams->places[place].source = source;
    source->place = place;
    return 0;
}

/* Removed by hand and not left to close(2), which does it only for the last descriptor of the open
 * file: a forked child may have another. */
void bight__source_remove(struct streams *streams, const struct poll_source *source, int fd)
{
    struct poll_place *place = &streams->places[source->place];

    (void)bight__poller_control(&streams->poller, EPOLL_CTL_DEL, fd, 0, 0);
    place->source = NULL;
    place->generation++;
    place->next_free = streams->places_free;
    streams->places_free = source->place;
}

void *bight__chunk_take(struct streams *streams)
{
    struct stream_chunk *chunk = streams->chunks;

    if (!chunk)
        return bight__alloc(&streams->poller.runtime->sched.seams, STREAM_CHUNK_BYTES);
    streams->chunks = chunk->next;
    streams->chunks_count--;
    return chunk;
}

void bight__chunk_give(struct streams *streams, void *chunk)
{
    struct stream_chunk *kept = chunk;

    if (streams->chunks_count == CHUNKS_KEPT) {
        bight__free(chunk);
        return;
    }
    kept->next = streams->chunks;
    streams->chunks = kept;
    streams->chunks_count++;
}
