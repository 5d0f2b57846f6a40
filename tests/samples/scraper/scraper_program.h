/* The program under test, started like a user would start it, and what came of it: its exit status,
 * what it said, its records. SCRAPER_PROGRAM is its path. */
#ifndef TESTS_SAMPLES_SCRAPER_SCRAPER_PROGRAM_H
#define TESTS_SAMPLES_SCRAPER_SCRAPER_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define RECORDS_MAX 4096

/* Ports of the loopback that command lines and records may name: http://MAIN for
 * http://127.0.0.1:PORT and so on; 0 when there is none. */
extern int main_port, other_port, refusing_port, silent_port;

struct scraper {
    pid_t pid;
    /* Its records, and what it wrote to its standard output and error. */
    char output[64];
    char errors[64];
};

/* Start the program with `line`, split at spaces, for arguments; "%m", "%o", "%r" and "%s" are the
 * ports. Its records go to scraper->output, the rest to scraper->errors. */
void scraper_start(struct scraper *scraper, const char *line);

/* Whether it has not ended; scraper_wait is still due. */
bool scraper_runs(const struct scraper *scraper);

/* Wait for its end with this exit status. */
void scraper_wait(struct scraper *scraper, int expected);

/* What it said; to be freed. */
char *scraper_words(const struct scraper *scraper);
bool scraper_said(const struct scraper *scraper, const char *text);

/* Its records as they are; to be freed. */
char *scraper_output(const struct scraper *scraper);

/* Remove its files. */
void scraper_forget(const struct scraper *scraper);

/* Lines in order, without the fields that no test can know (ms, sha256), ports by their names. */
struct records {
    size_t count;
    char *lines[RECORDS_MAX];
};

void read_records(struct records *records, const char *path);
void free_records(struct records *records);

/* Whether `line` is `expected`, which may stop in the middle with "...". */
bool is_record(const char *line, const char *expected);

void expect_each_url_once(const struct records *records);

/* The records in the file are `expected`, which is in order. */
void expect_records(const char *path, const char *const *expected, size_t count);

/* A record with a page's facts, and others. */
#define PAGE(url, final, status, type, bytes, title, links, words)                                 \
    "{\"url\":\"http://" url "\",\"final_url\":\"http://" final "\",\"status\":" #status           \
    ",\"content_type\":\"" type "\",\"bytes\":" #bytes ",\"title\":" title ",\"links\":" #links    \
    ",\"words\":" #words "}"
#define HTML(url, bytes, title, links, words)                                                      \
    PAGE(url, url, 200, "text/html", bytes, "\"" title "\"", links, words)
#define OTHER(url, type, bytes) PAGE(url, url, 200, type, bytes, "null", null, null)
#define ERROR(url, final, status, text)                                                            \
    "{\"url\":\"http://" url "\",\"final_url\":\"http://" final "\",\"status\":" #status           \
    ",\"content_type\":null,\"bytes\":null,\"title\":null,\"links\":null,\"words\":null"           \
    ",\"error\":\"" text
#define ERROR_TYPE(url, type, text)                                                                \
    "{\"url\":\"http://" url "\",\"final_url\":\"http://" url "\",\"status\":200"                  \
    ",\"content_type\":\"" type "\",\"bytes\":null,\"title\":null,\"links\":null,\"words\":null"   \
    ",\"error\":\"" text

#endif
