/* Servers that others wrote: nginx (plain, and TLS with HTTP/2) and httpbin. Started for one
 * test, on ports of the kernel's choice. */
#ifndef TESTS_NET_HTTP_HTTP_PEERS_H
#define TESTS_NET_HTTP_HTTP_PEERS_H

#include <bight/curl.h>
#include <stdint.h>
#include <sys/types.h>

struct nginx {
    pid_t pid;
    uint16_t port;      /* http */
    uint16_t tls_port;  /* https, with a certificate for "localhost" of ca_file's own */
    uint16_t tls1_port; /* the same without HTTP/2 */
    int silent;         /* listens, and never says a word */
    char folder[64];
    char ca_file[80];
};

/* The `begin` of suites that are skipped without these programs. */
void nginx_needed(int argc, char **argv);
void httpbin_needed(int argc, char **argv);

/* It serves /small (1 KiB), /large (8 MiB), /page.html and /large.html (32 KiB and 1 MiB,
 * compressed on request), in all of which byte i is i * 7 mod 251, /down (302 to http), /up (302
 * to https), and with TLS /never, of which nothing comes. It closes a connection after 20 requests
 * and when it was idle for 100 ms (with TLS later). */
void nginx_start(struct nginx *nginx);
void nginx_stop(struct nginx *nginx);
/* A hook of libcurl: trust the certificate of the nginx that `arg` is. */
int nginx_trust(void *arg, CURL *easy);

struct httpbin {
    pid_t pid;
    uint16_t port;
};

void httpbin_start(struct httpbin *httpbin);
void httpbin_stop(struct httpbin *httpbin);

#endif
