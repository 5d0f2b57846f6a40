/* The command line. */
#ifndef SAMPLES_SERVICE_OPTIONS_H
#define SAMPLES_SERVICE_OPTIONS_H

#include "samples/common/command.h"

struct options {
    /* Where to listen: an IP literal, and a port, 0 for a free one. */
    char host[BIGHT_ADDRESS_TEXT_BYTES];
    uint16_t port;
    /* Where the notes are. */
    const char *store;
    /* Processes for searches; 0: one for each CPU. */
    unsigned workers;
    /* For one request, and for all that are under way when a signal comes. */
    int64_t deadline_ms;
    int64_t drain_ms;
    bool access_log;
};

/* Read the command line into *options, which then points into argv. */
BIGHT_MUST_CHECK enum command_outcome options_read(struct options *options, int argc, char **argv);

#endif
