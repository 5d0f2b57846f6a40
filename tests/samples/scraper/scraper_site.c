/* See scraper_site.h. */
#include "tests/samples/scraper/scraper_site.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <check.h>

#include "tests/harness/support.h"

struct connection {
    int fd;
    int port;
    site_handler *handler;
    struct site_log *log;
};

int site_socket(int *port, bool listening)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, size), 0);
    if (listening)
        ck_assert_int_eq(listen(fd, 128), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

void site_reply(struct site_reply *reply, const char *head, const char *body, size_t size)
{
    *reply = (struct site_reply){.head = head, .body = body, .body_bytes = size};
}

/* --- in the site's process -------------------------------------------------------------------- */

static int count_hits(const struct site_log *log, const char *path)
{
    int count = atomic_load(&log->count);
    int hits = 0;

    for (int i = 0; i < count && i < SITE_REQUESTS_MAX; i++)
        hits += atomic_load(&log->requests[i].ready) &&
                strncmp(log->requests[i].path, path, SITE_PATH_BYTES - 1) == 0;
    return hits;
}

static void log_request(struct site_log *log, const char *path)
{
    int number = atomic_fetch_add(&log->count, 1);

    if (number >= SITE_REQUESTS_MAX)
        return;
    (void)snprintf(log->requests[number].path, SITE_PATH_BYTES, "%s", path);
    atomic_store(&log->requests[number].ready, true);
}

/* Read a request's head; its path to `path`. */
static bool read_request(int fd, char path[SITE_PATH_BYTES])
{
    char head[16384];
    size_t size = 0;

    do {
        ssize_t got = test_read(fd, head + size, sizeof head - 1 - size);
        if (got <= 0)
            return false;
        size += (size_t)got;
        head[size] = '\0';
    } while (!strstr(head, "\r\n\r\n"));
    return sscanf(head, "GET %127s HTTP/1.1", path) == 1;
}

static bool send_all(int fd, const char *data, size_t size)
{
    while (size) {
        ssize_t sent = send(fd, data, size, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        data += sent;
        size -= (size_t)sent;
    }
    return true;
}

static void pause_ms(unsigned ms)
{
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    while (nanosleep(&time, &time) && errno == EINTR)
        continue;
}

/* Whether the connection can be used again. */
static bool send_reply(int fd, const struct site_reply *reply)
{
    char head[1024];
    int size;

    pause_ms(reply->delay_ms);
    if (!reply->head) {
        /* Until the peer gives up. */
        (void)test_read(fd, head, sizeof head);
        return false;
    }
    if (!reply->head[0])
        size = 0;
    else if (reply->raw || reply->endless)
        size = snprintf(head, sizeof head, "HTTP/1.1 %s\r\n\r\n", reply->head);
    else
        size = snprintf(head, sizeof head, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n",
                        reply->head, reply->body_bytes);
    bool good = send_all(fd, head, (size_t)size);
    do {
        good = good && send_all(fd, reply->body, reply->body_bytes);
        pause_ms(reply->pause_ms);
    } while (good && reply->endless);
    return good && reply->head[0] && !reply->raw;
}

static void *serve(void *arg)
{
    struct connection *connection = arg;
    struct site_log *log = connection->log;
    char path[SITE_PATH_BYTES];
    bool more = true;

    while (more && read_request(connection->fd, path)) {
        struct site_reply reply = {.head = "404 Not Found\r\nContent-Type: text/html",
                                   .body = "<title>none</title><a href=/never>",
                                   .body_bytes = strlen("<title>none</title><a href=/never>")};
        log_request(log, path);
        connection->handler(path, connection->port, count_hits(log, path), &reply);
        more = send_reply(connection->fd, &reply);
        if (reply.owned)
            free((char *)reply.body);
    }
    (void)shutdown(connection->fd, SHUT_WR);
    (void)close(connection->fd);
    free(connection);
    return NULL;
}

_Noreturn static void run(int listener, int port, site_handler *handler, struct site_log *log)
{
    pthread_attr_t attributes;

    if (pthread_attr_init(&attributes) != 0 ||
        pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED) != 0)
        _exit(1);
    for (;;) {
        struct connection *connection = malloc(sizeof *connection);
        pthread_t thread;
        int fd = test_accept(listener);
        if (!connection || fd < 0)
            _exit(1);
        *connection = (struct connection){fd, port, handler, log};
        if (pthread_create(&thread, &attributes, serve, connection) != 0)
            _exit(1);
    }
}

/* --- in the test's ---------------------------------------------------------------------------- */

void site_start(struct site *site, site_handler *handler)
{
    int listener = site_socket(&site->port, true);

    site->log =
        mmap(NULL, sizeof *site->log, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(site->log, MAP_FAILED);
    pid_t parent = getpid();
    site->pid = fork();
    ck_assert_int_ge(site->pid, 0);
    if (site->pid == 0) {
        test_die_with(parent, SIGKILL);
        run(listener, site->port, handler, site->log);
    }
    ck_assert_int_eq(close(listener), 0);
}

void site_stop(struct site *site)
{
    int status;

    ck_assert_int_eq(kill(site->pid, SIGKILL), 0);
    ck_assert_int_eq(test_waitpid(site->pid, &status, 0), site->pid);
    ck_assert_msg(WIFSIGNALED(status), "the site had ended by itself");
    ck_assert_int_eq(munmap(site->log, sizeof *site->log), 0);
}

int site_hits(const struct site *site, const char *path)
{
    return count_hits(site->log, path);
}
