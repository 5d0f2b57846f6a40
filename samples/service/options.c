/* See options.h. */
#include "samples/service/options.h"

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

static bool read_ms(const char *text, int64_t *ms)
{
    uint64_t number;

    if (!command_number(text, 1, INT32_MAX, &number))
        return false;
    *ms = (int64_t)number;
    return true;
}

static bool read_workers(struct options *options, const char *text)
{
    uint64_t number;

    if (!command_number(text, 1, 1024, &number))
        return false;
    options->workers = (unsigned)number;
    return true;
}

/* Whether the value of `option` is valid. */
static bool read_option(void *arg, int option, const char *value)
{
    struct options *options = arg;

    switch (option) {
    case 's':
        options->store = value;
        return true;
    case 'l':
        return command_address(value, options->host, &options->port);
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

static const struct command command = {
    .program = "json-service",
    .version = "0.1",
    .help = help,
    .options = long_options,
    .letters = "s:l:w:d:D:ahV",
    .take = read_option,
};

enum command_outcome options_read(struct options *options, int argc, char **argv)
{
    enum command_outcome outcome;

    *options = (struct options){
        .host = "127.0.0.1",
        .port = 8080,
        .deadline_ms = 5000,
        .drain_ms = 10000,
    };
    outcome = command_read(&command, options, argc, argv);
    if (outcome != COMMAND_RUN)
        return outcome;
    if (options->store && optind == argc)
        return COMMAND_RUN;
    return command_usage(&command, options->store ? "an argument too many" : "no store given");
}
