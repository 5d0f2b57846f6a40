/* See http_server.h. One blocking thread per connection; errors of sockets end the connection,
 * since a client that goes away is what most tests are about. */
#include "tests/net/http/http_server.h"

#include <bight/time.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/harness/support.h"

#define HEAD_BYTES 65536

static struct http_counts *counts;

struct peer {
    int fd;
    size_t held; /* bytes in `head`, the next request's included */
    char head[HEAD_BYTES + 1];
};

static bool send_all(const struct peer *peer, const void *bytes, size_t count)
{
    const char *at = bytes;

    while (count) {
        ssize_t sent = send(peer->fd, at, count, MSG_NOSIGNAL);
        if (sent < 0)
            return false;
        at += sent;
        count -= (size_t)sent;
    }
    return true;
}

__attribute__((format(printf, 2, 3))) static bool say(const struct peer *peer, const char *format,
                                                      ...)
{
    char text[4096];
    va_list args;

    va_start(args, format);
    int bytes = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return send_all(peer, text, (size_t)bytes);
}

static bool answer(const struct peer *peer, int status, const char *extra, const void *body,
                   size_t bytes)
{
    return say(peer, "HTTP/1.1 %d Text\r\n%sContent-Length: %zu\r\n\r\n", status, extra, bytes) &&
           send_all(peer, body, bytes);
}

static void nap_ms(long ms)
{
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    nanosleep(&time, NULL);
}

/* Until the client has closed. */
static bool linger(const struct peer *peer)
{
    char sink[4096];

    while (recv(peer->fd, sink, sizeof sink, 0) > 0)
        ;
    return false;
}

static bool bytes_of(const struct peer *peer, long total, bool chunked)
{
    static const char block[16384] = "abcdefghijklmnopqrstuvwxyz";
    bool head = chunked ? say(peer, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                        : say(peer, "HTTP/1.1 200 OK\r\nContent-Length: %ld\r\n\r\n", total);

    if (!head)
        return false;
    while (total > 0) {
        size_t count = total < (long)sizeof block ? (size_t)total : sizeof block;
        if (chunked && !say(peer, "%zx\r\n", count))
            return false;
        if (!send_all(peer, block, count) || (chunked && !say(peer, "\r\n")))
            return false;
        atomic_fetch_add(&counts->sent, (long)count);
        total -= (long)count;
    }
    return !chunked || say(peer, "0\r\nX-Trailer: end\r\n\r\n");
}

/* Bits into bytes, least significant first, as deflate wants them. */
struct bit_writer {
    unsigned char *data;
    size_t bytes;
    unsigned held;
    unsigned bits;
};

static void put_bits(struct bit_writer *writer, unsigned value, unsigned count)
{
    while (count--) {
        writer->held |= (value & 1u) << writer->bits;
        value >>= 1;
        if (++writer->bits < 8)
            continue;
        writer->data[writer->bytes++] = (unsigned char)writer->held;
        writer->held = writer->bits = 0;
    }
}

/* One block with the fixed code: a zero, then copies of 258 zeros at 13 bits each. */
static bool bomb(const struct peer *peer)
{
    static const unsigned char gzip_head[10] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255};
    static const unsigned char gzip_tail[8] = {0x8f, 0xde, 0x04, 0xb9, 0x31, 0, 0, 6};
    static unsigned char data[1 << 20];
    struct bit_writer writer = {.data = data, .bytes = sizeof gzip_head};

    memcpy(data, gzip_head, sizeof gzip_head);
    put_bits(&writer, 3, 3);    /* the last block, fixed code */
    put_bits(&writer, 0x0c, 8); /* literal 0, its code reversed */
    for (long copied = 1; copied < HTTP_BOMB_BYTES; copied += 258)
        put_bits(&writer, 0xa3, 13); /* length 258, its code reversed; distance 1 */
    put_bits(&writer, 0, 7);         /* end of block */
    put_bits(&writer, 0, (8 - writer.bits) % 8);
    memcpy(data + writer.bytes, gzip_tail, sizeof gzip_tail);
    writer.bytes += sizeof gzip_tail;
    return say(peer, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n",
               writer.bytes) &&
           send_all(peer, data, writer.bytes) && linger(peer);
}

/* What the request's body says. */
static bool say_body(const struct peer *peer, size_t head_bytes, size_t at_once)
{
    const char *at = strstr(peer->head, "\r\n\r\n") + 4;

    for (size_t left = head_bytes - (size_t)(at - peer->head); left;) {
        size_t count = left < at_once ? left : at_once;
        if (!send_all(peer, at, count))
            return false;
        at += count;
        left -= count;
        if (left)
            nap_ms(1);
    }
    return true;
}

