/* The echo servers of bench_tls: OpenSSL over memory BIOs on epoll, and bight's. */
#include "bench/bench.h"
#include "bench/echo_tasks.h"
#include "bench/run.h"
#include "bench/tls.h"

#include <errno.h>
#include <malloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <bight/tls.h>

#define EVENTS 256
#define DESCRIPTORS 65536
#define BUFFER_BYTES 65536
#define PLAIN_BYTES 16384

/* The raw one */

struct peer {
    SSL *ssl;
    BIO *in, *out; /* the SSL's */
    int fd;
    bool waits; /* for the peer to take what is in `out` */
};

/* By its descriptor. */
static struct peer peers[DESCRIPTORS];

static SSL_CTX *context_new(const struct tls_identity *identity)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    BIO *certificate = BIO_new_mem_buf(identity->certificate, -1);
    BIO *key = BIO_new_mem_buf(identity->key, -1);
    X509 *parsed = PEM_read_bio_X509(certificate, NULL, NULL, NULL);
    EVP_PKEY *parsed_key = PEM_read_bio_PrivateKey(key, NULL, NULL, NULL);
    bool used = SSL_CTX_use_certificate(context, parsed) == 1 &&
                SSL_CTX_use_PrivateKey(context, parsed_key) == 1;

    bench_check(used ? 0 : BIGHT_ETLS, "certificate");
    X509_free(parsed);
    EVP_PKEY_free(parsed_key);
    BIO_free(certificate);
    BIO_free(key);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    return context;
}

static void watch(int epoll, struct peer *peer, int operation, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = peer};

    bench_check(epoll_ctl(epoll, operation, peer->fd, &event) ? -errno : 0, "epoll_ctl");
}

static void raw_accept(int epoll, int listener, SSL_CTX *context)
{
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    const int on = 1;
    struct peer *peer;

    if (fd < 0)
        return;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    bench_check(fd < DESCRIPTORS ? 0 : BIGHT_EMFILE, "accept");
    peer = &peers[fd];
    peer->fd = fd;
    peer->waits = false;
    peer->ssl = SSL_new(context);
    peer->in = BIO_new(BIO_s_mem());
    peer->out = BIO_new(BIO_s_mem());
    bench_check(peer->ssl && peer->in && peer->out ? 0 : BIGHT_ENOMEM, "SSL");
    SSL_set_bio(peer->ssl, peer->in, peer->out);
    SSL_set_accept_state(peer->ssl);
    watch(epoll, peer, EPOLL_CTL_ADD, EPOLLIN);
}

/* Send what OpenSSL has written. */
static void raw_flush(int epoll, struct peer *peer)
{
    static char buffer[BUFFER_BYTES];
    char *data;
    long bytes;

    while ((bytes = BIO_get_mem_data(peer->out, &data)) > 0) {
        ssize_t sent = send(peer->fd, data, (size_t)bytes, MSG_NOSIGNAL);

        if (sent < 0) {
            if (errno == EAGAIN && !peer->waits)
                watch(epoll, peer, EPOLL_CTL_MOD, EPOLLOUT);
            peer->waits = errno == EAGAIN;
            return;
        }
        if (sent == bytes) {
            (void)BIO_reset(peer->out);
            break;
        }
        while (sent > 0)
            sent -= BIO_read(peer->out, buffer, (int)(sent < BUFFER_BYTES ? sent : BUFFER_BYTES));
    }
    if (peer->waits)
        watch(epoll, peer, EPOLL_CTL_MOD, EPOLLIN);
    peer->waits = false;
}

/* False: the connection is over. */
static bool raw_step(struct peer *peer)
{
    static char plain[PLAIN_BYTES];
    int count;

    ERR_clear_error();
    while ((count = SSL_read(peer->ssl, plain, sizeof plain)) > 0) {
        if (SSL_write(peer->ssl, plain, count) != count)
            return false;
    }
    return SSL_get_error(peer->ssl, count) == SSL_ERROR_WANT_READ;
}

