/* The parse of a page as a job for worker processes. */
#ifndef SCRAPER_JOB_H
#define SCRAPER_JOB_H

#include <bight/job.h>

/* Input by parse_request, output for parse_reply. Idempotent: when a worker is killed, another one
 * parses the page again. */
extern const struct bight_job_def parse_page_job;

/* What each worker runs first. */
extern const struct bight_job_def prepare_parser_job;

#endif
