/* The timer wheel of wheel.h. Invariants, with now = wheel->now_tick:
 *   - level 0 holds ticks of now's block of 64, from now's own slot on; that slot also holds
 *     whatever was armed for the past;
 *   - level n > 0 holds ticks that share all groups of bits above n with now and have a larger
 *     group n: slots behind now's own, which is empty. So whatever is at a lower level is due
 *     earlier;
 *   - timers of equal deadline are always in the same slot, in order of arming.
 * Owns no clock: drive.c advances it and asks when to come back. */
#include "runtime/wheel.h"

#include "coro/base/likely.h"
#include "coro/base/list.h"

#define GROUP_BITS 6
#define RANGE_BITS (WHEEL_LEVELS * GROUP_BITS)

_Static_assert(1 << GROUP_BITS == WHEEL_SLOTS, "a group of bits numbers the slots of a level");

static inline struct bight_timer *timer_of(struct bight_link *link)
{
    return container_of(link, struct bight_timer, link);
}

static inline uint64_t tick_of(uint64_t ns)
{
    return ns >> WHEEL_TICK_SHIFT;
}

static inline uint64_t ns_of(uint64_t tick)
{
    return tick << WHEEL_TICK_SHIFT;
}

static inline unsigned group_of(uint64_t tick, unsigned level)
{
    return (unsigned)(tick >> (level * GROUP_BITS)) & (WHEEL_SLOTS - 1);
}

/* Level of the highest group with a bit set; WHEEL_LEVELS and more: none of ours. */
static inline unsigned level_of(uint64_t difference)
{
    return difference ? (63u - (unsigned)__builtin_clzll(difference)) / GROUP_BITS : 0;
}

void bight__wheel_init(struct bight_wheel *wheel, uint64_t now_ns)
{
    wheel->now_tick = tick_of(now_ns);
    wheel->armed = 0;
    for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
        wheel->occupied[level] = 0;
        for (unsigned slot = 0; slot < WHEEL_SLOTS; slot++)
            link_init(&wheel->slots[level][slot]);
    }
    link_init(&wheel->far);
    wheel->advance_ns = 0;
    wheel->runs_used = 0;
    for (unsigned run = 0; run < WHEEL_RUNS; run++)
        link_init(&wheel->runs[run]);
}

void bight__wheel_fini(struct bight_wheel *wheel)
{
    while (link_take(&wheel->far))
        ;
    for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
        for (unsigned slot = 0; wheel->occupied[level] && slot < WHEEL_SLOTS; slot++) {
            while (link_take(&wheel->slots[level][slot]))
                ;
        }
        wheel->occupied[level] = 0;
    }
    wheel->armed = 0;
}

static inline void place(struct bight_wheel *wheel, struct bight_timer *timer)
{
    uint64_t tick = tick_of(timer->deadline_ns);

    if (tick < wheel->now_tick)
        tick = wheel->now_tick;
    unsigned level = level_of(tick ^ wheel->now_tick);
    if (level >= WHEEL_LEVELS) {
        link_append(&wheel->far, &timer->link);
        return;
    }
    unsigned slot = group_of(tick, level);
    wheel->occupied[level] |= 1ull << slot;
    link_append(&wheel->slots[level][slot], &timer->link);
}

/* Unlink, and clear the slot's bit when it was the last one there. The slot is not computed from
 * the deadline, since the wheel may have moved on: the only neighbour left is the list's head. */
static inline void take_out(struct bight_wheel *wheel, struct bight_timer *timer)
{
    struct bight_link *head = timer->link.next;

    if (head == timer->link.prev) {
        size_t offset = (size_t)((uintptr_t)head - (uintptr_t)wheel->slots);
        if (offset < sizeof wheel->slots) {
            size_t index = offset / sizeof *head;
            wheel->occupied[index / WHEEL_SLOTS] &= ~(1ull << index % WHEEL_SLOTS);
        }
    }
    link_remove(&timer->link);
}

void bight__wheel_arm(struct bight_wheel *wheel, struct bight_timer *timer, uint64_t deadline_ns)
{
    if (link_empty(&timer->link))
        wheel->armed++;
    else
        take_out(wheel, timer);
    timer->deadline_ns = deadline_ns;
    place(wheel, timer);
}

