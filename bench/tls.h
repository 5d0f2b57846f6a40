/* The TLS servers of bench_tls and the load that is put on them. All sides use one certificate,
 * which is made here and which nobody checks: what is measured is the server's. */
#ifndef BIGHT_BENCH_TLS_H
#define BIGHT_BENCH_TLS_H

#include "bench/serving.h"

struct tls_identity {
    char certificate[2048];
    char key[1024];
};

/* In PEM, with a key on the curve P-256. */
void tls_identity_make(struct tls_identity *identity);

/* What comes is sent back, until all connections were closed. */
void tls_raw(const struct serving_job *job, const struct tls_identity *identity);
void tls_bight(const struct serving_job *job, const struct tls_identity *identity);
/* Have OpenSSL's memory be counted, before its first call; when all connections of the job are
 * idle, print how much they have without it. */
void tls_count_memory(struct serving_job *job);

/* `connections` that each send a request and read the answer, again and again. */
void tls_put(const struct serving *serving, uint16_t port, uint64_t requests);
/* One connection after the other, that many at a time, closed after a full handshake. */
void tls_put_handshakes(const struct serving *serving, uint16_t port, uint64_t requests);

#endif
