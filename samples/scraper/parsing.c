/* See parsing.h. */
#include "samples/scraper/parsing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bight/errors.h>
#include <bight/event.h>

#include "samples/scraper/job.h"

/* A page that was parsed or is being parsed. */
struct final {
    enum { FINAL_NEW, FINAL_RUNS, FINAL_DONE } state;
    /* Set whenever nobody parses it. */
    struct bight_event settled;
    struct page_facts facts;
    char *title;
};

int parsing_init(struct parsing *parsing, struct bight_executor *workers)
{
    parsing->workers = workers;
    return table_init(&parsing->finals);
}

static void drop_final(void *value)
{
    struct final *final = value;

    if (final)
        free(final->title);
    free(final);
}

void parsing_free(struct parsing *parsing)
{
    table_free(&parsing->finals, drop_final);
}

void parsed_free(struct parsed *parsed)
{
    bight_result_free(&parsed->result);
}

/* --- one job ---------------------------------------------------------------------------------- */

static int fail(struct parsed *parsed, int rc, const char *text)
{
    parsed->failure =
        rc == BIGHT_ECANCELED || rc == BIGHT_ECLOSED ? FAILURE_INTERRUPTED : FAILURE_PARSE;
    (void)snprintf(parsed->error, sizeof parsed->error, "%s%s%s", failure_name(parsed->failure),
                   text[0] ? ": " : "", text);
    return rc;
}

static int job_failed(struct parsed *parsed, int rc)
{
    const struct bight_result *result = &parsed->result;
    char text[FETCH_ERROR_BYTES / 2];

    if (rc == BIGHT_ECANCELED)
        return fail(parsed, rc, "");
    if (rc == BIGHT_EWORKERDIED && result->exit_signal)
        (void)snprintf(text, sizeof text, "%s (%s)", bight_strerror(rc),
                       strsignal(result->exit_signal));
    else
        (void)snprintf(text, sizeof text, "%s",
                       bight_strerror(rc == BIGHT_EJOBFAILED ? result->code : rc));
    return fail(parsed, rc, text);
}

/* Have a worker parse the page. Returns 0, or a negative code with the failure in *parsed. */
static int execute(struct parsing *parsing, struct fetched *fetched, struct parsed *parsed)
{
    const struct bytes *request = &fetched->request;
    int rc = bight_execute(parsing->workers, &parse_page_job, request->data, request->size,
                           &parsed->result);

    bytes_free(&fetched->request);
    if (rc)
        return job_failed(parsed, rc);
    rc = parse_reply(&parsed->facts, &parsed->links, parsed->result.output,
                     parsed->result.output_bytes);
    return rc ? fail(parsed, rc, "the worker's answer is none") : 0;
}

/* --- once per page ---------------------------------------------------------------------------- */

static int final_of(struct parsing *parsing, const char *url, struct final **out)
{
    struct table_entry *entry;
    bool added;
    int rc = table_put(&parsing->finals, url, strlen(url), &entry, &added);

    if (rc == 0 && !entry->value) {
        struct final *final = calloc(1, sizeof *final);
        if (!final)
            return BIGHT_ENOMEM;
        bight_event_init(&final->settled);
        entry->value = final;
    }
    if (rc == 0)
        *out = entry->value;
    return rc;
}

/* Keep the facts for those who come later; the title in the worker's answer does not last. */
static int keep(struct final *final, const struct page_facts *facts)
{
    final->title = strdup(facts->title);
    if (!final->title)
        return BIGHT_ENOMEM;
    final->facts = *facts;
    final->facts.title = final->title;
    return 0;
}

static int parse_first(struct parsing *parsing, struct final *final, struct fetched *fetched,
                       struct parsed *parsed)
{
    final->state = FINAL_RUNS;
    bight_event_clear(&final->settled);
    int rc = execute(parsing, fetched, parsed);
    if (rc == 0) {
        rc = keep(final, &parsed->facts);
        if (rc)
            rc = fail(parsed, rc, bight_strerror(rc));
    }
    /* After a failure the next one tries with what it fetched itself. */
    final->state = rc ? FINAL_NEW : FINAL_DONE;
    bight_event_set(&final->settled);
    return rc;
}

void parsing_run(struct parsing *parsing, struct fetched *fetched, struct parsed *parsed)
{
    struct final *final;

    *parsed = (struct parsed){0};
    int rc = final_of(parsing, fetched->final_url, &final);
    while (rc == 0 && final->state == FINAL_RUNS)
        rc = bight_event_wait(&final->settled);
    if (rc) {
        (void)fail(parsed, rc, rc == BIGHT_ECANCELED ? "" : bight_strerror(rc));
        return;
    }
    if (final->state == FINAL_DONE)
        parsed->facts = final->facts;
    else
        (void)parse_first(parsing, final, fetched, parsed);
}
