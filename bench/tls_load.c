/* The load of bench_tls: OpenSSL over blocking sockets. */
#include "bench/bench.h"
#include "bench/tls.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include <bight/errors.h>

static SSL_CTX *context_new(void)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());

    bench_check(context ? 0 : BIGHT_ENOMEM, "context");
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    return context;
}

static SSL *dial(SSL_CTX *context, uint16_t port)
{
    const struct sockaddr_in to = {
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    const int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    SSL *ssl = SSL_new(context);

    bench_check(fd, "socket");
    bench_check(connect(fd, (const struct sockaddr *)&to, sizeof to) ? -errno : 0, "connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    bench_check(ssl && SSL_set_fd(ssl, fd) == 1 ? 0 : BIGHT_ENOMEM, "SSL");
    bench_check(SSL_connect(ssl) == 1 ? 0 : BIGHT_ETLS, "handshake");
    return ssl;
}

static void hang_up(SSL *ssl)
{
    int fd = SSL_get_fd(ssl);

    SSL_shutdown(ssl);
    SSL_free(ssl);
    close(fd);
}

static void ask(SSL *ssl, const char *data, size_t bytes)
{
    size_t count;

    bench_check(SSL_write_ex(ssl, data, bytes, &count) == 1 ? 0 : BIGHT_ETLS, "write");
}

static void hear(SSL *ssl, char *data, size_t bytes)
{
    size_t count;

    for (size_t done = 0; done < bytes; done += count)
        bench_check(SSL_read_ex(ssl, data, bytes - done, &count) == 1 ? 0 : BIGHT_ETLS, "read");
}

void tls_put(const struct serving *serving, uint16_t port, uint64_t requests)
{
    SSL_CTX *context = context_new();
    SSL **all = calloc(serving->connections, sizeof(*all));
    char *data = calloc(1, serving->bytes);

    bench_check(all && data ? 0 : BIGHT_ENOMEM, "memory");
    for (unsigned i = 0; i < serving->connections; i++)
        all[i] = dial(context, port);
    for (uint64_t done = 0; done < requests; done += serving->connections) {
        for (unsigned i = 0; i < serving->connections; i++)
            ask(all[i], data, serving->bytes);
        for (unsigned i = 0; i < serving->connections; i++)
            hear(all[i], data, serving->bytes);
    }
    for (unsigned i = 0; i < serving->connections; i++)
        hang_up(all[i]);
    free(all);
    free(data);
    SSL_CTX_free(context);
}

void tls_put_handshakes(const struct serving *serving, uint16_t port, uint64_t requests)
{
    SSL_CTX *context = context_new();
    char byte = '!';

    (void)serving;
    for (uint64_t i = 0; i < requests; i++) {
        SSL *ssl = dial(context, port);

        ask(ssl, &byte, 1);
        hear(ssl, &byte, 1);
        hang_up(ssl);
    }
    SSL_CTX_free(context);
}
