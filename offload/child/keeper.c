/* See keeper.h. */
#include "offload/child/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "offload/child/fresh_stack.h"
#include "offload/child/identity.h"
#include "offload/child/process.h"
#include "offload/child/zygote.h"
#include "offload/wire/control.h"

/* The part that we need of one line of /proc/self/maps. */
struct mapping {
    uintptr_t low;
    uintptr_t high;
};

/* Smaller mappings may be variables of the C library, and dropping them gains little. */
#define LARGE_BYTES ((uintptr_t)1 << 20)
/* How much is kept on either side of a needed address; a multiple of any page size. */
#define KEPT_BYTES ((uintptr_t)64 << 10)

/* Parse "low-high perms offset device inode ...", without stdio: other threads of the host may
 * have held its locks. True for a mapping that is large, private, writable, and of no file. */
static bool parse(const char *line, struct mapping *out)
{
    uintptr_t *number = &out->low;
    int spaces = 0;

    *out = (struct mapping){0};
    for (; *line && *line != ' '; line++) {
        if (*line == '-')
            number = &out->high;
        else
            *number = *number << 4 | (uintptr_t)(*line <= '9' ? *line - '0' : *line - 'a' + 10);
    }
    if (strncmp(line, " rw-p", 5) != 0)
        return false;
    for (; *line && spaces < 4; line++)
        spaces += *line == ' ';
    return line[0] == '0' && (line[1] == ' ' || line[1] == '\0') &&
           out->high - out->low >= LARGE_BYTES;
}

static void drop_range(uintptr_t low, uintptr_t high)
{
    if (high > low)
        (void)madvise((void *)low, high - low, MADV_DONTNEED);
}

/* Drop the mapping except for the surroundings of two addresses, of which `low` is the lower. */
static void drop_around(const struct mapping *mapping, uintptr_t low, uintptr_t high)
{
    uintptr_t needed[2] = {low / KEPT_BYTES * KEPT_BYTES, high / KEPT_BYTES * KEPT_BYTES};
    uintptr_t from = mapping->low;

    for (int i = 0; i < 2; i++) {
        uintptr_t end = needed[i] + 2 * KEPT_BYTES;

        if (end <= from || needed[i] - KEPT_BYTES >= mapping->high)
            continue;
        drop_range(from, needed[i] - KEPT_BYTES);
        from = end;
    }
    drop_range(from, mapping->high);
}

/* The keeper of a large host would hold a copy of every page that the host changes from now on.
 * Drop the large mappings, except for what it needs to sleep: the running frame, and errno. */
__attribute__((unused)) static void drop_memory(void)
{
    char buffer[1024], line[128];
    size_t length = 0;
    ssize_t got;
    int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    uintptr_t stack = (uintptr_t)buffer, local = (uintptr_t)&errno;
    struct mapping mapping;

    while (fd >= 0 && (got = read(fd, buffer, sizeof(buffer))) > 0) {
        for (ssize_t i = 0; i < got; i++) {
            if (buffer[i] != '\n') {
                if (length < sizeof(line) - 1)
                    line[length++] = buffer[i];
                continue;
            }
            line[length] = '\0';
            length = 0;
            if (parse(line, &mapping))
                drop_around(&mapping, stack < local ? stack : local, stack < local ? local : stack);
        }
    }
    if (fd >= 0)
        close(fd);
}

struct keeper {
    const struct keeper_plan *plan;
    struct identity *identity;
    pid_t zygote; /* 0 while there is none */
};

/* KEEPER_LOOK has come, and with it the host's securebits. */
static volatile sig_atomic_t look, securebits_seen;

static void on_signal(int number, siginfo_t *info, void *context)
{
    (void)context;
    if (number == KEEPER_LOOK && info->si_code == SI_QUEUE) {
        securebits_seen = info->si_value.sival_int;
        look = 1;
    }
}

/* Have SIGCHLD, and the signal by which the zygote says that the host has changed, end a ppoll with
 * the mask *waiting. All others stay blocked. */
static void watch_signals(sigset_t *waiting)
{
    struct sigaction noted = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
    sigset_t all;

    bight__signals_default();
    sigfillset(&all);
    (void)sigprocmask(SIG_SETMASK, &all, NULL);
    (void)sigaction(SIGCHLD, &noted, NULL);
    (void)sigaction(KEEPER_LOOK, &noted, NULL);
    *waiting = all;
    sigdelset(waiting, SIGCHLD);
    sigdelset(waiting, KEEPER_LOOK);
}

/* Also those whose parent, the zygote, has ended. */
static void reap(struct keeper *keeper)
{
    pid_t pid;

    while ((pid = (pid_t)syscall(SYS_wait4, -1, NULL, WNOHANG | __WALL, NULL)) > 0) {
        if (pid == keeper->zygote)
            keeper->zygote = 0;
    }
}

