/* A call that sleeps is told when what it sleeps on is ended, or keeps it from being freed. That
 * holds from the call on: no opening of a call lets a task run that finds nobody there. What is
 * ended lies in memory of its own, so that AddressSanitizer sees who looks at it afterwards. */
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/harness/opening.h"
#include "tests/harness/world.h"

static void *block(size_t bytes)
{
    void *memory = malloc(bytes);

    ck_assert_ptr_nonnull(memory);
    return memory;
}

/* Select */

static struct bight_stream *stream;

/* Returns the other end. */
static int stream_open(void)
{
    int fds[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    ck_ok(bight_stream_from_fd(&stream, fds[0]));
    return fds[1];
}

static int selects(void *arg)
{
    struct bight_case cases[2];
    int rc;

    (void)arg;
    bight_case_readable(&cases[0], stream);
    bight_case_sleep(&cases[1], 1000);
    rc = bight_select(cases, 2, 0);
    return rc ? rc : cases[0].status;
}

static void end_stream(void *arg)
{
    (void)arg;
    ck_ok(bight_stream_end(stream, 0));
}

static void abort_stream(void *arg)
{
    (void)arg;
    bight_stream_abort(stream);
}

static int a_select(void *arg)
{
    void (*const ends[])(void *arg) = {end_stream, abort_stream};

    (void)arg;
    for (int i = 0; i < 2; i++) {
        int peer = stream_open();

        ck_code(opening_race(selects, ends[i], NULL), BIGHT_ECLOSED);
        close(peer);
    }
    return 0;
}

/* One that does not sleep lets others run as well, when it is through. */
static int a_select_that_only_tries(void *arg)
{
    struct bight_case readable;
    int others = 0, peer = stream_open();

    (void)arg;
    bight_case_readable(&readable, stream);
    ck_ok(bight_spawn(NULL, world_add_one, &others));
    for (int i = 0; i < 1000; i++)
        ck_code(bight_select(&readable, 1, BIGHT_SELECT_TRY), BIGHT_EAGAIN);
    ck_assert_int_eq(others, 1);
    bight_task_cancel(bight_self());
    ck_code(bight_select(&readable, 1, BIGHT_SELECT_TRY), BIGHT_ECANCELED);
    ck_ok(bight_stream_end(stream, 0));
    close(peer);
    return 0;
}

/* Channels */

static struct bight_sender *sender;
static struct bight_receiver *receiver;

static void channel_open(void)
{
    sender = block(sizeof *sender);
    receiver = block(sizeof *receiver);
    ck_ok(bight_channel_open(sender, receiver, NULL));
}

static void end_sender(void *arg)
{
    (void)arg;
    ck_ok(bight_sender_end(sender));
    free(sender);
}

static void end_receiver(void *arg)
{
    (void)arg;
    ck_ok(bight_receiver_end(receiver));
    free(receiver);
}

static int sends(void *arg)
{
    return bight_channel_send(sender, arg);
}

static int receives(void *arg)
{
    (void)arg;
    return bight_channel_receive(receiver, &(void *){NULL});
}

static int a_channel(void *arg)
{
    (void)arg;
    channel_open();
    ck_code(opening_race(sends, end_sender, NULL), BIGHT_ECLOSED);
    end_receiver(NULL);
    channel_open();
    ck_code(opening_race(receives, end_receiver, NULL), BIGHT_ECLOSED);
    end_sender(NULL);
    return 0;
}

/* Broadcasts */

static struct bight_broadcast *broadcast;
static struct bight_subscriber *subscriber;

static void broadcast_open(void)
{
    ck_ok(bight_broadcast_new(
        &broadcast, &(struct bight_broadcast_options){.capacity = 1, .value_bytes = sizeof(int)}));
    subscriber = block(sizeof *subscriber);
    ck_ok(bight_broadcast_subscribe(broadcast, subscriber));
}

static void unsubscribe(void *arg)
{
    (void)arg;
    ck_ok(bight_broadcast_unsubscribe(subscriber));
    free(subscriber);
}

static int hears(void *arg)
{
    int value;

    (void)arg;
    return bight_broadcast_receive(subscriber, &value, NULL);
}

static int publishes(void *arg)
{
    (void)arg;
    return bight_broadcast_publish(broadcast, &(int){1});
}

static void free_broadcast(void *arg)
{
    (void)arg;
    ck_code(bight_broadcast_free(broadcast), BIGHT_EBUSY);
    ck_ok(bight_broadcast_close(broadcast));
}

static int a_broadcast(void *arg)
{
    (void)arg;
    broadcast_open();
    ck_code(opening_race(hears, unsubscribe, NULL), BIGHT_ECLOSED);
    ck_ok(bight_broadcast_free(broadcast));

    broadcast_open();
    ck_ok(publishes(NULL));
    ck_code(opening_race(publishes, free_broadcast, NULL), BIGHT_ECLOSED);
    unsubscribe(NULL);
    ck_ok(bight_broadcast_free(broadcast));
    return 0;
}

/* Queues: a free that finds somebody there is refused. */

static struct bight_queue *queue;

static int gets(void *arg)
{
    (void)arg;
    return bight_queue_get(queue, &(void *){NULL});
}

static int gets_many(void *arg)
{
    (void)arg;
    return bight_queue_get_many(queue, &(void *){NULL}, 1);
}

static int puts_one(void *arg)
{
    return bight_queue_put(queue, arg);
}

static int joins_queue(void *arg)
{
    (void)arg;
    return bight_queue_join(queue);
}

static void free_queue(void *arg)
{
    (void)arg;
    ck_code(bight_queue_free(queue), BIGHT_EBUSY);
    ck_ok(bight_queue_abort(queue, NULL, NULL));
}

static int a_queue(void *arg)
{
    static const struct {
        int (*call)(void *arg);
        bool full;
        int code;
    } rows[] = {{gets, false, BIGHT_ECLOSED},
                {gets_many, false, BIGHT_ECLOSED},
                {puts_one, true, BIGHT_ECLOSED},
                {joins_queue, true, 0}};

    (void)arg;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ck_ok(bight_queue_new(&queue, 1));
        if (rows[i].full)
            ck_ok(bight_queue_put(queue, NULL));
        ck_code(opening_race(rows[i].call, free_queue, NULL), rows[i].code);
        ck_ok(bight_queue_free(queue));
    }
    return 0;
}

