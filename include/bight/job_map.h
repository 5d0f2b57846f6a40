/* Running one job for many items: several at the same time, several items in one job if they are
 * short, results one by one, in order or as they come. The items may be endless: at most `window`
 * jobs are under way or wait to be given out, and no more items are asked for meanwhile.
 *
 *     struct bight_job_map map;
 *     struct bight_job_map_item item;
 *     int rc = bight_job_map_begin(&map, workers, &count_words_job, next_line, file, NULL);
 *
 *     while (rc == 0 && (rc = bight_job_map_next(&map, &item)) == 0)
 *         ...
 *     ended = bight_job_map_end(&map);
 *
 * For an array of items there is bight_job_map_all. */
#ifndef BIGHT_JOB_MAP_H
#define BIGHT_JOB_MAP_H

#include <bight/executor.h>

BIGHT_BEGIN_DECLS

/* Zero is the default for every field. */
struct bight_job_map_options {
    /* How many items go into one job; default 1, at most 65,536. Their inputs together, each
     * rounded up to 16 bytes and with 16 more, with 16 for the whole, count as one payload; so do
     * their outputs, rounded up to 8 bytes, with 16 more for each. A worker that dies takes all
     * items of its job with it, unless the definition is idempotent. */
    size_t chunk;
    /* How many jobs at most; default: two for each worker that there may be. At most 65,536. */
    size_t window;
    /* Give results as jobs end, not in the order of the items. */
    bool unordered;
    /* For each job; wait_for_room does not matter: where others fill the executor, a map waits. */
    struct bight_execute_options execute;
};

/* What became of an item. */
struct bight_job_map_item {
    /* The first has 0. */
    size_t index;
    /* As bight_execute would have returned. */
    int status;
    /* What the job returned, if it ran; its output, aligned to 8 bytes, valid until the next call
     * for the map. */
    int code;
    const void *output;
    size_t output_bytes;
    /* As in struct bight_result; those of the job that the item was in. */
    int exit_signal;
    int exit_status;
    unsigned attempts;
};

/* Called by the task that asks for results, for the next item: returns 1 and sets *input, which is
 * copied before the next call, and *input_bytes; or 0 when there are no more; or a negative code.
 * May suspend. */
typedef int bight_job_map_source(void *arg, const void **input, size_t *input_bytes);

/* All fields are private. */
struct bight_job_map {
    struct bight_executor *executor; /* NULL: it has ended */
    const struct bight_job_def *def;
    bight_job_map_source *source;
    void *arg;
    struct bight_job_map_options options;
    struct bight__batch *batches;
    struct bight__batch *open;  /* is being filled, or waits for room */
    struct bight__batch *given; /* whose results are being given */
    struct bight_link spare;
    struct bight_link begun; /* in order */
    struct bight_link ended; /* unordered: those that were begun, as they end */
    struct bight_waiter *waiter;
    size_t index;
    int failure; /* of the source */
    bool drained;
    bool busy; /* a task is in a call for it */
};

/** Begin to run `def` for each item of `source`. Nothing is asked of the source yet.
 *
 *  @return 0; BIGHT_EINVAL: an option is out of range; BIGHT_ENOMEM; BIGHT_EPERM: the executor
 *          belongs to another thread.
 *  Allocates: the records of the jobs.
 *  Ownership: keeps def for ever, and executor, arg and map until bight_job_map_end, which may only
 *  be left out on failure. The executor must not end before the map.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_job_map_begin(struct bight_job_map *map,
                                                   struct bight_executor *executor,
                                                   const struct bight_job_def *def,
                                                   bight_job_map_source *source, void *arg,
                                                   const struct bight_job_map_options *options);

/** Start jobs for as many items as the window has room for, then sleep until there is a next
 *  result. An item whose job fails is a result, with its status: the map goes on.
 *
 *  @return 0 and *item; BIGHT_ECLOSED: all items were given out; the source's code, when it has
 *          failed and all items before it, but for those of a chunk that is not full, were given
 *          out; BIGHT_ECANCELED, also from the source: the next call goes on; BIGHT_EBUSY: another
 *          task is in this call; BIGHT_ENOMEM; BIGHT_EINVAL; BIGHT_ENOTASK.
 *  Suspends: yes.  Cancellable: yes.  On cancel: BIGHT_ECANCELED, no result is lost.
 *  Allocates: the inputs; outputs as bight_execute.  Thread: the loop's.
 *  Ownership: item->output belongs to the map.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_job_map_next(struct bight_job_map *map,
                                                  struct bight_job_map_item *item);

/** End the map, at its end or before: withdraw the jobs that have not begun, tell those that run as
 *  by bight_execution_cancel, wait for these, and free everything. A zero map, or one whose begin
 *  failed, stays as it is.
 *
 *  @return 0; BIGHT_EBUSY: a task is in a call for it; BIGHT_EPERM; BIGHT_EINVAL; BIGHT_ENOTASK.
 *  Suspends: yes.  Cancellable: no.  On cancel: goes on until the jobs have ended.
 *  Allocates: no.  Thread: the loop's.  Ownership: returns map to the caller.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_job_map_end(struct bight_job_map *map);

/* One item of an array. */
struct bight_job_map_row {
    const void *input;
    size_t input_bytes;
    /* Result: as from bight_execute. A row that was not run has BIGHT_ECANCELED. */
    int status;
    struct bight_result result;
};

/** Run `def` for each of `count` rows and wait for all; their results go into them.
 *
 *  @return 0: all succeeded; the status of the first row, in order of the array, that has not; the
 *          others were run all the same. BIGHT_ECANCELED: rows without a result were not run, or
 *          their jobs were cancelled; BIGHT_EINVAL, BIGHT_EPERM, BIGHT_ENOMEM, BIGHT_ENOTASK as
 *          bight_job_map_begin and _next.
 *  Suspends: yes.  Cancellable: yes.  On cancel: BIGHT_ECANCELED, as bight_job_map_end.
 *  Allocates: the outputs, and what a map does.  Thread: the loop's.
 *  Ownership: borrows inputs; gives each row->result, to be freed with bight_result_free.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_job_map_all(struct bight_executor *executor,
                                                 const struct bight_job_def *def,
                                                 struct bight_job_map_row *rows, size_t count,
                                                 const struct bight_job_map_options *options);

BIGHT_END_DECLS

#endif
