/* coro/stack/slab.c: advice on many stacks in one call, for guards and for memory that goes back;
 * or one by one where the kernel refuses that, by a seccomp filter, or a seam does. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "coro/stack/slab.h"
#include "tests/coro/stack/trim_fixture.h"
#include "tests/harness/suite.h"
#include "tests/harness/support.h"

#ifndef SYS_process_madvise
#define SYS_process_madvise 440
#endif

/* How often what was called, and what fails. */
struct calls {
    unsigned together, apart;
    bool refused;
    unsigned countdown; /* the call that fails; 0: none */
};

static bool on_call(void *ctx, const void *site, const char *name, int *error, size_t *bytes)
{
    struct calls *calls = ctx;

    (void)site;
    (void)bytes;
    *error = EINVAL;
    if (calls->countdown && --calls->countdown == 0)
        return true;
    if (!strcmp(name, "process_madvise")) {
        calls->together++;
        return calls->refused;
    }
    calls->apart += !strcmp(name, "madvise");
    return false;
}

static bool kernel_has_it(void)
{
    char page[1];
    struct iovec none = {page, 0};

    return syscall(SYS_process_madvise, -10000, &none, 1, MADV_DONTNEED, 0) == 0;
}

static void whole_life(void)
{
    burst(MANY);
    (void)trim_goes_on();
    (void)trim_goes_on();
    ck_assert_uint_eq(pool.cached, 0);
}

static void many_stacks_take_few_calls(void)
{
    struct calls calls = {0};
    const struct bight_seams seams = {.ctx = &calls, .fail_call = on_call};

    open_trimmed(&seams);
    whole_life();
    if (kernel_has_it() && pool.guard == BIGHT_GUARD_INSTALL) {
        ck_assert(!pool.advice_apart);
        ck_assert_uint_le(calls.together, 4 * MANY / BIGHT_SLAB_BATCH);
        ck_assert_uint_le(calls.apart, 40);
    }
    ck_assert_int_eq(resident_of(MANY), 0);
    close_pool();
}

static void a_refused_call_is_not_made_again(void)
{
    struct calls calls = {.refused = true};
    const struct bight_seams seams = {.ctx = &calls, .fail_call = on_call};

    open_trimmed(&seams);
    whole_life();
    ck_assert(pool.advice_apart);
    ck_assert_uint_eq(calls.together, 1);
    ck_assert_uint_ge(calls.apart, 2 * MANY - 64);
    ck_assert_int_eq(resident_of(MANY), 0);
    close_pool();
}

/* From now on the kernel answers `answer` to process_madvise. */
static void forbid(int answer)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_process_madvise, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)answer),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {.len = sizeof filter / sizeof filter[0], .filter = filter};

    ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    ck_assert_int_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

/* Whether a child that touches `at` dies of it. */
static bool is_fatal(char *at)
{
    int status;
    const pid_t child = fork();

    ck_assert_int_ge(child, 0);
    if (child == 0) {
        const char byte = 1;
        int ends[2];
        /* The kernel writes there, so that no signal and no sanitizer has a say. */
        _exit(pipe(ends) || write(ends[1], &byte, 1) != 1 ? 3 : read(ends[0], at, 1) != 1);
    }
    ck_assert_int_eq(test_waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) < 2);
    return WEXITSTATUS(status);
}

/* 0 is an answer that has advised on no byte. */
static void every_stack_is_guarded_and_goes(int answer)
{
    if (answer >= 0)
        forbid(answer);
    open_trimmed(NULL);
    get_all(MANY, 0);
    for (int i = 1; i < MANY; i += i / 4 + 1) {
        ck_assert(is_fatal(stacks[i]->lo - 1));
        ck_assert(is_fatal(stacks[i]->lo - 65536));
        ck_assert(!is_fatal(stacks[i]->lo));
    }
    put_all(MANY);
    ck_assert(trim_goes_on());
    ck_assert(!trim_goes_on());
    ck_assert_int_eq(resident_of(MANY), 0);
    close_pool();
}

static void guards_and_give_back_work_as_the_kernel_has_it(void)
{
    every_stack_is_guarded_and_goes(-1);
}

static void guards_and_give_back_work_where_the_call_is_refused(void)
{
    every_stack_is_guarded_and_goes(EPERM);
}

static void guards_and_give_back_work_where_the_call_is_unknown(void)
{
    every_stack_is_guarded_and_goes(ENOSYS);
}

static void guards_and_give_back_work_where_the_call_does_nothing(void)
{
    every_stack_is_guarded_and_goes(0);
}

static void each_call_may_fail(void)
{
    unsigned failed = 0;

    for (unsigned at = 1, last = 1; at <= last; at++) {
        struct calls calls = {.countdown = at};
        const struct bight_seams seams = {.ctx = &calls, .fail_call = on_call};
        struct bight_stack *stack;
        int count = 0;

        open_trimmed(&seams);
        while (count < 150 && bight__stack_get(&pool, 0, &stack) == 0) {
            use_down_to(stack, PARKED_BYTES);
            stacks[count++] = stack;
        }
        put_all(count);
        (void)trim_goes_on();
        (void)trim_goes_on();
        ck_assert_uint_eq(pool.cached, 0);
        close_pool();
        if (calls.countdown == 0) {
            failed++;
            last = at + 1;
        }
    }
    ck_assert_uint_ge(failed, 20);
}

/* The number that stands for oneself is the child's own there. */
static void a_child_gives_its_own_memory_back(void)
{
    const int fds = test_open_fds();

    open_trimmed(NULL);
    get_all(1000, 0);
    put_all(1000);
    ck_assert(trim_goes_on());
    const pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        (void)trim_goes_on();
        _exit(resident_of(1000) != 0);
    }
    int status;
    ck_assert_int_eq(test_waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    ck_assert_int_eq(resident_of(1000), 1000);
    get_all(1000, 0);
    put_all(1000);
    close_pool();
    ck_assert_int_eq(test_open_fds(), fds);
}

static const struct suite_case cases[] = {
    plain_case(many_stacks_take_few_calls),
    plain_case(a_refused_call_is_not_made_again),
    plain_case(guards_and_give_back_work_as_the_kernel_has_it),
    plain_case(guards_and_give_back_work_where_the_call_is_refused),
    plain_case(guards_and_give_back_work_where_the_call_is_unknown),
    plain_case(guards_and_give_back_work_where_the_call_does_nothing),
    plain_case(each_call_may_fail),
    plain_case(a_child_gives_its_own_memory_back),
};

test_suite("advice", cases);
