/* Trace contexts of requests: each is a span of its own, in the trace that its headers name or in
 * a new one. Read <bight/trace_context.h> first. */
#include "net/server/server.h"

#include <string.h>
#include <strings.h>

static bool is_followed(const struct bight_exchange *exchange)
{
    return exchange->server->options.trace_context == BIGHT_TRACE_FROM_ANYONE ||
           bight__peer_is_trusted(exchange);
}

/* The header that there must be one of; NULL: there is none, or several, which are none. */
static const char *find_only(const struct bight_exchange *exchange, const char *wanted)
{
    const char *name, *value, *found = NULL;

    for (size_t i = 0; bight_exchange_header_at(exchange, i, &name, &value) == 0; i++) {
        if (strcasecmp(name, wanted) != 0)
            continue;
        if (found)
            return NULL;
        found = value;
    }
    return found;
}

/* The lists of all headers tracestate as one, in order; NULL: there is none, or no memory. */
static const char *join_states(struct bight_exchange *exchange)
{
    const char *name, *value;
    size_t bytes = 0, used = 0;
    char *joined;

    for (size_t i = 0; bight_exchange_header_at(exchange, i, &name, &value) == 0; i++)
        bytes += strcasecmp(name, "tracestate") == 0 ? strlen(value) + 1 : 0;
    joined = bytes ? bight__exchange_keep(exchange, bytes) : NULL;
    if (!joined)
        return NULL;
    for (size_t i = 0; bight_exchange_header_at(exchange, i, &name, &value) == 0; i++) {
        if (strcasecmp(name, "tracestate") != 0)
            continue;
        memcpy(joined + used, value, strlen(value));
        used += strlen(value);
        joined[used++] = ',';
    }
    joined[used - 1] = '\0';
    return joined;
}

int bight__trace_begin(struct bight_exchange *exchange)
{
    const char *text = is_followed(exchange) ? find_only(exchange, "traceparent") : NULL;
    struct bight_trace_context parent;
    bool has_parent = text && bight_trace_context_parse(&parent, text) == 0;
    int rc = bight_trace_context_make(&exchange->trace, has_parent ? &parent : NULL);

    if (rc)
        return rc;
    exchange->traced = true;
    rc = bight_trace_context_set(&exchange->trace, has_parent ? join_states(exchange) : NULL);
    /* A state that is no list does not go on, and the trace does. */
    return rc == BIGHT_EINVAL ? bight_trace_context_set(&exchange->trace, NULL) : rc;
}

void bight__trace_end(void)
{
    if (bight_trace_context_set(NULL, NULL))
        return; /* it was set before, so there is memory for it */
}

int bight_exchange_trace_context(const struct bight_exchange *exchange,
                                 struct bight_trace_context *out)
{
    if (!exchange || !out)
        return BIGHT_EINVAL;
    if (!exchange->traced)
        return BIGHT_ENOENT;
    *out = exchange->trace;
    return 0;
}
