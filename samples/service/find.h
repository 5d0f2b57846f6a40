/* Where in a text a phrase is, with mistakes: letters that are missing, too many, or others. For
 * each letter of the text there is a column as long as the phrase to be computed, which for a long
 * text is too much for the thread of a loop: it is a job, for a worker process. */
#ifndef SAMPLES_SERVICE_FIND_H
#define SAMPLES_SERVICE_FIND_H

#include <bight/executor.h>

#define FIND_PHRASE_BYTES 400
#define FIND_MISTAKES_MAX 20
#define FIND_PLACES_MAX 100

/* What begins the job's input; the phrase and the text follow, both UTF-8. */
struct find_question {
    uint32_t mistakes; /* the most at one place */
    uint32_t phrase_bytes;
};

/* Have `workers` look for `phrase` in `text`. On success result->output is the answer, a JSON
 * object: the first places, in order, without those that overlap a better one. Returns as
 * bight_execute, but for a job that failed its own code; BIGHT_EINVAL: the phrase is empty, too
 * long, or not longer than the mistakes. */
BIGHT_MUST_CHECK int find_in(struct bight_executor *workers, const char *text, const char *phrase,
                             unsigned mistakes, struct bight_result *result);

#endif
