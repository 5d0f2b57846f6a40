/* Sessions: options, beginning and end. The end is the interesting part: first tasks inside calls
 * leave, then libcurl closes its connections, then libuv the handles, and then the memory goes. */
#include "net/http/session.h"

#include <stdio.h>
#include <string.h>

#include <bight/task.h>
#include <bight/waiter.h>

#include "coro/base/list.h"
#include "coro/base/seams.h"
#include "net/http/coding.h"
#include "net/http/limits.h"
#include "net/http/response.h"
#include "net/http/transfer.h"
#include "net/resolve/door.h"

#define STRING(x) #x
#define VERSION_TEXT(major, minor, patch) STRING(major) "." STRING(minor) "." STRING(patch)

static const char plugin_key[] = "http session";

static int64_t time_option(int64_t ms, int64_t fallback_ms)
{
    return ms ? ms : fallback_ms;
}

static int copy_text(struct bight_http_session *session, const char *text, const char **copy)
{
    size_t bytes = strlen(text) + 1;
    char *memory;

    if (!bight__http_valid_value(text))
        return BIGHT_EINVAL;
    memory = bight__alloc(session->seams, bytes);
    if (!memory)
        return BIGHT_ENOMEM;
    memcpy(memory, text, bytes);
    *copy = memory;
    return 0;
}

/* What to ask for; NULL: all that can be undone. */
static int set_accept_line(struct bight_http_session *session, const char *codings)
{
    static const char name[] = "Accept-Encoding: ";
    size_t bytes;

    if (!codings)
        codings = bight__http_codings_known();
    if (!*codings)
        return 0;
    if (!bight__http_valid_value(codings))
        return BIGHT_EINVAL;
    bytes = sizeof(name) + strlen(codings);
    session->accept_line = bight__alloc(session->seams, bytes);
    if (!session->accept_line)
        return BIGHT_ENOMEM;
    snprintf(session->accept_line, bytes, "%s%s", name, codings);
    return 0;
}

static int copy_options(struct bight_http_session *session,
                        const struct bight_http_session_options *from)
{
    struct bight_http_session_options *to = &session->options;
    const char *agent = from->user_agent;
    int rc = 0;

    *to = *from;
    to->user_agent = to->accept_encoding = NULL;
    to->headers = NULL;
    to->base_url = NULL;
    to->max_total = from->max_total ? from->max_total : 100;
    to->max_per_host = from->max_per_host ? from->max_per_host : 8;
    to->resolve_timeout_ms = time_option(from->resolve_timeout_ms, 15000);
    to->connect_timeout_ms = time_option(from->connect_timeout_ms, 15000);
    if (to->connect_timeout_ms > INT32_MAX)
        to->connect_timeout_ms = -1;
    to->idle_timeout_ms = time_option(from->idle_timeout_ms, 60000);
    to->total_timeout_ms = time_option(from->total_timeout_ms, 300000);
    to->max_body_bytes = from->max_body_bytes ? from->max_body_bytes : UINT64_C(64) << 20;
    to->max_header_bytes = from->max_header_bytes ? from->max_header_bytes : 128u << 10;
    to->max_redirects = from->max_redirects ? from->max_redirects : 10;
    to->buffer_bytes = from->buffer_bytes ? from->buffer_bytes : 64u << 10;
    /* A piece that libcurl delivers at once has to fit into an empty buffer. */
    if (to->buffer_bytes < CURL_MAX_WRITE_SIZE)
        to->buffer_bytes = CURL_MAX_WRITE_SIZE;
    if (!agent)
        agent =
            "bight/" VERSION_TEXT(BIGHT_VERSION_MAJOR, BIGHT_VERSION_MINOR, BIGHT_VERSION_PATCH);
    if (*agent)
        rc = copy_text(session, agent, &to->user_agent);
    if (rc == 0)
        rc = set_accept_line(session, from->accept_encoding);
    return rc ? rc : bight__http_defaults_init(session, from);
}

/* Make all requests fail: at once, or when their tasks run next. */
static void fail_all(struct bight_http_session *session)
{
    struct bight_link *link;

    session->closing = true;
    while ((link = link_take(&session->live))) {
        struct bight_http_response *response = container_of(link, struct bight_http_response, link);
        const struct http_call *call = response->call;
        if (response->hop.phase != HTTP_COMPLETE)
            bight__http_fail(response, BIGHT_HTTP_CLOSED, BIGHT_ECLOSED, "the session was closed");
        if (response->transfer)
            bight__http_transfer_abort(response->transfer);
        if (call && call->queued)
            bight__http_slot_interrupt(call->queued, BIGHT_ECLOSED);
        if (call && call->resolving)
            bight__resolve_interrupt(call->resolving, BIGHT_ECLOSED);
        bight__http_wake(response);
        if (!call)
            response->session = NULL;
    }
}

