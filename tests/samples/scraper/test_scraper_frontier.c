/* samples/scraper/frontier.c and table.c: each URL once, and whose turn it is. */
#include "samples/scraper/frontier.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness/suite.h"

static struct frontier frontier;

static void start(struct frontier_limits limits)
{
    ck_assert_int_eq(frontier_init(&frontier, &limits), 0);
}

static void add(const char *url, unsigned depth)
{
    ck_assert_int_eq(frontier_add(&frontier, url, depth, depth == 0), 1);
}

static struct frontier_item *take(const char *url, uint64_t now_ns)
{
    struct frontier_turn turn = frontier_take(&frontier, now_ns);

    ck_assert_ptr_nonnull(turn.item);
    ck_assert_str_eq(turn.item->url, url);
    ck_assert_ptr_eq(turn.item->host, turn.host);
    return turn.item;
}

static uint64_t take_nothing(uint64_t now_ns)
{
    struct frontier_turn turn = frontier_take(&frontier, now_ns);

    ck_assert_ptr_null(turn.host);
    return turn.wait_ns;
}

static void finish(struct frontier_item *item)
{
    frontier_transferred(&frontier, item->host);
    frontier_done(&frontier, item);
}

static const struct frontier_limits plain = {.per_host = 8, .depth_max = -1};

static void url_is_given_once_ever(void)
{
    start(plain);
    add("http://h/a", 0);
    ck_assert_int_eq(frontier_add(&frontier, "http://h/a", 3, false), 0);
    finish(take("http://h/a", 0));
    ck_assert_int_eq(frontier_add(&frontier, "http://h/a", 0, true), 0);
    ck_assert_uint_eq(take_nothing(0), 0);
    frontier_free(&frontier);
}

static void urls_come_in_order_and_hosts_in_turns(void)
{
    start(plain);
    add("http://a/1", 0);
    add("http://a/2", 0);
    add("http://a/3", 0);
    add("http://b/1", 0);
    ck_assert_uint_eq(frontier.queued, 4);
    finish(take("http://a/1", 0));
    finish(take("http://b/1", 0));
    finish(take("http://a/2", 0));
    finish(take("http://a/3", 0));
    ck_assert_uint_eq(frontier.queued, 0);
    frontier_free(&frontier);
}

static void host_has_so_many_at_a_time(void)
{
    start((struct frontier_limits){.per_host = 2, .depth_max = -1});
    add("http://a/1", 0);
    add("http://a/2", 0);
    add("http://a/3", 0);
    add("http://b/1", 0);
    struct frontier_item *first = take("http://a/1", 0);
    finish(take("http://b/1", 0));
    struct frontier_item *second = take("http://a/2", 0);
    ck_assert_uint_eq(take_nothing(0), 0);
    /* The transfer's end frees the place, before the page is done. */
    frontier_transferred(&frontier, first->host);
    struct frontier_item *third = take("http://a/3", 0);
    frontier_done(&frontier, first);
    finish(third);
    finish(second);
    frontier_free(&frontier);
}

static void delay_is_kept_per_host(void)
{
    start((struct frontier_limits){.per_host = 8, .depth_max = -1, .delay_ns = 100});
    add("http://a/1", 0);
    add("http://a/2", 0);
    add("http://a/3", 0);
    add("http://b/1", 0);
    finish(take("http://a/1", 1000));
    finish(take("http://b/1", 1001));
    ck_assert_uint_eq(take_nothing(1002), 98);
    struct frontier_item *passed = take("http://a/2", 1100);
    /* A URL that is not asked for costs no delay. */
    frontier_passed(&frontier, passed->host);
    frontier_done(&frontier, passed);
    finish(take("http://a/3", 1100));
    /* Nothing waits, so nothing is to be waited for. */
    ck_assert_uint_eq(take_nothing(1101), 0);
    frontier_free(&frontier);
}

static void unlimited_depth_does_not_wait_for_levels(void)
{
    start(plain);
    add("http://h/a", 0);
    add("http://h/b", 0);
    struct frontier_item *a = take("http://h/a", 0);
    add("http://h/a1", 1);
    finish(a);
    struct frontier_item *b = take("http://h/b", 0);
    finish(take("http://h/a1", 0));
    finish(b);
    frontier_free(&frontier);
}

