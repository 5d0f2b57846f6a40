/* Where the records go: a file or standard output, a line at a time. */
#ifndef SCRAPER_OUTPUT_H
#define SCRAPER_OUTPUT_H

#include <stdio.h>

#include "samples/scraper/record.h"

struct output {
    FILE *file;
    struct bytes line;
};

/* Open `path`, emptied; NULL is standard output. Returns 0 or a negative errno. */
BIGHT_MUST_CHECK int output_open(struct output *output, const char *path);

/* Write and flush the line of `record`: what was written survives whatever happens next. Returns 0,
 * BIGHT_ENOMEM, or the negative errno of the write. */
BIGHT_MUST_CHECK int output_write(struct output *output, const struct record *record);

/* Returns 0 or the negative errno of the last write. */
BIGHT_MUST_CHECK int output_close(struct output *output);

#endif
