/* Starting the servers of bench_server, and what they took: see server.h. */
#include "bench/bench.h"
#include "bench/server.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <bight/errors.h>

#define SERVER_CPU 0
/* Where a server finds its listener. */
#define LISTENER_FD 3
/* A server is idle when it takes less than IDLE_NS in LOOK_NS. After so many looks it is as idle as
 * it will be. */
#define IDLE_NS 100000
#define LOOK_NS 10000000
#define LOOKS 100

/* The worker, nginx's only child. */
static pid_t worker_of(pid_t master)
{
    char path[64];
    FILE *file;
    int pid = 0;

    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)master, (int)master);
    file = fopen(path, "r");
    bench_check(file && fscanf(file, "%d", &pid) == 1 ? 0 : -ESRCH, "nginx's worker");
    fclose(file);
    return pid;
}

static void start_nginx(struct server_process *process)
{
    static const char *const files[] = {SERVER_FILE, NULL};
    static const size_t bytes[] = {SERVER_FILE_BYTES};

    nginx_start(&process->nginx, SERVER_CPU, files, bytes);
    process->parent = process->nginx.pid;
    process->port = (uint16_t)process->nginx.port;
}

static _Noreturn void become(const char *name, const char *folder, int listener)
{
    char self[4096], fd[16];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);

    bench_pin(SERVER_CPU);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (length < 0 || (folder && chdir(folder)))
        _exit(127);
    self[length] = '\0';
    if (listener != LISTENER_FD) {
        dup2(listener, LISTENER_FD);
        close(listener);
    }
    snprintf(fd, sizeof fd, "%d", LISTENER_FD);
#ifdef BIGHT_BENCH_GO
    if (!strcmp(name, "go"))
        execl(BIGHT_BENCH_GO, "go", (char *)NULL);
#endif
    execl(self, self, name, fd, "0", "0", (char *)NULL);
    _exit(127);
}

static void start_own(struct server_process *process, const char *name, const char *folder)
{
    int listener = serving_listen(&process->port);

    fflush(stdout);
    process->pid = fork();
    if (process->pid == 0)
        become(name, folder, listener);
    bench_check(process->pid < 0 ? -errno : 0, "fork");
    close(listener);
}

void server_start(struct server_process *process, const char *name, const char *folder)
{
    struct server_load first;

    *process = (struct server_process){0};
    if (strcmp(name, "nginx") == 0)
        start_nginx(process);
    else
        start_own(process, name, folder);
    server_load_open(&first, process->port, 1);
    server_load_put(&first, SERVER_HELLO, 1);
    server_load_close(&first);
    if (process->parent)
        process->pid = worker_of(process->parent);
}

void server_stop(struct server_process *process)
{
    int status;

    if (process->parent) {
        nginx_stop(&process->nginx);
        return;
    }
    kill(process->pid, SIGKILL);
    waitpid(process->pid, &status, 0);
}

static uint64_t cpu_ns(const struct server_process *process)
{
    clockid_t clock;
    struct timespec taken;

    bench_check(-clock_getcpuclockid(process->pid, &clock), "the server's clock");
    bench_check(clock_gettime(clock, &taken) ? -errno : 0, "the server's clock");
    return (uint64_t)taken.tv_sec * UINT64_C(1000000000) + (uint64_t)taken.tv_nsec;
}

uint64_t server_cpu_ns(const struct server_process *process)
{
    const struct timespec pause = {.tv_nsec = LOOK_NS};
    uint64_t before, now = cpu_ns(process);
    unsigned looks = 0;

    do {
        before = now;
        nanosleep(&pause, NULL);
        now = cpu_ns(process);
    } while (now - before > IDLE_NS && ++looks < LOOKS);
    return now;
}
