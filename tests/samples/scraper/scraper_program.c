/* See scraper_program.h. */
#include "tests/samples/scraper/scraper_program.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <check.h>

#include "tests/harness/program.h"

#define TEXT_BYTES 4096

int main_port, other_port, refusing_port, silent_port;

/* --- running the program ---------------------------------------------------------------------- */

static void temporary(char path[64])
{
    (void)snprintf(path, 64, "%s", "/tmp/scraper_test_XXXXXX");
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(close(fd), 0);
}

void scraper_start(struct scraper *scraper, const char *line)
{
    char words[1024] = "";
    const char *argv[32] = {SCRAPER_PROGRAM, "-o", scraper->output};
    size_t argc = 3;
    size_t used = 0;

    temporary(scraper->output);
    temporary(scraper->errors);
    for (; *line; line++) {
        int port = *line != '%'     ? 0
                   : line[1] == 'm' ? main_port
                   : line[1] == 'o' ? other_port
                   : line[1] == 'r' ? refusing_port
                                    : silent_port;
        used += (size_t)snprintf(words + used, sizeof words - used, port ? "%d" : "%c",
                                 port ? port : *line);
        line += port != 0;
        ck_assert_uint_lt(used, sizeof words);
    }
    for (char *word = strtok(words, " "); word; word = strtok(NULL, " "))
        argv[argc++] = word;
    int fd = open(scraper->errors, O_WRONLY | O_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    scraper->pid = test_program_start(argv, SIGKILL, -1, fd, fd);
    ck_assert_int_eq(close(fd), 0);
}

bool scraper_runs(const struct scraper *scraper)
{
    siginfo_t ended = {0};
    int rc = waitid(P_PID, (id_t)scraper->pid, &ended, WEXITED | WNOHANG | WNOWAIT);

    return rc == 0 && ended.si_pid == 0;
}

static char *read_file(const char *path)
{
    char *text = NULL;
    size_t size = 0;
    FILE *file = fopen(path, "r");

    ck_assert_ptr_nonnull(file);
    ssize_t got = getdelim(&text, &size, '\0', file);
    ck_assert_int_eq(fclose(file), 0);
    if (got < 0) {
        free(text);
        text = calloc(1, 1);
        ck_assert_ptr_nonnull(text);
    }
    return text;
}

void scraper_wait(struct scraper *scraper, int expected)
{
    int status = test_program_end(scraper->pid, 0);
    char *said = read_file(scraper->errors);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == expected,
                  "status %#x, expected exit %d; it said:\n%s", (unsigned)status, expected, said);
    free(said);
}

char *scraper_words(const struct scraper *scraper)
{
    return read_file(scraper->errors);
}

char *scraper_output(const struct scraper *scraper)
{
    return read_file(scraper->output);
}

bool scraper_said(const struct scraper *scraper, const char *text)
{
    char *said = read_file(scraper->errors);
    bool found = strstr(said, text) != NULL;

    free(said);
    return found;
}

void scraper_forget(const struct scraper *scraper)
{
    ck_assert_int_eq(unlink(scraper->output), 0);
    ck_assert_int_eq(unlink(scraper->errors), 0);
}

/* --- records ---------------------------------------------------------------------------------- */

/* Cut `from` up to the next ',' or '}' out of `line`. */
static void cut_field(char *line, const char *from)
{
    char *at = strstr(line, from);
    if (!at)
        return;
    char *end = at + strlen(from);
    end += strcspn(end, ",}");
    (void)memmove(at, end, strlen(end) + 1);
}

/* `line` has room for TEXT_BYTES. */
static void replace(char *line, const char *from, const char *to)
{
    char copy[TEXT_BYTES];

    for (char *at = line; (at = strstr(at, from)); at += strlen(to)) {
        size_t before = (size_t)(at - line);
        int size =
            snprintf(copy, sizeof copy, "%.*s%s%s", (int)before, line, to, at + strlen(from));
        ck_assert_int_lt(size, (int)sizeof copy);
        (void)memcpy(line, copy, (size_t)size + 1);
    }
}

static void replace_ports(char *line)
{
    static const char *const names[] = {"MAIN", "OTHER", "REFUSING", "SILENT"};
    const int ports[] = {main_port, other_port, refusing_port, silent_port};
    char from[64];
    char to[64];

    for (size_t i = 0; i < 4; i++) {
        (void)snprintf(from, sizeof from, "http://127.0.0.1:%d", ports[i]);
        (void)snprintf(to, sizeof to, "http://%s", names[i]);
        if (ports[i])
            replace(line, from, to);
    }
}

static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void read_records(struct records *records, const char *path)
{
    char line[TEXT_BYTES];
    FILE *file = fopen(path, "r");

    ck_assert_ptr_nonnull(file);
    records->count = 0;
    while (fgets(line, sizeof line, file)) {
        ck_assert_uint_lt(records->count, RECORDS_MAX);
        ck_assert_msg(strncmp(line, "{\"url\":\"", 8) == 0, "%s", line);
        char *end = strchr(line, '\n');
        ck_assert_msg(end && end > line && end[-1] == '}', "%s", line);
        *end = '\0';
        replace_ports(line);
        cut_field(line, ",\"sha256\":");
        cut_field(line, ",\"ms\":");
        records->lines[records->count] = strdup(line);
        ck_assert_ptr_nonnull(records->lines[records->count]);
        records->count++;
    }
    ck_assert_int_eq(fclose(file), 0);
    qsort(records->lines, records->count, sizeof records->lines[0], compare_lines);
}

void free_records(struct records *records)
{
    for (size_t i = 0; i < records->count; i++)
        free(records->lines[i]);
}

void expect_each_url_once(const struct records *records)
{
    for (size_t i = 1; i < records->count; i++) {
        const char *line = records->lines[i];
        size_t size = strcspn(line + 8, "\"") + 9;
        ck_assert_msg(strncmp(line, records->lines[i - 1], size) != 0, "twice: %s", line);
    }
}

bool is_record(const char *line, const char *expected)
{
    const char *dots = strstr(expected, "...");

    return dots ? strncmp(line, expected, (size_t)(dots - expected)) == 0
                : strcmp(line, expected) == 0;
}

void expect_records(const char *path, const char *const *expected, size_t count)
{
    struct records records;

    read_records(&records, path);
    for (size_t i = 0; i < records.count && i < count; i++)
        ck_assert_msg(is_record(records.lines[i], expected[i]), "got      %s\nexpected %s",
                      records.lines[i], expected[i]);
    ck_assert_uint_eq(records.count, count);
    free_records(&records);
}
