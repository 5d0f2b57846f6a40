/* Progress of jobs: threads put reports into a list, which the loop's thread hands out before it
 * ends the calls that have come back. See threads.h. */
#include "offload/threads/threads.h"

#include <string.h>

/* A thread waits while there are so many that the loop has not handed out. */
#define REPORTS_MOST 64u

struct report {
    struct bight_link link;
    const struct bight_execution *record;
    size_t bytes;
    unsigned char data[];
};

int bight__report(struct threads *threads, struct bight_execution *record, const void *data,
                  size_t bytes)
{
    struct report *report = bight__alloc(threads_seams(threads), sizeof(*report) + bytes);

    if (!report)
        return BIGHT_ENOMEM;
    report->record = record;
    report->bytes = bytes;
    if (bytes)
        memcpy(report->data, data, bytes);
    pthread_mutex_lock(&threads->lock);
    while (threads->report_count >= REPORTS_MOST && !threads->ending)
        pthread_cond_wait(&threads->reported, &threads->lock);
    link_append(&threads->reports, &report->link);
    threads->report_count++;
    atomic_store(&threads->reporting, true);
    bight__crew_call_loop(threads);
    pthread_mutex_unlock(&threads->lock);
    return 0;
}

/* Take those that are there, and no others: there may be no end of them. */
static void take_all(struct threads *threads, struct bight_link *taken)
{
    struct bight_link *link;

    link_init(taken);
    pthread_mutex_lock(&threads->lock);
    while ((link = link_take(&threads->reports)))
        link_append(taken, link);
    threads->report_count = 0;
    atomic_store(&threads->reporting, false);
    pthread_cond_broadcast(&threads->reported);
    pthread_mutex_unlock(&threads->lock);
}

void bight__reports_deliver(struct threads *threads)
{
    struct bight_link taken, *link;

    take_all(threads, &taken);
    while ((link = link_take(&taken))) {
        struct report *report = container_of(link, struct report, link);
        const struct bight_execute_options *options = &report->record->options;

        options->progress(options->progress_arg, report->data, report->bytes);
        bight__free(report);
    }
}

void bight__reports_drop(struct threads *threads)
{
    struct bight_link taken, *link;

    take_all(threads, &taken);
    while ((link = link_take(&taken)))
        bight__free(container_of(link, struct report, link));
}