void bight__wheel_disarm(struct bight_wheel *wheel, struct bight_timer *timer)
{
    if (link_empty(&timer->link))
        return;
    wheel->armed--;
    take_out(wheel, timer);
}

/* The earliest deadline of the non-empty `list`; `otherwise` when it has more than `look`. */
static uint64_t earliest(const struct bight_link *list, size_t look, uint64_t otherwise)
{
    uint64_t first = UINT64_MAX;

    for (struct bight_link *link = list->next; link != list; link = link->next) {
        if (!look--)
            return otherwise;
        uint64_t deadline_ns = timer_of(link)->deadline_ns;
        if (deadline_ns < first)
            first = deadline_ns;
    }
    return first;
}

/* Find the slot whose timers are due before all others; false when it is not on a level. */
static inline bool first_slot(const struct bight_wheel *wheel, unsigned *level, unsigned *slot)
{
    for (unsigned i = 0; i < WHEEL_LEVELS; i++) {
        if (wheel->occupied[i]) {
            *level = i;
            *slot = (unsigned)__builtin_ctzll(wheel->occupied[i]);
            return true;
        }
    }
    return false;
}

uint64_t bight__wheel_next(const struct bight_wheel *wheel)
{
    unsigned level = WHEEL_LEVELS, slot = 0;

    if (!first_slot(wheel, &level, &slot)) {
        if (link_empty(&wheel->far))
            return UINT64_MAX;
        return ns_of(((wheel->now_tick >> RANGE_BITS) + 1) << RANGE_BITS);
    }
    unsigned shift = level * GROUP_BITS;
    uint64_t block = wheel->now_tick >> shift >> GROUP_BITS << GROUP_BITS;
    uint64_t begin = ns_of((block | slot) << shift);
    if (level)
        return begin;
    /* Asked again at the start of a long slot, the exact answer costs one walk for them all. */
    bool current = slot == group_of(wheel->now_tick, 0);
    return earliest(&wheel->slots[0][slot], current ? SIZE_MAX : WHEEL_LOOK, begin);
}

uint64_t bight__wheel_first(const struct bight_wheel *wheel)
{
    unsigned level = WHEEL_LEVELS, slot = 0;

    if (first_slot(wheel, &level, &slot))
        return earliest(&wheel->slots[level][slot], SIZE_MAX, 0);
    return earliest(&wheel->far, SIZE_MAX, 0);
}

/* Move the timers of those slots of `level` that are in `mask` behind `due`, in order of time. */
static void take_slots(struct bight_wheel *wheel, unsigned level, uint64_t mask,
                       struct bight_link *due)
{
    uint64_t slots = wheel->occupied[level] & mask;

    wheel->occupied[level] &= ~slots;
    for (; slots; slots &= slots - 1)
        link_splice(due, &wheel->slots[level][__builtin_ctzll(slots)]);
}

/* Move the wheel to `tick`. What it has passed is appended to `due`; what shared a slot with `tick`
 * moves down. Empty slots cost nothing, however far the jump. */
static void turn_to(struct bight_wheel *wheel, uint64_t tick, struct bight_link *due)
{
    unsigned top = level_of(tick ^ wheel->now_tick);
    struct bight_link moved;

    link_init(&moved);
    for (unsigned level = 0; level < top && level < WHEEL_LEVELS; level++)
        take_slots(wheel, level, UINT64_MAX, due);
    if (top < WHEEL_LEVELS) {
        uint64_t at = 1ull << group_of(tick, top);
        take_slots(wheel, top, at - 1, due);
        take_slots(wheel, top, at, &moved);
    } else {
        link_splice(&moved, &wheel->far);
    }
    wheel->now_tick = tick;
    for (struct bight_link *link; (link = link_take(&moved));)
        place(wheel, timer_of(link));
}

/* Append what is due in the current tick to `due`. */
static void take_current(struct bight_wheel *wheel, uint64_t now_ns, struct bight_link *due)
{
    unsigned slot = group_of(wheel->now_tick, 0);
    struct bight_link *list = &wheel->slots[0][slot];

    for (struct bight_link *link = list->next, *next; link != list; link = next) {
        next = link->next;
        if (timer_of(link)->deadline_ns <= now_ns) {
            link_remove(link);
            link_append(due, link);
        }
    }
    if (link_empty(list))
        wheel->occupied[0] &= ~(1ull << slot);
}

