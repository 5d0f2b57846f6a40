/* See load.h. One thread over epoll, edge-triggered, and a look at all active connections every few
 * milliseconds, for those that have something to do by the clock. */
#include "tests/soak/load.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define TICK_MS 5
#define CONNECTING 200 /* at a time: less than any backlog */
#define STUCK_MS 60000
#define EVENTS 256
/* Own addresses of loopback: the ports of one would run out. */
#define FIRST_HOST 0x7f000101
#define HOSTS 64
/* What is sent: this many bytes over and over, so that what comes back can be told by its place. */
#define PATTERN_BYTES 251
#define MOST_BYTES (256 * 1024)
/* Of who reads late, so that the server is held up. */
#define LATE_BUFFER 4096

enum ending {
    CLOSES, /* when all has come back */
    HALF,   /* ends its half when all was sent, and reads to the end */
    RESETS, /* when all was sent */
    STAYS,
};

/* What a connection does, so many times: send `bytes`, `piece` by piece with a pause between two,
 * and read what comes back, not before `late_ms`. */
struct manner {
    unsigned rounds;
    uint32_t bytes;
    uint32_t piece;
    unsigned pause_ms;
    unsigned late_ms;
    enum ending ending;
    bool slow;
};

static const struct manner manners[] = {
    {20, 1500, 1500, 50, 0, CLOSES, false},
    {1, 16000, 16000, 0, 0, HALF, false},
    {3, 1500, 1500, 50, 0, RESETS, false},
    {1, 60, 1, 30, 0, CLOSES, true},
    {1, MOST_BYTES, MOST_BYTES, 0, 700, HALF, true},
    {1, MOST_BYTES, MOST_BYTES, 0, 300, RESETS, true},
};

#define MANNERS (sizeof(manners) / sizeof(manners[0]))
#define LATE (MANNERS - 1)

static const struct manner idle = {1, 100, 100, 0, 0, STAYS, false};

struct peer {
    const struct manner *manner; /* NULL: closed */
    int fd;
    bool connected;
    bool done; /* it stays as it is */
    unsigned round;
    uint32_t sent; /* in this round */
    uint32_t came;
    uint64_t due_ms; /* before which nothing is sent */
    uint64_t read_ms;
};

struct load {
    const struct load_order *order;
    struct load_report report;
    uint16_t port;
    int epoll;
    struct peer *peers; /* the idle ones first */
    unsigned connecting;
    unsigned open;
    unsigned served; /* idle ones that were */
    uint64_t now_ms;
    uint64_t moved_ms; /* when something came */
};

/* From every place of the pattern on there is this much of it. */
static char pattern[PATTERN_BYTES + MOST_BYTES];

static _Noreturn void fail(const char *what, int error)
{
    fprintf(stderr, "load: %s: %s\n", what, error ? strerror(error) : "not as it should be");
    exit(EXIT_FAILURE);
}

static uint64_t clock_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Opening and closing */

static int connect_from(const struct load *load, uint32_t host, int fd)
{
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(host)};
    struct sockaddr_in there = {.sin_family = AF_INET, .sin_port = htons(load->port)};
    const int on = 1;

    there.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on)) ||
        bind(fd, (struct sockaddr *)&own, sizeof(own)))
        fail("bind", errno);
    return connect(fd, (struct sockaddr *)&there, sizeof(there)) ? errno : 0;
}

static void open_peer(struct load *load, struct peer *peer, const struct manner *manner)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = peer};
    uint32_t host = FIRST_HOST + (uint32_t)(load->report.connections % HOSTS);
    int error;

    *peer = (struct peer){.manner = manner, .due_ms = load->now_ms};
    peer->read_ms = load->now_ms + manner->late_ms;
    peer->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (peer->fd < 0)
        fail("socket", errno);
    if (manner->late_ms &&
        setsockopt(peer->fd, SOL_SOCKET, SO_RCVBUF, &(int){LATE_BUFFER}, sizeof(int)))
        fail("buffer", errno);
    error = connect_from(load, host, peer->fd);
    if (error && error != EINPROGRESS)
        fail("connect", error);
    if (epoll_ctl(load->epoll, EPOLL_CTL_ADD, peer->fd, &event))
        fail("epoll", errno);
    load->connecting++;
    load->open++;
    load->report.connections++;
    load->report.slow += manner->slow;
}

