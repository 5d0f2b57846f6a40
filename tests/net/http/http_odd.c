/* Answers that a client has to survive: see http_peer.h. */
#include "tests/net/http/http_peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Takes the request's body, which has not been read with the head, 64 KiB at a time. */
static bool sluggish(const struct http_peer *peer, size_t head_bytes)
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
        http_nap_ms(10);
    }
    return http_answer(peer, 200, "Connection: close\r\n", "ok", 2) && false;
}

/* The body of the request, to be called until there is nothing left of it. */
static ssize_t body_next(const struct http_peer *peer, size_t head_bytes, size_t taken, char *bytes,
                         size_t count)
{
    const char *length = strcasestr(peer->head, "\r\nContent-Length:");
    size_t total = length ? strtoul(length + 17, NULL, 10) : 0;
    size_t here = peer->held - head_bytes;

    if (taken == total)
        return 0;
    if (taken >= here)
        return recv(peer->fd, bytes, count, 0);
    count = here - taken < count ? here - taken : count;
    memcpy(bytes, peer->head + head_bytes + taken, count);
    return (ssize_t)count;
}

static bool greedy(struct http_peer *peer, size_t head_bytes)
{
    static const char half[200000];
    char sink[65536];
    size_t taken = 0;
    ssize_t got;

    if (!http_say(peer, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n",
                  2 * sizeof half) ||
        !http_send(peer, half, sizeof half))
        return false;
    while ((got = body_next(peer, head_bytes, taken, sink, sizeof sink)) > 0)
        taken += (size_t)got;
    atomic_fetch_add(&http_counts->taken, got == 0);
    return http_send(peer, half, sizeof half) && false;
}

static bool mirror(struct http_peer *peer, size_t head_bytes)
{
    char bytes[50000];
    size_t taken = 0;
    ssize_t got;

    if (!http_say(peer, "HTTP/1.1 200 OK\r\nConnection: close\r\n"
                        "Transfer-Encoding: chunked\r\n\r\n"))
        return false;
    while ((got = body_next(peer, head_bytes, taken, bytes, sizeof bytes)) > 0) {
        taken += (size_t)got;
        if (!http_say(peer, "%zx\r\n", (size_t)got) || !http_send(peer, bytes, (size_t)got) ||
            !http_say(peer, "\r\n"))
            return false;
    }
    return http_say(peer, "0\r\n\r\n") && false;
}

static bool cut(const struct http_peer *peer, const char *what)
{
    static const char half[500000];
    struct linger now = {.l_onoff = 1, .l_linger = 0};

    http_say(peer, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", 2 * sizeof half);
    http_send(peer, half, sizeof half);
    http_nap_ms(20);
    if (!strcmp(what, "reset"))
        setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    return false;
}

static bool endless_extension(const struct http_peer *peer)
{
    if (!http_say(peer, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;"))
        return false;
    while (http_say(peer, "extension"))
        http_nap_ms(5);
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

static bool framed(const struct http_peer *peer, const char *const *answers, size_t count,
                   int number)
{
    if (number < 0 || (size_t)number >= count)
        return http_answer(peer, 404, "", "no more", 7);
    return http_say(peer, "%s", answers[number]) && false;
}

/* Answers before the body has come, and then takes that from the connection, whatever it is. */
static bool early_answer(struct http_peer *peer, int status, size_t head_bytes)
{
    const char *length = strcasestr(peer->head, "\r\nContent-Length:");
    size_t left = length ? strtoul(length + 17, NULL, 10) : 0;
    char sink[65536];

    if (!http_answer(peer, status, "", "early", 5))
        return false;
    left -= peer->held - head_bytes < left ? peer->held - head_bytes : left;
    while (left) {
        ssize_t got = recv(peer->fd, sink, left < sizeof sink ? left : sizeof sink, 0);
        if (got <= 0)
            return false;
        left -= (size_t)got;
        if (memmem(sink, (size_t)got, "GET /", 5) || memmem(sink, (size_t)got, "POST /", 6))
            atomic_fetch_add(&http_counts->swallowed, 1);
    }
    peer->held = head_bytes;
    return true;
}

/* The page, and then something on the idle connection. */
static bool unasked(const struct http_peer *peer, const char *what)
{
    static const char *const texts[][2] = {
        {"408", "HTTP/1.1 408 Request Time-out\r\nContent-Length: 9\r\n\r\ntimed out"},
        {"200", "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecond"},
        {"crlf", "\r\n"},
        {"junk", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"},
    };
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    static const char block[40000] = "abcdefghijklmnopqrstuvwxyz";
    static char chunked[sizeof block + 128];

    if (!strncmp(what, "chunked/", 8)) {
        what += 8;
        int head = sprintf(chunked, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%zx\r\n",
                           sizeof block);
        memcpy(chunked + head, block, sizeof block);
        strcpy(chunked + head + sizeof block, "\r\n0\r\n\r\n");
        if (!http_send(peer, chunked, (size_t)head + sizeof block + 7))
            return false;
    } else if (!http_answer(peer, 200, "", "page", 4)) {
        return false;
    }
    http_nap_ms(20);
    if (!strcmp(what, "reset"))
        setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    if (!strcmp(what, "reset") || !strcmp(what, "fin")) {
        shutdown(peer->fd, SHUT_WR);
        atomic_fetch_add(&http_counts->unasked, 1);
        return false;
    }
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (!strcmp(what, texts[i][0]))
            http_say(peer, "%s", texts[i][1]);
    atomic_fetch_add(&http_counts->unasked, 1);
    while (!strcmp(what, "flood") && http_send(peer, block, sizeof block))
        ;
    http_linger(peer);
    atomic_fetch_add(&http_counts->hung_up, 1);
    return false;
}

bool http_serve_odd(struct http_peer *peer, const char *path, size_t head_bytes, bool *more)
{
    if (!strcmp(path, "/sluggish"))
        *more = sluggish(peer, head_bytes);
    else if (!strcmp(path, "/greedy"))
        *more = greedy(peer, head_bytes);
    else if (!strcmp(path, "/mirror"))
        *more = mirror(peer, head_bytes);
    else if (!strncmp(path, "/cut/", 5))
        *more = cut(peer, path + 5);
    else if (!strcmp(path, "/extension"))
        *more = endless_extension(peer);
    else if (!strncmp(path, "/ill-framed/", 12))
        *more = framed(peer, framings, sizeof framings / sizeof framings[0], atoi(path + 12));
    else if (!strncmp(path, "/well-framed/", 13))
        *more =
            framed(peer, well_framed, sizeof well_framed / sizeof well_framed[0], atoi(path + 13));
    else if (!strncmp(path, "/early/", 7)) /* the second time, without Expect, it takes the body */
        *more = strcasestr(peer->head, "\r\nExpect:")
                    ? early_answer(peer, atoi(path + 7), head_bytes)
                    : sluggish(peer, head_bytes);
    else if (!strcmp(path, "/early-dead"))
        *more = http_say(peer, "HTTP/1.1 103 Early Hints\r\nX-Early: yes\r\n\r\n") && false;
    else if (!strncmp(path, "/unasked/", 9))
        *more = unasked(peer, path + 9);
    else
        return false;
    return true;
}
