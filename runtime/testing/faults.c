/* What a test run makes happen: allocations and system calls that fail, suspensions that are
 * cancelled, the order of ready tasks. Only their numbers and the seed decide which of them. */
#include "runtime/testing/testing.h"
#include "coro/base/splitmix.h"

#include <string.h>

/* One seed gives different sequences, so that one more question of one kind does not change the
 * answers to the other kinds. */
#define VALUES UINT64_C(0xd1b54a32d192ed03)
#define CALLS UINT64_C(0x8cb92ba72f3d8dd7)

#define ERRORS_MAX 5

/* The errors that each call may fail with; EINTR last. A call not listed fails with ENOMEM. What
 * streams call has no EAGAIN: it promises an event, which would not come. */
static const struct {
    const char *name;
    int errors[ERRORS_MAX];
} calls[] = {
    {"accept4", {ECONNABORTED, EMFILE, ENFILE, ENOMEM, EINTR}},
    {"access", {EACCES, ELOOP, EIO}},
    {"bind", {EADDRINUSE, EACCES, ENOMEM}},
    {"chmod", {EPERM, EIO}},
    {"chown", {EPERM, EROFS, EIO}},
    {"clone", {EAGAIN, EINVAL, ENOMEM}},
    {"close", {EIO, ENOSPC, EDQUOT}},
    {"connect", {ECONNREFUSED, ETIMEDOUT, ENETUNREACH, EADDRNOTAVAIL, EINTR}},
    {"copy", {ENOSPC, EACCES, EIO}},
    {"epoll_create1", {EMFILE, ENFILE, ENOMEM}},
    {"epoll_ctl", {ENOSPC, ENOMEM}},
    {"eventfd", {EMFILE, ENFILE, ENOMEM}},
    {"fchmod", {EPERM, EIO}},
    {"fchown", {EPERM, EIO}},
    {"fcntl", {EMFILE}},
    {"fdatasync", {EIO, ENOSPC}},
    {"fstat", {EIO, EOVERFLOW}},
    {"fsync", {EIO, ENOSPC}},
    {"ftruncate", {EFBIG, EIO}},
    {"getdents64", {EIO, ENOENT}},
    {"getrandom", {ENOSYS, EPERM}},
    {"getrlimit", {EPERM}},
    {"inotify_add_watch", {ENOSPC, ENOMEM, EACCES}},
    {"inotify_init1", {EMFILE, ENFILE, ENOMEM}},
    {"link", {EEXIST, EMLINK, EXDEV}},
    {"listen", {EADDRINUSE}},
    {"lstat", {EACCES, ENOENT, EIO}},
    {"madvise", {EINVAL, ENOMEM, EAGAIN}},
    {"mincore", {EAGAIN, ENOMEM}},
    {"mkdir", {EACCES, ENOSPC, EROFS}},
    {"mmap", {ENOMEM, EAGAIN}},
    {"mprotect", {ENOMEM}},
    {"open", {EMFILE, ENFILE, EACCES, ENOSPC, EINTR}},
    {"pipe2", {EMFILE, ENFILE}},
    {"pread", {EIO, EINTR}},
    {"process_madvise", {EBADF, ENOSYS, EPERM, EINVAL}},
    {"pthread_create", {EAGAIN}},
    {"read", {EAGAIN, EIO, EINTR}},
    {"readlink", {EACCES, EIO}},
    {"readv", {EIO, EINTR}},
    {"realpath", {EACCES, ELOOP, EIO}},
    {"recv", {ECONNRESET, ETIMEDOUT, ENOMEM, EINTR}},
    {"recvmmsg", {ECONNREFUSED, ENOMEM, EINTR}},
    {"recvmsg", {ECONNREFUSED, ENOMEM, EINTR}},
    {"rename", {EACCES, EXDEV, ENOSPC}},
    {"rmdir", {EACCES, EBUSY}},
    {"send", {EPIPE, ECONNRESET, ENOBUFS, ENOMEM, EINTR}},
    {"sendfile", {EPIPE, ECONNRESET, EIO, ENOMEM, EINTR}},
    {"sendmmsg", {ENOBUFS, ENOMEM, EPERM, EINTR}},
    {"sendto", {ENOBUFS, ENOMEM, EPERM, EINTR}},
    {"setsockopt", {EINVAL, ENOMEM}},
    {"sigaction", {EINVAL}},
    {"sigaltstack", {ENOMEM, EPERM}},
    {"socket", {EMFILE, ENFILE, ENOBUFS, ENOMEM}},
    {"stat", {EACCES, ENOENT, EIO}},
    {"statfs", {EACCES, EIO}},
    {"statx", {EACCES, ENOENT, EIO}},
    {"symlink", {EEXIST, ENOSPC}},
    {"timer_create", {EAGAIN, ENOMEM}},
    {"unlink", {EACCES, EBUSY}},
    {"utimensat", {EPERM, EROFS}},
    {"uv_async_init", {EMFILE, ENFILE, ENOMEM}},
    {"uv_loop_init", {EMFILE, ENFILE, ENOMEM}},
    {"uv_mutex_init", {EAGAIN, ENOMEM}},
    {"uv_poll_init", {ENOSPC, ENOMEM}},
    {"uv_signal_init", {EMFILE, ENFILE}},
    {"uv_signal_start", {EINVAL}},
    {"uv_signal_start_oneshot", {EINVAL}},
    {"write", {EAGAIN, EIO, ENOSPC, EPIPE, EINTR}},
    {"writev", {EPIPE, EIO, EINTR}},
};

