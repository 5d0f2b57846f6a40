/* Executors from code without a loop: the lesson of `with ProcessPoolExecutor() as pool:
 * pool.map(...)` in a program that has nothing asynchronous.
 *
 * To notice: letters_of is a plain function, which blocks until its answer is there. It runs a loop
 * for as long as that takes; nothing of it is left when it returns. So it may be called by any
 * thread that runs no loop, and by several at the same time: each has its own, and its own workers,
 * which are copies of the same zygote. A program that calls it a hundred times a second keeps one
 * thread with a loop instead, and hands it work by <bight/submission.h>. */
#include "samples/offload/lesson.h"

#include <bight/errors.h>
#include <bight/job_map.h>
#include <bight/runtime.h>
#include <bight/workers.h>

#include <ctype.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define WORDS 6

static const char *const words[WORDS] = {"loop", "rope", "park", "a task", "C", "unpark 2"};

static int count_letters(struct bight_job *job) /* in a worker */
{
    const unsigned char *text = job->input;
    int letters = 0;

    for (size_t i = 0; i < job->input_bytes; i++)
        letters += isalpha(text[i]) != 0;
    return letters;
}

static const struct bight_job_def count_letters_job = {
    .name = "count letters", .fn = count_letters, .flags = BIGHT_JOB_IDEMPOTENT};

struct call {
    const char *const *texts;
    size_t count;
    int *letters;
};

static int map_texts(struct bight_executor *workers, const struct call *call)
{
    struct bight_job_map_row rows[WORDS] = {0};
    int rc;

    for (size_t i = 0; i < call->count; i++) {
        rows[i].input = call->texts[i];
        rows[i].input_bytes = strlen(call->texts[i]);
    }
    rc = bight_job_map_all(workers, &count_letters_job, rows, call->count, NULL);
    for (size_t i = 0; i < call->count; i++) {
        call->letters[i] = rows[i].result.code;
        bight_result_free(&rows[i].result);
    }
    return rc;
}

static int letters_task(void *arg)
{
    struct bight_workers_options options = {.workers = 2};
    struct bight_executor *workers;
    int ended, rc = bight_workers_new(&workers, &options);

    if (rc)
        return rc;
    rc = map_texts(workers, arg);
    ended = bight_executor_end(workers);
    return rc ? rc : ended;
}

/* How many letters each of at most WORDS texts has. Blocks. 0 or a negative code. */
static int letters_of(const char *const *texts, size_t count, int *letters)
{
    struct call call = {texts, count, letters};

    return count <= WORDS ? bight_run(letters_task, &call) : BIGHT_EINVAL;
}

struct half {
    pthread_t thread;
    size_t first;
    int letters[WORDS];
    int rc;
};

static void *count_half(void *arg)
{
    struct half *half = arg;

    half->rc = letters_of(words + half->first, WORDS / 2, half->letters);
    return NULL;
}

static int lesson(void)
{
    struct half halves[2] = {{.first = 0}, {.first = WORDS / 2}};
    int letters[WORDS], sum = 0, rc = letters_of(words, WORDS, letters);

    if (rc)
        return rc;
    for (int i = 0; i < WORDS; i++)
        printf("%s: %d\n", words[i], letters[i]);
    for (int i = 0; i < 2; i++) {
        rc = -pthread_create(&halves[i].thread, NULL, count_half, &halves[i]);
        if (rc && i > 0)
            pthread_join(halves[0].thread, NULL);
        if (rc)
            return rc;
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(halves[i].thread, NULL);
        rc = rc ? rc : halves[i].rc;
        for (int at = 0; at < WORDS / 2; at++)
            sum += halves[i].letters[at];
    }
    if (rc == 0)
        printf("By two threads at the same time, together: %d\n", sum);
    return rc;
}

int main(int argc, char **argv)
{
    int rc = bight_workers_prepare(argc, argv);

    return lesson_status("blocking", rc ? rc : lesson());
}