static void close_peer(struct load *load, struct peer *peer, bool reset)
{
    const struct linger none = {.l_onoff = 1, .l_linger = 0};

    if (reset && setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none)))
        fail("linger", errno);
    close(peer->fd);
    peer->manner = NULL;
    load->open--;
    load->report.resets += reset;
}

/* A connection's steps */

static void finish_round(struct load *load, struct peer *peer)
{
    if (++peer->round < peer->manner->rounds) {
        peer->sent = peer->came = 0;
        peer->due_ms = load->now_ms + peer->manner->pause_ms;
    } else if (peer->manner->ending == STAYS) {
        peer->done = true;
        load->served++;
    } else if (peer->manner->ending == CLOSES) {
        close_peer(load, peer, false);
    }
}

static bool is_last_round(const struct peer *peer)
{
    return peer->round + 1 == peer->manner->rounds;
}

static void all_sent(struct load *load, struct peer *peer)
{
    if (!is_last_round(peer))
        return;
    if (peer->manner->ending == RESETS && load->now_ms >= peer->read_ms) {
        close_peer(load, peer, true);
    } else if (peer->manner->ending == HALF) {
        if (shutdown(peer->fd, SHUT_WR))
            fail("shutdown", errno);
        load->report.halves++;
    }
}

static void send_some(struct load *load, struct peer *peer)
{
    const struct manner *manner = peer->manner;

    while (peer->sent < manner->bytes && load->now_ms >= peer->due_ms) {
        uint32_t rest = manner->bytes - peer->sent;
        ssize_t count = send(peer->fd, pattern + peer->sent % PATTERN_BYTES,
                             rest < manner->piece ? rest : manner->piece, MSG_NOSIGNAL);

        if (count < 0 && errno == EAGAIN)
            return;
        if (count < 0)
            fail("send", errno);
        peer->sent += (uint32_t)count;
        peer->due_ms = load->now_ms + (manner->piece < manner->bytes ? manner->pause_ms : 0);
        if (peer->sent == manner->bytes)
            all_sent(load, peer);
        if (!peer->manner)
            return;
    }
}

/* What came is what was sent. */
static void check(const struct peer *peer, const char *bytes, size_t count)
{
    if (peer->came + count > peer->sent)
        fail("more came back than was sent", 0);
    if (memcmp(bytes, pattern + peer->came % PATTERN_BYTES, count) != 0)
        fail("other bytes came back", 0);
}

static void read_end(struct load *load, struct peer *peer)
{
    const struct manner *manner = peer->manner;

    if (manner->ending != HALF || peer->came < manner->bytes)
        fail("the server ended a connection", 0);
    close_peer(load, peer, false);
}

static void read_some(struct load *load, struct peer *peer)
{
    static char bytes[65536];

    while (peer->manner && load->now_ms >= peer->read_ms) {
        ssize_t count = recv(peer->fd, bytes, sizeof(bytes), 0);

        if (count < 0 && errno == EAGAIN)
            return;
        if (count < 0)
            fail("recv", errno);
        load->moved_ms = load->now_ms;
        if (count == 0) {
            read_end(load, peer);
            return;
        }
        check(peer, bytes, (size_t)count);
        peer->came += (uint32_t)count;
        load->report.bytes += (uint64_t)count;
        if (peer->came == peer->manner->bytes)
            finish_round(load, peer);
    }
}

