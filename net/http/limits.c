/* Origins and slots. The limits are bight's own, so that nothing ever queues inside libcurl, where it
 * could neither be cancelled at once nor be counted. */
#include <stdio.h>
#include <string.h>

#include <bight/time.h>
#include <bight/waiter.h>

#include "coro/base/hash.h"
#include "net/http/http.h"

#define BUCKETS_AT_START 64
/* For how long what libcurl was told about a name may be relied on: shorter than libcurl keeps it. */
#define FED_NS (HTTP_LIBCURL_CACHE_SECONDS / 4 * UINT64_C(1000000000))
/* libcurl drops the oldest names beyond 29,999. */
#define FED_NAMES 20000
/* Origins that are kept although nobody uses them: they remember what libcurl was told. */
#define IDLE_ORIGINS 1024

int bight__http_limits_init(struct bight_http_session *session)
{
    session->seed = hash_seed();
    session->origin_buckets = BUCKETS_AT_START;
    link_init(&session->idle_origins);
    link_init(&session->queue);
    session->origins =
        bight__alloc_zero(http_seams(session), BUCKETS_AT_START * sizeof *session->origins);
    return session->origins ? 0 : BIGHT_ENOMEM;
}

static void origin_free(struct bight_http_session *session, struct http_origin *origin)
{
    struct http_origin **at = &session->origins[origin->hash & (session->origin_buckets - 1)];

    while (*at != origin)
        at = &(*at)->chain;
    *at = origin->chain;
    session->origin_count--;
    bight__free(origin);
}

void bight__http_limits_fini(struct bight_http_session *session)
{
    for (size_t i = 0; session->origins && i < session->origin_buckets; i++)
        while (session->origins[i])
            origin_free(session, session->origins[i]);
    bight__free(session->origins);
}

/* Without memory for more buckets the chains just grow longer. */
static void grow(struct bight_http_session *session)
{
    size_t count = session->origin_buckets * 2;
    struct http_origin **buckets = bight__alloc_zero(http_seams(session), count * sizeof *buckets);

    if (!buckets)
        return;
    for (size_t i = 0; i < session->origin_buckets; i++) {
        for (struct http_origin *origin = session->origins[i], *next; origin; origin = next) {
            next = origin->chain;
            origin->chain = buckets[origin->hash & (count - 1)];
            buckets[origin->hash & (count - 1)] = origin;
        }
    }
    bight__free(session->origins);
    session->origins = buckets;
    session->origin_buckets = count;
}

static struct http_origin *origin_new(struct bight_http_session *session,
                                      const struct http_url *url, uint32_t hash)
{
    size_t bytes = strlen(url->host) + 1;
    struct http_origin *origin = bight__alloc_zero(http_seams(session), sizeof *origin + bytes);

    if (!origin)
        return NULL;
    if (session->origin_count >= session->origin_buckets)
        grow(session);
    memcpy(origin->host, url->host, bytes);
    origin->hash = hash;
    origin->https = url->https;
    origin->port = url->port;
    origin->literal = url->literal;
    link_init(&origin->idle);
    link_init(&origin->waiting);
    origin->chain = session->origins[hash & (session->origin_buckets - 1)];
    session->origins[hash & (session->origin_buckets - 1)] = origin;
    session->origin_count++;
    return origin;
}

int bight__http_origin_get(struct bight_http_session *session, const struct http_url *url,
                           struct http_origin **out)
{
    uint32_t hash =
        hash_bytes(session->seed + url->port * 2u + url->https, url->host, strlen(url->host));
    struct http_origin *origin = session->origins[hash & (session->origin_buckets - 1)];

    while (origin && (origin->hash != hash || origin->port != url->port ||
                      origin->https != url->https || strcmp(origin->host, url->host) != 0))
        origin = origin->chain;
    if (!origin && !(origin = origin_new(session, url, hash)))
        return BIGHT_ENOMEM;
    if (origin->refs++ == 0 && !link_empty(&origin->idle)) {
        link_remove(&origin->idle);
        session->idle_origin_count--;
    }
    *out = origin;
    return 0;
}

