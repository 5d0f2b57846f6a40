/* For the conformance suites: a host's loop with a runtime attached, and a call that counts. */
#ifndef TESTS_CONFORMANCE_HOST_H
#define TESTS_CONFORMANCE_HOST_H

#include <bight/uv.h>

#include "tests/conformance/conf.h"

struct conf_host {
    uv_loop_t loop;
    struct bight_runtime *runtime;
    int closed; /* how often on_closed was called */
};

/* Make the loop, and give this thread a runtime on it. It is real time there. */
void conf_attach(struct conf_host *host);
/* Detach it, insist on being told so once, and close the loop. */
void conf_detach(struct conf_host *host);
/* For bight_detach: counts in `closed` of the host at `arg`. */
void conf_host_closed(void *arg);

struct conf_counter {
    struct bight_call call; /* first */
    int count;
    /* What else it does; each may be NULL. */
    uv_loop_t *stops;
    struct conf_notes *notes;
    const char *word;
};
void conf_counter_init(struct conf_counter *counter);

#endif
