#include "tests/conformance/host.h"

void conf_attach(struct conf_host *host)
{
    /* The cases count passes of the loop: on a busy machine too, none is without time for tasks. */
    const struct bight_runtime_options options = {.slice_us = 10000000};

    host->closed = 0;
    ck_ok(uv_loop_init(&host->loop));
    ck_ok(bight_attach(&host->runtime, &host->loop, &options));
}

void conf_host_closed(void *arg)
{
    ((struct conf_host *)arg)->closed++;
}

void conf_detach(struct conf_host *host)
{
    ck_ok(bight_detach(host->runtime, conf_host_closed, host));
    uv_run(&host->loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(host->closed, 1);
    ck_ok(uv_loop_close(&host->loop));
}

static void counts(struct bight_call *call)
{
    struct conf_counter *counter = (struct conf_counter *)call;

    ck_assert_ptr_null(bight_self());
    counter->count++;
    if (counter->notes)
        conf_note(counter->notes, counter->word);
    if (counter->stops)
        uv_stop(counter->stops);
}

void conf_counter_init(struct conf_counter *counter)
{
    bight_call_init(&counter->call, counts);
}
