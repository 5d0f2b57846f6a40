/* The end of a stream: who is inside leaves, the peer gets its last bytes, nothing is left. */
#include "runtime/stream/stream.h"
#include "tests/runtime/stream/ends.h"

#include <bight/uv.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MS_NS UINT64_C(1000000)

static const struct bight_stream_pair_options narrow = {.capacity = 1};

static int by_end(struct bight_stream *stream)
{
    return bight_stream_end(stream, 0);
}

static int by_patient_end(struct bight_stream *stream)
{
    return bight_stream_end(stream, -1);
}

static int by_abort(struct bight_stream *stream)
{
    bight_stream_abort(stream);
    return 0;
}

static int (*const verbs[])(struct bight_stream *) = {by_end, by_patient_end, by_abort};

#define VERBS (sizeof(verbs) / sizeof(verbs[0]))

static int those_inside(void *arg)
{
    struct caller reader, writer;
    struct ends ends;

    (void)arg;
    for (size_t i = 0; i < VERBS; i++) {
        pair_open(&narrow);
        feed(left, "f");
        caller_start(&reader, reads_exactly, left);
        caller_start(&writer, writes_byte, left);
        ck_ok(verbs[i](left));
        caller_join(&reader, BIGHT_ECLOSED);
        caller_join(&writer, BIGHT_ECLOSED);
        ck_ok(bight_stream_end(right, 0));

        ends_open(&ends, ENDS_TCP);
        caller_start(&reader, reads_line, ends.stream);
        ck_ok(verbs[i](ends.stream));
        caller_join(&reader, BIGHT_ECLOSED);
        close(ends.peer);
    }
    return 0;
}

/* One that never waits is suspended only by the checkpoint that opens its calls. */

static int64_t peeks_for_ever(struct bight_stream *stream)
{
    int64_t count;

    while ((count = peeks(stream)) > 0)
        continue;
    return count;
}

static int64_t writes_for_ever(struct bight_stream *stream)
{
    int rc;

    while ((rc = bight_stream_write(stream, "", 0)) == 0)
        continue;
    return rc;
}

static int in_their_checkpoint(void *arg)
{
    struct caller reader, writer;

    (void)arg;
    for (size_t i = 0; i < VERBS; i++) {
        pair_open(NULL);
        feed(right, "data");
        caller_start(&reader, peeks_for_ever, left);
        caller_start(&writer, writes_for_ever, left);
        ck_ok(verbs[i](left));
        caller_join(&reader, BIGHT_ECLOSED);
        caller_join(&writer, BIGHT_ECLOSED);
        ck_ok(bight_stream_end(right, 0));
    }
    return 0;
}

static int ends_it(void *stream)
{
    return bight_stream_end(stream, -1);
}

/* Woken and not yet running, it has what it was given, or leaves without. */
static int woken_before(void *arg)
{
    struct caller reader;
    struct bight_task *ender;

    (void)arg;
    pair_open(NULL);
    caller_start(&reader, reads_byte, right);
    ck_ok(bight_spawn(&ender, ends_it, right));
    feed(left, "x");
    ck_ok(bight_join(ender, NULL));
    ck_ok(bight_join(reader.task, NULL));
    ck_assert(reader.result == 1 || reader.result == BIGHT_ECLOSED);
    ck_ok(bight_stream_end(left, 0));
    return 0;
}

/* The same with a socket, whose next read has to wait; what came is not all that was asked for. */
static int woken_for_a_part(void *arg)
{
    int64_t (*const calls[])(struct bight_stream *) = {reads_exactly, reads_line};
    struct caller reader;
    struct ends ends;

    (void)arg;
    for (size_t i = 0; i < 2; i++) {
        ends_open(&ends, ENDS_TCP);
        caller_start(&reader, calls[i], ends.stream);
        ends_say(ends.peer, "x");
        bight__stream_ready(ends.stream, &ends.stream->in); /* the event, before the reader runs */
        ck_ok(bight_stream_end(ends.stream, 0));
        caller_join(&reader, BIGHT_ECLOSED);
        close(ends.peer);
    }
    return 0;
}

