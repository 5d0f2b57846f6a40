/* Starting nginx: see nginx.h. It gets its listening socket handed over, which is its own way of
 * upgrading itself without a gap: so the kernel chooses the port, and nobody waits for the
 * start. */
#include "bench/nginx.h"

#include "bench/bench.h"

#include <arpa/inet.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bight/errors.h>

#define LISTENER_FD 3

/* Not master_process off: nginx 1.22 crashes with that and an inherited socket. */
static const char configuration[] = "daemon off;\n"
                                    "user root root;\n" /* if we are root; ignored otherwise */
                                    "worker_processes 1;\n"
                                    "pid nginx.pid;\n"
                                    "events { worker_connections 2048; }\n"
                                    "http {\n"
                                    "    access_log off;\n"
                                    "    sendfile on;\n"
                                    "    tcp_nopush on;\n"
                                    "    keepalive_requests 100000000;\n"
                                    "    server {\n"
                                    "        listen 127.0.0.1:%d backlog=1024;\n"
                                    "        root .;\n"
                                    "    }\n"
                                    "}\n";

static FILE *create(const struct nginx *nginx, const char *name)
{
    char path[sizeof nginx->folder + 64];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", nginx->folder, name);
    file = fopen(path, "w");
    bench_check(file ? 0 : BIGHT_EIO, path);
    return file;
}

static void write_files(const struct nginx *nginx, const char *const *names, const size_t *bytes)
{
    FILE *file;

    for (; *names; names++, bytes++) {
        file = create(nginx, *names);
        for (size_t i = 0; i < *bytes; i++)
            putc_unlocked('a' + (int)(i % 26), file);
        bench_check(fclose(file) ? BIGHT_EIO : 0, *names);
    }
    file = create(nginx, "nginx.conf");
    fprintf(file, configuration, nginx->port);
    bench_check(fclose(file) ? BIGHT_EIO : 0, "nginx.conf");
}

static int listener(int *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, 1024) ||
        getsockname(fd, (struct sockaddr *)&address, &bytes))
        bench_check(BIGHT_EIO, "listener");
    *port = ntohs(address.sin_port);
    return fd;
}

static void become_nginx(const struct nginx *nginx, int fd, int cpu)
{
    char inherited[16];

    bench_pin(cpu);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (fd != LISTENER_FD) {
        dup2(fd, LISTENER_FD);
        close(fd);
    }
    snprintf(inherited, sizeof inherited, "%d;", LISTENER_FD);
    setenv("NGINX", inherited, 1);
    execlp("nginx", "nginx", "-p", nginx->folder, "-c", "nginx.conf", "-e", "error.log",
           (char *)NULL);
    execl("/usr/sbin/nginx", "nginx", "-p", nginx->folder, "-c", "nginx.conf", "-e", "error.log",
          (char *)NULL);
    _exit(127);
}

void nginx_start(struct nginx *nginx, int cpu, const char *const *names, const size_t *bytes)
{
    int fd = listener(&nginx->port);

    strcpy(nginx->folder, "/tmp/bight-bench-XXXXXX");
    bench_check(mkdtemp(nginx->folder) ? 0 : BIGHT_EIO, nginx->folder);
    write_files(nginx, names, bytes);
    fflush(stdout);
    nginx->pid = fork();
    if (nginx->pid == 0)
        become_nginx(nginx, fd, cpu);
    bench_check(nginx->pid < 0 ? BIGHT_EAGAIN : 0, "fork");
    close(fd);
}

static int remove_one(const char *path, const struct stat *stat, int type, struct FTW *at)
{
    (void)stat;
    (void)type;
    (void)at;
    return remove(path);
}

void nginx_stop(struct nginx *nginx)
{
    int status;

    kill(nginx->pid, SIGTERM);
    waitpid(nginx->pid, &status, 0);
    nftw(nginx->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}
