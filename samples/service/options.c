/* See options.h. */
#include "samples/service/options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char program[] = "json-service";

static const char help[] =
    "Usage: json-service [options] --store=URL\n"
    "Keep notes, as JSON over HTTP.\n"
    "\n"
    "  -s, --store=URL            where: sqlite:FILE or postgresql://USER@ADDRESS/DATABASE\n"
    "  -l, --listen=ADDRESS:PORT  where to listen; port 0 is a free one (127.0.0.1:8080);\n"
    "                             not used when a service manager hands over a socket\n"
    "  -w, --workers=N            processes for searches (one for each CPU)\n"
    "  -d, --deadline-ms=MS       how long a request may take (5000)\n"
    "  -D, --drain-ms=MS          how long they may go on after a signal (10000)\n"
    "  -a, --access-log           print a line of JSON per request\n"
    "  -h, --help                 show this\n"
    "  -V, --version              show the version\n"
    "\n"
    "SIGTERM and SIGINT end it, after the requests that are under way.\n"
    "Exit status: 0 ended by a signal; 1 a failure; 2 usage.\n";

static const struct option long_options[] = {
    {"store", required_argument, NULL, 's'},
    {"listen", required_argument, NULL, 'l'},
    {"workers", required_argument, NULL, 'w'},
    {"deadline-ms", required_argument, NULL, 'd'},
    {"drain-ms", required_argument, NULL, 'D'},
    {"access-log", no_argument, NULL, 'a'},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {NULL, 0, NULL, 0},
};

static bool read_number(const char *text, unsigned long least, unsigned long most,
                        unsigned long *number)
{
    char *end;

    /* strtoul would take "-1" and " 1". */
    if (!isdigit((unsigned char)*text))
        return false;
    errno = 0;
    *number = strtoul(text, &end, 10);
    return !errno && !*end && *number >= least && *number <= most;
}

static bool read_ms(const char *text, int64_t *ms)
{
    unsigned long number;

    if (!read_number(text, 1, INT32_MAX, &number))
        return false;
    *ms = (int64_t)number;
    return true;
}

static bool read_workers(struct options *options, const char *text)
{
    unsigned long number;

    if (!read_number(text, 1, 1024, &number))
        return false;
    options->workers = (unsigned)number;
    return true;
}

/* "127.0.0.1:80", "[::1]:80" */
static bool read_listen(struct options *options, const char *text)
{
    const char *colon = strrchr(text, ':');
    size_t bytes = colon ? (size_t)(colon - text) : 0;
    struct bight_address address;
    unsigned long port;

    if (bytes == 0 || bytes >= sizeof options->host ||
        !read_number(colon + 1, 0, UINT16_MAX, &port))
        return false;
    memcpy(options->host, text, bytes);
    options->host[bytes] = '\0';
    options->port = (uint16_t)port;
    return bight_address_parse(options->host, &address) == 0;
}

/* Whether the value of `option` is valid. */
static bool read_option(struct options *options, int option, const char *value)
{
    switch (option) {
    case 's':
        options->store = value;
        return true;
    case 'l':
        return read_listen(options, value);
    case 'w':
        return read_workers(options, value);
    case 'd':
        return read_ms(value, &options->deadline_ms);
    case 'D':
        return read_ms(value, &options->drain_ms);
    default: /* 'a' */
        options->access_log = true;
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
        (void)printf("%s %s\n", program, SERVICE_VERSION);
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
        .port = 8080,
        .deadline_ms = 5000,
        .drain_ms = 10000,
    };
    optind = 0; /* begin anew, also in the middle of a word */
    while ((option = getopt_long(argc, argv, "s:l:w:d:D:ahV", long_options, NULL)) != -1) {
        enum options_outcome outcome = take_option(options, option, optarg);
        if (outcome != OPTIONS_RUN)
            return outcome;
    }
    if (options->store && optind == argc)
        return OPTIONS_RUN;
    (void)fprintf(stderr, "%s: %s\n", program,
                  options->store ? "an argument too many" : "no store given");
    return usage();
}
