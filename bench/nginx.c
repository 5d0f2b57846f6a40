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

#ifdef BIGHT_HAVE_ZLIB
#include <zlib.h>
#endif

#define LISTENER_FD 3

/* Not master_process off: nginx 1.22 crashes with that and an inherited socket. */
static const char configuration[] = "daemon off;\n"
                                    "user root root;\n" /* if we are root; ignored otherwise */
                                    "worker_processes 1;\n"
                                    "pid nginx.pid;\n"
                                    "events { worker_connections 16384; }\n"
                                    "http {\n"
                                    "    access_log off;\n"
                                    "    sendfile on;\n"
                                    "    tcp_nopush on;\n"
                                    "    keepalive_requests 100000000;\n"
                                    "    server {\n"
                                    "        listen 127.0.0.1:%d backlog=1024;\n"
                                    "        root .;\n"
                                    "        location = /hello {\n"
                                    "            return 200 \"hello\\n\";\n"
                                    "        }\n"
                                    "        location /text {\n"
                                    "            add_header Content-Encoding gzip;\n"
                                    "        }\n"
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

#ifdef BIGHT_HAVE_ZLIB
/* Words of two to five syllables, the first ones most often. */
static void write_words(char *text, size_t bytes)
{
    static const char *const syllables[] = {"ra",  "lo", "sti", "ne", "mu", "ten", "ko",  "is",
                                            "dra", "pe", "um",  "ga", "li", "or",  "ven", "chi"};
    uint64_t state = 88172645463325252u;
    size_t used = 0;

    while (used < bytes) {
        uint64_t draw = bench_random(&state);
        uint64_t word = (draw & 0xffff) * (draw >> 16 & 0xffff) * (draw >> 32 & 0xffff) >> 37;
        for (uint64_t code = word * 0x9e3779b97f4a7c15u, i = 0; i < 2 + word % 4; i++) {
            const char *syllable = syllables[code >> (60 - 4 * i) & 15];
            for (; *syllable && used < bytes; syllable++)
                text[used++] = *syllable;
        }
        if (used < bytes)
            text[used++] = draw >> 60 ? ' ' : '\n';
    }
}

void nginx_add_text(const struct nginx *nginx, const char *name, size_t bytes)
{
    char path[sizeof nginx->folder + 64];
    char *text = malloc(bytes);
    gzFile file;

    bench_check(text ? 0 : BIGHT_ENOMEM, "text");
    write_words(text, bytes);
    snprintf(path, sizeof path, "%s/%s", nginx->folder, name);
    file = gzopen(path, "wb6");
    bench_check(file && gzwrite(file, text, (unsigned)bytes) == (int)bytes ? 0 : BIGHT_EIO, path);
    bench_check(gzclose(file) ? BIGHT_EIO : 0, path);
    free(text);
}
#endif

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
