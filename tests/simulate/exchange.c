/* Simulations of what else carries values: channels, broadcasts, latest values, generators,
 * streams. */
#include "tests/simulate/simulate.h"

#include <string.h>

#define VALUES 6

/* Channel: every value that was sent is received once or dropped at the end; ends come to an
 * end. */

struct trade {
    struct bight_sender senders[SIM_ACTORS];
    struct bight_receiver receivers[SIM_ACTORS];
    int sent, received;
};

static void drop(void *trade, void *item)
{
    (void)item;
    ((struct trade *)trade)->received++;
}

static int send_some(struct trade *trade, int index)
{
    int rc = 0;

    for (int i = 0; i < VALUES && !rc; i++) {
        struct bight_scope scope;
        bool done;

        rc = sim_begin(&scope);
        if (rc)
            return rc;
        rc = sim_end(&scope, bight_channel_send(&trade->senders[index], trade), &done);
        trade->sent += done;
        if (rc == 0)
            rc = sim_pause();
    }
    return rc == BIGHT_EPIPE ? 0 : rc;
}

static int receive_all(struct trade *trade, int index)
{
    void *item;
    int rc = 0;

    while (!rc) {
        rc = bight_channel_receive(&trade->receivers[index], &item);
        trade->received += rc == 0;
        insist(rc || item == trade);
        if (rc == 0)
            rc = sim_pause();
    }
    return rc == BIGHT_EPIPE ? 0 : rc;
}

static int use_channel(struct sim_actor *actor)
{
    return actor->index % 2 ? send_some(actor->shared, actor->index)
                            : receive_all(actor->shared, actor->index);
}

static void close_end(struct sim_actor *actor)
{
    struct trade *trade = actor->shared;

    bight_sender_end(&trade->senders[actor->index]);
    bight_receiver_end(&trade->receivers[actor->index]);
}

static int channel(void *arg)
{
    struct trade trade = {.sent = 0};
    struct bight_channel_options options = {
        .capacity = sim_below(4), .drop = drop, .drop_arg = &trade};
    int actors = 2 + (int)sim_below(5);
    int rc = bight_channel_open(&trade.senders[1], &trade.receivers[0], &options);

    (void)arg;
    if (rc)
        return rc;
    for (int i = 2; i < actors; i++) {
        if (i % 2)
            insist(bight_sender_clone(&trade.senders[i], &trade.senders[1]) == 0);
        else
            insist(bight_receiver_clone(&trade.receivers[i], &trade.receivers[0]) == 0);
    }
    rc = sim_crowd(&trade, actors, use_channel, close_end);
    insist(trade.sent == trade.received);
    return sim_over(rc);
}

/* Broadcast: each subscriber receives every value, in order, or is told how many it missed. */

struct news {
    struct bight_broadcast *broadcast;
    bool waits;
};

static int publish(struct news *news)
{
    int rc = 0;

    for (int i = 0; i < VALUES && !rc; i++) {
        rc = bight_broadcast_publish(news->broadcast, &i);
        if (rc == 0)
            rc = sim_pause();
    }
    return rc;
}

static int follow(struct news *news)
{
    struct bight_subscriber subscriber;
    uint64_t missed;
    int value, last = -1, rc = bight_broadcast_subscribe(news->broadcast, &subscriber);

    if (rc)
        return rc == BIGHT_ECLOSED ? 0 : rc;
    while (!(rc = bight_broadcast_receive(&subscriber, &value, &missed))) {
        insist(!news->waits || missed == 0);
        insist(last < 0 || value == last + 1 + (int)missed);
        last = value;
        rc = sim_pause();
        if (rc)
            break;
    }
    bight_broadcast_unsubscribe(&subscriber);
    return rc == BIGHT_ECLOSED ? 0 : rc;
}

static int publish_or_follow(struct sim_actor *actor)
{
    return actor->index ? follow(actor->shared) : publish(actor->shared);
}

static void end_news(struct sim_actor *actor)
{
    if (actor->index == 0)
        bight_broadcast_close(((struct news *)actor->shared)->broadcast);
}

static int broadcast(void *arg)
{
    struct news news = {.waits = sim_chance(50)};
    const struct bight_broadcast_options options = {
        .capacity = 1 + sim_below(3),
        .value_bytes = sizeof(int),
        .policy = news.waits ? BIGHT_BROADCAST_WAIT : BIGHT_BROADCAST_DROP_OLDEST,
    };
    int rc = bight_broadcast_new(&news.broadcast, &options);

    (void)arg;
    if (rc)
        return rc;
    rc = sim_crowd(&news, 2 + (int)sim_below(5), publish_or_follow, end_news);
    insist(bight_broadcast_free(news.broadcast) == 0);
    return sim_over(rc);
}

/* Latest: versions only grow, and who watches to the end has seen the last value. */

struct place {
    struct bight_latest latest;
    int value;
    int written;
};

