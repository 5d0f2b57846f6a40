/* The command line. */
#ifndef SAMPLES_REVERSE_OPTIONS_H
#define SAMPLES_REVERSE_OPTIONS_H

#include "samples/common/command.h"

#define ROUTES_MOST 64

/* Which server answers what is below a prefix. */
struct route {
    /* "/api", in the command line. */
    const char *prefix;
    size_t prefix_bytes;
    /* "http://127.0.0.1:9000", of which `authority` is the last part. */
    const char *origin;
    const char *authority;
    /* The same, taken apart. */
    char host[256];
    uint16_t port;
};

struct options {
    /* Where to listen: an IP literal, and a port, 0 for a free one. */
    char host[BIGHT_ADDRESS_TEXT_BYTES];
    uint16_t port;
    struct route routes[ROUTES_MOST];
    size_t route_count;
    /* Times of the servers behind. */
    int64_t connect_ms;
    int64_t silence_ms;
    uint64_t max_body_bytes;
    /* See bight_http_serve_options.trusted; NULL: nobody. */
    const char *trusted;
    bool replace_host;
    bool verbose;
};

/* Read the command line into *options, which then points into argv. */
BIGHT_MUST_CHECK enum command_outcome options_read(struct options *options, int argc, char **argv);

/* The route with the longest prefix of `path`; NULL: there is none. */
const struct route *options_route(const struct options *options, const char *path);

#endif
