/* For fuzz targets of what is read out of a request's head: an exchange outside of a server, which
 * can be asked but not answered. Link exchange.c. */
#ifndef TESTS_FUZZ_EXCHANGE_H
#define TESTS_FUZZ_EXCHANGE_H

#include "net/server/server.h"
#include "tests/fuzz/fuzz.h"

struct fuzz_exchange {
    struct http_server server;
    struct http_connection connection;
    struct bight_exchange *exchange;
    char *text;
};

/* Make one whose head has a header `name` for each of the lines in `values`; false: they cannot be
 * headers. */
bool fuzz_exchange_open(struct fuzz_exchange *opened, const char *name, const char *values,
                        size_t bytes);
void fuzz_exchange_close(struct fuzz_exchange *opened);

#endif
