/* See options.h. */
#include "samples/serve/options.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

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

static bool read_cache(struct options *options, const char *text)
{
    uint64_t seconds;

    if (!command_number(text, 0, INT32_MAX, &seconds))
        return false;
    (void)snprintf(options->cache_control, sizeof options->cache_control, "max-age=%" PRIu64,
                   seconds);
    return true;
}

/* Whether the value of `option` is valid. */
static bool read_option(void *arg, int option, const char *value)
{
    struct options *options = arg;

    switch (option) {
    case 'l':
        return command_address(value, options->host, &options->port);
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

static const struct command command = {
    .program = "bight-serve",
    .version = "0.1",
    .help = help,
    .options = long_options,
    .letters = "l:i:c:zavhV",
    .take = read_option,
};

enum command_outcome options_read(struct options *options, int argc, char **argv)
{
    enum command_outcome outcome;

    *options = (struct options){.host = "127.0.0.1", .port = 8000};
    outcome = command_read(&command, options, argc, argv);
    if (outcome != COMMAND_RUN)
        return outcome;
    if (argc - optind != 1)
        return command_usage(&command, argc > optind ? "more than one directory given"
                                                     : "no directory given");
    options->root = argv[optind];
    return COMMAND_RUN;
}