/* Take on what the host is now, when the zygote does: it goes first, so that it may still tell. */
static void follow_host(struct keeper *keeper)
{
    const struct keeper_plan *plan = keeper->plan;

    look = 0;
    if (!plan->keep_privileges &&
        bight__identity_differs(keeper->identity, plan->host, bight__host_fd()) > 0) {
        (void)bight__identity_take(keeper->identity, securebits_seen);
        bight__end_with_host(plan->host);
    }
}

static void run_late_zygote(void *arg)
{
    const struct keeper_plan *plan = arg;

    bight__zygote_main(plan->host, true, plan->keep_privileges);
}

/* Runs in the child. Its end is tied to the keeper's, which has one thread, so that the kernel is
 * exact about it. */
static _Noreturn void become_zygote(const struct keeper_plan *plan, pid_t keeper, int socket_fd)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != keeper)
        _exit(0);
    (void)setpgid(0, 0); /* before signals come through: those of the terminal are not for it */
    bight__keep_only(socket_fd, bight__host_fd());
    bight__signals_reset();
    if (plan->program) {
        execve(plan->program, plan->argv, plan->environment);
        _exit(127);
    }
    if (plan->late)
        bight__on_fresh_stack(run_late_zygote, (void *)(uintptr_t)plan);
    bight__zygote_main(plan->host, false, plan->keep_privileges);
}

/* Where the host had threads: fork() without its handlers, which may wait for locks that no thread
 * of this copy releases, and look for the heap that it has dropped. */
static pid_t fork_plainly(void)
{
    struct clone_args args = {.exit_signal = SIGCHLD};
    long pid = syscall(SYS_clone3, &args, sizeof(args));

    if (pid < 0 && errno == ENOSYS)
        return bight__fork(true);
    return (pid_t)pid;
}

static void end_zygote(struct keeper *keeper)
{
    if (keeper->zygote)
        (void)kill(keeper->zygote, SIGKILL); /* it has not been reaped, so the number is its own */
    keeper->zygote = 0;
}

/* The new zygote's socket is `socket_fd`. 0 or -errno. */
static int start_zygote(struct keeper *keeper, int socket_fd)
{
    const struct keeper_plan *plan = keeper->plan;
    pid_t self = getpid();
    pid_t pid = plan->program ? fork_plainly() : bight__fork(plan->late);

    if (pid == 0)
        become_zygote(plan, self, socket_fd);
    if (pid < 0)
        return -errno;
    keeper->zygote = pid;
    return 0;
}

static void serve(struct keeper *keeper)
{
    for (;;) {
        struct control_message message;
        int fds[CONTROL_FDS_MAX];
        int got = bight__control_receive(CONTROL_FD, &message, fds);

        if (got == -EAGAIN)
            return;
        if (got <= 0)
            _exit(0);
        end_zygote(keeper);
        if (message.kind == CONTROL_ZYGOTE && fds[0] >= 0) {
            int rc = start_zygote(keeper, fds[0]);

            if (rc)
                (void)bight__control_send(
                    CONTROL_FD, &(struct control_message){.kind = CONTROL_FAILED, .value = -rc},
                    NULL, 0);
        }
        for (int i = 0; i < CONTROL_FDS_MAX; i++) {
            if (fds[i] >= 0)
                close(fds[i]); /* after the answer: at its end the host looks for one */
        }
    }
}

_Noreturn void bight__keeper_main(int socket_fd, const struct keeper_plan *plan)
{
    struct keeper keeper = {.plan = plan};
    struct pollfd set[2];
    sigset_t waiting;

    bight__keep_only(socket_fd, (int)syscall(SYS_pidfd_open, plan->host, 0));
    bight__end_with_host(plan->host);
    if (getppid() != plan->host)
        _exit(0);
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1);
    (void)prctl(PR_SET_NAME, "bight-keeper");
    watch_signals(&waiting);
#if !defined(BIGHT_ASAN) && !defined(BIGHT_TSAN) /* their own records lie in such mappings */
    if (plan->program)
        drop_memory();
#endif
    keeper.identity = bight__identity_new();
    if (!keeper.identity)
        _exit(1);
    set[0] = (struct pollfd){.fd = CONTROL_FD, .events = POLLIN};
    set[1] = (struct pollfd){.fd = bight__host_fd(), .events = POLLIN};
    for (;;) {
        reap(&keeper);
        if (look)
            follow_host(&keeper);
        if (ppoll(set, 2, NULL, &waiting) < 0) {
            if (errno != EINTR)
                _exit(1);
            continue;
        }
        if (set[1].revents)
            _exit(0);
        if (set[0].revents)
            serve(&keeper);
    }
}
