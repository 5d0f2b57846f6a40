/* What runs in the zygote. It has one thread, its own process group, and nothing open but standard
 * input, output and error, the host's socket (CONTROL_FD), its pidfd (HOST_FD), and one socket
 * per executor. It ends with the host and with the keeper; its workers die with it by
 * PR_SET_PDEATHSIG, which is exact here because the zygote has only the one thread. Read control.h
 * first. */
#include "offload/child/zygote.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "offload/child/identity.h"
#include "offload/child/process.h"
#include "offload/child/worker.h"
#include "offload/wire/control.h"

/* The first places of the poll set: the host's socket, and the pidfd that tells of its end. */
enum { FROM_HOST, HOST_ENDS, FIRST_CLIENT };

#define AWAIT_KEEPER_MS 100

struct child {
    struct child *next;
    pid_t pid; /* 0 when it was not forked, or has been reaped */
    int client;
    int answer; /* a control_kind that is still to be sent, or 0 */
    int value;
    uint64_t worker;
};

struct zygote {
    struct pollfd *set; /* executors' sockets, from FIRST_CLIENT on */
    size_t count;
    size_t room;
    struct child *children;
    struct identity *identity; /* NULL: keep privileges */
    pid_t pid;
    pid_t host;
    pid_t keeper;
    bool late;
};

static void on_sigchld(int number)
{
    (void)number; /* only ends ppoll */
}

/* Let SIGCHLD through during ppoll only. */
static void watch_children(void)
{
    struct sigaction noted = {.sa_handler = on_sigchld};
    sigset_t blocked;

    bight__signals_reset();
    (void)sigaction(SIGCHLD, &noted, NULL);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGCHLD);
    (void)sigprocmask(SIG_BLOCK, &blocked, NULL);
}

static _Noreturn void become_worker(struct zygote *zygote, const int fds[CONTROL_FDS_MAX])
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != zygote->pid)
        _exit(1);
    bight__signals_reset();
    (void)prctl(PR_SET_NAME, "bight-worker");
    bight__oom_before(zygote->host);
    bight__identity_limit(zygote->host);
    bight__worker_main(fds[0], fds[1]);
}

/* Be in the host's working directory. It may be one that this process could not enter any more. */
static int follow_directory(int fd)
{
    struct stat theirs, own;

    if (fd < 0 || fchdir(fd) == 0)
        return 0;
    if (fstat(fd, &theirs) == 0 && stat(".", &own) == 0 && theirs.st_dev == own.st_dev &&
        theirs.st_ino == own.st_ino)
        return 0;
    return errno;
}

/* The keeper has to change while this process may still signal it. */
static void show_keeper(const struct zygote *zygote, int securebits)
{
    (void)sigqueue(zygote->keeper, KEEPER_LOOK, (union sigval){.sival_int = securebits});
}

/* Wait until the keeper has changed too, within reason: it may have been stopped. */
static void await_keeper(struct zygote *zygote)
{
    for (int i = 0; i < AWAIT_KEEPER_MS; i++) {
        if (bight__identity_differs(zygote->identity, zygote->keeper, -1) <= 0)
            return;
        (void)poll(NULL, 0, 1);
    }
}

/* Workers of the old privileges end here: later this process could not signal them any more, nor
 * would they end with it. 0 or an errno. */
static int follow_privileges(struct zygote *zygote, int securebits)
{
    int rc = 0;

    if (zygote->identity)
        rc = bight__identity_differs(zygote->identity, zygote->host, bight__host_fd());
    if (zygote->identity && rc >= 0)
        bight__identity_take_umask(zygote->identity);
    if (rc <= 0)
        return -rc;
    for (struct child *child = zygote->children; child; child = child->next) {
        if (child->pid > 0)
            (void)kill(child->pid, SIGKILL);
    }
    bight__identity_raise_limits(zygote->host);
    show_keeper(zygote, securebits);
    rc = bight__identity_take(zygote->identity, securebits);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != zygote->keeper)
        _exit(0);
    if (!rc)
        await_keeper(zygote);
    return -rc;
}

/* 0 or an errno. */
static int follow_host(struct zygote *zygote, const struct control_message *message, int directory)
{
    int rc = follow_directory(directory);

    return rc ? rc : follow_privileges(zygote, message->value);
}

static void spawn(struct zygote *zygote, int client, const struct control_message *message,
                  const int fds[CONTROL_FDS_MAX])
{
    struct child *child = calloc(1, sizeof(*child));
    const struct control_message failed = {
        .kind = CONTROL_FAILED, .value = ENOMEM, .worker = message->worker};
    pid_t pid = -1;

    if (!child) {
        (void)bight__control_send(client, &failed, NULL, 0);
        return;
    }
    errno = fds[1] >= 0 ? follow_host(zygote, message, fds[2]) : EMFILE;
    if (errno == 0)
        pid = bight__fork(zygote->late);
    if (pid == 0)
        become_worker(zygote, fds);
    child->client = client;
    child->worker = message->worker;
    child->answer = pid < 0 ? CONTROL_FAILED : CONTROL_SPAWNED;
    child->value = pid < 0 ? errno : 0;
    child->pid = pid < 0 ? 0 : pid;
    child->next = zygote->children;
    zygote->children = child;
}

static void signal_child(const struct zygote *zygote, int client, uint64_t worker, int number)
{
    for (struct child *child = zygote->children; child; child = child->next) {
        if (child->client == client && child->worker == worker && child->pid > 0)
            (void)kill(child->pid, number);
    }
}

