/* coro/stack/slab.c: guards of both kinds, and every way to run out. What the kernel refuses is
 * refused by the kernel: a seccomp filter, a limit, a full table. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bight.h>

#include "tests/coro/stack/stack_fixture.h"
#include "tests/harness/suite.h"
#include "tests/harness/support.h"

/* How a child that touches `at` dies: 0, or the signal. */
static int death_of(char *at)
{
    int status;
    const pid_t child = fork();

    ck_assert_int_ge(child, 0);
    if (child == 0) {
        const struct rlimit no_core = {0, 0};
        setrlimit(RLIMIT_CORE, &no_core);
        signal(SIGSEGV, SIG_DFL);
        *(volatile char *)at = 1;
        _exit(0);
    }
    ck_assert_int_eq(test_waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void assert_guarded(const struct bight_stack *stack)
{
    ck_assert_int_eq(death_of(stack->lo), 0);
    ck_assert_int_eq(death_of(stack->lo - 1), SIGSEGV);
    ck_assert_int_eq(death_of(stack->lo - 65536), SIGSEGV);
    ck_assert(bight__stack_contains(stack, stack->lo - 65536));
}

/* Guards. */

/* From now on the kernel answers `answer` (an errno or 0, and does nothing) to the advice. */
static void forbid_guard_advice(int answer)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_madvise, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 102, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)answer),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {.len = sizeof filter / sizeof filter[0], .filter = filter};

    ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    ck_assert_int_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

static bool kernel_has_guards(void)
{
    struct utsname name;
    int major = 0;
    int minor = 0;

    ck_assert_int_eq(uname(&name), 0);
    ck_assert_int_eq(sscanf(name.release, "%d.%d", &major, &minor), 2);
    return major > 6 || (major == 6 && minor >= 13);
}

static void check_guards(enum bight_guard expected)
{
    open_pool(0, NULL);
    struct bight_stack *stack = get(0);
    struct bight_stack *next = get(0);
    struct bight_stack *large = get(1 << 20);
    ck_assert_int_eq(pool.guard, expected);
    assert_guarded(stack);
    assert_guarded(next);
    assert_guarded(large);
    bight__stack_put(&pool, stack);
    ck_assert_ptr_eq(get(0), stack);
    assert_guarded(stack);
    bight__stack_put(&pool, stack);
    bight__stack_put(&pool, next);
    bight__stack_put(&pool, large);
    close_pool();
}

static void guards_are_made_by_advice_where_the_kernel_can(void)
{
    check_guards(kernel_has_guards() ? BIGHT_GUARD_INSTALL : BIGHT_GUARD_MPROTECT);
}

static void guards_are_made_by_mprotect_where_the_advice_is_unknown(void)
{
    forbid_guard_advice(EINVAL);
    check_guards(BIGHT_GUARD_MPROTECT);
}

/* As under qemu-user. */
static void guards_are_made_by_mprotect_where_the_advice_is_ignored(void)
{
    forbid_guard_advice(0);
    check_guards(BIGHT_GUARD_MPROTECT);
}

#ifdef PLAIN
static void thousands_of_stacks_take_few_mappings(void)
{
    enum { count = 5000 };
    static struct bight_stack *stacks[count];
    const int maps = test_maps();

    if (!kernel_has_guards())
        return;
    open_pool(0, NULL);
    for (int i = 0; i < count; i++)
        stacks[i] = get(0);
    ck_assert_int_le(test_maps(), maps + 20);
    assert_guarded(stacks[count - 1]);
    for (int i = 0; i < count; i++)
        bight__stack_put(&pool, stacks[i]);
    close_pool();
    ck_assert_int_eq(test_maps(), maps);
}

static void locked_memory_is_guarded_by_mprotect(void)
{
    /* Without privilege 8 MiB may be locked at most: room for a few stacks, and the kernel refuses
     * larger slabs. */
    if (mlockall(MCL_FUTURE))
        return;
    open_pool(0, NULL);
    struct bight_stack *stacks[40];
    int count = 0;
    while (count < 40 && bight__stack_get(&pool, 0, &stacks[count]) == 0)
        count++;
    ck_assert_int_ge(count, 16);
    assert_guarded(stacks[0]);
    assert_guarded(stacks[count - 1]);
    /* All of it is resident, so slabs do not grow. */
    ck_assert_uint_eq(resident(stacks[0]->lo, end_of(stacks[0])),
                      (size_t)(end_of(stacks[0]) - stacks[0]->lo) / pool.page_bytes);
    ck_assert_uint_le(pool.classes[0].grow, 16);
    for (int i = 0; i < count; i++)
        bight__stack_put(&pool, stacks[i]);
    struct bight_stack *again = get(0);
    ck_assert_uint_eq(again->uses, 2);
    bight__stack_put(&pool, again);
    close_pool();
    ck_assert_int_eq(munlockall(), 0);
}

