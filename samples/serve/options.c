/* See options.h. */
#include "samples/serve/options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char program[] = "bight-serve";

static const char help[] =
    "Usage: bight-serve [options] DIR\n"
    "Serve the files of a directory over HTTP.\n"
    "\n"
    "  -l, --listen=ADDRESS:PORT  where to listen; port 0 is a free one (127.0.0.1:8000)\n"
    "  -i, --index=NAME           the file that a directory stands for (index.html)\n"
    "  -c, --cache=S              let others keep files for S seconds without asking\n"
    "  -z, --precompressed        send FILE.br, FILE.zst or FILE.gz to those who accept it\n"
    "  -a, --dot-files            serve files whose names begin with a dot too\n"
    "  -v, --verbose              print a line per request, as Apache does\n"
    "  -h, --help                 show this\n"
    "  -V, --version              show the version\n"
    "\n"
    "SIGTERM and SIGINT end it, after the requests that are under way.\n"
    "Exit status: 0 ended by a signal; 1 a failure; 2 usage.\n";

static const struct option long_options[] = {
    {"listen", required_argument, NULL, 'l'},
    {"index", required_argument, NULL, 'i'},
    {"cache", required_argument, NULL, 'c'},
    {"precompressed", no_argument, NULL, 'z'},
    {"dot-files", no_argument, NULL, 'a'},
    {"verbose", no_argument, NULL, 'v'},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {NULL, 0, NULL, 0},
};

static bool read_number(const char *text, unsigned long max, unsigned long *number)
{
    char *end;

    /* strtoul would take "-1" and " 1". */
    if (!isdigit((unsigned char)*text))
        return false;
    errno = 0;
    *number = strtoul(text, &end, 10);
    return !errno && !*end && *number <= max;
}

/* "127.0.0.1:80", "[::1]:80" */
static bool read_listen(struct options *options, const char *text)
{
    const char *colon = strrchr(text, ':');
    size_t bytes = colon ? (size_t)(colon - text) : 0;
    struct bight_address address;
    unsigned long port;

    if (bytes == 0 || bytes >= sizeof options->host || !read_number(colon + 1, UINT16_MAX, &port))
        return false;
    memcpy(options->host, text, bytes);
    options->host[bytes] = '\0';
    options->port = (uint16_t)port;
    return bight_address_parse(options->host, &address) == 0;
}

static bool read_cache(struct options *options, const char *text)
{
    unsigned long seconds;

    if (!read_number(text, INT32_MAX, &seconds))
        return false;
    (void)snprintf(options->cache_control, sizeof options->cache_control, "max-age=%lu", seconds);
    return true;
}

/* Whether the value of `option` is valid. */
static bool read_option(struct options *options, int option, const char *value)
{
    switch (option) {
    case 'l':
        return read_listen(options, value);
    case 'c':
        return read_cache(options, value);
    case 'i':
        options->index = value;
        return !strchr(value, '/');
    case 'z':
        options->precompressed = true;
        return true;
    case 'a':
        options->dot_files = true;
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
        (void)printf("%s %s\n", program, SERVE_VERSION);
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

    *options = (struct options){.host = "127.0.0.1", .port = 8000};
    optind = 0; /* begin anew, also in the middle of a word */
    while ((option = getopt_long(argc, argv, "l:i:c:zavhV", long_options, NULL)) != -1) {
        enum options_outcome outcome = take_option(options, option, optarg);
        if (outcome != OPTIONS_RUN)
            return outcome;
    }
    if (argc - optind != 1) {
        (void)fprintf(stderr, "%s: %s\n", program,
                      argc > optind ? "more than one directory given" : "no directory given");
        return usage();
    }
    options->root = argv[optind];
    return OPTIONS_RUN;
}
