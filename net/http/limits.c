/* Origins and slots. The limits are bight's own, so that nothing ever queues inside libcurl, where
 * it could neither be cancelled at once nor be counted. */
#include "net/http/limits.h"

#include <stdio.h>
#include <string.h>

#include <bight/scope.h>

#include "coro/base/hash.h"
#include "coro/base/list.h"
#include "net/http/response.h"

/* How many unused origins are kept, because they remember what libcurl was told. */
#define IDLE_ORIGINS 1024

static struct http_origin *origin_of(struct hash_node *node)
{
    return container_of(node, struct http_origin, place);
}

int bight__http_limits_init(struct bight_http_session *session)
{
    link_init(&session->idle_origins);
    link_init(&session->queue);
    return bight__hash_init(&session->origins, session->seams);
}

static void origin_free(struct bight_http_session *session, struct http_origin *origin)
{
    bight__hash_remove(&session->origins, &origin->place);
    bight__free(origin);
}

void bight__http_limits_fini(struct bight_http_session *session)
{
    struct hash_table *origins = &session->origins;

    for (size_t i = 0; origins->buckets && i < origins->bucket_count; i++)
        while (origins->buckets[i])
            origin_free(session, origin_of(origins->buckets[i]));
    bight__hash_fini(origins);
}

static struct http_origin *origin_new(struct bight_http_session *session,
                                      const struct http_url *url, uint32_t hash)
{
    size_t bytes = strlen(url->host) + 1;
    struct http_origin *origin = bight__alloc_zero(session->seams, sizeof(*origin) + bytes);

    if (!origin)
        return NULL;
    memcpy(origin->host, url->host, bytes);
    origin->https = url->https;
    origin->port = url->port;
    origin->literal = url->literal;
    link_init(&origin->idle);
    link_init(&origin->waiting);
    bight__hash_add(&session->origins, session->seams, &origin->place, hash);
    return origin;
}

static bool is_origin(const struct http_origin *origin, const struct http_url *url)
{
    return origin->port == url->port && origin->https == url->https &&
           strcmp(origin->host, url->host) == 0;
}

static int origin_get(struct bight_http_session *session, const struct http_url *url,
                      struct http_origin **out)
{
    uint64_t seed = session->origins.seed + url->port * 2u + url->https;
    uint32_t hash = hash_bytes(seed, url->host, strlen(url->host));
    struct hash_node *node = hash_first(&session->origins, hash);
    struct http_origin *origin;

    while (node && !is_origin(origin_of(node), url))
        node = hash_along(node->chain, hash);
    origin = node ? origin_of(node) : origin_new(session, url, hash);
    if (!origin)
        return BIGHT_ENOMEM;
    if (origin->refs++ == 0 && !link_empty(&origin->idle)) {
        link_remove(&origin->idle);
        session->idle_origin_count--;
    }
    *out = origin;
    return 0;
}

static void origin_put(struct bight_http_session *session, struct http_origin *origin)
{
    if (--origin->refs)
        return;
    link_append(&session->idle_origins, &origin->idle);
    if (++session->idle_origin_count <= IDLE_ORIGINS)
        return;
    session->idle_origin_count--;
    origin_free(session, container_of(link_take(&session->idle_origins), struct http_origin, idle));
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

/* Pass on the slots that have become free: those of the origin first, then the session's. */
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
    origin_put(session, origin);
}

/* Leave the queue. If this waiter holds the origin's slot already, hand it on. */
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

static const struct bight_waiter_ops wait_ops = {
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

static bool slot_try(struct bight_http_session *session, struct http_origin *origin)
{
    if (!link_empty(&origin->waiting) || origin_full(session, origin) ||
        !link_empty(&session->queue) || session_full(session))
        return false;
    origin->active++;
    session->active++;
    return true;
}

/* The scopes around the call bound the wait. */
static int slot_wait(struct http_call *call, struct http_origin *origin)
{
    struct bight_http_session *session = call->response->session;
    struct http_slot_waiter self = {.session = session, .origin = origin};
    int rc = bight_waiter_init(&self.waiter, &wait_ops);

    if (rc)
        return rc;
    if (link_empty(&origin->waiting) && !origin_full(session, origin)) {
        self.has_origin_slot = true;
        origin->active++;
        link_append(&session->queue, &self.waiter.link);
    } else {
        link_append(&origin->waiting, &self.waiter.link);
    }
    session->waiting++;
    call->queued = &self;
    rc = bight_park(&self.waiter);
    call->queued = NULL;
    session->waiting--;
    return rc;
}

static int slot_wait_in_time(struct http_call *call, struct http_origin *origin)
{
    struct bight_scope scope;
    int rc = bight_scope_begin(&scope, http_time_left(call->response), BIGHT_SCOPE_INHERIT);

    if (rc)
        return rc;
    rc = bight_scope_end(&scope, slot_wait(call, origin));
    return rc == BIGHT_ETIMEDOUT ? http_fail_late(call->response, "the limits left no room in time")
                                 : rc;
}

int bight__http_slot_take(struct http_call *call, struct http_origin **out)
{
    struct bight_http_session *session = call->response->session;
    struct http_origin *origin;
    int rc = origin_get(session, &call->url, &origin);

    if (rc)
        return rc;
    if (!slot_try(session, origin) && (rc = slot_wait_in_time(call, origin))) {
        origin_put(session, origin);
        return rc;
    }
    *out = origin;
    return 0;
}
