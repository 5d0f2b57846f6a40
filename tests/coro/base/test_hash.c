/* The hash table: under a test its order follows from the test's seed. */
#include "coro/base/hash.h"
#include "tests/harness/suite.h"

#define NODES 64

static uint64_t same_number(void *ctx)
{
    return *(const uint64_t *)ctx;
}

/* The order in which a walk over the buckets finds the names. */
static void walk(uint64_t seed, unsigned order[NODES])
{
    const struct bight_seams seams = {.ctx = &seed, .random = same_number};
    struct hash_node nodes[NODES];
    struct hash_table table;
    unsigned found = 0;

    ck_assert_int_eq(bight__hash_init(&table, &seams), 0);
    for (unsigned i = 0; i < NODES; i++) {
        char name = (char)i;

        bight__hash_add(&table, &seams, &nodes[i], hash_bytes(table.seed, &name, 1));
    }
    for (size_t bucket = 0; bucket < table.bucket_count; bucket++) {
        for (struct hash_node *node = table.buckets[bucket]; node; node = node->chain)
            order[found++] = (unsigned)(node - nodes);
    }
    ck_assert_uint_eq(found, NODES);
    bight__hash_fini(&table);
}

static void its_order_follows_from_the_seed_of_a_test(void)
{
    unsigned first[NODES], again[NODES], other[NODES];

    walk(1, first);
    walk(1, again);
    walk(0x123456789abcdef, other);
    ck_assert_mem_eq(first, again, sizeof first);
    ck_assert_mem_ne(first, other, sizeof first);
}

static const struct suite_case cases[] = {
    plain_case(its_order_follows_from_the_seed_of_a_test),
};

test_suite("hash", cases);
