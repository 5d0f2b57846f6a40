/* Names for libcurl: bight resolves them and hands them over before the hop, since libcurl's own
 * resolver blocks for seconds when a transfer is removed during a lookup. libcurl keeps for a while
 * what it was told, and need not be told again during that time. */
#include "net/http/limits.h"

#include <stdio.h>

#include <bight/scope.h>
#include <bight/time.h>

#include "net/http/response.h"
#include "net/resolve/door.h"

/* How long we rely on what libcurl was told about a name: shorter than libcurl keeps it. */
#define FED_NS (HTTP_LIBCURL_CACHE_SECONDS / 4 * UINT64_C(1000000000))
/* libcurl drops the oldest names beyond 29,999. */
#define FED_NAMES 20000

static bool is_fed(const struct bight_http_session *session, const struct http_origin *origin)
{
    return origin->fed_until_ns && bight_now_ns() < origin->fed_until_ns &&
           session->fed_serial - origin->fed_serial < FED_NAMES;
}

void bight__http_names_fed(struct bight_http_session *session, struct http_origin *origin,
                           uint64_t fresh_until_ns)
{
    uint64_t limit_ns = bight_now_ns() + FED_NS;

    origin->fed_until_ns = fresh_until_ns < limit_ns ? fresh_until_ns : limit_ns;
    origin->fed_serial = ++session->fed_serial;
}

void bight__http_names_forget(struct bight_http_session *session)
{
    session->fed_serial += FED_NAMES;
}

static int fail_unresolved(struct bight_http_response *response, const char *name,
                           const struct bight_resolved *resolved)
{
    struct bight_http_error *error = &response->error;

    bight__http_fail(response, BIGHT_HTTP_RESOLVE, BIGHT_ERESOLVE, "");
    snprintf(error->text, sizeof(error->text), "%.*s: %s", 100, name, resolved->text);
    return BIGHT_ERESOLVE;
}

int bight__http_names_get(struct http_call *call, const struct http_origin *origin,
                          struct bight_resolved *resolved, uint64_t *fresh_until_ns)
{
    struct bight_http_response *response = call->response;
    struct bight_http_session *session = response->session;
    struct resolve_waiter waiter;
    struct bight_scope scope;
    int rc;

    if (origin->literal || is_fed(session, origin))
        return 0;
    rc = bight_scope_begin(
        &scope, http_sooner(http_time_left(response), session->options.resolve_timeout_ms),
        BIGHT_SCOPE_INHERIT);
    if (rc)
        return rc;
    call->resolving = &waiter;
    rc = bight__resolve(session->resolver, origin->host, resolved, &waiter);
    call->resolving = NULL;
    rc = bight_scope_end(&scope, rc);
    if (rc == BIGHT_ETIMEDOUT)
        return http_fail_late(response, "the name was not resolved in time");
    if (rc == BIGHT_ERESOLVE)
        return fail_unresolved(response, origin->host, resolved);
    if (rc)
        return rc;
    *fresh_until_ns = waiter.fresh_until_ns;
    return 1;
}