/* Memory that is locked only after guards were found to work. */
static void locking_memory_later_changes_the_kind_of_guard(void)
{
    if (!kernel_has_guards())
        return;
    open_pool(0, NULL);
    struct bight_stack *before = get(0);
    if (mlockall(MCL_CURRENT | MCL_FUTURE) == 0) {
        struct bight_stack *after = get(0);
        ck_assert_int_eq(pool.guard, BIGHT_GUARD_INSTALL);
        assert_guarded(before);
        assert_guarded(after);
        ck_assert_int_eq(munlockall(), 0);
        bight__stack_put(&pool, after);
    }
    bight__stack_put(&pool, before);
    close_pool();
}

/* Limits. */

/* As many stacks as there are; the code that ended it must be BIGHT_ENOMEM. */
static long take_all(struct bight_stack **first)
{
    long count = 0;
    struct bight_stack *stack;
    int rc;

    *first = NULL;
    while ((rc = bight__stack_get(&pool, 0, &stack)) == 0) {
        /* A list through the ends of the heads, as the records belong to the pool. */
        memcpy((char *)stack + HEAD_BYTES - sizeof stack, first, sizeof stack);
        *first = stack;
        count++;
    }
    ck_assert_int_eq(rc, BIGHT_ENOMEM);
    return count;
}

static void put_all(struct bight_stack *stack)
{
    struct bight_stack *next;

    for (; stack; stack = next) {
        memcpy(&next, (char *)stack + HEAD_BYTES - sizeof stack, sizeof next);
        bight__stack_put(&pool, stack);
    }
}

static long max_map_count(void)
{
    long count = 0;
    FILE *file = fopen("/proc/sys/vm/max_map_count", "r");

    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fscanf(file, "%ld", &count), 1);
    fclose(file);
    return count;
}

/* Mappings that take up the table up to `room`: stacks alone would take seconds to. Every second
 * page has a protection of its own, which makes a mapping of it and of the one before. */
static char *filler;
static size_t filler_bytes;

static void fill_mappings(long room)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const long count = max_map_count() - test_maps() - room;
    int refused = 0;

    ck_assert_int_gt(count, 0);
    filler_bytes = (size_t)count * page;
    filler =
        mmap(NULL, filler_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    ck_assert(filler != MAP_FAILED);
    for (size_t at = page; at < filler_bytes; at += 2 * page)
        refused |= mprotect(filler + at, page, PROT_READ);
    ck_assert_int_eq(refused, 0);
}

static void unfill_mappings(void)
{
    ck_assert_int_eq(munmap(filler, filler_bytes), 0);
}

#define ROOM 4000

static void at_the_limit_of_mappings_it_fails_cleanly_and_goes_on_afterwards(void)
{
    const int maps = test_maps();
    const int fds = test_open_fds();
    struct bight_stack *stacks;
    struct bight_stack *large;

    forbid_guard_advice(EINVAL);
    fill_mappings(ROOM);
    open_pool(8, NULL);
    const long count = take_all(&stacks);
    ck_assert(pool.map_limit);
    ck_assert_uint_eq(pool.used, (size_t)count);
    ck_assert_int_ge(count, ROOM / 2 - 200);
    ck_assert_int_le(count, ROOM / 2);
    /* Nor can another class have a slab. */
    ck_assert_int_eq(bight__stack_get(&pool, 1 << 20, &large), BIGHT_ENOMEM);
    ck_assert(pool.map_limit);

    put_all(stacks);
    ck_assert_uint_eq(pool.used, 0);
    ck_assert_int_eq(take_all(&stacks), count);
    put_all(stacks);
    close_pool();
    unfill_mappings();
    ck_assert_int_eq(test_maps(), maps);
    ck_assert_int_eq(test_open_fds(), fds);
    open_pool(8, NULL);
    bight__stack_put(&pool, get(1 << 20));
    ck_assert(!pool.map_limit);
    close_pool();
}

static void count_report(void *arg, const struct bight_report *report)
{
    *(int *)arg += report->kind == BIGHT_REPORT_MAP_LIMIT;
}

static int sleeps(void *arg)
{
    (void)arg;
    return bight_sleep(-1);
}

static int spawns_until_refused(void *arg)
{
    int rc;

    (void)arg;
    do {
        rc = bight_spawn(NULL, sleeps, NULL);
    } while (rc == 0);
    return rc; /* the others are cancelled and joined */
}

