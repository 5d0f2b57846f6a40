/* The output: one JSON object per line and URL asked for. Every field but `error` is always there,
 * null where it is not known; `error` is there only when something went wrong. */
#ifndef SCRAPER_RECORD_H
#define SCRAPER_RECORD_H

#include "samples/scraper/bytes.h"

struct record {
    const char *url;
    /* Where redirects ended. */
    const char *final_url;
    /* 0: no response. */
    int status;
    /* NULL: none. */
    const char *content_type;
    /* Of the decoded body; negative when it did not arrive whole. */
    int64_t bytes;
    /* Of the page, when it was parsed. */
    bool parsed;
    const char *title;
    uint64_t links;
    uint64_t words;
    /* Hexadecimal; NULL: not known, "" leaves the field out: built without libcrypto. */
    const char *sha256;
    /* From queue exit to the last byte. */
    int64_t ms;
    /* NULL: none. */
    const char *error;
};

/* Append the line of `record`, with its newline. Returns 0 or BIGHT_ENOMEM. */
BIGHT_MUST_CHECK int record_write(struct bytes *out, const struct record *record);

/* Append `text` as a JSON string; bytes that are not UTF-8 become U+FFFD. NULL becomes null. */
BIGHT_MUST_CHECK int record_write_string(struct bytes *out, const char *text);

#endif
