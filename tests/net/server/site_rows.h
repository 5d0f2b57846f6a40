/* What the suites of whole answers of static files share: requests in a table, and what is answered
 * to each. */
#ifndef TESTS_NET_SERVER_SITE_ROWS_H
#define TESTS_NET_SERVER_SITE_ROWS_H

#include <stddef.h>

#include "tests/net/server/site.h"

/* What is in letters.txt. */
#define LETTERS "abcdefghijklmnopqrstuvwxyz"
#define SITE_HEADERS_MAX 6

struct site_row {
    const char *request;
    int status;
    const char *body; /* NULL: not looked at */
    /* "Name: value", or "Name" for one that there is not. */
    const char *headers[SITE_HEADERS_MAX];
};

/* Insist that a server of `files` answers so. In a task. */
void site_check_row(const struct bight_static *files, const struct site_row *row);
/* The same of each row, to a server of site_root with these options. */
void site_check_rows(const struct bight_static_options *options, const struct site_row *rows,
                     size_t count);
#define CHECK_ROWS(options, rows) site_check_rows(options, rows, sizeof(rows) / sizeof(*(rows)))

#endif
