/* bight-scrape: fetch a site in tasks, parse its pages in worker processes, write a JSON object per
 * page. README.md says what it does; crawl.c is where it is done. */
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bight/errors.h>
#include <bight/runtime.h>
#include <bight/workers.h>

#include "samples/common/service.h"
#include "samples/scraper/crawl.h"
#include "samples/scraper/options.h"
#include "samples/scraper/output.h"

enum {
    EXIT_CUT_SHORT = 1,
    EXIT_USAGE = 2,
};

struct run {
    struct options options;
    struct output output;
    struct crawl crawl;
};

static int complain(const char *what, int code)
{
    (void)fprintf(stderr, "bight-scrape: %s: %s\n", what, bight_strerror(code));
    return EXIT_CUT_SHORT;
}

static int run_crawl(void *arg)
{
    struct run *run = arg;
    return crawl_run(&run->crawl, &run->options, &run->output);
}

static int run_with_options(struct run *run)
{
    int rc = output_open(&run->output, run->options.output);
    if (rc)
        return complain(run->options.output, rc);
    rc = bight_run(run_crawl, run);
    int closed = output_close(&run->output);
    if (rc == BIGHT_ECANCELED && run->crawl.signum)
        (void)fprintf(stderr, "bight-scrape: cut short: %s\n", strsignal(run->crawl.signum));
    else if (rc)
        return complain("cut short", rc);
    if (closed)
        return complain("output", closed);
    return rc || run->crawl.start_failed ? EXIT_CUT_SHORT : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    int rc = bight_workers_prepare(argc, argv);
    if (rc)
        return complain("cannot prepare workers", rc);
    /* Letters for libcurl's international host names; numbers and messages stay as they are. */
    (void)setlocale(LC_CTYPE, "C.UTF-8");
    /* A reader that closed the pipe is an error of the write. */
    (void)signal(SIGPIPE, SIG_IGN);
    service_raise_descriptor_limit();

    struct run *run = calloc(1, sizeof *run);
    if (!run)
        return complain("cannot start", BIGHT_ENOMEM);
    int status = EXIT_SUCCESS;
    switch (options_read(&run->options, argc, argv)) {
    case COMMAND_RUN:
        status = run_with_options(run);
        break;
    case COMMAND_DONE:
        break;
    case COMMAND_USAGE:
        status = EXIT_USAGE;
        break;
    }
    options_free(&run->options);
    free(run);
    return status;
}
