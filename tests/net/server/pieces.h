/* Requests in a table, each of which comes whole, byte by byte, and in two pieces cut at every
 * place, always with the same outcome. Another request follows each. */
#ifndef TESTS_NET_SERVER_PIECES_H
#define TESTS_NET_SERVER_PIECES_H

#include "tests/net/server/talk.h"

struct pieces_row {
    const char *name;
    const char *bytes;
    size_t count;
    int status;
    const char *text; /* of a request that is taken: as pieces_take answers */
};

/* One that is refused with `status_`; one that is taken, and what the handler saw. */
#define refused_row(name_, status_, request)                                                       \
    {                                                                                              \
        name_, request, sizeof(request) - 1, status_, NULL                                         \
    }
#define taken_row(name_, request, text_)                                                           \
    {                                                                                              \
        name_, request, sizeof(request) - 1, 200, text_                                            \
    }

struct pieces_table {
    const struct pieces_row *rows;
    size_t count;
};

#define pieces_of(rows_)                                                                           \
    {                                                                                              \
        rows_, sizeof(rows_) / sizeof(*(rows_))                                                    \
    }

/* Bodies of cases, whose .arg is a table. Insist that each row is refused so, and that the
 * connection is closed before what follows; that each is answered so, and what follows too. */
int pieces_are_refused(void *table);
int pieces_are_taken(void *table);

/* A handler that reads the body, and answers with method, path, query, host and body in brackets,
 * which stand for a NULL query too. */
int pieces_take(struct bight_exchange *exchange, void *arg);

#endif