/* The executor is gone: kill its workers, for which nobody waits any more. */
static void drop_client(struct zygote *zygote, size_t index)
{
    int client = zygote->set[index].fd;

    for (struct child *child = zygote->children; child; child = child->next) {
        if (child->client != client)
            continue;
        child->client = -1;
        child->answer = 0;
        if (child->pid > 0)
            (void)kill(child->pid, SIGKILL);
    }
    close(client);
    zygote->set[index] = zygote->set[--zygote->count];
}

static void add_client(struct zygote *zygote, int fd)
{
    const struct control_message hello = {.kind = CONTROL_HELLO, .pid = zygote->pid};

    if (zygote->count == zygote->room) {
        size_t room = zygote->room * 2;
        struct pollfd *set = realloc(zygote->set, room * sizeof(*set));

        if (!set) {
            close(fd); /* the executor sees that the line ended */
            return;
        }
        zygote->set = set;
        zygote->room = room;
    }
    zygote->set[zygote->count++] = (struct pollfd){.fd = fd, .events = POLLIN};
    (void)bight__control_send(fd, &hello, NULL, 0);
}

/* False when the client's socket has ended. */
static bool serve(struct zygote *zygote, int client)
{
    for (;;) {
        struct control_message message;
        int fds[CONTROL_FDS_MAX];
        int got = bight__control_receive(client, &message, fds);

        if (got == -EAGAIN)
            return true;
        if (got <= 0)
            return false;
        if (message.kind == CONTROL_SPAWN)
            spawn(zygote, client, &message, fds);
        else if (message.kind == CONTROL_SIGNAL)
            signal_child(zygote, client, message.worker, message.value);
        for (int i = 0; i < CONTROL_FDS_MAX; i++) {
            if (fds[i] >= 0)
                close(fds[i]);
        }
    }
}

static void serve_host(struct zygote *zygote)
{
    for (;;) {
        struct control_message message;
        int fds[CONTROL_FDS_MAX];
        int got = bight__control_receive(CONTROL_FD, &message, fds);

        if (got == -EAGAIN)
            return;
        if (got <= 0)
            _exit(0);
        if (message.kind == CONTROL_CLIENT && fds[0] >= 0)
            add_client(zygote, fds[0]);
    }
}

static void reap(struct zygote *zygote)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        struct child *child = zygote->children;

        while (child && child->pid != pid)
            child = child->next;
        if (!child)
            continue; /* an orphan of a worker, where the zygote is a subreaper */
        child->pid = 0;
        if (child->client >= 0) {
            child->answer = CONTROL_ENDED;
            child->value = status;
        }
    }
}

static struct pollfd *client_of(struct zygote *zygote, int fd)
{
    for (size_t i = FIRST_CLIENT; i < zygote->count; i++) {
        if (zygote->set[i].fd == fd)
            return &zygote->set[i];
    }
    return NULL;
}

/* Send the answers that the executors have not got yet, the oldest child's last, and forget
 * children that are over. A full socket is tried again when it has room, so nothing blocks. */
static void answer(struct zygote *zygote)
{
    for (struct child **link = &zygote->children, *child; (child = *link);) {
        if (child->answer) {
            struct control_message message = {.kind = (uint32_t)child->answer,
                                              .pid = child->pid,
                                              .value = child->value,
                                              .worker = child->worker};

            if (bight__control_send(child->client, &message, NULL, 0) == -EAGAIN) {
                client_of(zygote, child->client)->events = POLLIN | POLLOUT;
                link = &child->next;
                continue;
            }
            child->answer = 0;
        }
        if (child->pid > 0) {
            link = &child->next;
            continue;
        }
        *link = child->next;
        free(child);
    }
}

static void begin(struct zygote *zygote, bool keep_privileges)
{
    /* It does not outlast the execution of a program that gains privileges. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != zygote->keeper)
        _exit(0);
    watch_children();
    (void)fcntl(CONTROL_FD, F_SETFD, FD_CLOEXEC);
    (void)fcntl(HOST_FD, F_SETFD, FD_CLOEXEC);
    (void)prctl(PR_SET_NAME, "bight-zygote");
    /* the host writes the output that it had buffered */
    __fpurge(stdout);
    __fpurge(stderr);
    zygote->set = calloc(zygote->room, sizeof(*zygote->set));
    if (!keep_privileges)
        zygote->identity = bight__identity_new();
    if (!zygote->set || (!zygote->identity && !keep_privileges))
        _exit(1);
    zygote->set[FROM_HOST] = (struct pollfd){.fd = CONTROL_FD, .events = POLLIN};
    zygote->set[HOST_ENDS] = (struct pollfd){.fd = bight__host_fd(), .events = POLLIN};
}

_Noreturn void bight__zygote_main(pid_t host, bool late, bool keep_privileges)
{
    struct zygote zygote = {.pid = getpid(),
                            .host = host,
                            .keeper = getppid(),
                            .late = late,
                            .count = FIRST_CLIENT,
                            .room = 8};
    sigset_t none;

    sigemptyset(&none);
    begin(&zygote, keep_privileges);
    for (;;) {
        reap(&zygote);
        answer(&zygote);
        if (ppoll(zygote.set, zygote.count, NULL, &none) < 0) {
            if (errno != EINTR)
                _exit(1);
            continue;
        }
        if (zygote.set[HOST_ENDS].revents)
            _exit(0);
        for (size_t i = zygote.count; i-- > FIRST_CLIENT;) {
            zygote.set[i].events = POLLIN;
            if (zygote.set[i].revents && !serve(&zygote, zygote.set[i].fd))
                drop_client(&zygote, i);
        }
        if (zygote.set[FROM_HOST].revents)
            serve_host(&zygote);
    }
}
