/* What a client remembers of servers: sessions by name, the newest first. A ticket of TLS 1.3 is
 * used once, so that nobody who listens can tell two connections to be of one client (RFC 8446,
 * appendix C.4). */
#include "net/tls/tls.h"

#include <string.h>

#define SESSIONS_MOST 256

struct session {
    struct bight_link link;
    SSL_SESSION *native;
    char key[];
};

static void forget(struct bight_tls_context *context, struct session *session)
{
    link_cut(&session->link);
    context->sessions_count--;
    SSL_SESSION_free(session->native);
    bight__free(session);
}

static struct session *find(const struct bight_tls_context *context, const char *key)
{
    const struct bight_link *all = &context->sessions;

    for (struct bight_link *link = all->next; link != all; link = link->next) {
        struct session *session = container_of(link, struct session, link);

        if (strcmp(session->key, key) == 0)
            return session;
    }
    return NULL;
}

/* Locked */
static void offer(struct bight_tls_context *context, SSL *ssl, const char *key)
{
    struct session *session;

    while ((session = find(context, key))) {
        bool usable = SSL_SESSION_is_resumable(session->native) == 1 &&
                      SSL_set_session(ssl, session->native) == 1;

        if (!usable || SSL_SESSION_get_protocol_version(session->native) >= TLS1_3_VERSION)
            forget(context, session);
        if (usable)
            return;
    }
}

void bight__tls_sessions_offer(struct bight_tls_context *context, SSL *ssl, const char *key)
{
    if (!*key)
        return;
    pthread_mutex_lock(&context->lock);
    offer(context, ssl, key);
    pthread_mutex_unlock(&context->lock);
}

static void add(struct bight_tls_context *context, struct session *session)
{
    link_prepend(&context->sessions, &session->link);
    context->sessions_count++;
    if (context->sessions_count > SESSIONS_MOST)
        forget(context, container_of(context->sessions.prev, struct session, link));
}

/* Not one that was begun before the context was renewed: whom it trusts may have changed. */
static bool keep(struct bight_tls_context *context, const SSL *ssl, struct session *session)
{
    bool current;

    pthread_mutex_lock(&context->lock);
    current = SSL_get_SSL_CTX(ssl) == context->current;
    if (current)
        add(context, session);
    pthread_mutex_unlock(&context->lock);
    return current;
}

/* 1: the session is ours from now on. Without memory the next handshake is a full one. */
int bight__tls_on_session(SSL *ssl, SSL_SESSION *native)
{
    const struct tls *tls = SSL_get_app_data(ssl);
    size_t bytes = strlen(tls->session_key) + 1;
    struct session *session;

    if (!tls->is_client || bytes == 1)
        return 0;
    session = bight__alloc(bight__tls_seams(), sizeof(*session) + bytes);
    if (!session)
        return 0;
    session->native = native;
    memcpy(session->key, tls->session_key, bytes);
    if (keep(tls->context, ssl, session))
        return 1;
    bight__free(session);
    return 0;
}

void bight__tls_sessions_free(struct bight_tls_context *context)
{
    while (!link_empty(&context->sessions))
        forget(context, container_of(context->sessions.next, struct session, link));
}
