/* The command line. */
#ifndef SCRAPER_OPTIONS_H
#define SCRAPER_OPTIONS_H

#include "samples/common/command.h"

#define SCRAPER_VERSION "0.1"

struct options {
    /* Transfers in flight, in total and per host. */
    unsigned transfers;
    unsigned per_host;
    /* Parser processes; 0: as many as CPUs. */
    unsigned workers;
    /* Negative: no limit. */
    int64_t depth_max;
    int64_t pages_max;
    /* NULL: standard output. */
    const char *output;
    int64_t timeout_ms;
    unsigned retries;
    uint64_t body_bytes_max;
    int64_t delay_ms;
    const char *user_agent;
    bool robots;
    bool any_host;
    bool quiet;
    /* The start URLs in normal form, each once. */
    char **urls;
    size_t url_count;
};

/* Read the command line into *options, to be freed with options_free whatever the outcome. */
BIGHT_MUST_CHECK enum command_outcome options_read(struct options *options, int argc, char **argv);
void options_free(struct options *options);

#endif