static bool raw_serve(int epoll, struct peer *peer)
{
    static char buffer[BUFFER_BYTES];
    ssize_t count;
    bool goes_on;

    if (peer->waits) {
        raw_flush(epoll, peer);
        return true;
    }
    count = recv(peer->fd, buffer, sizeof buffer, 0);
    if (count < 0 && errno == EAGAIN)
        return true;
    goes_on = count > 0 && BIO_write(peer->in, buffer, (int)count) == count && raw_step(peer);
    if (!goes_on)
        SSL_shutdown(peer->ssl);
    raw_flush(epoll, peer);
    return goes_on;
}

static void raw_close(struct peer *peer)
{
    close(peer->fd);
    SSL_free(peer->ssl);
}

void tls_raw(const struct serving_job *job, const struct tls_identity *identity)
{
    struct epoll_event events[EVENTS], first = {.events = EPOLLIN};
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    SSL_CTX *context = context_new(identity);
    unsigned closed = 0;

    bench_check(epoll_ctl(epoll, EPOLL_CTL_ADD, job->listener, &first) ? -errno : 0, "epoll_ctl");
    while (closed < job->connections) {
        int count = epoll_wait(epoll, events, EVENTS, -1);

        for (int i = 0; i < count; i++) {
            struct peer *peer = events[i].data.ptr;

            if (!peer) {
                raw_accept(epoll, job->listener, context);
            } else if (!raw_serve(epoll, peer)) {
                raw_close(peer);
                closed++;
            }
        }
    }
    close(epoll);
    SSL_CTX_free(context);
}

/* Ours */

struct server {
    struct echo_tasks tasks; /* the handler's argument */
    const struct tls_identity *identity;
};

static int serve(void *arg)
{
    struct server *server = arg;
    const struct bight_tls_context_options options = {
        .certificate_pem = server->identity->certificate, .key_pem = server->identity->key};
    struct bight_tls_context *context;
    int rc;

    bench_check(bight_tls_context_new(&context, &options, NULL), "context");
    echo_tasks_listen(&server->tasks);
    rc = bight_tls_serve(server->tasks.listener, context, echo_in_place, &server->tasks, NULL);
    bench_check(rc, "serve");
    bight_tls_context_free(context);
    return bight_listener_end(server->tasks.listener);
}

void tls_bight(const struct serving_job *job, const struct tls_identity *identity)
{
    struct server server = {.tasks = {.job = job}, .identity = identity};

    bench_run(serve, &server);
}

/* OpenSSL's memory: each block with the word that malloc adds. */

static uint64_t resident_before;
static uint64_t openssl_bytes;

static size_t block_bytes(void *block)
{
    return block ? malloc_usable_size(block) + sizeof(size_t) : 0;
}

static void *count_alloc(size_t bytes, const char *file, int line)
{
    void *block = malloc(bytes);

    (void)file;
    (void)line;
    openssl_bytes += block_bytes(block);
    return block;
}

static void *count_realloc(void *block, size_t bytes, const char *file, int line)
{
    size_t before = block_bytes(block);
    void *again = realloc(block, bytes);

    (void)file;
    (void)line;
    if (again)
        openssl_bytes += block_bytes(again) - before;
    return again;
}

static void count_free(void *block, const char *file, int line)
{
    (void)file;
    (void)line;
    openssl_bytes -= block_bytes(block);
    free(block);
}

static void print_resident(void)
{
    printf("%lld\n", (long long)(serving_resident_bytes() - resident_before - openssl_bytes));
}

void tls_count_memory(struct serving_job *job)
{
    int done = CRYPTO_set_mem_functions(count_alloc, count_realloc, count_free);

    bench_check(done == 1 ? 0 : BIGHT_EBUSY, "memory functions");
    resident_before = serving_resident_bytes();
    job->all_idle = print_resident;
}