static void a_runtime_at_the_limit_of_mappings_says_so(void)
{
    int reports = 0;
    struct bight_runtime_options options = {.on_report = count_report, .on_report_arg = &reports};

    forbid_guard_advice(EINVAL);
    fill_mappings(ROOM);
    ck_assert_int_eq(bight_run_with(&options, spawns_until_refused, NULL), BIGHT_ENOMEM);
    ck_assert_int_eq(reports, 1);
    unfill_mappings();
}

static size_t address_space(void)
{
    size_t pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");

    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fscanf(file, "%zu", &pages), 1);
    fclose(file);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static void limited_address_space_is_used_up_to_the_last_stack(void)
{
    const size_t room = 64 << 20;
    const int maps = test_maps();
    struct rlimit limit;
    struct bight_stack *stacks;

    ck_assert_int_eq(getrlimit(RLIMIT_AS, &limit), 0);
    limit.rlim_cur = address_space() + room;
    ck_assert_int_eq(setrlimit(RLIMIT_AS, &limit), 0);
    open_pool(8, NULL);
    const long count = take_all(&stacks);
    ck_assert(!pool.map_limit);
    /* At most one stack's worth, and what malloc took for slabs, is left over. */
    const size_t stride = pool.classes[0].bytes + pool.classes[0].guard_bytes;
    ck_assert_int_ge(count, (long)(room / stride) - 2);
    put_all(stacks);
    ck_assert_int_eq(take_all(&stacks), count);
    put_all(stacks);
    close_pool();
    ck_assert_int_eq(test_maps(), maps);
}
#endif

/* Seams. */

struct failing {
    unsigned countdown; /* the one that fails; 0: none */
    unsigned asked;
    const void *sites[16];
    unsigned site_count;
};

static bool fail_one(void *ctx, const void *site)
{
    struct failing *failing = ctx;
    unsigned i = 0;

    while (i < failing->site_count && failing->sites[i] != site)
        i++;
    if (i == failing->site_count)
        failing->sites[failing->site_count++] = site;
    failing->asked++;
    return failing->countdown && --failing->countdown == 0;
}

/* Use a pool in which allocation `countdown` fails; true when one did. */
static bool fail_at(unsigned countdown, struct failing *failing)
{
    const struct bight_seams seams = {.ctx = failing, .fail_alloc = fail_one};
    struct bight_stack *stacks[40];
    int failures = 0;
    int count = 0;

    failing->countdown = countdown;
    open_pool(2, &seams);
    for (int i = 0; i < 40; i++) {
        const size_t used = pool.used;
        const int rc = bight__stack_get(&pool, i % 10 ? 0 : 1 << 20, &stacks[count]);
        if (rc == 0) {
            count++;
            continue;
        }
        ck_assert_int_eq(rc, BIGHT_ENOMEM);
        ck_assert(!pool.map_limit);
        ck_assert_uint_eq(pool.used, used);
        failures++;
    }
    ck_assert_int_eq(count + failures, 40);
    ck_assert_int_le(failures, 1);
    for (int i = 0; i < count; i++)
        bight__stack_put(&pool, stacks[i]);
    close_pool();
    return failures;
}

static void each_allocation_and_mapping_may_fail(void)
{
    struct failing failing = {0};
    const int fds = test_open_fds();
    unsigned hit = 0;

    ck_assert(!fail_at(0, &failing));
#ifdef PLAIN
    const int maps = test_maps();
#endif
    while (fail_at(hit + 1, &failing)) {
        hit++;
#ifdef PLAIN
        ck_assert_int_eq(test_maps(), maps);
#endif
    }
    printf("stack: %u sites, %u allocations failed one by one\n", failing.site_count, hit);
    ck_assert_uint_eq(failing.site_count, 2); /* the slab's record and its mapping */
    ck_assert_uint_ge(hit, 8);
    ck_assert_int_eq(test_open_fds(), fds);
}

static const struct suite_case cases[] = {
    plain_case(guards_are_made_by_advice_where_the_kernel_can),
    plain_case(guards_are_made_by_mprotect_where_the_advice_is_unknown),
    plain_case(guards_are_made_by_mprotect_where_the_advice_is_ignored),
#ifdef PLAIN
    plain_case(thousands_of_stacks_take_few_mappings),
    plain_case(locked_memory_is_guarded_by_mprotect),
    plain_case(locking_memory_later_changes_the_kind_of_guard),
    plain_case(at_the_limit_of_mappings_it_fails_cleanly_and_goes_on_afterwards),
    plain_case(a_runtime_at_the_limit_of_mappings_says_so),
    plain_case(limited_address_space_is_used_up_to_the_last_stack),
#endif
    plain_case(each_allocation_and_mapping_may_fail),
};

test_suite("slab", cases);
