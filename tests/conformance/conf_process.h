/* For the suites about processes: jobs in processes of their own, and a board (shared_cases.h)
 * that they and workers find in a segment. */
#ifndef TESTS_CONFORMANCE_CONF_PROCESS_H
#define TESTS_CONFORMANCE_CONF_PROCESS_H

#include "tests/offload/shared/shared_cases.h"

/* An executor, and a board that its workers have; `order` has the board's number. */
struct shop {
    struct bight_executor *executor;
    struct bight_shared *segment;
    struct board *board;
    struct order order;
};

static inline struct shop shop_begin(unsigned workers)
{
    struct shop shop = {.executor = worker_open_count(workers)};

    shop.order.number = share_board(shop.executor, &shop.segment, &shop.board);
    return shop;
}

static inline int shop_end(struct shop *shop)
{
    worker_close(shop->executor);
    CHECK_EQ(bight_shared_free(shop->segment), 0);
    return 0;
}

/* Begin the job `def` of number `id` in a worker of the shop, `count` times. */
static inline void shop_call(struct shop *shop, struct worker_call *call, struct order *order,
                             const struct bight_job_def *def, int id, int count)
{
    *order = shop->order;
    order->id = id;
    order->count = count;
    *call = (struct worker_call){.executor = shop->executor, .def = def};
    begin_order(call, order);
}

/* Join it: the job returned `code`. */
static inline void shop_join(struct worker_call *call, int code)
{
    CHECK_EQ(bight_join(call->task, NULL), 0);
    CHECK_EQ(call->rc, 0);
    CHECK_EQ(call->result.code, code);
    bight_result_free(&call->result);
}

/* The job `def` in a process of its own, with `segment` unless it is NULL, as number 0. */
static inline struct bight_job_process *process_start(const struct bight_job_def *def,
                                                      const void *input, size_t input_bytes,
                                                      struct bight_shared *segment)
{
    struct bight_job_process_options options = {
        .payload_max_bytes = 4 << 20, .segments = &segment, .segment_count = segment ? 1 : 0};
    struct bight_job_process *process = NULL;

    CHECK_EQ(bight_job_process_start(&process, def, input, input_bytes, &options), 0);
    return process;
}

/* Wait for its end, which must be `rc`; its result is the process's. */
static inline const struct bight_result *process_join(struct bight_job_process *process, int rc)
{
    const struct bight_result *result = NULL;

    CHECK_EQ(bight_job_process_join(process), 0);
    CHECK_EQ(bight_job_process_result(process, &result), rc);
    CHECK(result);
    return result;
}

/* The same, and forget it. */
static inline void process_end(struct bight_job_process *process, int rc)
{
    (void)process_join(process, rc);
    CHECK_EQ(bight_job_process_free(process), 0);
}

#endif
