/* A context: the SSL_CTX that connections begin with, which can be replaced, and what a client
 * remembers of servers. It may be used by any thread. */
#include "net/tls/tls.h"

#include <openssl/crypto.h>

static const struct bight_tls_context_options default_options;

void bight__tls_context_hold(struct bight_tls_context *context)
{
    atomic_fetch_add_explicit(&context->users, 1, memory_order_relaxed);
}

SSL_CTX *bight__tls_context_current(struct bight_tls_context *context)
{
    SSL_CTX *current;

    pthread_mutex_lock(&context->lock);
    current = context->current;
    SSL_CTX_up_ref(current);
    pthread_mutex_unlock(&context->lock);
    return current;
}

static struct bight_tls_context *context_make(SSL_CTX *native)
{
    struct bight_tls_context *context = bight__alloc_zero(bight__tls_seams(), sizeof(*context));

    if (!context)
        return NULL;
    if (pthread_mutex_init(&context->lock, NULL)) {
        bight__free(context);
        return NULL;
    }
    atomic_init(&context->users, 1);
    link_init(&context->sessions);
    context->current = native;
    return context;
}

int bight_tls_context_new(struct bight_tls_context **out,
                          const struct bight_tls_context_options *options,
                          struct bight_tls_failure *failure)
{
    SSL_CTX *native;
    int rc;

    if (!out)
        return BIGHT_EINVAL;
    rc = bight__tls_native_new(&native, options ? options : &default_options, failure);
    if (rc)
        return rc;
    *out = context_make(native);
    if (*out)
        return 0;
    SSL_CTX_free(native);
    return bight__tls_refuse(failure, BIGHT_ENOMEM, bight_strerror(BIGHT_ENOMEM));
}

static bool asks_nobody(const SSL_CTX *native)
{
    return bight__tls_verify_mode(bight__tls_settings(native), false) == SSL_VERIFY_NONE;
}

/* Tickets that were given remain good: they are encrypted with the context's keys, and say for
 * which context they are. Not where they tell who the client is, since the new options may trust
 * others. */
static bool tickets_carry_over(SSL_CTX *from, SSL_CTX *to)
{
    unsigned char keys[128];
    long bytes;
    bool carried;

    if (!asks_nobody(from) || !asks_nobody(to))
        return true;
    bytes = SSL_CTX_get_tlsext_ticket_keys(from, NULL, 0);
    carried = bytes > 0 && bytes <= (long)sizeof(keys) &&
              SSL_CTX_get_tlsext_ticket_keys(from, keys, bytes) == 1 &&
              SSL_CTX_set_tlsext_ticket_keys(to, keys, bytes) == 1 &&
              bight__tls_set_id(to, bight__tls_settings(from)->id);
    OPENSSL_cleanse(keys, sizeof(keys));
    return carried;
}

int bight_tls_context_reload(struct bight_tls_context *context,
                             const struct bight_tls_context_options *options,
                             struct bight_tls_failure *failure)
{
    SSL_CTX *native, *before;
    int rc;

    if (!context)
        return BIGHT_EINVAL;
    rc = bight__tls_native_new(&native, options ? options : &default_options, failure);
    if (rc)
        return rc;
    pthread_mutex_lock(&context->lock);
    before = context->current;
    if (!tickets_carry_over(before, native)) {
        pthread_mutex_unlock(&context->lock);
        SSL_CTX_free(native);
        return bight__tls_fail(failure, "tickets");
    }
    context->current = native;
    bight__tls_sessions_free(context);
    pthread_mutex_unlock(&context->lock);
    SSL_CTX_free(before);
    return 0;
}

void bight_tls_context_free(struct bight_tls_context *context)
{
    if (!context || atomic_fetch_sub_explicit(&context->users, 1, memory_order_acq_rel) > 1)
        return;
    bight__tls_sessions_free(context);
    SSL_CTX_free(context->current);
    pthread_mutex_destroy(&context->lock);
    bight__free(context);
}

/* The runtime's own */

struct default_context {
    struct bight_plugin plugin;
    struct bight_tls_context *context;
};

static int default_begin(struct bight_plugin *plugin, struct bight_runtime *runtime)
{
    (void)plugin;
    (void)runtime;
    return 0;
}

static void default_end(struct bight_plugin *plugin)
{
    struct default_context *record = container_of(plugin, struct default_context, plugin);

    bight_tls_context_free(record->context);
    bight__free(record);
}

static const struct bight_plugin_kind default_kind = {
    .bytes = sizeof(struct default_context),
    .begin = default_begin,
    .end = default_end,
};

int bight__tls_context_default(struct bight_tls_context **out, struct bight_tls_failure *failure)
{
    struct bight_runtime *runtime;
    struct default_context *record;
    struct bight_plugin *plugin;
    int rc = bight__runtime_get(&runtime);

    if (rc)
        return bight__tls_refuse(failure, rc, bight_strerror(rc));
    plugin = bight__plugin_get(runtime, &default_kind, &rc);
    if (!plugin)
        return bight__tls_refuse(failure, rc, bight_strerror(rc));
    record = container_of(plugin, struct default_context, plugin);
    if (!record->context)
        rc = bight_tls_context_new(&record->context, NULL, failure);
    else
        rc = 0;
    *out = record->context;
    return rc;
}
