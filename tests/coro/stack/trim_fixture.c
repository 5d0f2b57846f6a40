/* See trim_fixture.h. */
#include "tests/coro/stack/trim_fixture.h"

#include <sys/mman.h>

#include <check.h>

unsigned crowds;
struct bight_stack *stacks[MANY];
/* The last page of each, for when its record is gone. */
static char *tops[MANY];

static void on_crowded(struct bight_stackpool *crowded)
{
    ck_assert_ptr_eq(crowded, &pool);
    crowds++;
}

void open_trimmed(const struct bight_seams *seams)
{
    const struct bight_stackpool_config config = {
        .head_bytes = HEAD_BYTES, .cache_max = FEW, .crowded = on_crowded};

    crowds = 0;
    ck_assert_int_eq(bight__stackpool_init(&pool, &config, seams), 0);
}

void get_all(int count, size_t bytes)
{
    for (int i = 0; i < count; i++) {
        stacks[i] = get(bytes);
        use_down_to(stacks[i], PARKED_BYTES);
        tops[i] = end_of(stacks[i]) - pool.page_bytes;
    }
}

void put_all(int count)
{
    for (int i = 0; i < count; i++)
        bight__stack_put(&pool, stacks[i]);
}

void burst(int count)
{
    get_all(count, 0);
    put_all(count);
}

/* Whether the page is resident; one that is not mapped any more is not. */
static bool is_resident(char *page)
{
    unsigned char map = 0;

    return mincore(page, pool.page_bytes, &map) == 0 && (map & 1);
}

int resident_of(int count)
{
    int resident = 0;

    for (int i = 0; i < count; i++)
        resident += is_resident(tops[i]);
    return resident;
}

bool trim_goes_on(void)
{
    uint64_t wait_ns;

    do {
        wait_ns = bight__stackpool_trim(&pool);
    } while (wait_ns && wait_ns < TICK);
    return wait_ns;
}
