/* See site_rows.h. */
#include "tests/net/server/site_rows.h"

#include <stdio.h>
#include <string.h>

#include "tests/harness/world.h"

static void check_headers(const struct said *said, const struct site_row *row)
{
    for (int i = 0; i < SITE_HEADERS_MAX && row->headers[i]; i++) {
        char name[64];
        const char *colon = strchr(row->headers[i], ':');
        size_t bytes = colon ? (size_t)(colon - row->headers[i]) : strlen(row->headers[i]);

        snprintf(name, sizeof(name), "%.*s", (int)bytes, row->headers[i]);
        const char *value = said_header(said, name);
        ck_assert_msg(!value == !colon && (!colon || strcmp(value, colon + 2) == 0), "%s: %s is %s",
                      row->request, row->headers[i], value ? value : "not there");
    }
}

void site_check_row(const struct bight_static *files, const struct site_row *row)
{
    struct said said = site_ask(files, row->request);

    ck_assert_msg(said.status == row->status, "%s: %d", row->request, said.status);
    if (row->body) {
        ck_assert_msg(said.body_bytes == strlen(row->body) && strcmp(said.body, row->body) == 0,
                      "%s: %s", row->request, said.body);
    }
    check_headers(&said, row);
    said_drop(&said);
}

void site_check_rows(const struct bight_static_options *options, const struct site_row *rows,
                     size_t count)
{
    struct bight_static *files;

    ck_ok(bight_static_new(&files, site_root, options));
    for (size_t i = 0; i < count; i++)
        site_check_row(files, &rows[i]);
    bight_static_free(files);
}