static void step(struct load *load, struct peer *peer)
{
    if (peer->done)
        return;
    if (peer->manner->ending == RESETS && peer->sent == peer->manner->bytes)
        all_sent(load, peer);
    if (peer->manner)
        send_some(load, peer);
    if (peer->manner)
        read_some(load, peer);
}

static void on_event(struct load *load, struct peer *peer, uint32_t events)
{
    int error = 0;
    socklen_t bytes = sizeof(error);

    if (!peer->manner)
        return;
    if (!peer->connected) {
        if (getsockopt(peer->fd, SOL_SOCKET, SO_ERROR, &error, &bytes) || error)
            fail("connect", error);
        if (!(events & EPOLLOUT))
            return;
        peer->connected = true;
        load->connecting--;
    }
    step(load, peer);
}

/* The crowd */

static const struct manner *any_manner(const struct load_order *order)
{
    return &manners[order->late ? LATE : (size_t)rand() % MANNERS];
}

/* The next idle ones, and an active one in each free place. */
static void refill(struct load *load, bool more)
{
    const struct load_order *order = load->order;

    while (load->report.connections < order->idle && load->connecting < CONNECTING)
        open_peer(load, &load->peers[load->report.connections], &idle);
    if (load->report.connections < order->idle || !more)
        return;
    for (uint32_t i = 0; i < order->active && load->connecting < CONNECTING; i++) {
        struct peer *peer = &load->peers[order->idle + i];

        if (!peer->manner)
            open_peer(load, peer, any_manner(order));
    }
}

static void tick(struct load *load)
{
    const struct load_order *order = load->order;

    for (uint32_t i = order->idle; i < order->idle + order->active; i++) {
        struct peer *peer = &load->peers[i];

        if (peer->manner && peer->connected)
            step(load, peer);
    }
    if (load->now_ms - load->moved_ms > STUCK_MS)
        fail("nothing comes back", 0);
}

static void turn(struct load *load)
{
    struct epoll_event events[EVENTS];
    int count = epoll_wait(load->epoll, events, EVENTS, TICK_MS);

    if (count < 0 && errno != EINTR)
        fail("epoll_wait", errno);
    load->now_ms = clock_ms();
    for (int i = 0; i < count; i++)
        on_event(load, events[i].data.ptr, events[i].events);
}

static void run(struct load *load)
{
    const struct load_order *order = load->order;
    uint64_t ticked_ms = 0, end_ms;

    load->now_ms = load->moved_ms = clock_ms();
    end_ms = load->now_ms + order->ms;
    while (load->now_ms < end_ms || load->served < order->idle || load->open > order->idle) {
        refill(load, load->now_ms < end_ms);
        turn(load);
        if (load->now_ms - ticked_ms < TICK_MS)
            continue;
        tick(load);
        ticked_ms = load->now_ms;
    }
    /* Of those that stayed some go without a good-bye. */
    for (uint32_t i = 0; i < order->idle; i++)
        close_peer(load, &load->peers[i], i % 8 == 0);
}

static ssize_t read_order(int control, struct load_order *order)
{
    ssize_t count;

    do {
        count = read(control, order, sizeof(*order));
    } while (count < 0 && errno == EINTR);
    return count;
}

void load_serve(int control, uint16_t port)
{
    struct load_order order;
    ssize_t count;

    for (size_t i = 0; i < sizeof(pattern); i++)
        pattern[i] = (char)(i % PATTERN_BYTES);
    while ((count = read_order(control, &order)) == (ssize_t)sizeof(order)) {
        struct load load = {.order = &order, .port = port, .epoll = epoll_create1(EPOLL_CLOEXEC)};

        load.peers = calloc(order.idle + order.active, sizeof(*load.peers));
        if (load.epoll < 0 || !load.peers)
            fail("epoll or memory", errno);
        run(&load);
        free(load.peers);
        close(load.epoll);
        if (write(control, &load.report, sizeof(load.report)) != (ssize_t)sizeof(load.report))
            fail("report", errno);
    }
    if (count)
        fail("order", errno);
}
