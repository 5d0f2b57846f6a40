/* coro/combine/cases_channel.c: the two ends of a channel in a select. */
#include "tests/harness/suite.h"
#include "tests/harness/world.h"

#include <bight/channel.h>

static int items[4];
static struct bight_sender sender;
static struct bight_receiver receiver;

static void open_channel(size_t capacity)
{
    const struct bight_channel_options options = {.capacity = capacity};

    ck_ok(bight_channel_open(&sender, &receiver, &options));
}

static void nobody_waits(void)
{
    struct bight_channel_stats stats;

    ck_ok(bight_receiver_get_stats(&receiver, &stats));
    ck_assert_uint_eq(stats.sending + stats.receiving, 0);
}

static void end_both(void)
{
    ck_ok(bight_sender_end(&sender));
    ck_ok(bight_receiver_end(&receiver));
}

static int sends(void *item)
{
    return bight_channel_send(&sender, item);
}

static int receives(void *item)
{
    void *got;
    int rc = bight_channel_receive(&receiver, &got);

    ck_assert_ptr_eq(got, item);
    return rc;
}

static int ends_sender(void *arg)
{
    (void)arg;
    return bight_sender_end(&sender);
}

static int ends_receiver(void *arg)
{
    (void)arg;
    return bight_receiver_end(&receiver);
}

/* Ready, and not: an item that is there, one that is sent while it waits, a time that comes
 * first. */
static int received(void *arg)
{
    struct bight_case cases[2];

    (void)arg;
    open_channel(1);
    bight_case_receive(&cases[0], &receiver);
    bight_case_sleep(&cases[1], 10);
    ck_ok(bight_channel_try_send(&sender, &items[0]));
    ck_assert_int_eq(bight_select(cases, 2, 0), 0);
    ck_assert_ptr_eq(cases[0].value, &items[0]);
    ck_ok(bight_spawn(NULL, sends, &items[1]));
    ck_assert_int_eq(bight_select(cases, 2, 0), 0);
    ck_ok(cases[0].status);
    ck_assert_ptr_eq(cases[0].value, &items[1]);
    ck_assert_int_eq(bight_select(cases, 2, 0), 1);
    nobody_waits();
    end_both();
    return 0;
}

static int sent(void *arg)
{
    struct bight_case cases[2];

    (void)arg;
    open_channel(0);
    bight_case_send(&cases[0], &sender, &items[2]);
    bight_case_sleep(&cases[1], 10);
    ck_ok(bight_spawn(NULL, receives, &items[2]));
    ck_assert_int_eq(bight_select(cases, 2, 0), 0);
    ck_ok(cases[0].status);
    ck_assert_int_eq(bight_select(cases, 2, 0), 1);
    nobody_waits();
    end_both();
    return 0;
}

/* The other side ends, and one's own. */
static int ended(void *arg)
{
    struct bight_case one;

    (void)arg;
    open_channel(0);
    bight_case_receive(&one, &receiver);
    ck_ok(bight_spawn(NULL, ends_sender, NULL));
    ck_ok(bight_select(&one, 1, 0));
    ck_code(one.status, BIGHT_EPIPE);
    ck_ok(bight_select(&one, 1, 0));
    ck_code(one.status, BIGHT_EPIPE);
    end_both();
    open_channel(0);
    bight_case_receive(&one, &receiver);
    ck_ok(bight_spawn(NULL, ends_receiver, NULL));
    ck_ok(bight_select(&one, 1, 0));
    ck_code(one.status, BIGHT_ECLOSED);
    bight_case_send(&one, &sender, &items[0]);
    ck_ok(bight_select(&one, 1, 0));
    ck_code(one.status, BIGHT_EPIPE);
    end_both();
    ck_ok(bight_select(&one, 1, 0));
    ck_code(one.status, BIGHT_ECLOSED);
    open_channel(0);
    bight_case_send(&one, &sender, &items[0]);
    ck_ok(bight_spawn(NULL, ends_sender, NULL));
    ck_ok(bight_select(&one, 1, 0));
    ck_code(one.status, BIGHT_ECLOSED);
    end_both();
    return 0;
}

/* Among several channels one is chosen, and nothing is taken from the others. */
static int chosen(void *arg)
{
    struct bight_sender other_sender;
    struct bight_receiver other;
    struct bight_case cases[2];
    void *got;

    (void)arg;
    open_channel(1);
    ck_ok(
        bight_channel_open(&other_sender, &other, &(struct bight_channel_options){.capacity = 1}));
    ck_ok(bight_channel_try_send(&sender, &items[0]));
    ck_ok(bight_channel_try_send(&other_sender, &items[1]));
    bight_case_receive(&cases[0], &receiver);
    bight_case_receive(&cases[1], &other);
    ck_assert_int_eq(bight_select(cases, 2, BIGHT_SELECT_ORDERED), 0);
    ck_assert_ptr_eq(cases[0].value, &items[0]);
    ck_ok(bight_channel_try_receive(&other, &got));
    ck_assert_ptr_eq(got, &items[1]);
    ck_code(bight_select(cases, 2, BIGHT_SELECT_TRY), BIGHT_EAGAIN);
    ck_ok(bight_spawn(NULL, sends, &items[2]));
    ck_assert_int_eq(bight_select(cases, 2, 0), 0);
    nobody_waits();
    ck_ok(bight_sender_end(&other_sender));
    ck_ok(bight_receiver_end(&other));
    end_both();
    return 0;
}

static const struct suite_case cases[] = {
    world_case(a_select_receives_from_a_channel, received),
    world_case(a_select_sends_to_a_channel, sent),
    world_case(a_select_is_told_when_an_end_is_ended, ended),
    world_case(a_select_takes_from_one_channel_of_several, chosen),
};

test_suite("cases_channel", cases);
