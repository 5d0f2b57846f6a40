/* runtime/wheel.c against a naive model: an array of timers that is searched from end to end. */
#include "coro/base/list.h"
#include "runtime/wheel.h"

#include "tests/harness/random.h"
#include "tests/harness/expect.h"
#include "tests/harness/suite.h"

#include <assert.h>

#define TICK (1ull << WHEEL_TICK_SHIFT)
#define NODES 200

/* A timer beside what the model knows of it. */
struct node {
    struct bight_timer timer;
    bool armed;
    bool due; /* was due when the running advance began, and has not been touched since */
    uint64_t deadline_ns;
    uint64_t order;
};

static struct bight_wheel wheel;
static struct node nodes[NODES];
static size_t node_count;
static uint64_t now_ns, order, random_state;
static unsigned meddling; /* callbacks touch other timers, one time in so many */
static unsigned goings;   /* timers go on, one time in so many */
static size_t fired;
static struct node *last_fired;

static uint64_t random_bits(void)
{
    return test_random(&random_state);
}

static bool before(const struct node *a, const struct node *b)
{
    return a->deadline_ns < b->deadline_ns ||
           (a->deadline_ns == b->deadline_ns && a->order < b->order);
}

static void arm(struct node *node, uint64_t deadline_ns)
{
    bight__wheel_arm(&wheel, &node->timer, deadline_ns);
    node->armed = true;
    node->due = false;
    node->deadline_ns = deadline_ns;
    node->order = order++;
}

static void disarm(struct node *node)
{
    bight__wheel_disarm(&wheel, &node->timer);
    EXPECT(link_empty(&node->timer.link));
    node->armed = false;
    node->due = false;
}

/* Of every magnitude, into the past and beyond the range; often equal to another's. */
static uint64_t some_deadline(void)
{
    uint64_t bits = random_bits();

    switch (bits & 7) {
    case 0:
        return now_ns - (bits >> 8) % (now_ns + 1);
    case 1:
        return nodes[(bits >> 8) % node_count].deadline_ns;
    case 2:
        return now_ns;
    default:
        bits = random_bits() >> (random_bits() & 63);
        return now_ns + bits < now_ns ? UINT64_MAX - 1 : now_ns + bits;
    }
}

static void meddle(void)
{
    assert(node_count);
    struct node *node = &nodes[random_bits() % node_count];

    if (random_bits() & 1)
        arm(node, some_deadline());
    else
        disarm(node);
}

/* The timer has more deadlines, some of which are due in this advance as well. */
static void go_on(struct node *node)
{
    uint64_t deadline_ns = node->deadline_ns + (random_bits() >> (4 + random_bits() % 60));

    bight__wheel_go_on(&wheel, &node->timer, deadline_ns);
    node->armed = true;
    node->due = deadline_ns <= now_ns;
    node->deadline_ns = deadline_ns;
    node->order = order++;
}

static void fire(struct bight_timer *timer)
{
    struct node *node = container_of(timer, struct node, timer);

    EXPECT(node->armed && node->due);
    EXPECT(node->deadline_ns <= now_ns);
    EXPECT(link_empty(&timer->link));
    for (size_t i = 0; i < node_count; i++)
        EXPECT(&nodes[i] == node || !nodes[i].due || before(node, &nodes[i]));
    node->armed = false;
    node->due = false;
    last_fired = node;
    fired++;
    if (goings && node->deadline_ns < 1ull << 62 && random_bits() % goings == 0)
        go_on(node);
    while (meddling && random_bits() % meddling == 0)
        meddle();
}

static void advance(uint64_t to_ns)
{
    size_t count = fired;

    now_ns = to_ns;
    for (size_t i = 0; i < node_count; i++)
        nodes[i].due = nodes[i].armed && nodes[i].deadline_ns <= now_ns;
    EXPECT(bight__wheel_advance(&wheel, now_ns) == fired - count);
    for (size_t i = 0; i < node_count; i++)
        EXPECT(!nodes[i].due);
}

/* What the wheel says of itself is what the model knows. */
static void compare(void)
{
    uint64_t first_ns = UINT64_MAX;
    size_t armed = 0;

    for (size_t i = 0; i < node_count; i++) {
        armed += nodes[i].armed;
        if (nodes[i].armed && nodes[i].deadline_ns < first_ns)
            first_ns = nodes[i].deadline_ns;
    }
    EXPECT(wheel.armed == armed);
    EXPECT(bight__wheel_first(&wheel) == first_ns);
    EXPECT(bight__wheel_next(&wheel) <= first_ns);
    EXPECT((bight__wheel_next(&wheel) == UINT64_MAX) == (armed == 0));
}

