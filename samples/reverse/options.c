/* See options.h. */
#include "samples/reverse/options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char program[] = "bight-reverse";

static const char help[] =
    "Usage: bight-reverse [options] --route=/PREFIX=http://HOST:PORT...\n"
    "Hand requests on to servers behind, and what they answer back.\n"
    "\n"
    "  -l, --listen=ADDRESS:PORT  where to listen; port 0 is a free one (127.0.0.1:8000)\n"
    "  -r, --route=/PREFIX=http://HOST:PORT\n"
    "                             who answers what is below /PREFIX; the longest prefix counts\n"
    "  -o, --replace-host         send HOST:PORT as Host, instead of what the client asked for\n"
    "  -t, --trusted=NETWORKS     proxies in front that are believed who their client is\n"
    "  -c, --connect=S            how long a connection may take (10)\n"
    "  -s, --silence=S            how long a server may be silent (60), but for event streams\n"
    "  -m, --max-body=BYTES       of a request (no limit)\n"
    "  -v, --verbose              print a line per request, as Apache does\n"
    "  -h, --help                 show this\n"
    "  -V, --version              show the version\n"
    "\n"
    "SIGTERM and SIGINT end it, after the requests that are under way.\n"
    "Exit status: 0 ended by a signal; 1 a failure; 2 usage.\n";

static const struct option long_options[] = {
    {"listen", required_argument, NULL, 'l'},
    {"route", required_argument, NULL, 'r'},
    {"replace-host", no_argument, NULL, 'o'},
    {"trusted", required_argument, NULL, 't'},
    {"connect", required_argument, NULL, 'c'},
    {"silence", required_argument, NULL, 's'},
    {"max-body", required_argument, NULL, 'm'},
    {"verbose", no_argument, NULL, 'v'},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {NULL, 0, NULL, 0},
};

static bool read_number(const char *text, uint64_t most, uint64_t *number)
{
    char *end;

    /* strtoull would take "-1" and " 1". */
    if (!isdigit((unsigned char)*text))
        return false;
    errno = 0;
    *number = strtoull(text, &end, 10);
    return !errno && !*end && *number <= most;
}

static bool read_seconds(const char *text, int64_t *ms)
{
    uint64_t seconds;

    if (!read_number(text, INT32_MAX, &seconds) || seconds == 0)
        return false;
    *ms = (int64_t)seconds * 1000;
    return true;
}

/* "HOST:PORT"; the host of "[::1]:80" is "::1". */
static bool read_host(const char *text, char *host, size_t room, uint16_t *port)
{
    const char *colon = strrchr(text, ':');
    size_t bytes = colon ? (size_t)(colon - text) : 0;
    uint64_t number;

    if (bytes == 0 || !read_number(colon + 1, UINT16_MAX, &number))
        return false;
    if (bytes > 2 && *text == '[' && text[bytes - 1] == ']') {
        text++;
        bytes -= 2;
    } else if (memchr(text, ':', bytes)) {
        return false;
    }
    if (bytes >= room)
        return false;
    memcpy(host, text, bytes);
    host[bytes] = '\0';
    *port = (uint16_t)number;
    return true;
}

static bool read_listen(struct options *options, const char *text)
{
    struct bight_address address;

    return read_host(text, options->host, sizeof options->host, &options->port) &&
           bight_address_parse(options->host, &address) == 0;
}

/* "/api=http://127.0.0.1:9000" */
static bool read_route(struct options *options, const char *text)
{
    struct route *route = &options->routes[options->route_count];
    const char *equals = strchr(text, '=');

    if (*text != '/' || !equals || options->route_count == ROUTES_MOST ||
        strncmp(equals + 1, "http://", 7) != 0)
        return false;
    route->prefix = text;
    route->prefix_bytes = (size_t)(equals - text);
    route->origin = equals + 1;
    route->authority = equals + 8;
    if (strpbrk(route->authority, "/?#@ ") ||
        !read_host(route->authority, route->host, sizeof route->host, &route->port))
        return false;
    options->route_count++;
    return route->port != 0;
}

/* Whether the value of `option` is valid. */
static bool read_option(struct options *options, int option, const char *value)
{
    switch (option) {
    case 'l':
        return read_listen(options, value);
    case 'r':
        return read_route(options, value);
    case 'c':
        return read_seconds(value, &options->connect_ms);
    case 's':
        return read_seconds(value, &options->silence_ms);
    case 'm':
        return read_number(value, INT64_MAX, &options->max_body_bytes);
    case 't':
        options->trusted = value;
        return true;
    case 'o':
        options->replace_host = true;
        return true;
    default: /* 'v' */
        options->verbose = true;
        return true;
    }
}

static enum options_outcome usage(void)
{
    (void)fprintf(stderr, "Try '%s --help' for more information.\n", program);
    return OPTIONS_USAGE;
}

static const char *name_of(int option)
{
    for (const struct option *known = long_options; known->name; known++)
        if (known->val == option)
            return known->name;
    return "?";
}

/* Returns OPTIONS_RUN to go on. */
static enum options_outcome take_option(struct options *options, int option, const char *value)
{
    switch (option) {
    case 'h':
        (void)fputs(help, stdout);
        return OPTIONS_DONE;
    case 'V':
        (void)printf("%s %s\n", program, REVERSE_VERSION);
        return OPTIONS_DONE;
    case '?':
        return usage();
    default:
        break;
    }
    if (read_option(options, option, value))
        return OPTIONS_RUN;
    (void)fprintf(stderr, "%s: invalid value '%s' for option '--%s'\n", program, value,
                  name_of(option));
    return usage();
}

enum options_outcome options_read(struct options *options, int argc, char **argv)
{
    int option;

    *options = (struct options){
        .host = "127.0.0.1",
        .port = 8000,
        .connect_ms = 10000,
        .silence_ms = 60000,
        .max_body_bytes = UINT64_MAX,
    };
    optind = 0; /* begin anew, also in the middle of a word */
    while ((option = getopt_long(argc, argv, "l:r:ot:c:s:m:vhV", long_options, NULL)) != -1) {
        enum options_outcome outcome = take_option(options, option, optarg);
        if (outcome != OPTIONS_RUN)
            return outcome;
    }
    if (optind != argc || !options->route_count) {
        (void)fprintf(stderr, "%s: %s\n", program,
                      optind != argc ? "there is one word too many" : "no route given");
        return usage();
    }
    return OPTIONS_RUN;
}

/* Whether `path` is the prefix or below it: "/api" is no prefix of "/apify". */
static bool is_below(const struct route *route, const char *path)
{
    char next;

    if (strncmp(path, route->prefix, route->prefix_bytes) != 0)
        return false;
    next = path[route->prefix_bytes];
    return next == '\0' || next == '/' || route->prefix[route->prefix_bytes - 1] == '/';
}

const struct route *options_route(const struct options *options, const char *path)
{
    const struct route *longest = NULL;

    for (size_t i = 0; i < options->route_count; i++) {
        const struct route *route = &options->routes[i];
        if (is_below(route, path) && (!longest || route->prefix_bytes > longest->prefix_bytes))
            longest = route;
    }
    return longest;
}