static void limited_depth_is_the_distance_from_the_start(void)
{
    start((struct frontier_limits){.per_host = 8, .depth_max = 1});
    add("http://h/a", 0);
    add("http://h/b", 0);
    struct frontier_item *a = take("http://h/a", 0);
    add("http://h/a1", 1);
    ck_assert_int_eq(frontier_add(&frontier, "http://h/a2", 2, false), 0);
    finish(a);
    struct frontier_item *b = take("http://h/b", 0);
    /* b may still lead to pages of depth 1. */
    ck_assert_uint_eq(take_nothing(0), 0);
    add("http://h/b1", 1);
    finish(b);
    struct frontier_item *a1 = take("http://h/a1", 0);
    finish(take("http://h/b1", 0));
    finish(a1);
    ck_assert_uint_eq(take_nothing(0), 0);
    /* Too deep is not seen: it may come again, nearer. */
    ck_assert_int_eq(frontier_add(&frontier, "http://h/a2", 1, false), 1);
    frontier_free(&frontier);
}

static void first_turn_of_a_host_asks_for_its_rules(void)
{
    start((struct frontier_limits){.per_host = 8, .depth_max = -1, .ask_first = true});
    add("http://h/a", 0);
    add("http://h/b", 0);
    struct frontier_turn turn = frontier_take(&frontier, 0);
    ck_assert_ptr_nonnull(turn.host);
    ck_assert_ptr_null(turn.item);
    ck_assert_str_eq(turn.host->origin, "http://h");
    ck_assert_uint_eq(take_nothing(0), 0);
    frontier_transferred(&frontier, turn.host);
    ck_assert_uint_eq(take_nothing(0), 0);
    frontier_open(&frontier, turn.host);
    finish(take("http://h/a", 0));
    finish(take("http://h/b", 0));
    frontier_free(&frontier);
}

static void table_keeps_a_hundred_thousand_keys(void)
{
    struct table table;
    struct table_entry *entry;
    bool added;
    char key[32];

    ck_assert_int_eq(table_init(&table), 0);
    ck_assert_ptr_null(table_get(&table, "x", 1));
    /* Each assertion of Check is a system call: not in the loops. */
    bool good = true;
    for (int i = 0; i < 100000; i++) {
        int size = snprintf(key, sizeof key, "key %d", i);
        good = good && table_put(&table, key, (size_t)size, &entry, &added) == 0 && added;
        if (good)
            entry->value = (void *)(uintptr_t)i;
    }
    ck_assert(good);
    for (int i = 0; i < 100000; i++) {
        int size = snprintf(key, sizeof key, "key %d", i);
        good = good && table_put(&table, key, (size_t)size, &entry, &added) == 0 && !added &&
               table_get(&table, key, (size_t)size) == (void *)(uintptr_t)i;
    }
    ck_assert(good);
    /* A prefix of a key is another key. */
    ck_assert_ptr_null(table_get(&table, "key 1000000", 11));
    ck_assert_int_eq(table_put(&table, "key 12", 5, &entry, &added), 0);
    ck_assert_str_eq(entry->key, "key 1");
    ck_assert_uint_eq(table.count, 100000);
    table_free(&table, NULL);
}

static void hash_is_siphash(void)
{
    /* The first test vectors of its authors: key 00 01 .. 0f, input 00 01 .. */
    static const uint64_t secret[2] = {0x0706050403020100u, 0x0f0e0d0c0b0a0908u};
    static const unsigned char input[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14};

    ck_assert_uint_eq(table_hash(secret, input, 0), 0x726fdb47dd0e0e31u);
    ck_assert_uint_eq(table_hash(secret, input, 1), 0x74f839c593dc67fdu);
    ck_assert_uint_eq(table_hash(secret, input, 8), 0x93f5f5799a932462u);
    ck_assert_uint_eq(table_hash(secret, input, 15), 0xa129ca6149be45e5u);
}

static const struct suite_case cases[] = {
    plain_case(url_is_given_once_ever),
    plain_case(urls_come_in_order_and_hosts_in_turns),
    plain_case(host_has_so_many_at_a_time),
    plain_case(delay_is_kept_per_host),
    plain_case(unlimited_depth_does_not_wait_for_levels),
    plain_case(limited_depth_is_the_distance_from_the_start),
    plain_case(first_turn_of_a_host_asks_for_its_rules),
    plain_case(table_keeps_a_hundred_thousand_keys),
    plain_case(hash_is_siphash),
};

test_suite("scraper_frontier", cases);