void bight__http_origin_put(struct bight_http_session *session, struct http_origin *origin)
{
    if (--origin->refs)
        return;
    link_append(&session->idle_origins, &origin->idle);
    if (++session->idle_origin_count <= IDLE_ORIGINS)
        return;
    session->idle_origin_count--;
    origin_free(session, container_of(link_take(&session->idle_origins), struct http_origin, idle));
}

bool bight__http_origin_fed(const struct bight_http_session *session,
                            const struct http_origin *origin)
{
    return origin->fed_until_ns && bight_now_ns() < origin->fed_until_ns &&
           session->fed_serial - origin->fed_serial < FED_NAMES;
}

void bight__http_origin_feed(struct bight_http_session *session, struct http_origin *origin,
                             uint64_t fresh_until_ns)
{
    uint64_t limit_ns = bight_now_ns() + FED_NS;

    origin->fed_until_ns = fresh_until_ns < limit_ns ? fresh_until_ns : limit_ns;
    origin->fed_serial = ++session->fed_serial;
}

static bool origin_full(const struct bight_http_session *session, const struct http_origin *origin)
{
    int limit = session->options.max_per_host;

    return limit >= 0 && origin->active >= limit;
}

static bool session_full(const struct bight_http_session *session)
{
    int limit = session->options.max_total;

    return limit >= 0 && session->active >= limit;
}

/* Pass on what has become free: origin's slots first, then the session's. */
static void grant(struct bight_http_session *session, struct http_origin *origin)
{
    while (!link_empty(&origin->waiting) && !origin_full(session, origin)) {
        struct bight_link *link = link_take(&origin->waiting);
        struct http_slot_waiter *self = container_of(link, struct http_slot_waiter, waiter.link);
        self->has_origin_slot = true;
        origin->active++;
        link_append(&session->queue, link);
    }
    while (!link_empty(&session->queue) && !session_full(session)) {
        struct bight_link *link = link_take(&session->queue);
        session->active++;
        bight_unpark(&container_of(link, struct http_slot_waiter, waiter.link)->waiter, 0);
    }
}

void bight__http_slot_give(struct bight_http_session *session, struct http_origin *origin)
{
    session->active--;
    origin->active--;
    grant(session, origin);
}

/* Leave the queue, handing on the slot of the origin if it was held already. */
static void leave(struct http_slot_waiter *self)
{
    link_remove(&self->waiter.link);
    if (!self->has_origin_slot)
        return;
    self->origin->active--;
    grant(self->session, self->origin);
}

static int abort_wait(struct bight_waiter *waiter)
{
    leave(container_of(waiter, struct http_slot_waiter, waiter));
    return 0;
}

static void describe_wait(const struct bight_waiter *waiter, char *text, size_t bytes)
{
    const struct http_slot_waiter *self = container_of(waiter, struct http_slot_waiter, waiter);

    snprintf(text, bytes, "%s of %s", self->has_origin_slot ? "total" : "per host",
             self->origin->host);
}

static const struct bight_wait_ops wait_ops = {
    .name = "http limits",
    .abort = abort_wait,
    .describe = describe_wait,
};

void bight__http_slot_interrupt(struct http_slot_waiter *waiter, int code)
{
    if (link_empty(&waiter->waiter.link))
        return; /* it was granted, or has let go */
    leave(waiter);
    bight_unpark(&waiter->waiter, code);
}

bool bight__http_slot_try(struct bight_http_session *session, struct http_origin *origin)
{
    if (!link_empty(&origin->waiting) || origin_full(session, origin) ||
        !link_empty(&session->queue) || session_full(session))
        return false;
    origin->active++;
    session->active++;
    return true;
}

int bight__http_slot_wait(struct bight_http_session *session, struct bight_http_response *response,
                          struct http_origin *origin)
{
    struct http_slot_waiter self = {.session = session, .origin = origin};
    int rc = bight_waiter_init(&self.waiter, &wait_ops);

    if (rc < 0)
        return rc;
    if (link_empty(&origin->waiting) && !origin_full(session, origin)) {
        self.has_origin_slot = true;
        origin->active++;
        link_append(&session->queue, &self.waiter.link);
    } else {
        link_append(&origin->waiting, &self.waiter.link);
    }
    session->waiting++;
    response->queued = &self;
    rc = bight_park(&self.waiter);
    response->queued = NULL;
    session->waiting--;
    return rc;
}
