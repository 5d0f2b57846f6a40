/* The command line. */
#ifndef SAMPLES_SERVE_OPTIONS_H
#define SAMPLES_SERVE_OPTIONS_H

#include "samples/common/command.h"

struct options {
    /* Where to listen: an IP literal, and a port, 0 for a free one. */
    char host[BIGHT_ADDRESS_TEXT_BYTES];
    uint16_t port;
    const char *root;
    const char *index;
    /* "": let caches decide. */
    char cache_control[32];
    bool dot_files;
    bool precompressed;
    bool verbose;
};

/* Read the command line into *options, which then points into argv. */
BIGHT_MUST_CHECK enum command_outcome options_read(struct options *options, int argc, char **argv);

#endif