static void start(uint64_t begin_ns, size_t count, uint64_t seed)
{
    now_ns = begin_ns;
    node_count = count;
    random_state = seed * 2 + 1;
    order = 0;
    fired = 0;
    bight__wheel_init(&wheel, now_ns);
    for (size_t i = 0; i < count; i++) {
        nodes[i] = (struct node){.timer.fire = fire};
        link_init(&nodes[i].timer.link);
    }
}

/* Go only to where next() says, until nothing is armed; returns the number of steps. */
static size_t run_by_next(void)
{
    size_t steps = 0;

    for (uint64_t next; (next = bight__wheel_next(&wheel)) != UINT64_MAX; steps++) {
        size_t count = fired;
        advance(next > now_ns ? next : now_ns);
        if (fired > count)
            ck_assert_uint_eq(last_fired->deadline_ns, now_ns);
    }
    return steps;
}

static void random_operations_agree_with_the_model(int i)
{
    start(i & 1 ? 0 : 5ull << 58, i & 2 ? NODES : 12, (uint64_t)i);
    meddling = 4;
    goings = i < 12 ? 0 : 2;
    for (int step = 0; step < 40000; step++) {
        uint64_t kind = random_bits() % 16;
        if (kind < 9)
            arm(&nodes[random_bits() % node_count], some_deadline());
        else if (kind < 12)
            disarm(&nodes[random_bits() % node_count]);
        else if (kind < 13 && bight__wheel_next(&wheel) != UINT64_MAX)
            advance(bight__wheel_next(&wheel) > now_ns ? bight__wheel_next(&wheel) : now_ns);
        else if (now_ns < 1ull << 62)
            advance(now_ns + (random_bits() >> (4 + random_bits() % 60)));
        compare();
    }
    ck_assert_uint_gt(fired, 1000);
}

static void driven_by_next_alone_every_timer_fires_at_its_deadline(int round)
{
    start((uint64_t)round * 987654321987ull, NODES, (uint64_t)round + 7);
    meddling = 0;
    for (size_t i = 0; i < node_count; i++)
        arm(&nodes[i], now_ns + (random_bits() >> (6 + i % 58)));
    size_t steps = run_by_next();
    ck_assert_uint_eq(fired, node_count);
    ck_assert_uint_le(steps, node_count * (WHEEL_LEVELS + 2));
}

static void equal_deadlines_fire_in_order_of_arming(void)
{
    meddling = 0;
    for (unsigned shift = 0; shift < 62; shift++) {
        start(12345, NODES, 3);
        uint64_t deadline_ns = now_ns + (1ull << shift);
        for (size_t i = 0; i < node_count; i++) {
            /* Armed while the wheel comes closer: at higher levels first, then at lower ones. */
            advance(now_ns + (deadline_ns - now_ns) / 8);
            arm(&nodes[i], deadline_ns);
        }
        advance(deadline_ns); /* fire() compares the order */
        ck_assert_uint_eq(fired, node_count);
    }
}

static void a_timer_of_every_level_moves_down_and_is_never_early(void)
{
    meddling = 0;
    for (unsigned level = 0; level <= WHEEL_LEVELS; level++) {
        start(77 * TICK + 5, 1, 1);
        uint64_t deadline_ns = now_ns + (TICK << (6 * level)) * 3 + 17;
        arm(&nodes[0], deadline_ns);
        size_t steps = 0;
        for (uint64_t next; (next = bight__wheel_next(&wheel)) < deadline_ns; steps++) {
            ck_assert_uint_gt(next, now_ns);
            advance(next);
            ck_assert_uint_eq(fired, 0);
        }
        ck_assert_uint_le(steps, level + 1);
        advance(deadline_ns - 1);
        ck_assert_uint_eq(fired, 0);
        advance(deadline_ns);
        ck_assert_uint_eq(fired, 1);
        compare();
    }
}

static void a_jump_of_centuries_fires_all_in_order_at_once(void)
{
    start(1000, NODES, 11);
    meddling = 0;
    for (size_t i = 0; i < node_count; i++)
        arm(&nodes[i], now_ns + (random_bits() >> (1 + i % 63)));
    advance(UINT64_MAX - 2);
    ck_assert_uint_eq(fired, node_count);
    compare();
}

