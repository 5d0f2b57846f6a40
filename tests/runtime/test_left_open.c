/* BIGHT_CHECK_OPEN of everything that a program opens and has to end: what is left is told, once,
 * with the place that opened it; what was ended is not. Streams and sockets are in test_checks,
 * worker processes in test_left_workers, HTTP sessions in test_http_session. */
#include <bight.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "tests/harness/suite.h"
#include "tests/harness/support.h"
#include "tests/harness/world.h"

struct kind {
    void *(*opens)(void);
    void (*ends)(void *object);
    const char *text; /* how the report begins */
};

static struct {
    const struct kind *kind;
    char lines[256];
    int count;
    bool placed; /* in kind->opens */
} seen;

static void on_report(void *arg, const struct bight_report *report)
{
    size_t length = strlen(seen.lines);

    (void)arg;
    if (report->kind != BIGHT_REPORT_LEFT_OPEN)
        return;
    snprintf(seen.lines + length, sizeof(seen.lines) - length, "%s\n", report->text);
    seen.count++;
    for (size_t i = 0; i < report->place_count; i++)
        seen.placed |= (uintptr_t)report->places[i] - (uintptr_t)seen.kind->opens < 2048;
}

static void *opens_file(void)
{
    struct bight_file *file;

    ck_ok(bight_file_open(&file, "/dev/null", O_RDONLY, 0));
    return file;
}

static void *adopts_file(void)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    struct bight_file *file;

    ck_ok(bight_file_from_fd(&file, fd));
    return file;
}

static void ends_file(void *file)
{
    ck_ok(bight_file_end(file));
}

static void *opens_stream(void)
{
    struct bight_stream *stream;

    ck_ok(bight_file_stream(&stream, opens_file(), 0));
    return stream;
}

static void ends_stream(void *stream)
{
    ck_ok(bight_stream_end(stream, 0));
}

static void *scans(void)
{
    struct bight_directory *directory;

    ck_ok(bight_directory_scan(&directory, "/", 0));
    return directory;
}

static void *walks(void)
{
    struct bight_directory_entry entry;
    struct bight_directory *directory;

    ck_ok(bight_directory_walk(&directory, "/", NULL));
    ck_assert_int_eq(bight_directory_next(directory, &entry), 1);
    return directory;
}

static void ends_directory(void *directory)
{
    ck_ok(bight_directory_end(directory));
}

static void *watches(void)
{
    struct bight_watch *watch;

    ck_ok(bight_watch_open(&watch, "/", NULL));
    return watch;
}

static void ends_watch(void *watch)
{
    ck_ok(bight_watch_end(watch));
}

static void *starts_process(void)
{
    static const char *const argv[] = {"/bin/sleep", "1000", NULL};
    const struct bight_process_options options = {.argv = argv};
    struct bight_process *process;

    ck_ok(bight_process_start(&process, &options));
    return process;
}

static void *starts_short_process(void)
{
    static const char *const argv[] = {"/bin/true", NULL};
    const struct bight_process_options options = {.argv = argv};
    struct bight_process *process;

    ck_ok(bight_process_start(&process, &options));
    ck_ok(bight_process_wait(process, NULL));
    return process;
}

static void ends_process(void *process)
{
    ck_ok(bight_process_end(process, 0));
}

static void *opens_signal(void)
{
    struct bight_signal *signal;

    ck_ok(bight_signal_open(&signal, SIGUSR1));
    return signal;
}

static void ends_signal(void *signal)
{
    ck_ok(bight_signal_end(signal));
}

static void *has_threads(void)
{
    const struct bight_threads_options options = {.threads_least = 1};
    struct bight_executor *executor;

    ck_ok(bight_threads_new(&executor, &options));
    return executor;
}

static void ends_executor(void *executor)
{
    ck_ok(bight_executor_end(executor));
}

static void *shares(void)
{
    struct bight_shared *segment;

    ck_ok(bight_shared_new(&segment, 64));
    return segment;
}

static void unshares(void *segment)
{
    ck_ok(bight_shared_free(segment));
}

static const struct kind kinds[] = {
    {opens_file, ends_file, "a file\n"},
    {adopts_file, ends_file, "a file\n"},
    {opens_stream, ends_stream, "a stream: file "},
    {scans, ends_directory, "an iteration of a directory\n"},
    {walks, ends_directory, "an iteration of a directory\n"},
    {watches, ends_watch, "a watch\n"},
    {starts_process, ends_process, "a process\n"},
    {starts_short_process, ends_process, "a process\n"},
    {opens_signal, ends_signal, "a signal: 10\n"},
    {has_threads, ends_executor, "an executor: threads\n"},
    {shares, unshares, "a shared segment\n"},
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static int nothing(void *arg)
{
    (void)arg;
    return 0;
}

static int leaves(void *kind)
{
    (void)((const struct kind *)kind)->opens();
    return 0;
}

static int ends(void *kind)
{
    const struct kind *of = kind;

    of->ends(of->opens());
    of->ends(of->opens());
    return 0;
}

/* In real time: it is about the system's own objects. */
static void run(const struct kind *kind, unsigned checks, int (*fn)(void *arg))
{
    const struct bight_runtime_options options = {.checks = checks, .on_report = on_report};
    int fds;

    ck_ok(bight_run(nothing, NULL)); /* libuv opens its signal pipe once */
    fds = test_open_fds();
    memset(&seen, 0, sizeof(seen));
    seen.kind = kind;
    ck_ok(bight_run_with(&options, fn, (void *)(uintptr_t)kind));
    ck_assert_int_eq(test_open_fds(), fds);
}

static void what_is_left_is_told_with_its_place(int i)
{
    run(&kinds[i], BIGHT_CHECK_OPEN, leaves);
    ck_assert_msg(strncmp(seen.lines, kinds[i].text, strlen(kinds[i].text)) == 0, "%s", seen.lines);
    ck_assert_int_eq(seen.count, 1);
    ck_assert(seen.placed);
}

static void what_is_ended_is_not_told(int i)
{
    run(&kinds[i], BIGHT_CHECK_OPEN, ends);
    ck_assert_str_eq(seen.lines, "");
}

static void without_the_check_nobody_tells(int i)
{
    run(&kinds[i], 0, leaves);
    ck_assert_str_eq(seen.lines, "");
}

static const struct suite_case cases[] = {
    each_case(what_is_left_is_told_with_its_place, KINDS),
    each_case(what_is_ended_is_not_told, KINDS),
    each_case(without_the_check_nobody_tells, KINDS),
};

test_suite("left open", cases);
