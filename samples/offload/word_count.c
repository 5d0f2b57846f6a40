/* word_count FOLDER: how often each word is in its *.md files, by map and reduce over workers.
 *
 * To notice: a map job gets a path and reads the file itself, so the text never passes through this
 * process; what comes back is lines of "WORD TIMES". A reduce job gets such lines, of several jobs,
 * and answers with the same, so the reduction can be done in rounds, each over a quarter of the
 * parts of the one before, until there is one. Nothing is shared, so nothing is locked. When a
 * worker is killed, its part is done again and the others' stay. */
#include "samples/offload/lesson.h"
#include "samples/offload/words.h"
#include "samples/scraper/bytes.h"

#include <bight/errors.h>
#include <bight/job_map.h>
#include <bight/runtime.h>
#include <bight/workers.h>

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define AT_ONCE 4 /* parts for one reduce job */
#define SHOWN 2

/* --- in workers ------------------------------------------------------------------------------- */

static int answer(struct bight_job *job, const struct table *counts)
{
    char line[WORD_BYTES_MAX + 24];
    int rc = 0;

    for (size_t i = 0; i < counts->capacity && rc == 0; i++) {
        const struct table_entry *entry = &counts->entries[i];

        if (!entry->key)
            continue;
        int length = snprintf(line, sizeof line, "%s %zu\n", entry->key, words_times(entry));
        rc = bight_job_output_append(job, line, (size_t)length);
    }
    return rc;
}

static int count_file(struct bight_job *job)
{
    struct table counts;
    int rc = table_init(&counts);

    if (rc == 0)
        rc = words_add_file(&counts, job->input); /* it was sent with its NUL */
    if (rc == 0)
        rc = answer(job, &counts);
    table_free(&counts, NULL);
    return rc;
}

static int add_counts(struct bight_job *job)
{
    struct table counts;
    int rc = table_init(&counts);

    if (rc == 0)
        rc = words_add_lines(&counts, job->input, job->input_bytes);
    if (rc == 0)
        rc = answer(job, &counts);
    table_free(&counts, NULL);
    return rc;
}

static const struct bight_job_def map_job = {
    .name = "count file", .fn = count_file, .flags = BIGHT_JOB_IDEMPOTENT};
static const struct bight_job_def reduce_job = {
    .name = "add counts", .fn = add_counts, .flags = BIGHT_JOB_IDEMPOTENT};

/* --- here ------------------------------------------------------------------------------------- */

/* Run `def` over all parts, and say what one of them failed with, if so. */
static int run_parts(struct bight_executor *workers, const struct bight_job_def *def,
                     struct bight_job_map_row *parts, size_t count)
{
    int rc = bight_job_map_all(workers, def, parts, count, NULL);

    for (size_t i = 0; i < count && rc == BIGHT_EJOBFAILED; i++)
        if (parts[i].status == rc)
            rc = parts[i].result.code;
    return rc;
}

static void free_parts(struct bight_job_map_row *parts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        bight_result_free(&parts[i].result);
    free(parts);
}

static int map(struct bight_executor *workers, const glob_t *files, struct bight_job_map_row **out)
{
    struct bight_job_map_row *parts = calloc(files->gl_pathc, sizeof *parts);
    int rc;

    if (!parts)
        return BIGHT_ENOMEM;
    for (size_t i = 0; i < files->gl_pathc; i++) {
        parts[i].input = files->gl_pathv[i];
        parts[i].input_bytes = strlen(files->gl_pathv[i]) + 1;
    }
    rc = run_parts(workers, &map_job, parts, files->gl_pathc);
    if (rc)
        free_parts(parts, files->gl_pathc);
    else
        *out = parts;
    return rc;
}

/* Make the outputs of some parts the input of one, in `lines`. */
static int join_parts(struct bight_job_map_row *to, struct bytes *lines,
                      const struct bight_job_map_row *parts, size_t count)
{
    int rc = 0;

    for (size_t i = 0; i < count && rc == 0; i++)
        rc = bytes_append(lines, parts[i].result.output, parts[i].result.output_bytes);
    to->input = lines->data;
    to->input_bytes = lines->size;
    return rc;
}

