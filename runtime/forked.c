/* What a child of fork() has of its parent and must not use. The runtime: its loop's epoll is the
 * parent's, whose watchers the child would take away. And its signals: libuv's handler writes the
 * number of a signal into a pipe of each loop that listens, and these pipes are the parent's too,
 * which took a signal to its child for one of its own (libuv 1.44.2; uv_loop_fork is of no use
 * here, because it needs the descriptors of a new epoll in each child, also in one that goes on to
 * exec). So all runtimes' handles stop in the child: signals have their default there. */
#include "runtime/forked.h"
#include "runtime/runtime.h"

#include <pthread.h>
#include <signal.h>

static struct {
    pthread_mutex_t lock; /* taken before libuv's own, and while a fork lasts */
    struct bight_link handles;
    sigset_t before; /* of the thread that forks */
} forked = {.lock = PTHREAD_MUTEX_INITIALIZER, .handles = {&forked.handles, &forked.handles}};

/* A signal that comes before the child has stopped to listen would be written to the parent. */
static void prepare(void)
{
    sigset_t all;

    pthread_mutex_lock(&forked.lock);
    sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &forked.before);
}

static void go_on(void)
{
    sigset_t before = forked.before;

    pthread_mutex_unlock(&forked.lock);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void forget(void)
{
    struct bight_link *link;

    bight__sched = NULL;
    while ((link = link_take(&forked.handles)))
        (void)uv_signal_stop(&container_of(link, struct bight_signal_handle, link)->handle);
    go_on();
}

/* No seam: there is one call in the life of a process. */
int bight__forked_watch(void)
{
    static bool watched;
    int rc = 0;

    pthread_mutex_lock(&forked.lock);
    if (!watched)
        rc = pthread_atfork(prepare, go_on, forget);
    watched = watched || rc == 0;
    pthread_mutex_unlock(&forked.lock);
    return -rc;
}

int bight__signal_handle_start(struct bight_signal_handle *handle, uv_signal_cb fn, int signum,
                               bool once)
{
    int rc;

    pthread_mutex_lock(&forked.lock);
    rc = once ? uv_signal_start_oneshot(&handle->handle, fn, signum)
              : uv_signal_start(&handle->handle, fn, signum);
    if (rc == 0 && !handle->link.next)
        link_append(&forked.handles, &handle->link);
    pthread_mutex_unlock(&forked.lock);
    return rc;
}

void bight__signal_handle_stop(struct bight_signal_handle *handle)
{
    pthread_mutex_lock(&forked.lock);
    (void)uv_signal_stop(&handle->handle);
    if (handle->link.next)
        link_cut(&handle->link);
    pthread_mutex_unlock(&forked.lock);
}
