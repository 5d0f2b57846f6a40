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
#include <bight/gather.h>
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

struct part {
    struct bight_executor *workers;
    const struct bight_job_def *job;
    struct bytes input;
    struct bight_result result;
};

static int run_part(void *arg)
{
    struct part *part = arg;
    int rc =
        bight_execute(part->workers, part->job, part->input.data, part->input.size, &part->result);

    return rc == BIGHT_EJOBFAILED ? part->result.code : rc;
}

static int run_parts(struct part *parts, size_t count)
{
    return bight_map(run_part, parts, sizeof *parts, count, count, 0);
}

static void free_parts(struct part *parts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bytes_free(&parts[i].input);
        bight_result_free(&parts[i].result);
    }
    free(parts);
}

static int map(struct bight_executor *workers, const glob_t *files, struct part **out)
{
    struct part *parts = calloc(files->gl_pathc, sizeof *parts);
    int rc = parts ? 0 : BIGHT_ENOMEM;

    if (rc)
        return rc;
    for (size_t i = 0; i < files->gl_pathc && rc == 0; i++) {
        parts[i].workers = workers;
        parts[i].job = &map_job;
        rc = bytes_append(&parts[i].input, files->gl_pathv[i], strlen(files->gl_pathv[i]) + 1);
    }
    if (rc == 0)
        rc = run_parts(parts, files->gl_pathc);
    if (rc)
        free_parts(parts, files->gl_pathc);
    else
        *out = parts;
    return rc;
}

/* Replace *parts by a quarter of as many, which have the same counts. */
static int reduce(struct part **parts, size_t *count)
{
    size_t fewer = (*count + AT_ONCE - 1) / AT_ONCE;
    struct part *next = calloc(fewer, sizeof *next);
    int rc = next ? 0 : BIGHT_ENOMEM;

    if (rc)
        return rc;
    for (size_t i = 0; i < *count && rc == 0; i++) {
        struct part *to = &next[i / AT_ONCE];

        to->workers = (*parts)[i].workers;
        to->job = &reduce_job;
        rc = bytes_append(&to->input, (*parts)[i].result.output, (*parts)[i].result.output_bytes);
    }
    if (rc == 0)
        rc = run_parts(next, fewer);
    if (rc) {
        free_parts(next, fewer);
        return rc;
    }
    free_parts(*parts, *count);
    *parts = next;
    *count = fewer;
    return 0;
}

static int map_reduce(struct bight_executor *workers, const glob_t *files, struct table *counts)
{
    struct part *parts = NULL;
    size_t count = files->gl_pathc;
    int rc = map(workers, files, &parts);

    if (rc)
        return rc;
    while (count > 1 && rc == 0)
        rc = reduce(&parts, &count);
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
