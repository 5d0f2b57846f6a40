/* See progress.h. Nothing here is worth failing for: errors of writing to the terminal are left
 * alone. */
#include "samples/scraper/progress.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static const char program[] = "bight-scrape";

/* A line that is rewritten may change often; plain lines fill somebody's log. */
static const int64_t terminal_interval_ms = 200;
static const int64_t plain_interval_ms = 5000;

/* How far the rate of the last seconds goes back, and how often what is done is noted for it. */
static const uint64_t recent_ns = 3000000000;
static const uint64_t mark_interval_ns = 500000000;

#define LINE_BYTES 512

const char *failure_name(enum failure kind)
{
    static const char *const names[FAILURE_KINDS] = {
        [FAILURE_NONE] = "none",           [FAILURE_RESOLVE] = "resolve",
        [FAILURE_CONNECT] = "connect",     [FAILURE_TLS] = "tls",
        [FAILURE_TIMEOUT] = "timeout",     [FAILURE_PROTOCOL] = "protocol",
        [FAILURE_TOO_LARGE] = "too large", [FAILURE_REDIRECTS] = "too many redirects",
        [FAILURE_FORBIDDEN] = "forbidden", [FAILURE_ROBOTS] = "robots.txt",
        [FAILURE_PARSE] = "parse",         [FAILURE_INTERRUPTED] = "interrupted",
        [FAILURE_OTHER] = "other",
    };

    return names[kind];
}

void progress_init(struct progress *progress, FILE *out, FILE *records, bool quiet, uint64_t now_ns)
{
    *progress = (struct progress){
        .out = out,
        .quiet = quiet,
        .terminal = isatty(fileno(out)) == 1 && isatty(fileno(records)) != 1,
        .start_ns = now_ns,
        .marks = {{.ns = now_ns}},
        .mark_count = 1,
    };
}

static size_t status_slot(int status)
{
    const size_t slots = sizeof((struct progress *)NULL)->statuses / sizeof(uint64_t);

    return status >= 400 && (size_t)(status - 400) < slots ? (size_t)(status - 400) : slots;
}

void progress_page(struct progress *progress, int status, int64_t bytes, enum failure failure)
{
    size_t slot = status_slot(status);

    progress->pages++;
    if (bytes > 0)
        progress->bytes += (uint64_t)bytes;
    if (failure != FAILURE_NONE)
        progress->failures[failure]++;
    else if (slot < sizeof progress->statuses / sizeof progress->statuses[0])
        progress->statuses[slot]++;
}

int64_t progress_interval_ms(const struct progress *progress)
{
    return progress->terminal ? terminal_interval_ms : plain_interval_ms;
}

/* --- text ------------------------------------------------------------------------------------- */

struct line {
    char text[LINE_BYTES];
    size_t size;
};

__attribute__((format(printf, 2, 3))) static void add(struct line *line, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    int size = vsnprintf(line->text + line->size, sizeof line->text - line->size, format, args);
    va_end(args);
    if (size > 0)
        line->size += (size_t)size;
    if (line->size >= sizeof line->text)
        line->size = sizeof line->text - 1;
}

static void add_count(struct line *line, uint64_t count, const char *noun)
{
    add(line, "%" PRIu64 " %s%s", count, noun, count == 1 ? "" : "s");
}

/* "7 s, ", "2:07, ", "1:02:07, ". */
static void add_elapsed(struct line *line, uint64_t ns)
{
    uint64_t seconds = ns / 1000000000;

    if (seconds < 60)
        add(line, "%" PRIu64 " s, ", seconds);
    else if (seconds < 3600)
        add(line, "%" PRIu64 ":%02" PRIu64 ", ", seconds / 60, seconds % 60);
    else
        add(line, "%" PRIu64 ":%02" PRIu64 ":%02" PRIu64 ", ", seconds / 3600, seconds / 60 % 60,
            seconds % 60);
}

static void add_bytes(struct line *line, double bytes)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
    size_t unit = 0;

    while (bytes >= 999.95 && unit + 1 < sizeof units / sizeof units[0]) {
        bytes /= 1000;
        unit++;
    }
    add(line, unit ? "%.1f %s" : "%.0f %s", bytes, units[unit]);
}

static uint64_t errors(const struct progress *progress)
{
    uint64_t sum = 0;

    for (int kind = 0; kind < FAILURE_KINDS; kind++)
        sum += progress->failures[kind];
    for (size_t i = 0; i < sizeof progress->statuses / sizeof progress->statuses[0]; i++)
        sum += progress->statuses[i];
    return sum;
}