/* Replace *parts by a quarter of as many, which have the same counts. */
static int reduce(struct bight_executor *workers, struct bight_job_map_row **parts, size_t *count)
{
    size_t fewer = (*count + AT_ONCE - 1) / AT_ONCE;
    struct bight_job_map_row *next = calloc(fewer, sizeof *next);
    struct bytes *lines = calloc(fewer, sizeof *lines);
    int rc = next && lines ? 0 : BIGHT_ENOMEM;

    for (size_t i = 0; i < fewer && rc == 0; i++) {
        size_t first = i * AT_ONCE, left = *count - first;

        rc = join_parts(&next[i], &lines[i], *parts + first, left < AT_ONCE ? left : AT_ONCE);
    }
    if (rc == 0)
        rc = run_parts(workers, &reduce_job, next, fewer);
    for (size_t i = 0; i < fewer && lines; i++)
        bytes_free(&lines[i]);
    free(lines);
    if (rc) {
        free_parts(next, next ? fewer : 0);
        return rc;
    }
    free_parts(*parts, *count);
    *parts = next;
    *count = fewer;
    return 0;
}

static int map_reduce(struct bight_executor *workers, const glob_t *files, struct table *counts)
{
    struct bight_job_map_row *parts = NULL;
    size_t count = files->gl_pathc;
    int rc = map(workers, files, &parts);

    if (rc)
        return rc;
    while (count > 1 && rc == 0)
        rc = reduce(workers, &parts, &count);
    if (rc == 0)
        rc = words_add_lines(counts, parts[0].result.output, parts[0].result.output_bytes);
    free_parts(parts, count);
    return rc;
}

static int add_files(struct table *counts, const glob_t *files)
{
    int rc = 0;

    for (size_t i = 0; i < files->gl_pathc && rc == 0; i++)
        rc = words_add_file(counts, files->gl_pathv[i]);
    return rc;
}

static int more_often(const void *a, const void *b)
{
    uintptr_t left = words_times(a), right = words_times(b);

    return (left < right) - (left > right);
}

/* Sorts the table, which is of no use but to be freed afterwards. */
static void print(size_t files, struct table *counts, const struct table *serial)
{
    printf("%zu files, %zu words: the workers' counts %s\n", files, counts->count,
           words_equal(counts, serial) ? "are those of one loop" : "are wrong");
    qsort(counts->entries, counts->capacity, sizeof *counts->entries, more_often);
    for (size_t i = 0; i < SHOWN && i < counts->count; i++)
        printf("%s: %zu times\n", counts->entries[i].key, words_times(&counts->entries[i]));
}

static int count_both_ways(struct bight_executor *workers, const glob_t *files)
{
    struct table counts = {0}, serial = {0};
    int rc = table_init(&counts);

    if (rc == 0)
        rc = table_init(&serial);
    if (rc == 0)
        rc = map_reduce(workers, files, &counts);
    if (rc == 0)
        rc = add_files(&serial, files);
    if (rc == 0)
        print(files->gl_pathc, &counts, &serial);
    table_free(&counts, NULL);
    table_free(&serial, NULL);
    return rc;
}

static int lesson(void *arg)
{
    struct bight_executor *workers;
    int ended, rc = bight_workers_new(&workers, NULL);

    if (rc)
        return rc;
    rc = count_both_ways(workers, arg);
    ended = bight_executor_end(workers);
    return rc ? rc : ended;
}

int main(int argc, char **argv)
{
    glob_t files;
    int rc = bight_workers_prepare(argc, argv);

    if (rc == 0 && argc != 2) {
        (void)fprintf(stderr, "usage: word_count FOLDER\n");
        return 2;
    }
    if (rc == 0 && chdir(argv[1])) /* workers start in the folder that is this process's then */
        rc = -errno;
    if (rc == 0 && glob("*.md", 0, NULL, &files))
        rc = BIGHT_ENOENT;
    if (rc == 0) {
        rc = bight_run(lesson, &files);
        globfree(&files);
    }
    return lesson_status("word_count", rc);
}
