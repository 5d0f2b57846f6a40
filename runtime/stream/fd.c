/* Waiting for descriptors of others: bight_fd_wait and its case. They have an epoll of their own,
 * so that a wait for a stream's descriptor does not change the stream's registration.
 *
 * The kernel registers an open file under a number. A registration is made for one event and stays
 * behind, silent, when that has come: the next wait for the same file renews it with one call, and
 * for another file under the same number makes a new one, since the kernel then knows of none. Its
 * token is the number. All waits for one number are listed together and share the registration. */
#include "runtime/stream/fd.h"
#include "coro/core/source.h"
#include "runtime/stream/poller.h"

#include <bight/fd.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/epoll.h>

#define ALL_EVENTS (BIGHT_FD_READ | BIGHT_FD_WRITE | BIGHT_FD_PRIORITY)
#define FIRST_LISTS 16

/* A wait. It lies in a task's frame, or in a case from its waiter on. */
struct fd_wait {
    struct bight_waiter waiter; /* linked into the list of its number */
    int fd;
    unsigned events;
};

struct fd_waits {
    struct bight_plugin plugin;
    struct poller poller;
    struct bight_link *lists; /* by number, as many as `mask` says and one more */
    size_t mask;
    size_t count;
};

_Static_assert(sizeof(struct fd_wait) <=
                   sizeof(struct bight_case) - offsetof(struct bight_case, waiter),
               "a case has room for a wait");

static struct bight_link *list_of(const struct fd_waits *waits, int fd)
{
    return &waits->lists[(size_t)fd & waits->mask];
}

static struct fd_wait *wait_of(struct bight_link *link)
{
    return container_of(link, struct fd_wait, waiter.link);
}

/* All that is waited for at that number. */
static unsigned events_wanted(const struct fd_waits *waits, int fd)
{
    const struct bight_link *list = list_of(waits, fd);
    unsigned events = 0;

    for (struct bight_link *link = list->next; link != list; link = link->next) {
        if (wait_of(link)->fd == fd)
            events |= wait_of(link)->events;
    }
    return events;
}

static uint32_t to_epoll(unsigned events)
{
    return EPOLLONESHOT | (events & BIGHT_FD_READ ? EPOLLIN | EPOLLRDHUP : 0) |
           (events & BIGHT_FD_WRITE ? EPOLLOUT : 0) | (events & BIGHT_FD_PRIORITY ? EPOLLPRI : 0);
}

static unsigned from_epoll(uint32_t events)
{
    if (events & (EPOLLERR | EPOLLHUP))
        return ALL_EVENTS;
    return (events & (EPOLLIN | EPOLLRDHUP) ? BIGHT_FD_READ : 0) |
           (events & EPOLLOUT ? BIGHT_FD_WRITE : 0) | (events & EPOLLPRI ? BIGHT_FD_PRIORITY : 0);
}

static int watch(const struct fd_waits *waits, int fd)
{
    uint32_t events = to_epoll(events_wanted(waits, fd));
    int rc = bight__poller_control(&waits->poller, EPOLL_CTL_MOD, fd, events, (uint64_t)fd);

    if (rc == BIGHT_ENOENT)
        rc = bight__poller_control(&waits->poller, EPOLL_CTL_ADD, fd, events, (uint64_t)fd);
    return rc;
}

/* Somebody's wait is over before its event: watch for the others, or for nothing. */
static void watch_less(const struct fd_waits *waits, int fd)
{
    if (events_wanted(waits, fd))
        (void)watch(waits, fd);
    else
        (void)bight__poller_control(&waits->poller, EPOLL_CTL_DEL, fd, 0, 0);
}

static struct fd_wait *find(const struct fd_waits *waits, int fd, unsigned ready)
{
    const struct bight_link *list = list_of(waits, fd);

    for (struct bight_link *link = list->next; link != list; link = link->next) {
        if (wait_of(link)->fd == fd && wait_of(link)->events & ready)
            return wait_of(link);
    }
    return NULL;
}

/* Wake who waits for any of `ready`, with those of them or, if there is one, with an error. Each is
 * searched anew, since to wake one may take others of its select off the list. */