static double seconds_between(uint64_t from_ns, uint64_t to_ns)
{
    return to_ns > from_ns ? (double)(to_ns - from_ns) / 1e9 : 0;
}

static double rate(uint64_t count, double seconds)
{
    return seconds > 0 ? (double)count / seconds : 0;
}

/* The rate since the oldest mark, which is some seconds old. The first of them goes when a new one
 * needs its place, or the next is old enough to count from. */
static double recent_rate(struct progress *progress, uint64_t now_ns)
{
    struct progress_mark *marks = progress->marks;
    const struct progress_mark *last = &marks[progress->mark_count - 1];

    if (now_ns - last->ns >= mark_interval_ns) {
        while (progress->mark_count == PROGRESS_MARKS ||
               (progress->mark_count > 1 && now_ns - marks[1].ns >= recent_ns))
            memmove(marks, marks + 1, --progress->mark_count * sizeof *marks);
        marks[progress->mark_count++] = (struct progress_mark){now_ns, progress->pages};
    }
    return rate(progress->pages - marks[0].pages, seconds_between(marks[0].ns, now_ns));
}

/* --- lines ------------------------------------------------------------------------------------ */

/* Cut the line where the terminal would begin a new one, which could not be rewritten. */
static void fit(const struct progress *progress, struct line *line)
{
    struct winsize size = {0};

    if (ioctl(fileno(progress->out), TIOCGWINSZ, &size) == 0 && size.ws_col > 1 &&
        line->size > (size_t)size.ws_col - 1)
        line->size = (size_t)size.ws_col - 1;
}

void progress_show(struct progress *progress, uint64_t now_ns, size_t queued, size_t in_flight)
{
    struct line line = {.size = 0};

    if (progress->quiet)
        return;
    uint64_t failed = errors(progress);
    add_elapsed(&line, now_ns - progress->start_ns);
    add_count(&line, progress->pages, "page");
    add(&line, ", %zu queued, %zu in flight, ", queued, in_flight);
    add_bytes(&line, (double)progress->bytes);
    add(&line, ", %.0f pages/s, ", recent_rate(progress, now_ns));
    add_count(&line, failed, "error");
    if (progress->terminal) {
        fit(progress, &line);
        (void)fprintf(progress->out, "\r\033[K%.*s", (int)line.size, line.text);
    } else {
        (void)fprintf(progress->out, "%s: %s\n", program, line.text);
    }
    (void)fflush(progress->out);
}

static void clear(const struct progress *progress)
{
    if (progress->terminal && !progress->quiet)
        (void)fputs("\r\033[K", progress->out);
}

static void add_failures(struct line *line, const struct progress *progress)
{
    const char *separator = "";

    for (int kind = 0; kind < FAILURE_KINDS; kind++) {
        if (!progress->failures[kind])
            continue;
        add(line, "%s%" PRIu64 " %s", separator, progress->failures[kind],
            failure_name((enum failure)kind));
        separator = ", ";
    }
    for (size_t i = 0; i < sizeof progress->statuses / sizeof progress->statuses[0]; i++) {
        if (!progress->statuses[i])
            continue;
        add(line, "%s%" PRIu64 " HTTP %zu", separator, progress->statuses[i], i + 400);
        separator = ", ";
    }
}

void progress_summary(struct progress *progress, uint64_t now_ns)
{
    struct line line = {.size = 0};
    double seconds = seconds_between(progress->start_ns, now_ns);

    if (progress->quiet)
        return;
    clear(progress);
    add_count(&line, progress->pages, "page");
    add(&line, ", ");
    add_bytes(&line, (double)progress->bytes);
    add(&line, " (");
    add_count(&line, progress->bytes, "byte");
    add(&line, ") in %.2f s, %.1f pages/s", seconds, rate(progress->pages, seconds));
    (void)fprintf(progress->out, "%s: %s\n", program, line.text);
    line.size = 0;
    if (errors(progress) == 0)
        add(&line, "none");
    else
        add_failures(&line, progress);
    (void)fprintf(progress->out, "%s: failures: %s\n", program, line.text);
    if (progress->disallowed)
        (void)fprintf(progress->out, "%s: %" PRIu64 " left out by robots.txt\n", program,
                      progress->disallowed);
    (void)fflush(progress->out);
}