static struct bight_link *merge(struct bight_link *older, struct bight_link *newer)
{
    struct bight_link *merged = NULL, **tail = &merged;

    while (older && newer) {
        struct bight_link **from =
            timer_of(newer)->deadline_ns < timer_of(older)->deadline_ns ? &newer : &older;
        *tail = *from;
        tail = &(*tail)->next;
        *from = *tail;
    }
    *tail = older ? older : newer;
    return merged;
}

static bool sorted(const struct bight_link *list)
{
    uint64_t before = 0;

    for (struct bight_link *link = list->next; link != list; link = link->next) {
        if (timer_of(link)->deadline_ns < before)
            return false;
        before = timer_of(link)->deadline_ns;
    }
    return true;
}

/* Stable merge sort in place: run i of `runs` is empty or has 2^i timers, older than those of the
 * runs below. */
static void sort(struct bight_link *list)
{
    struct bight_link *runs[48] = {NULL}, *merged = NULL;
    size_t i;

    for (struct bight_link *link = list->next, *next; link != list; link = next) {
        struct bight_link *carry = link;
        next = link->next;
        link->next = NULL;
        for (i = 0; runs[i]; i++) {
            carry = merge(runs[i], carry);
            runs[i] = NULL;
        }
        runs[i] = carry;
    }
    for (i = 0; i < sizeof runs / sizeof runs[0]; i++)
        merged = merge(runs[i], merged);
    list->next = merged;
    struct bight_link *last = list;
    for (; merged; last = merged, merged = merged->next)
        merged->prev = last;
    last->next = list;
    list->prev = last;
}

/* Move the timers of `newer` to `older`, both sorted; of equal ones the older come first. */
static void merge_into(struct bight_link *older, struct bight_link *newer)
{
    struct bight_link *at = older->next, *link;

    while ((link = link_take(newer))) {
        while (at != older && timer_of(at)->deadline_ns <= timer_of(link)->deadline_ns)
            at = at->next;
        link_append(at, link);
    }
}

void bight__wheel_go_on(struct bight_wheel *wheel, struct bight_timer *timer, uint64_t deadline_ns)
{
    struct bight_link carry;
    unsigned run = 0;

    bight__wheel_arm(wheel, timer, deadline_ns);
    if (deadline_ns > wheel->advance_ns)
        return;
    take_out(wheel, timer);
    link_init(&carry);
    link_append(&carry, &timer->link);
    for (; wheel->runs_used & 1u << run && run < WHEEL_RUNS - 1; run++) {
        merge_into(&wheel->runs[run], &carry);
        link_splice(&carry, &wheel->runs[run]);
        wheel->runs_used &= ~(1u << run);
    }
    merge_into(&wheel->runs[run], &carry);
    wheel->runs_used |= 1u << run;
}

/* The list whose first timer is next: `due`, or a run. */
static struct bight_link *next_list(struct bight_wheel *wheel, struct bight_link *due)
{
    uint64_t first = link_empty(due) ? UINT64_MAX : timer_of(due->next)->deadline_ns;
    struct bight_link *list = due;

    for (uint32_t left = wheel->runs_used; left;) {
        unsigned run = 31u - (unsigned)__builtin_clz(left);
        struct bight_link *head = &wheel->runs[run];

        left &= ~(1u << run);
        if (link_empty(head)) {
            wheel->runs_used &= ~(1u << run);
        } else if (timer_of(head->next)->deadline_ns < first) {
            first = timer_of(head->next)->deadline_ns;
            list = head;
        }
    }
    return list;
}

static struct bight_link *take_next(struct bight_wheel *wheel, struct bight_link *due)
{
    return link_take(likely(!wheel->runs_used) ? due : next_list(wheel, due));
}

size_t bight__wheel_advance(struct bight_wheel *wheel, uint64_t now_ns)
{
    uint64_t tick = tick_of(now_ns);
    struct bight_link due;
    size_t fired = 0;

    wheel->advance_ns = now_ns;
    link_init(&due);
    if (tick > wheel->now_tick)
        turn_to(wheel, tick, &due);
    take_current(wheel, now_ns, &due);
    if (!sorted(&due))
        sort(&due);
    for (struct bight_link *link; (link = take_next(wheel, &due)); fired++) {
        struct bight_timer *timer = timer_of(link);
        wheel->armed--;
        timer->fire(timer);
    }
    wheel->advance_ns = 0;
    return fired;
}