/* Called when no task is inside a call. */
static void close_handles(struct bight_http_session *session)
{
    struct bight_link *link;

    while (session->pool) {
        struct http_transfer *transfer = session->pool;
        session->pool = transfer->next;
        bight__http_handle_destroy(transfer);
    }
    while ((link = link_take(&session->responses)))
        bight__http_response_destroy(container_of(link, struct bight_http_response, link));
    bight__http_multi_fini(session);
}

/* The runtime ends, nobody has closed the session, and no task is left alive. */
static void on_runtime_end(struct bight_plugin *plugin)
{
    struct bight_http_session *session = container_of(plugin, struct bight_http_session, plugin);

    bight__opened_left(session->runtime, session, "an HTTP session");
    fail_all(session);
    close_handles(session);
}

int bight_http_session_new(struct bight_http_session **out,
                           const struct bight_http_session_options *options)
{
    static const struct bight_http_session_options defaults;
    const struct bight_seams *seams;
    struct bight_runtime *runtime;
    struct bight_http_session *session;
    int rc = bight__runtime_get(&runtime);

    if (!out)
        return BIGHT_EINVAL;
    if (rc)
        return rc;
    if (!options)
        options = &defaults;
    seams = bight__runtime_seams(runtime);
    session = bight__alloc_zero(seams, sizeof(*session));
    if (!session)
        return BIGHT_ENOMEM;
    session->runtime = runtime;
    session->seams = seams;
    session->loop = bight__runtime_loop(runtime);
    link_init(&session->live);
    link_init(&session->responses);
    rc = copy_options(session, options);
    if (rc == 0)
        rc = bight__http_limits_init(session);
    if (rc == 0) {
        session->resolver = options->resolver;
        session->owns_resolver = !options->resolver;
        if (session->owns_resolver)
            rc = bight_resolver_new(&session->resolver, &options->resolve);
        session->owns_resolver = session->owns_resolver && rc == 0;
    }
    if (rc == 0)
        rc = bight__http_multi_init(session);
    if (rc) {
        bight__http_session_free(session);
        return rc;
    }
    session->plugin.key = plugin_key;
    session->plugin.end = on_runtime_end;
    bight__plugin_add(runtime, &session->plugin);
    bight__opened_note(runtime, session);
    *out = session;
    return 0;
}

static const struct bight_waiter_ops close_ops = {
    .name = "http session close",
    .flags = BIGHT_WAITER_OUTSIDE,
};

/* Whether the running task is in a hook or a source of one of this session's requests. */
static bool is_inside(const struct bight_http_session *session)
{
    const struct bight_task *self = bight_self();

    for (struct bight_link *link = session->live.next; link != &session->live; link = link->next) {
        const struct bight_http_response *response =
            container_of(link, struct bight_http_response, link);
        if ((response->call && response->call->task == self) ||
            (response->feed && response->feed->task == self))
            return true;
    }
    return false;
}

int bight_http_session_end(struct bight_http_session *session)
{
    struct bight_waiter waiter;
    int rc;

    if (!session)
        return BIGHT_EINVAL;
    rc = bight_waiter_init(&waiter, &close_ops);
    if (rc)
        return rc;
    if (http_is_foreign(session))
        return BIGHT_EPERM;
    if (session->closing)
        return BIGHT_EALREADY;
    if (is_inside(session))
        return BIGHT_EDEADLK;
    link_remove(&session->plugin.link);
    bight__opened_forget(session->runtime, session);
    fail_all(session);
    if (session->calls) {
        session->awaits_calls = &waiter;
        rc = bight_park(&waiter);
        session->awaits_calls = NULL;
        if (rc == 0)
            rc = bight_waiter_init(&waiter, &close_ops);
        if (rc)
            return rc; /* impossible: this is a task, and its wait is not cancellable */
    }
    session->awaits_handles = &waiter;
    close_handles(session);
    rc = bight_park(&waiter);
    bight__http_session_free(session);
    return rc;
}

void bight_http_session_get_stats(const struct bight_http_session *session,
                                  struct bight_http_stats *stats)
{
    if (!session || !stats)
        return;
    *stats = session->stats;
    stats->active = (size_t)session->active;
    stats->waiting = session->waiting;
    stats->idle_handles = session->pooled;
}
