/* See options.h. */
#include "samples/scraper/options.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bight/errors.h>

#include "samples/scraper/url.h"

static const char help[] =
    "Usage: bight-scrape [options] URL...\n"
    "Fetch the URLs and all pages that they lead to on the same site, and write one\n"
    "JSON object per page.\n"
    "\n"
    "  -c, --concurrency=N   transfers in flight (32)\n"
    "  -H, --per-host=N      transfers in flight per host (8)\n"
    "  -w, --workers=N       parser processes (number of CPUs)\n"
    "  -d, --depth=N         follow links at most N deep (no limit)\n"
    "  -n, --pages=N         stop after N pages (no limit)\n"
    "  -o, --output=FILE     write the records to FILE (standard output)\n"
    "      --timeout=S       seconds for one transfer, redirects included (30)\n"
    "      --retries=N       further attempts after a network error or a status 5xx (1)\n"
    "      --max-size=BYTES  largest page, decoded; K, M and G are understood (16M)\n"
    "      --delay=MS        milliseconds between the requests to one host (0)\n"
    "      --user-agent=TEXT what to call ourselves (bight-scrape/" SCRAPER_VERSION ")\n"
    "      --no-robots       do not ask for robots.txt\n"
    "      --any-host        follow links to other sites too\n"
    "  -q, --quiet           no progress, no summary\n"
    "  -h, --help            show this\n"
    "  -V, --version         show the version\n"
    "\n"
    "Exit status: 0 done; 1 a start URL failed or the crawl was cut short; 2 usage.\n";

enum {
    OPT_TIMEOUT = 256,
    OPT_RETRIES,
    OPT_MAX_SIZE,
    OPT_DELAY,
    OPT_USER_AGENT,
    OPT_NO_ROBOTS,
    OPT_ANY_HOST,
};

static const struct option long_options[] = {
    {"concurrency", required_argument, NULL, 'c'},
    {"per-host", required_argument, NULL, 'H'},
    {"workers", required_argument, NULL, 'w'},
    {"depth", required_argument, NULL, 'd'},
    {"pages", required_argument, NULL, 'n'},
    {"output", required_argument, NULL, 'o'},
    {"timeout", required_argument, NULL, OPT_TIMEOUT},
    {"retries", required_argument, NULL, OPT_RETRIES},
    {"max-size", required_argument, NULL, OPT_MAX_SIZE},
    {"delay", required_argument, NULL, OPT_DELAY},
    {"user-agent", required_argument, NULL, OPT_USER_AGENT},
    {"no-robots", no_argument, NULL, OPT_NO_ROBOTS},
    {"any-host", no_argument, NULL, OPT_ANY_HOST},
    {"quiet", no_argument, NULL, 'q'},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {NULL, 0, NULL, 0},
};

/* --- values ----------------------------------------------------------------------------------- */

/* K, M and G, of either case; what is left of the text is then behind it. */
static uint64_t unit_of(char **end)
{
    static const char suffixes[] = "kmg";
    const char *found = **end ? strchr(suffixes, tolower((unsigned char)**end)) : NULL;
    if (!found)
        return 1;
    ++*end;
    return (uint64_t)1 << (10 * (found - suffixes + 1));
}

static bool read_size(const char *text, uint64_t most, uint64_t *bytes)
{
    char *end;
    uint64_t number;

    if (!command_digits(text, &end, &number))
        return false;
    uint64_t unit = unit_of(&end);
    if (*end || number == 0 || number > most / unit)
        return false;
    *bytes = number * unit;
    return true;
}

/* Seconds with an optional fraction, as ms, at least 1. */
static bool read_seconds(const char *text, int64_t *ms)
{
    char *end;

    if (!isdigit((unsigned char)*text) && *text != '.')
        return false;
    errno = 0;
    double seconds = strtod(text, &end);
    if (errno || *end || !(seconds > 0 && seconds <= 1e6))
        return false;
    *ms = (int64_t)(seconds * 1000);
    *ms += *ms == 0;
    return true;
}

static bool is_header_value(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            return false;
    return true;
}

/* --- options ---------------------------------------------------------------------------------- */

