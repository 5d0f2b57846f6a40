/* Tries in advance, with resources of its own, everything that libuv would abort() over, so that a
 * lack of resources is an error from bight_run. libuv aborts when the threads of its pool cannot
 * start, when its table of watchers cannot grow, when the process-wide signal pipe cannot be made,
 * and when epoll_ctl fails while it polls.
 *
 * Some gaps remain. Between the probe and libuv's own call another thread may take what was free.
 * The pool starts at its first use, perhaps much later: bight__probe_threads, which probes its
 * threads again right before that, narrows this gap; starting the pool here would make a process
 * that never uses it multi-threaded. A descriptor above the number that the table was grown for
 * makes it grow again. epoll_ctl may still meet /proc/sys/fs/epoll/max_user_watches or a lack of
 * kernel memory later. */
#include "runtime/runtime.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A loop takes six descriptors: epoll, the event of its pool, and two pipes for signals, the
 * process-wide one and its own. The runtime adds an event, unless the loop has one, and the probe a
 * dup. */
#define PROBE_PIPES 4

/* libuv's threads: so many unless UV_THREADPOOL_SIZE says otherwise, each with such a stack. */
#define POOL_THREADS 4
#define POOL_THREADS_MAX 1024
#define POOL_STACK_BYTES (8u << 20)

static int probe_descriptors(const struct bight_seams *seams)
{
    int pipes[PROBE_PIPES][2];
    int rc = 0, count;

    for (count = 0; count < PROBE_PIPES; count++) {
        if (bight__call_fails(seams, "pipe2") || pipe2(pipes[count], O_CLOEXEC)) {
            rc = -errno;
            break;
        }
    }
    while (count--) {
        close(pipes[count][0]);
        close(pipes[count][1]);
    }
    return rc;
}

size_t bight__pool_threads(void)
{
    const char *text = getenv("UV_THREADPOOL_SIZE");
    long threads = text ? strtol(text, NULL, 10) : POOL_THREADS;

    if (threads < 1)
        return 1;
    return threads > POOL_THREADS_MAX ? POOL_THREADS_MAX : (size_t)threads;
}

struct probe_thread {
    pthread_t thread;
    pid_t tid;
    pthread_mutex_t *gate;
};

/* Stay alive until the gate opens: all threads have to exist at the same time. */
static void *wait_at_gate(void *arg)
{
    struct probe_thread *self = arg;

    self->tid = (pid_t)syscall(SYS_gettid);
    pthread_mutex_lock(self->gate);
    pthread_mutex_unlock(self->gate);
    return NULL;
}

/* A joined thread is still counted in /proc for some microseconds. Wait until it is gone, so that
 * whoever asks right after the probe whether the process is single-threaded gets the truth. */
static void join(struct probe_thread *thread)
{
    pthread_join(thread->thread, NULL);
    while (syscall(SYS_tgkill, getpid(), thread->tid, 0) == 0)
        sched_yield();
}

static int start_and_join(struct probe_thread *threads, size_t count, const pthread_attr_t *attr,
                          const struct bight_seams *seams)
{
    pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
    size_t started = 0;
    int rc = 0;

    pthread_mutex_lock(&gate);
    while (started < count && !rc) {
        struct probe_thread *thread = &threads[started];
        thread->gate = &gate;
        rc = bight__call_fails(seams, "pthread_create")
                 ? errno
                 : pthread_create(&thread->thread, attr, wait_at_gate, thread);
        started += rc == 0;
    }
    pthread_mutex_unlock(&gate);
    while (started--)
        join(&threads[started]);
    pthread_mutex_destroy(&gate);
    return -rc;
}

int bight__probe_threads(const struct bight_seams *seams)
{
    size_t count = bight__pool_threads();
    struct probe_thread *threads = bight__alloc_zero(seams, count * sizeof *threads);
    pthread_attr_t attr;
    sigset_t all, before;

    if (!threads)
        return BIGHT_ENOMEM;
    int rc = -pthread_attr_init(&attr);
    if (rc)
        goto free_threads;
    rc = -pthread_attr_setstacksize(&attr, POOL_STACK_BYTES);
    if (rc)
        goto destroy_attr;
    /* A signal handler of the host's must not run on one of these threads. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    rc = start_and_join(threads, count, &attr, seams);
    pthread_sigmask(SIG_SETMASK, &before, NULL);

destroy_attr:
    pthread_attr_destroy(&attr);
free_threads:
    bight__free(threads);
    return rc;
}

int bight__probe(const struct bight_seams *seams)
{
    if (seams && seams->probed)
        return 0;
    int rc = probe_descriptors(seams);

    return rc ? rc : bight__probe_threads(seams);
}

/* Duplicate `fd` to a number not below `wanted`; if none is free, halve `wanted` and retry. */
static int dup_high(int fd, int wanted, const struct bight_seams *seams)
{
    int high;

    do {
        high = bight__call_fails(seams, "fcntl") ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, wanted);
        wanted /= 2;
    } while (high < 0 && wanted > 0);
    return high < 0 ? -errno : high;
}

/* The size libuv's table will have when it holds descriptor `fd`: a power of two of pointers,
 * two of which are libuv's own. */
static size_t table_bytes(int fd)
{
    size_t entries = 64;

    while (entries < (size_t)fd + 3)
        entries *= 2;
    return entries * sizeof(void *);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    (void)poll;
    (void)status;
    (void)events;
}

static void on_poll_closed(uv_handle_t *handle)
{
    bight__free(handle);
}

/* Starting a poll puts the descriptor into the table at once; the loop's next turn only frees the
 * handle. uv_poll_init tries epoll_ctl on it and returns an error where polling would abort. */
static int watch_once(uv_loop_t *loop, int fd, const struct bight_seams *seams)
{
    uv_poll_t *poll = bight__alloc_zero(seams, sizeof *poll);
    void *table = bight__alloc(seams, table_bytes(fd));
    int rc = BIGHT_ENOMEM;

    if (!poll || !table)
        goto free_poll;
    bight__free(table);
    table = NULL;
    rc = bight__call_fails(seams, "uv_poll_init") ? -errno : uv_poll_init(loop, poll, fd);
    if (rc)
        goto free_poll;
    rc = uv_poll_start(poll, UV_READABLE, on_poll);
    uv_poll_stop(poll);
    uv_close((uv_handle_t *)poll, on_poll_closed);
    return rc;

free_poll:
    bight__free(table);
    bight__free(poll);
    return rc;
}

int bight__probe_watchers(uv_loop_t *loop, unsigned watchers, const struct bight_seams *seams)
{
    struct rlimit limit;
    int pipe_ends[2];

    if (!bight__call_fails(seams, "getrlimit") && getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
        limit.rlim_cur < watchers)
        watchers = (unsigned)limit.rlim_cur;
    if (watchers == 0 || watchers > INT32_MAX)
        return BIGHT_EINVAL;
    if (seams && seams->probed)
        return 0;
    if (bight__call_fails(seams, "pipe2") || pipe2(pipe_ends, O_CLOEXEC))
        return -errno;
    int rc = dup_high(pipe_ends[0], (int)watchers - 1, seams);
    if (rc >= 0) {
        int high = rc;
        rc = watch_once(loop, high, seams);
        close(high);
    }
    close(pipe_ends[0]);
    close(pipe_ends[1]);
    return rc;
}
