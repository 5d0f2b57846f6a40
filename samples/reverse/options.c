/* See options.h. */
#include "samples/reverse/options.h"

#include <string.h>

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

static bool read_seconds(const char *text, int64_t *ms)
{
    uint64_t seconds;

    if (!command_number(text, 1, INT32_MAX, &seconds))
        return false;
    *ms = (int64_t)seconds * 1000;
    return true;
}

static bool read_listen(struct options *options, const char *text)
{
    struct bight_address address;

    return command_host(text, options->host, sizeof options->host, &options->port) &&
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
        !command_host(route->authority, route->host, sizeof route->host, &route->port))
        return false;
    options->route_count++;
    return route->port != 0;
}

/* Whether the value of `option` is valid. */
static bool read_option(void *arg, int option, const char *value)
{
    struct options *options = arg;

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
        return command_number(value, 0, INT64_MAX, &options->max_body_bytes);
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

static const struct command command = {
    .program = "bight-reverse",
    .version = "0.1",
    .help = help,
    .options = long_options,
    .letters = "l:r:ot:c:s:m:vhV",
    .take = read_option,
};

enum command_outcome options_read(struct options *options, int argc, char **argv)
{
    enum command_outcome outcome;

    *options = (struct options){
        .host = "127.0.0.1",
        .port = 8000,
        .connect_ms = 10000,
        .silence_ms = 60000,
        .max_body_bytes = UINT64_MAX,
    };
    outcome = command_read(&command, options, argc, argv);
    if (outcome != COMMAND_RUN)
        return outcome;
    if (optind != argc || !options->route_count)
        return command_usage(&command,
                             optind != argc ? "there is one word too many" : "no route given");
    return COMMAND_RUN;
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