static int write_or_watch(struct sim_actor *actor)
{
    struct place *place = actor->shared;
    uint64_t version = 0, before = 0;
    int rc = 0, value = 0;

    if (actor->index == 0) {
        for (int i = 1; i <= VALUES && !rc; i++) {
            insist(bight_latest_set(&place->latest, &i) == 0);
            place->written = i;
            rc = sim_pause();
        }
        return rc;
    }
    while (!(rc = bight_latest_wait(&place->latest, &version, &value))) {
        insist(version > before);
        insist(value == (int)version);
        before = version;
        rc = sim_pause();
        if (rc)
            return rc;
    }
    insist(rc != BIGHT_ECLOSED || (int)version == place->written);
    return rc == BIGHT_ECLOSED ? 0 : rc;
}

static void close_place(struct sim_actor *actor)
{
    if (actor->index == 0)
        bight_latest_close(&((struct place *)actor->shared)->latest);
}

static int latest(void *arg)
{
    struct place place = {.value = 0};

    (void)arg;
    bight_latest_init(&place.latest, &place.value, sizeof place.value);
    return sim_over(sim_crowd(&place, 2 + (int)sim_below(5), write_or_watch, close_place));
}

/* Generator: it goes no further than it is asked, and has ended when it is closed. */

struct source {
    int given, asked;
    bool running;
};

static int give(struct bight_generator *generator, void *arg)
{
    struct source *source = arg;
    int rc = 0;

    source->running = true;
    for (int i = 0; i < VALUES && !rc; i++) {
        rc = sim_pause();
        insist(source->given < source->asked);
        source->given++;
        if (rc == 0)
            rc = bight_generator_yield(generator, &i);
    }
    source->running = false;
    return rc;
}

static int ask(struct bight_generator *generator, struct source *source)
{
    int rc = 0, count = (int)sim_below(VALUES + 2);

    for (int i = 0; i < count && !rc; i++) {
        void *value;

        source->asked++;
        rc = bight_generator_next(generator, &value);
        insist(rc || *(int *)value == i);
        if (rc == 0)
            rc = sim_pause();
    }
    return rc == BIGHT_ECLOSED ? 0 : rc;
}

static int generator(void *arg)
{
    struct source source = {.given = 0};
    struct bight_generator *values;
    int rc = bight_generator_new(&values, give, &source);

    (void)arg;
    if (rc)
        return rc;
    rc = ask(values, &source);
    int closed = bight_generator_end(values);
    insist(closed <= 0);
    insist(!source.running);
    insist(bight_generator_free(values) == 0);
    return sim_over(rc ? rc : closed == BIGHT_ECLOSED ? 0 : closed);
}

/* Streams: the bytes that come out are those that went in. */

struct wire {
    struct bight_stream *ends[2];
    unsigned char sent, received;
};

static int send_bytes(struct wire *wire)
{
    struct bight_stream *stream = wire->ends[0];
    int rc = 0;

    for (int i = 0; i < VALUES && rc >= 0; i++) {
        unsigned char bytes[8];
        size_t count = 1 + sim_below(sizeof bytes);

        for (size_t k = 0; k < count; k++)
            bytes[k] = (unsigned char)(wire->sent + k);
        rc = bight_stream_write(stream, bytes, count);
        wire->sent = (unsigned char)(wire->sent + bight_stream_last_written(stream));
        insist(rc || bight_stream_last_written(stream) == count);
        if (rc == 0)
            rc = sim_pause();
    }
    return rc == BIGHT_EPIPE || rc == BIGHT_ECONNRESET ? 0 : rc;
}

static int receive_bytes(struct wire *wire)
{
    unsigned char bytes[5];
    int64_t count;

    while ((count = bight_stream_read(wire->ends[1], bytes, sizeof bytes)) > 0) {
        for (int64_t i = 0; i < count; i++)
            insist(bytes[i] == wire->received++);
        count = sim_pause();
        if (count)
            return (int)count;
    }
    insist(count || wire->received == wire->sent);
    return count == BIGHT_ECONNRESET ? 0 : (int)count;
}

static int use_wire(struct sim_actor *actor)
{
    return actor->index ? receive_bytes(actor->shared) : send_bytes(actor->shared);
}

static void hang_up(struct sim_actor *actor)
{
    insist(bight_stream_end(((struct wire *)actor->shared)->ends[actor->index], 0) == 0);
}

static int stream(void *arg)
{
    const struct bight_stream_pair_options options = {
        .capacity = 1 + sim_below(9),
        .delay_ms = sim_below(3),
        .split = sim_chance(50),
        .reset_after = sim_chance(30) ? 1 + sim_below(20) : 0,
    };
    struct wire wire = {.sent = 0};
    int rc = bight_stream_pair(&wire.ends[0], &wire.ends[1], &options);

    (void)arg;
    return rc ? rc : sim_over(sim_crowd(&wire, 2, use_wire, hang_up));
}

const struct sim_scenario sim_exchange[] = {
    {"channel", channel},     {"broadcast", broadcast}, {"latest", latest},
    {"generator", generator}, {"stream", stream},       {NULL, NULL},
};