static int cancelled_scope(void *arg)
{
    struct bight_scope scope;
    struct caller reader;
    struct ends ends;

    (void)arg;
    pair_open(NULL);
    caller_start(&reader, reads_byte, left);
    ends_open(&ends, ENDS_TCP);
    ends_say(ends.peer, "unread");
    ck_assert_int_eq(peeks(ends.stream), 6);
    ck_ok(bight_scope_begin(&scope, -1, 0));
    bight_scope_cancel(&scope);
    ck_ok(bight_stream_end(left, -1));        /* it waits for the reader all the same */
    ck_ok(bight_stream_end(ends.stream, -1)); /* and not for the peer */
    ck_ok(bight_scope_end(&scope, bight_checkpoint()));
    caller_join(&reader, BIGHT_ECLOSED);
    ck_ok(bight_stream_end(right, 0));
    close(ends.peer);
    return 0;
}

/* The peer that hears: bytes are on their way to us that nobody will read. */

static int64_t lingers(struct bight_stream *stream)
{
    return bight_stream_end(stream, 10000);
}

static int last_answer(void *arg)
{
    struct caller ender;
    struct ends ends;

    (void)arg;
    for (int kind = ENDS_UNIX; kind <= ENDS_TCP; kind++) {
        ends_open(&ends, (enum ends_kind)kind);
        ends_say(ends.peer, "first part, and second part");
        ck_assert_int_eq(reads_byte(ends.stream), 1);
        feed(ends.stream, "answer");
        caller_start(&ender, lingers, ends.stream);
        ends_say(ends.peer, "third part");
        ck_ok(bight_sleep(10));
        ends_say(ends.peer, "fourth part");
        ck_ok(bight_sleep(10));
        ck_assert_str_eq(ends_hear(ends.peer), "answer");
        ck_assert_str_eq(ends_hear(ends.peer), "");
        close(ends.peer);
        caller_join(&ender, 0);
    }
    return 0;
}

static int has_closed(int fd)
{
    char byte;
    ssize_t count = recv(fd, &byte, 1, MSG_DONTWAIT);

    return count == 0 || (count < 0 && errno == ECONNRESET);
}

static int patience(void *arg)
{
    uint64_t begin = bight_now_ns();
    struct caller ender;
    struct ends ends;

    (void)arg;
    ends_open(&ends, ENDS_TCP);
    feed(ends.stream, "a");
    ck_assert_str_eq(ends_hear(ends.peer), "a");
    ck_ok(bight_stream_end(ends.stream, -1)); /* nothing is unread: nobody is waited for */
    ck_assert_int_eq(has_closed(ends.peer), 1);
    close(ends.peer);

    ends_open(&ends, ENDS_TCP);
    ends_say(ends.peer, "unread");
    ck_assert_int_eq(peeks(ends.stream), 6);
    ck_ok(bight_stream_end(ends.stream, 20));
    ck_assert_uint_ge(bight_now_ns() - begin, 20 * MS_NS);
    ck_assert_int_eq(has_closed(ends.peer), 1);
    close(ends.peer);

    ends_open(&ends, ENDS_TCP);
    ends_say(ends.peer, "unread");
    ck_assert_int_eq(peeks(ends.stream), 6);
    caller_start(&ender, lingers, ends.stream);
    ck_code((int)reads_byte(ends.stream), BIGHT_ECLOSED);
    ck_code((int)writes_byte(ends.stream), BIGHT_ECLOSED);
    ck_assert_int_eq(bight_stream_try_write(ends.stream, "x", 1), BIGHT_ECLOSED);
    ck_code(bight_stream_end(ends.stream, 0), BIGHT_EALREADY);
    bight_stream_abort(ends.stream); /* it waits no longer */
    caller_join(&ender, 0);
    ck_assert_uint_lt(bight_now_ns() - begin, 9000 * MS_NS);
    close(ends.peer);
    return 0;
}

/* An end that waits for those inside is hurried too. */

static int ends_patiently(void *stream)
{
    return bight_stream_end(stream, -1);
}

static int aborts(void *stream)
{
    bight_stream_abort(stream);
    return 0;
}