static bool gzip_hello(const struct peer *peer)
{
    static const unsigned char data[] = {
        0x1f, 0x8b, 8, 0,    0,    0,   0,   0,   0,   255, /* header */
        1,    5,    0, 0xfa, 0xff, 'h', 'e', 'l', 'l', 'o', 0x86, 0xa6, 0x10, 0x36, 5, 0, 0, 0};

    return answer(peer, 200, "Content-Encoding: gzip\r\n", data, sizeof data);
}

static bool redirect(const struct peer *peer, int status, const char *to)
{
    char line[2048];

    snprintf(line, sizeof line, "Location: %s\r\n", to);
    return answer(peer, status, line, "moved", 5);
}

static bool reset(const struct peer *peer)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};

    say(peer, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf of it");
    setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    return false;
}

/* The next request on this connection finds it reset. */
static bool reset_next(const struct peer *peer)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    char sink[4096];

    if (answer(peer, 200, "", "ok", 2))
        recv(peer->fd, sink, sizeof sink, 0);
    setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    return false;
}

/* Answers by number, for tests of what is a response: those that are none come first. */
static const char *const framings[] = {
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 3\r\n\r\nabcde",
    "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\nabcde",
    "HTTP/1.1 200 OK\r\nContent-Length: 3, 5\r\n\r\nabcde",
    "HTTP/1.1 200 OK\r\nContent-Length: 3, 3\r\n\r\nabc",
    "HTTP/1.1 200 OK\r\nContent-Length: +3\r\n\r\nabc",
    "HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\nabc",
    "HTTP/1.1 200 OK\r\nContent-Length: 0x3\r\n\r\nabc",
    "HTTP/1.1 200 OK\r\nContent-Length: 3abc\r\n\r\nabc",
    "HTTP/1.1 200 OK\r\nContent-Length: 3 3\r\n\r\nabc",
    "HTTP/1.1 200 OK\r\nContent-Length: 3;a=b\r\n\r\nabc",
    "HTTP/1.1 200 OK\r\nContent-Length: 3.0\r\n\r\nabc",
    "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\nabc",
    "HTTP/1.1 200 OK\r\nContent-Length: abc\r\n\r\nabc",
    "HTTP/1.1 200 OK\r\nContent-Length : 3\r\n\r\nabc",
    "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n 0\r\n\r\nabc",
    "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nabc",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding : chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\n folded: 1\r\nContent-Length: 3\r\n\r\nabc",
    "http/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nabc",
    "Http/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
    "HTTP/1.1 20 OK\r\nContent-Length: 3\r\n\r\nabc",
    "HTTP/1.1 2000 OK\r\nContent-Length: 3\r\n\r\nabc",
    "HTTP/1.1 200OK\r\nContent-Length: 3\r\n\r\nabc",
    "HTTP/1.1 -200 OK\r\nContent-Length: 3\r\n\r\nabc",
    "HTTP/1.1 0x1 OK\r\nContent-Length: 3\r\n\r\nabc",
    "HTTP/1.1\t200 OK\r\nContent-Length: 3\r\n\r\nabc",
    "HTTP/1.1 OK\r\nContent-Length: 3\r\n\r\nabc",
    "HTTP/1.x 200 OK\r\nContent-Length: 3\r\n\r\nabc",
    "HTTP 200 OK\r\nContent-Length: 3\r\n\r\nabc",
    "HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc",
    "HTTP/1.1 103 Early\r\n\r\nhttp/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
};
static const char *const well_framed[] = {
    "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabcde",
    "HTTP/1.1 200 OK\r\ncontent-length: \t 003 \t\r\n\r\nabcde",
    "HTTP/1.1 200 OK\nContent-Length:3\n\nabcde",
    "HTTP/1.1 200\r\nContent-Length: 3\r\n\r\nabcde",
    "HTTP/1.0 200 \r\n\r\nabc",
    "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n"
    "3\r\nabc\r\n0\r\n\r\n",
    "HTTP/1.1 103 Early\r\nContent-Length: 9\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: "
    "3\r\n\r\nabc",
    "HTTP/1.1 401 No\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Trailer: 1\r\n\r\n",
};

static bool framed(const struct peer *peer, const char *const *answers, size_t count, int number)
{
    if (number < 0 || (size_t)number >= count)
        return answer(peer, 404, "", "no more", 7);
    return say(peer, "%s", answers[number]) && false;
}