static bool read_option(void *arg, int option, const char *value)
{
    struct options *options = arg;
    uint64_t number = 0;
    bool good = true;

    switch (option) {
    case 'c':
        good = command_number(value, 1, 10000, &number);
        options->transfers = (unsigned)number;
        break;
    case 'H':
        good = command_number(value, 1, 10000, &number);
        options->per_host = (unsigned)number;
        break;
    case 'w':
        good = command_number(value, 1, 1024, &number);
        options->workers = (unsigned)number;
        break;
    case 'd':
        good = command_number(value, 0, INT32_MAX, &number);
        options->depth_max = (int64_t)number;
        break;
    case 'n':
        good = command_number(value, 1, INT64_MAX, &number);
        options->pages_max = (int64_t)number;
        break;
    case OPT_RETRIES:
        good = command_number(value, 0, 100, &number);
        options->retries = (unsigned)number;
        break;
    case OPT_MAX_SIZE:
        good = read_size(value, (uint64_t)1 << 30, &options->body_bytes_max);
        break;
    case OPT_DELAY:
        good = command_number(value, 0, 86400000, &number);
        options->delay_ms = (int64_t)number;
        break;
    case OPT_TIMEOUT:
        good = read_seconds(value, &options->timeout_ms);
        break;
    case OPT_USER_AGENT:
        good = is_header_value(value);
        options->user_agent = value;
        break;
    case 'o':
        options->output = strcmp(value, "-") == 0 ? NULL : value;
        break;
    case 'q':
        options->quiet = true;
        break;
    case OPT_NO_ROBOTS:
        options->robots = false;
        break;
    case OPT_ANY_HOST:
        options->any_host = true;
        break;
    default:
        break;
    }
    return good;
}

static const struct command command = {
    .program = "bight-scrape",
    .version = SCRAPER_VERSION,
    .help = help,
    .options = long_options,
    .letters = "c:H:w:d:n:o:qhV",
    .take = read_option,
};

/* --- URLs ------------------------------------------------------------------------------------- */

static const char *url_fault(int code)
{
    switch (code) {
    case BIGHT_ENOTSUP:
        return "only http and https are supported";
    case BIGHT_EPERM:
        return "user names and passwords in URLs are not supported";
    case BIGHT_ETOOBIG:
        return "too long";
    case BIGHT_ENOMEM:
        return "out of memory";
    default:
        return "not a URL";
    }
}

static bool is_known(const struct options *options, const char *url)
{
    /* A NULL ends them. */
    for (char **known = options->urls; *known; known++)
        if (strcmp(*known, url) == 0)
            return true;
    return false;
}

static enum command_outcome take_urls(struct options *options, char **texts, size_t count)
{
    if (count == 0)
        return command_usage(&command, "no URL given");
    options->urls = calloc(count + 1, sizeof *options->urls);
    int rc = options->urls ? 0 : BIGHT_ENOMEM;
    for (size_t i = 0; i < count && rc == 0; i++) {
        char *url = NULL;
        rc = url_from_user(texts[i], &url);
        if (rc) {
            (void)fprintf(stderr, "%s: %s: %s\n", command.program, texts[i], url_fault(rc));
            return command_usage(&command, NULL);
        }
        if (is_known(options, url))
            free(url);
        else
            options->urls[options->url_count++] = url;
    }
    return rc ? command_usage(&command, NULL) : COMMAND_RUN;
}

enum command_outcome options_read(struct options *options, int argc, char **argv)
{
    enum command_outcome outcome;

    *options = (struct options){
        .transfers = 32,
        .per_host = 8,
        .depth_max = -1,
        .pages_max = -1,
        .timeout_ms = 30000,
        .retries = 1,
        .body_bytes_max = (uint64_t)16 << 20,
        .user_agent = "bight-scrape/" SCRAPER_VERSION,
        .robots = true,
    };
    outcome = command_read(&command, options, argc, argv);
    if (outcome != COMMAND_RUN)
        return outcome;
    return take_urls(options, argv + optind, (size_t)(argc - optind));
}

void options_free(struct options *options)
{
    for (size_t i = 0; i < options->url_count; i++)
        free(options->urls[i]);
    free(options->urls);
    options->urls = NULL;
    options->url_count = 0;
}