uint64_t bight__test_draw(uint64_t *state)
{
    return splitmix_next(state);
}

static bool in_range(uint64_t number, uint64_t first, uint64_t count)
{
    return first && number >= first && number - first < (count ? count : 1);
}

/* From now on the run may end with `error`. */
static void expect(struct bight__test *test, int error)
{
    unsigned word = (unsigned)error / 64;

    if (word < sizeof test->may_fail / sizeof test->may_fail[0])
        test->may_fail[word] |= UINT64_C(1) << ((unsigned)error % 64);
}

static void made_happen(struct bight__test *test, int error)
{
    test->faults++;
    expect(test, error);
}

bool bight__test_is_expected(const struct bight__test *test, int code)
{
    unsigned error = (unsigned)-code;

    return error / 64 < sizeof test->may_fail / sizeof test->may_fail[0] &&
           test->may_fail[error / 64] >> (error % 64) & 1;
}

static bool fail_alloc(void *ctx, const void *site)
{
    struct bight__test *test = ctx;
    uint64_t number = ++test->allocs;

    (void)site;
    if (!in_range(number, test->options.alloc, test->options.alloc_count))
        return false;
    made_happen(test, ENOMEM);
    return true;
}

static void cancel_here(void *ctx, const void *site)
{
    struct bight__test *test = ctx;
    uint64_t number = ++test->suspends;

    (void)site;
    if (!in_range(number, test->options.suspend, test->options.suspend_count))
        return;
    made_happen(test, ECANCELED);
    bight_task_cancel(bight_self());
}

int bight__test_error(const char *name, uint64_t random, int last_error)
{
    size_t i, count = 0;

    for (i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        if (strcmp(calls[i].name, name) == 0)
            break;
    }
    if (i == sizeof calls / sizeof calls[0])
        return ENOMEM;
    while (count < ERRORS_MAX && calls[i].errors[count])
        count++;
    if (count == 0)
        return ENOMEM;
    int error = calls[i].errors[random % count];
    return error == EINTR && last_error == EINTR ? calls[i].errors[0] : error;
}

static bool fail_call(void *ctx, const void *site, const char *name, int *error, size_t *bytes)
{
    struct bight__test *test = ctx;
    uint64_t number = ++test->calls;
    uint64_t random = splitmix_mix((test->options.seed ^ CALLS) + number * SPLITMIX_STEP);

    (void)site;
    if (!in_range(number, test->options.call, test->options.call_count) &&
        random % 1000000 >= test->options.call_chance)
        return false;
    random = splitmix_mix(random);
    if (bytes && *bytes > 1 && random & 1) {
        *bytes = 1 + (size_t)(random >> 1) % (*bytes - 1);
        test->faults++;
        return false;
    }
    *error = bight__test_error(name, random >> 1, test->last_error);
    test->last_error = *error;
    made_happen(test, *error);
    expect(test, ENOMEM); /* the code of a stack that could not be mapped or guarded */
    return true;
}

static size_t pick_ready(void *ctx, size_t count)
{
    struct bight__test *test = ctx;

    test->turns++;
    return test->options.seed ? (size_t)(bight__test_draw(&test->order) % count) : 0;
}

static uint64_t random_bits(void *ctx)
{
    return bight__test_draw(&((struct bight__test *)ctx)->values);
}

void bight__test_faults(struct bight__test *test, struct bight_seams *seams)
{
    test->order = test->options.seed * SPLITMIX_STEP;
    test->values = test->options.seed * VALUES;
    seams->fail_alloc = fail_alloc;
    seams->fail_call = fail_call;
    seams->cancel_here = cancel_here;
    seams->pick_ready = pick_ready;
    seams->random = random_bits;
}