static void wake(struct fd_waits *waits, int fd, unsigned ready, int error)
{
    struct fd_wait *wait;

    while ((wait = find(waits, fd, ready))) {
        link_remove(&wait->waiter.link);
        waits->count--;
        bight_unpark(&wait->waiter, error ? error : (int)(wait->events & ready));
    }
}

/* A registration is silent from now on: who waits for something else has it renewed. */
static void on_event(struct fd_waits *waits, int fd, unsigned ready)
{
    int rc;

    wake(waits, fd, ready, 0);
    if (!events_wanted(waits, fd))
        return;
    rc = watch(waits, fd);
    if (rc)
        wake(waits, fd, ALL_EVENTS, rc);
}

static void on_events(struct poller *poller, int count)
{
    struct fd_waits *waits = container_of(poller, struct fd_waits, poller);

    for (int i = 0; i < count; i++)
        on_event(waits, (int)poller->taken[i].data.u64, from_epoll(poller->taken[i].events));
}

static void lists_init(struct bight_link *lists, size_t count)
{
    for (size_t i = 0; i < count; i++)
        link_init(&lists[i]);
}

static int waits_begin(struct bight_plugin *plugin, struct bight_runtime *runtime)
{
    struct fd_waits *waits = container_of(plugin, struct fd_waits, plugin);
    int rc;

    waits->lists = bight__alloc(&runtime->sched.seams, FIRST_LISTS * sizeof(*waits->lists));
    if (!waits->lists)
        return BIGHT_ENOMEM;
    lists_init(waits->lists, FIRST_LISTS);
    waits->mask = FIRST_LISTS - 1;
    rc = bight__poller_open(&waits->poller, runtime, on_events);
    if (rc)
        bight__free(waits->lists);
    return rc;
}

static void on_closed(struct poller *poller)
{
    bight__free(container_of(poller, struct fd_waits, poller));
}

static void waits_end(struct bight_plugin *plugin)
{
    struct fd_waits *waits = container_of(plugin, struct fd_waits, plugin);

    bight__free(waits->lists);
    bight__poller_close(&waits->poller, on_closed);
}

static const struct bight_plugin_kind waits_kind = {
    .bytes = sizeof(struct fd_waits),
    .begin = waits_begin,
    .end = waits_end,
};

/* The runtime's record; NULL: *rc says why there is none. */
static struct fd_waits *waits_get(int *rc)
{
    struct bight_plugin *plugin = bight__plugin_get(bight__runtime(), &waits_kind, rc);

    return plugin ? container_of(plugin, struct fd_waits, plugin) : NULL;
}

/* Keep the lists short. */
static int lists_grow(struct fd_waits *waits)
{
    size_t count = 2 * (waits->mask + 1);
    struct bight_link *old = waits->lists;
    struct bight_link *lists =
        bight__alloc(&waits->poller.runtime->sched.seams, count * sizeof(*lists));

    if (!lists)
        return BIGHT_ENOMEM;
    lists_init(lists, count);
    waits->lists = lists;
    waits->mask = count - 1;
    for (size_t i = 0; i < count / 2; i++) {
        struct bight_link *link;

        while ((link = link_take(&old[i])))
            link_append(list_of(waits, wait_of(link)->fd), link);
    }
    bight__free(old);
    return 0;
}

/* Begin a wait whose waiter is initialised: 0; the events that are ready at once; or an error. */
static int wait_begin(struct fd_waits *waits, struct fd_wait *wait)
{
    int rc = waits->count > 2 * waits->mask ? lists_grow(waits) : 0;

    if (rc)
        return rc;
    link_append(list_of(waits, wait->fd), &wait->waiter.link);
    waits->count++;
    rc = watch(waits, wait->fd);
    if (rc == 0)
        return 0;
    link_remove(&wait->waiter.link);
    waits->count--;
    return rc == BIGHT_EPERM ? (int)wait->events : rc; /* a file, which is always ready */
}