/* Answers before the body has come, and then takes that from the connection, whatever it is. */
static bool early_answer(struct peer *peer, int status, size_t head_bytes)
{
    const char *length = strcasestr(peer->head, "\r\nContent-Length:");
    size_t left = length ? strtoul(length + 17, NULL, 10) : 0;
    char sink[65536];

    if (!answer(peer, status, "", "early", 5))
        return false;
    left -= peer->held - head_bytes < left ? peer->held - head_bytes : left;
    while (left) {
        ssize_t got = recv(peer->fd, sink, left < sizeof sink ? left : sizeof sink, 0);
        if (got <= 0)
            return false;
        left -= (size_t)got;
        if (memmem(sink, (size_t)got, "GET /", 5) || memmem(sink, (size_t)got, "POST /", 6))
            atomic_fetch_add(&counts->swallowed, 1);
    }
    peer->held = head_bytes;
    return true;
}

/* The page, and then something on the idle connection. */
static bool unasked(const struct peer *peer, const char *what)
{
    static const char *const texts[][2] = {
        {"408", "HTTP/1.1 408 Request Time-out\r\nContent-Length: 9\r\n\r\ntimed out"},
        {"200", "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecond"},
        {"crlf", "\r\n"},
        {"junk", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"},
    };
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    static const char block[16384];

    if (!answer(peer, 200, "", "page", 4))
        return false;
    nap_ms(20);
    if (!strcmp(what, "reset"))
        setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    if (!strcmp(what, "reset") || !strcmp(what, "fin")) {
        shutdown(peer->fd, SHUT_WR);
        atomic_fetch_add(&counts->unasked, 1);
        return false;
    }
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (!strcmp(what, texts[i][0]))
            say(peer, "%s", texts[i][1]);
    atomic_fetch_add(&counts->unasked, 1);
    while (!strcmp(what, "flood") && send_all(peer, block, sizeof block))
        ;
    linger(peer);
    atomic_fetch_add(&counts->hung_up, 1);
    return false;
}

static bool long_header(const struct peer *peer)
{
    static char line[110000];

    memset(line, 'x', sizeof line);
    return say(peer, "HTTP/1.1 200 OK\r\nX-Long: ") && send_all(peer, line, sizeof line) &&
           say(peer, "\r\nContent-Length: 0\r\n\r\n");
}

/* Wants credentials, once. */
static bool secret(const struct peer *peer)
{
    if (strcasestr(peer->head, "\r\nAuthorization: Digest"))
        return answer(peer, 200, "X-Second: yes\r\n", "secret", 6);
    return answer(peer, 401,
                  "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\"\r\n"
                  "X-First: yes\r\n",
                  "denied", 6);
}

static bool endless_headers(const struct peer *peer)
{
    say(peer, "HTTP/1.1 200 OK\r\n");
    while (say(peer, "X-More: and more and more and more and more and more and more\r\n"))
        ;
    return false;
}

static bool endless_extension(const struct peer *peer)
{
    if (!say(peer, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;"))
        return false;
    while (say(peer, "extension"))
        nap_ms(5);
    return false;
}

static bool drip(const struct peer *peer)
{
    if (!say(peer, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"))
        return false;
    for (int i = 0; i < 1000; i++) {
        if (!say(peer, "x"))
            return false;
        nap_ms(30);
    }
    return true;
}

/* Takes the request's body, which has not been read with the head, 64 KiB at a time. */
static bool sluggish(const struct peer *peer, size_t head_bytes)
{
    const char *length = strcasestr(peer->head, "\r\nContent-Length:");
    size_t left = length ? strtoul(length + 17, NULL, 10) : 0;
    char sink[65536];

    left -= peer->held - head_bytes;
    while (left) {
        ssize_t got = recv(peer->fd, sink, sizeof sink, 0);
        if (got <= 0)
            return false;
        left -= (size_t)got;
        nap_ms(10);
    }
    return answer(peer, 200, "Connection: close\r\n", "ok", 2) && false;
}

/* How many of these are under way at a time is what the client's limits decide. */
static bool later(const struct peer *peer)
{
    int now = atomic_fetch_add(&counts->serving, 1) + 1;
    int most = atomic_load(&counts->most_serving);

    while (now > most && !atomic_compare_exchange_weak(&counts->most_serving, &most, now))
        ;
    nap_ms(30);
    atomic_fetch_sub(&counts->serving, 1);
    return answer(peer, 200, "", "ok", 2);
}

static bool plain(const struct peer *peer, const char *path)
{
    if (!strcmp(path, "/ok"))
        return answer(peer, 200, "", "ok", 2);
    if (!strcmp(path, "/close"))
        return answer(peer, 200, "Connection: close\r\n", "ok", 2) && false;
    if (!strcmp(path, "/later"))
        return later(peer);
    if (!strcmp(path, "/stall"))
        return say(peer, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx") && linger(peer);
    if (!strcmp(path, "/short"))
        return say(peer, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nten bytes.") && false;
    if (!strcmp(path, "/garbage"))
        return say(peer, "220 ftp.example.org at your service\r\n") && linger(peer);
    if (!strcmp(path, "/early"))
        return say(peer, "HTTP/1.1 103 Early Hints\r\nX-Early: yes\r\n\r\n") &&
               answer(peer, 200, "X-Late: yes\r\n", "ok", 2);
    if (!strcmp(path, "/folded"))
        return say(peer, "HTTP/1.1 200 OK\r\nX-Folded: one\r\n  two\r\nX-Empty:\r\nX-Twice: 1\r\n"
                         "x-twice:  2 \t\r\nContent-Length: 2\r\n\r\nok");
    return answer(peer, 404, "", "no such path", 12);
}

static bool serve(struct peer *peer, const char *method, const char *path, size_t head_bytes)
{
    char text[64], *rest;

    if (!strcmp(path, "/no-body"))
        return say(peer, "HTTP/1.1 401 Text\r\nContent-Length: 12345\r\n\r\n");
    if (!strcmp(path, "/silent"))
        return linger(peer);
    if (!strcmp(path, "/dead"))
        return false;
    if (!strcmp(method, "HEAD"))
        return say(peer, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
                         "Content-Length: 12345\r\n\r\n");
    if (!strcmp(path, "/echo"))
        return answer(peer, 200, "", peer->head, head_bytes);
    if (!strcmp(path, "/say"))
        return say_body(peer, head_bytes, HEAD_BYTES);
    if (!strcmp(path, "/say-close"))
        return say_body(peer, head_bytes, HEAD_BYTES) && false;
    if (!strcmp(path, "/say-bytes"))
        return say_body(peer, head_bytes, 7);
    if (!strcmp(path, "/gzip"))
        return gzip_hello(peer);
    if (!strcmp(path, "/bomb"))
        return bomb(peer);
    if (!strcmp(path, "/rst"))
        return reset(peer);
    if (!strcmp(path, "/secret"))
        return secret(peer);
    if (!strcmp(path, "/long-header"))
        return long_header(peer);
    if (!strcmp(path, "/four-digits"))
        return say(peer, "HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\nok") && false;
    if (!strcmp(path, "/tab"))
        return say(peer, "HTTP/1.1\t200 OK\r\nContent-Length: 2\r\n\r\nok") && false;
    if (!strcmp(path, "/plus-length"))
        return say(peer, "HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok") && false;
    if (!strcmp(path, "/reset-next"))
        return reset_next(peer);
    if (!strcmp(path, "/sluggish"))
        return sluggish(peer, head_bytes);
    if (!strcmp(path, "/headers"))
        return endless_headers(peer);
    if (!strcmp(path, "/extension"))
        return endless_extension(peer);
    if (!strcmp(path, "/drip"))
        return drip(peer);
    if (!strcmp(path, "/exit"))
        _exit(0);
    if (!strcmp(path, "/long-redirect"))
        return say(peer,
                   "HTTP/1.1 302 Found\r\nLocation: /ok\r\nContent-Length: 1048576\r\n\r\n") &&
               bytes_of(peer, 1048576, false) && false;
    if (!strncmp(path, "/early/", 7)) /* the second time, without Expect, it takes the body first */
        return strcasestr(peer->head, "\r\nExpect:")
                   ? early_answer(peer, atoi(path + 7), head_bytes)
                   : sluggish(peer, head_bytes);
    if (!strncmp(path, "/ill-framed/", 12))
        return framed(peer, framings, sizeof framings / sizeof framings[0], atoi(path + 12));
    if (!strncmp(path, "/well-framed/", 13))
        return framed(peer, well_framed, sizeof well_framed / sizeof well_framed[0],
                      atoi(path + 13));
    if (!strncmp(path, "/unasked/", 9))
        return unasked(peer, path + 9);
    if (!strncmp(path, "/bytes/", 7))
        return bytes_of(peer, atol(path + 7), false);
    if (!strncmp(path, "/chunked/", 9))
        return bytes_of(peer, atol(path + 9), true);
    if (!strncmp(path, "/status/", 8))
        return answer(peer, atoi(path + 8), "", "status", 6);
    if (!strncmp(path, "/to/", 4))
        return redirect(peer, 302, path + 4);
    if (!strncmp(path, "/status-to/", 11)) {
        int status = (int)strtol(path + 11, &rest, 10);
        return redirect(peer, status, rest + 1);
    }
    if (!strncmp(path, "/hops/", 6) && atoi(path + 6) > 0) {
        snprintf(text, sizeof text, "/hops/%d", atoi(path + 6) - 1);
        return redirect(peer, 302, text);
    }
    return plain(peer, strncmp(path, "/hops/", 6) ? path : "/ok");
}

/* Read one request's head, and its body if it has a length, into peer->head. */
static size_t read_request(struct peer *peer)
{
    char *end;

    while (peer->head[peer->held] = '\0', !(end = strstr(peer->head, "\r\n\r\n"))) {
        ssize_t got = recv(peer->fd, peer->head + peer->held, HEAD_BYTES - peer->held, 0);
        if (got <= 0)
            return 0;
        peer->held += (size_t)got;
        if (peer->head[0] == 0x16) { /* a TLS client */
            say(peer, "HTTP/1.1 400 Bad Request\r\n\r\n");
            return 0;
        }
    }
    size_t bytes = (size_t)(end + 4 - peer->head);
    const char *length = strcasestr(peer->head, "\r\nContent-Length:");
    size_t body = length && length < end ? strtoul(length + 17, NULL, 10) : 0;
    if (body > HEAD_BYTES / 2 || strstr(peer->head, " /early/"))
        return bytes; /* too long to be read: some tests want exactly that */
    while (peer->held < bytes + body) {
        ssize_t got = recv(peer->fd, peer->head + peer->held, HEAD_BYTES - peer->held, 0);
        if (got <= 0)
            return 0;
        peer->held += (size_t)got;
    }
    return bytes + body;
}

static void *connection_main(void *arg)
{
    struct peer *peer = arg;
    size_t bytes;
    bool more = true;

    while (more && (bytes = read_request(peer))) {
        char method[16], path[2048];
        atomic_fetch_add(&counts->requests, 1);
        more = sscanf(peer->head, "%15s %2047[^ ?]", method, path) == 2 &&
               serve(peer, method, path, bytes);
        memmove(peer->head, peer->head + bytes, peer->held - bytes);
        peer->held -= bytes;
    }
    close(peer->fd);
    free(peer);
    return NULL;
}

static void accept_all(int listener)
{
    pthread_attr_t attr;

    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    for (;;) {
        struct peer *peer = calloc(1, sizeof *peer);
        pthread_t thread;
        peer->fd = accept(listener, NULL, NULL);
        /* An answer in two pieces must not wait 40 ms for the acknowledgement of the first. */
        (void)setsockopt(peer->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        if (peer->fd < 0)
            _exit(1);
        atomic_fetch_add(&counts->connections, 1);
        if (pthread_create(&thread, &attr, connection_main, peer))
            _exit(1);
    }
}

void http_server_start(struct http_server *server)
{
    struct sockaddr_in address;
    int listener = test_bound_socket(&address);

    ck_assert_int_eq(listen(listener, 512), 0);
    counts = mmap(NULL, sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(counts, MAP_FAILED);
    server->counts = counts;
    server->port = ntohs(address.sin_port);
    server->pid = fork();
    ck_assert_int_ge(server->pid, 0);
    if (server->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        accept_all(listener);
    }
    close(listener);
}

void http_server_stop(struct http_server *server)
{
    kill(server->pid, SIGKILL);
    waitpid(server->pid, NULL, 0);
    munmap(server->counts, sizeof *server->counts);
}

const char *http_server_url(const struct http_server *server, const char *path)
{
    static char texts[16][512];
    static unsigned next;
    char *text = texts[next++ % 16];

    snprintf(text, sizeof texts[0], "http://127.0.0.1:%u%s", server->port, path);
    return text;
}

void http_await(atomic_int *counter, int wanted)
{
    for (int ms = 0; atomic_load(counter) < wanted; ms++) {
        ck_assert_msg(ms < 10000, "the server never got there");
        ck_assert_int_eq(bight_sleep(1), 0);
    }
}
