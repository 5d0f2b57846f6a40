/* See job.h. */
#include "samples/scraper/job.h"

#include <locale.h>
#include <sys/resource.h>
#include <time.h>

#include <bight/errors.h>

#include "samples/scraper/parse.h"

/* How much CPU time one page may take; then its parse stops with what it has. The largest honest
 * pages take a second. */
static const double parse_seconds_soft = 8;
/* The same for one step of the parser, which cannot be stopped: libxml2 takes quadratic time over
 * some texts. Beyond this the kernel ends the worker, and the page's record says so. */
static const double parse_seconds_hard = 10;

struct limits {
    const struct bight_job *job;
    clock_t start;
};

static bool must_stop(void *arg)
{
    const struct limits *limits = arg;

    return bight_job_cancelled(limits->job) ||
           (double)(clock() - limits->start) / CLOCKS_PER_SEC > parse_seconds_soft;
}

/* Allow this process as much CPU time from now. It starts with as much as its parent may use. */
static void limit_cpu(clock_t start)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_CPU, &limit) != 0)
        return;
    rlim_t seconds = (rlim_t)((double)start / CLOCKS_PER_SEC + parse_seconds_hard);
    limit.rlim_cur = seconds < limit.rlim_max ? seconds : limit.rlim_max;
    /* Failure leaves the limit of the job before, which is worth no error. */
    (void)setrlimit(RLIMIT_CPU, &limit);
}

static int parse_page(struct bight_job *job)
{
    struct limits limits = {.job = job, .start = clock()};
    struct page_stop stop = {.stop = must_stop, .arg = &limits};
    struct bytes reply = {0};

    limit_cpu(limits.start);
    int rc = parse_run(&reply, job->input, job->input_bytes, &stop);

    if (rc == 0)
        rc = bight_job_output_append(job, reply.data, reply.size);
    bytes_free(&reply);
    return rc;
}

static int prepare_parser(struct bight_job *job)
{
    (void)job;
    /* Workers are forks from before main set its locale; see there. */
    (void)setlocale(LC_CTYPE, "C.UTF-8");
    return 0;
}

const struct bight_job_def prepare_parser_job = {.name = "prepare parser", .fn = prepare_parser};
const struct bight_job_def parse_page_job = {
    .name = "parse page", .fn = parse_page, .flags = BIGHT_JOB_IDEMPOTENT};