static int wait_abort(struct bight_waiter *waiter)
{
    const struct fd_wait *wait = container_of(waiter, struct fd_wait, waiter);
    struct fd_waits *waits;
    int rc;

    if (link_empty(&waiter->link))
        return 0; /* never armed */
    waits = waits_get(&rc);
    if (!waits)
        return 0; /* does not happen: it was there when the wait was armed */
    link_remove(&waiter->link);
    waits->count--;
    watch_less(waits, wait->fd);
    return 0;
}

static void wait_describe(const struct bight_waiter *waiter, char *text, size_t text_bytes)
{
    const struct fd_wait *wait = container_of(waiter, const struct fd_wait, waiter);

    snprintf(text, text_bytes, "%d%s%s%s", wait->fd, wait->events & BIGHT_FD_READ ? " read" : "",
             wait->events & BIGHT_FD_WRITE ? " write" : "",
             wait->events & BIGHT_FD_PRIORITY ? " priority" : "");
}

static const struct bight_waiter_ops wait_ops = {
    .name = "descriptor",
    .abort = wait_abort,
    .describe = wait_describe,
    .flags = BIGHT_WAITER_OUTSIDE,
};

static int check(int fd, unsigned events)
{
    if (fd < 0)
        return BIGHT_EBADF;
    return !events || events & ~ALL_EVENTS ? BIGHT_EINVAL : 0;
}

int bight_fd_wait(int fd, unsigned events)
{
    struct fd_wait wait;
    struct fd_waits *waits;
    struct bight_task *self;
    int rc = check(fd, events);

    if (rc)
        return rc;
    rc = bight__checkpoint(&self);
    if (rc)
        return rc;
    waits = waits_get(&rc);
    if (!waits)
        return rc;
    wait.fd = fd;
    wait.events = events;
    bight__waiter_begin(&wait.waiter, &wait_ops);
    rc = wait_begin(waits, &wait);
    return rc ? rc : bight_park(&wait.waiter);
}

void bight__fd_forget(int fd)
{
    struct bight_plugin *plugin = bight__plugin_find(bight__runtime(), &waits_kind);

    if (plugin)
        watch_less(container_of(plugin, struct fd_waits, plugin), fd);
}

/* The case */

static struct fd_wait *wait_in(struct bight_case *from)
{
    return container_of(&from->waiter, struct fd_wait, waiter);
}

/* poll(2), and what it says in our words: the events that are ready, 0, or a negative code. */
static int ready_now(int fd, unsigned events)
{
    struct pollfd asked = {.fd = fd};
    int count;

    asked.events = (short)((events & BIGHT_FD_READ ? POLLIN | POLLRDHUP : 0) |
                           (events & BIGHT_FD_WRITE ? POLLOUT : 0) |
                           (events & BIGHT_FD_PRIORITY ? POLLPRI : 0));
    do {
        count = poll(&asked, 1, 0);
    } while (count < 0 && errno == EINTR);
    if (count < 0)
        return -errno;
    if (asked.revents & POLLNVAL)
        return BIGHT_EBADF;
    return (int)(events & from_epoll((uint32_t)asked.revents)); /* POLL* are EPOLL* */
}

static bool case_attempt(struct bight_case *chosen)
{
    const struct fd_wait *wait = wait_in(chosen);
    int rc = check(wait->fd, wait->events);

    chosen->status = rc ? rc : ready_now(wait->fd, wait->events);
    return chosen->status != 0;
}

static int case_arm(struct bight_case *chosen)
{
    int rc;
    struct fd_waits *waits = waits_get(&rc);

    if (waits)
        rc = wait_begin(waits, wait_in(chosen));
    if (rc <= 0)
        return rc;
    bight_unpark(&chosen->waiter, rc);
    return 0;
}

static const struct bight_waiter_ops case_wait = {
    .name = "select: descriptor",
    .abort = wait_abort,
    .describe = wait_describe,
    .flags = BIGHT_WAITER_OUTSIDE,
};
static const struct bight_case_ops case_ops = {&case_wait, case_attempt, case_arm, NULL};

void bight_case_fd(struct bight_case *to, int fd, unsigned events)
{
    if (!to)
        return;
    bight_case_custom(to, &case_ops, NULL);
    wait_in(to)->fd = fd;
    wait_in(to)->events = events;
}