static int hurried(void *arg)
{
    struct bight_task *ender, *aborter;
    struct caller reader;
    struct ends ends;
    char byte;

    (void)arg;
    ends_open(&ends, ENDS_TCP);
    ends_say(ends.peer, "un");
    ck_assert_int_eq(peeks(ends.stream), 2);
    caller_start(&reader, reads_exactly, ends.stream);
    ck_ok(bight_spawn(&ender, ends_patiently, ends.stream));
    ck_ok(bight_spawn(&aborter, aborts, ends.stream));
    ck_ok(bight_join(aborter, NULL));
    caller_join(&reader, BIGHT_ECLOSED);
    ck_ok(bight_join(ender, NULL));
    ck_assert_int_eq(recv(ends.peer, &byte, 1, MSG_DONTWAIT), -1);
    ck_assert_int_eq(errno, ECONNRESET);
    close(ends.peer);
    return 0;
}

static int resets(void *arg)
{
    struct ends ends;
    char byte;

    (void)arg;
    ends_open(&ends, ENDS_TCP);
    bight_stream_abort(ends.stream);
    ck_assert_int_eq(recv(ends.peer, &byte, 1, MSG_DONTWAIT), -1);
    ck_assert_int_eq(errno, ECONNRESET);
    close(ends.peer);

    ends_open(&ends, ENDS_TCP);
    feed(ends.stream, "kept");
    ck_ok(bight_stream_end(ends.stream, 0));
    ck_assert_str_eq(ends_hear(ends.peer), "kept");
    ck_assert_str_eq(ends_hear(ends.peer), "");
    close(ends.peer);
    return 0;
}

/* From a callback of the loop, where no task could wait. */

struct outside {
    uv_timer_t timer;
    struct bight_event called;
    int rc;
};

static void end_outside(uv_timer_t *timer)
{
    struct outside *outside = timer->data;

    outside->rc = bight_stream_end(left, 1000);
    bight_event_set(&outside->called);
}

static int end_outside_gives(int code)
{
    struct outside outside = {.rc = 1};

    bight_event_init(&outside.called);
    ck_ok(uv_timer_init(bight_uv_loop(), &outside.timer));
    outside.timer.data = &outside;
    ck_ok(uv_timer_start(&outside.timer, end_outside, 0, 0));
    ck_ok(bight_event_wait(&outside.called));
    ck_code(outside.rc, code);
    return bight_uv_close((uv_handle_t *)&outside.timer);
}

static int outside_of_a_task(void *arg)
{
    struct caller reader;

    (void)arg;
    pair_open(NULL);
    caller_start(&reader, reads_byte, left);
    ck_ok(end_outside_gives(BIGHT_ENOTASK));
    feed(right, "x"); /* nothing has happened to it */
    caller_join(&reader, 1);
    ck_ok(end_outside_gives(0));
    ck_ok(bight_stream_end(right, 0));
    return 0;
}

static int left_open(void *arg)
{
    const enum ends_kind kinds[] = {ENDS_UNIX, ENDS_TCP, ENDS_READING_PIPE, ENDS_WRITING_PIPE,
                                    ENDS_TERMINAL};
    struct ends ends;

    (void)arg;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        ends_open(&ends, kinds[i]);
        if (kinds[i] == ENDS_TCP || kinds[i] == ENDS_UNIX) {
            ends_say(ends.peer, "buffered");
            ck_assert_int_eq(peeks(ends.stream), 8);
        }
        close(ends.peer);
    }
    return bight_stream_end(NULL, 0);
}

static const struct suite_case cases[] = {
    world_case(those_inside_get_closed, those_inside),
    world_case(those_in_their_checkpoint_get_closed, in_their_checkpoint),
    world_case(one_that_was_woken_before_leaves_too, woken_before),
    world_case(one_that_was_woken_for_a_part_leaves_too, woken_for_a_part),
    world_case(in_a_cancelled_scope_it_ends_all_the_same, cancelled_scope),
    world_case(unread_bytes_do_not_destroy_the_last_answer, last_answer),
    world_case(the_peer_is_waited_for_when_it_has_more_to_say, patience),
    world_case(an_abort_hurries_an_end_that_waits_for_others, hurried),
    world_case(an_abort_resets_and_an_end_does_not, resets),
    world_case(without_a_task_nobody_is_waited_for, outside_of_a_task),
    world_case(what_is_left_open_goes_with_the_runtime, left_open),
};

test_suite("stream_end", cases);