static void deadlines_of_the_past_fire_in_the_next_advance(void)
{
    start(90 * TICK, 3, 1);
    meddling = 0;
    arm(&nodes[0], 50 * TICK);
    arm(&nodes[1], 0);
    arm(&nodes[2], now_ns);
    ck_assert_uint_eq(bight__wheel_next(&wheel), 0);
    advance(now_ns);
    ck_assert_uint_eq(fired, 3);
}

static void arm_again_for_now(struct bight_timer *timer)
{
    ck_assert_uint_lt(++fired, 10);
    bight__wheel_arm(&wheel, timer, now_ns);
}

static void armed_by_its_callback_for_now_a_timer_waits_for_the_next_advance(void)
{
    start(90 * TICK, 1, 1);
    nodes[0].timer.fire = arm_again_for_now;
    bight__wheel_arm(&wheel, &nodes[0].timer, 0);
    for (size_t round = 1; round < 5; round++) {
        ck_assert_uint_eq(bight__wheel_advance(&wheel, now_ns), 1);
        ck_assert_uint_eq(fired, round);
        ck_assert_uint_eq(wheel.armed, 1);
    }
}

static void disarm_the_others(struct bight_timer *timer)
{
    ck_assert_ptr_eq(timer, &nodes[0].timer);
    fired++;
    for (size_t i = 1; i < node_count; i++)
        disarm(&nodes[i]);
}

static void a_due_timer_disarmed_by_another_does_not_fire(void)
{
    start(90 * TICK, 5, 1);
    for (size_t i = 0; i < node_count; i++) {
        nodes[i].timer.fire = disarm_the_others;
        bight__wheel_arm(&wheel, &nodes[i].timer, now_ns + i * TICK);
    }
    ck_assert_uint_eq(bight__wheel_advance(&wheel, now_ns + 1000 * TICK), 1);
    ck_assert_uint_eq(wheel.armed, 0);
    ck_assert_uint_eq(bight__wheel_next(&wheel), UINT64_MAX);
}

static void disarming_what_is_not_armed_does_nothing(void)
{
    start(1, 1, 1);
    disarm(&nodes[0]);
    arm(&nodes[0], 400 * TICK);
    disarm(&nodes[0]);
    disarm(&nodes[0]);
    compare();
}

static void a_clock_that_goes_back_moves_nothing(void)
{
    start(1000 * TICK, 2, 1);
    meddling = 0;
    arm(&nodes[0], 1001 * TICK);
    arm(&nodes[1], 400 * TICK);
    advance(300 * TICK);
    ck_assert_uint_eq(fired, 0);
    advance(400 * TICK);
    ck_assert_uint_eq(fired, 1);
    advance(1001 * TICK);
    ck_assert_uint_eq(fired, 2);
}

static void next_of_a_long_slot_to_come_is_its_begin(void)
{
    start(64 * TICK, NODES, 1);
    meddling = 0;
    for (size_t i = 0; i < node_count; i++)
        arm(&nodes[i], 70 * TICK + 100 + i);
    ck_assert_uint_eq(bight__wheel_next(&wheel), 70 * TICK);
    advance(70 * TICK);
    ck_assert_uint_eq(bight__wheel_next(&wheel), 70 * TICK + 100);
    compare();
}

static void ended_it_has_let_go_of_every_timer(void)
{
    start(TICK, NODES, 1);
    for (size_t i = 0; i < node_count; i++)
        arm(&nodes[i], some_deadline());
    bight__wheel_fini(&wheel);
    for (size_t i = 0; i < node_count; i++)
        disarm(&nodes[i]);
    ck_assert_uint_eq(wheel.armed, 0);
    ck_assert_uint_eq(bight__wheel_next(&wheel), UINT64_MAX);
    arm(&nodes[0], 400 * TICK);
    compare();
}

static const struct suite_case cases[] = {
    each_case(random_operations_agree_with_the_model, 24),
    each_case(driven_by_next_alone_every_timer_fires_at_its_deadline, 20),
    plain_case(equal_deadlines_fire_in_order_of_arming),
    plain_case(a_timer_of_every_level_moves_down_and_is_never_early),
    plain_case(a_jump_of_centuries_fires_all_in_order_at_once),
    plain_case(deadlines_of_the_past_fire_in_the_next_advance),
    plain_case(armed_by_its_callback_for_now_a_timer_waits_for_the_next_advance),
    plain_case(a_due_timer_disarmed_by_another_does_not_fire),
    plain_case(disarming_what_is_not_armed_does_nothing),
    plain_case(a_clock_that_goes_back_moves_nothing),
    plain_case(next_of_a_long_slot_to_come_is_its_begin),
    plain_case(ended_it_has_let_go_of_every_timer),
};

test_suite("wheel", cases);