/* Generators */

static struct bight_generator *generator;

static int sleeps_long(struct bight_generator *self, void *arg)
{
    (void)self;
    (void)arg;
    return bight_sleep(1000000);
}

static int asks(void *arg)
{
    (void)arg;
    return bight_generator_next(generator, &(void *){NULL});
}

static void free_generator(void *arg)
{
    (void)arg;
    ck_ok(bight_generator_end(generator));
    ck_ok(bight_generator_free(generator));
}

static int a_generator(void *arg)
{
    (void)arg;
    ck_ok(bight_generator_new(&generator, sleeps_long, NULL));
    ck_code(opening_race(asks, free_generator, NULL), BIGHT_ECLOSED);
    return 0;
}

/* Tasks: who joins one has its handle. */

static struct bight_task *sleeper;

static int joins(void *arg)
{
    (void)arg;
    return bight_join(sleeper, NULL);
}

static int joins_result(void *arg)
{
    struct bight_task_result result;

    (void)arg;
    return bight_join_result(sleeper, &result);
}

static int waits_for(void *arg)
{
    (void)arg;
    return bight_wait_for(sleeper, -1, NULL);
}

static void detach(void *arg)
{
    (void)arg;
    ck_code(bight_task_detach(sleeper), BIGHT_EALREADY);
    bight_task_cancel(sleeper);
}

static int a_task(void *arg)
{
    int (*const calls[])(void *arg) = {joins, joins_result, waits_for};

    (void)arg;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        ck_ok(bight_spawn(&sleeper, world_forever, NULL));
        ck_ok(opening_race(calls[i], detach, NULL));
    }
    return 0;
}

/* Of several tasks the next one to end */

static struct bight_as_completed *completed;

static int waits_for_next(void *arg)
{
    (void)arg;
    return bight_as_completed_next(completed, &(struct bight_wait_item *){NULL});
}

static void end_completed(void *arg)
{
    (void)arg;
    ck_ok(bight_as_completed_end(completed));
    free(completed);
}

static int completions(void *arg)
{
    struct bight_wait_item item = {.task = NULL};

    (void)arg;
    ck_ok(bight_spawn(&item.task, world_forever, NULL));
    completed = block(sizeof *completed);
    ck_ok(bight_as_completed_begin(completed, &item, 1));
    ck_code(opening_race(waits_for_next, end_completed, NULL), BIGHT_ECLOSED);
    bight_task_cancel(item.task);
    ck_ok(bight_join(item.task, NULL));
    return 0;
}

/* Signals */

static struct bight_signal *number;

static int waits_for_signal(void *arg)
{
    (void)arg;
    return bight_signal_wait(number);
}

static void end_signal(void *arg)
{
    (void)arg;
    ck_ok(bight_signal_end(number));
}

static int a_signal(void *arg)
{
    (void)arg;
    ck_ok(bight_signal_open(&number, SIGUSR1));
    ck_code(opening_race(waits_for_signal, end_signal, NULL), BIGHT_ECLOSED);
    return 0;
}

static const struct suite_case cases[] = {
    world_case(a_stream_is_ended_at_the_opening_of_a_select, a_select),
    world_case(a_select_that_tries_lets_others_run, a_select_that_only_tries),
    world_case(an_end_of_a_channel_is_ended_at_the_opening_of_a_call, a_channel),
    world_case(a_subscriber_is_taken_away_at_the_opening_of_a_receive, a_broadcast),
    world_case(a_queue_is_not_freed_at_the_opening_of_a_call, a_queue),
    world_case(a_generator_is_freed_at_the_opening_of_a_next, a_generator),
    world_case(a_task_is_not_detached_at_the_opening_of_a_join, a_task),
    world_case(the_items_are_given_back_at_the_opening_of_a_next, completions),
    world_case(a_signal_is_ended_at_the_opening_of_a_wait, a_signal),
};

test_suite("opening", cases);
