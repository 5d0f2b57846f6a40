/* See exchange.h. */
#include "tests/ways/exchange.h"

#include <string.h>

#include "tests/net/server/talk.h"

#define FULL_BYTES 1024
#define NARROW_BYTES 64

static struct stage *on_stage;
static int (*finishes)(struct stage *stage);

/* What the client has taken so far, and how much of that is only there to make the pair full. */
static char taken[4096];
static size_t taken_bytes;
static size_t filled;

static int handle(struct bight_exchange *exchange, void *arg)
{
    int rc;

    (void)arg;
    on_stage->exchange = exchange;
    rc = bight_event_wait(&on_stage->event);
    return rc ? rc : finishes(on_stage);
}

void exchange_begin(struct stage *stage, const char *request, size_t capacity,
                    int (*finish)(struct stage *stage))
{
    const struct bight_stream_pair_options pair = {.capacity = capacity};

    on_stage = stage;
    finishes = finish;
    taken_bytes = filled = 0;
    bight_event_init(&stage->event);
    talk_begin_over(handle, NULL, &pair);
    talk_say(request);
    while (!stage->exchange)
        ck_ok(bight_yield());
}

static void take(void)
{
    int64_t count;

    while ((count = bight_stream_try_read(talk_client, taken + taken_bytes,
                                          sizeof(taken) - 1 - taken_bytes)) > 0)
        taken_bytes += (size_t)count;
}

int exchange_end(struct stage *stage, const char **heard)
{
    const char *rest;

    bight_event_set(&stage->event);
    take();
    rest = talk_hear();
    ck_assert_uint_lt(taken_bytes + strlen(rest), sizeof(taken));
    strcpy(taken + taken_bytes, rest);
    *heard = taken + filled;
    talk_drop_date(taken + filled);
    ck_assert(link_empty(&stage->event.waiters));
    return talk_end();
}

/* Calls that answer */

static const struct exchange_call *call_of(const struct stage *stage)
{
    const struct exchange_call *call = exchange_calls;

    while (strcmp(call->name, stage->way->call) != 0)
        call++;
    return call;
}

static bool was_cancelled_waiting(const struct stage *stage)
{
    return !stage->taken && !stage->seats[0].cancelled;
}

/* In the handler: make the call again, unless it was made. */
static int finish(struct stage *stage)
{
    if (stage->taken)
        return 0;
    if (was_cancelled_waiting(stage) && call_of(stage)->left != LEFT_NOTHING)
        return BIGHT_EIO;
    return call_of(stage)->make(stage);
}

static int finish_narrow(struct stage *stage)
{
    if (was_cancelled_waiting(stage))
        return BIGHT_EIO;
    return finish(stage);
}

static void open_with(struct stage *stage, size_t capacity, int (*finish_with)(struct stage *stage))
{
    const struct exchange_call *call = call_of(stage);

    exchange_begin(stage, call->request, capacity, finish_with);
    if (call->prepare)
        call->prepare(stage);
}

void full_exchange_open(struct stage *stage)
{
    static const char bytes[FULL_BYTES];

    open_with(stage, FULL_BYTES, finish);
    ck_assert_int_eq(
        bight_stream_try_write(bight_exchange_stream(stage->exchange), bytes, FULL_BYTES),
        FULL_BYTES);
    ck_assert_int_eq(bight_stream_try_write(bight_exchange_stream(stage->exchange), bytes, 1),
                     BIGHT_EAGAIN);
    filled = FULL_BYTES;
}

void narrow_exchange_open(struct stage *stage)
{
    open_with(stage, NARROW_BYTES, finish_narrow);
}

int exchange_wait_with_memory(struct seat *seat)
{
    return call_of(seat->stage)->make(seat->stage);
}

int exchange_wait(struct seat *seat)
{
    seat->stage->no_memory = true;
    return exchange_wait_with_memory(seat);
}

void exchange_wake(struct stage *stage)
{
    (void)stage;
    take();
}

static void close_with(struct stage *stage, enum exchange_left left)
{
    const struct exchange_call *call = call_of(stage);
    const char *heard;
    int rc = exchange_end(stage, &heard);

    if (!was_cancelled_waiting(stage) || left == LEFT_NOTHING) {
        if (call->wanted)
            ck_assert_str_eq(heard, call->wanted);
        else
            ck_assert_ptr_eq(strstr(heard, "HTTP/1.1 200 "), heard);
        ck_ok(rc);
    } else if (left == LEFT_REFUSED) {
        ck_assert_ptr_eq(strstr(heard, "HTTP/1.1 500 "), heard);
        ck_ok(rc);
    } else {
        ck_assert_str_eq(heard + strlen(heard) - strlen("<reset>"), "<reset>");
        ck_assert_int_lt(rc, 0);
    }
}

void full_exchange_close(struct stage *stage)
{
    close_with(stage, call_of(stage)->left);
}

/* A part of it has gone out. */
void narrow_exchange_close(struct stage *stage)
{
    close_with(stage, LEFT_RESET);
}
