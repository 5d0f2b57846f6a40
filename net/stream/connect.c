/* Connecting by TCP: the addresses of a name race, each with a head start over the next one (RFC
 * 8305 section 5). One task does it all, in a select over the sockets that are on their way and the
 * time at which the next one starts. */
#include "net/stream/connect.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bight/fd.h>
#include <bight/tcp.h>
#include <bight/time.h>

#include "net/resolve/door.h"
#include "net/stream/socket.h"
#include "runtime/address.h"
#include "runtime/stream/fd.h"
#include "runtime/stream/stream.h"

#define DEFAULT_STAGGER_MS 250
#define LEAST_STAGGER_MS 10

struct attempt {
    struct bight_address address;
    int fd; /* -1: it has not begun, or is over */
    int code;
};

struct race {
    struct streams *streams;
    const struct bight_seams *seams;
    const struct bight_tcp_options *options;
    struct bight_address local; /* family 0: any */
    size_t count;
    size_t next;     /* the first that has not begun */
    uint64_t due_ns; /* when it begins, though others are on their way */
    struct attempt attempts[BIGHT_RESOLVE_ADDRESSES];
    struct bight_case cases[BIGHT_RESOLVE_ADDRESSES + 1];
    struct bight_resolved found;
};

static const struct bight_tcp_options default_options;

/* Give the socket its own end, if the caller wants a certain one. */
static int bind_local(const struct race *race, int fd, uint8_t family)
{
    struct bight_address local = race->local;
    struct sockaddr_storage name;
    unsigned bytes;
    int rc;

    local.port = race->options->local_port;
    if (!local.family && !local.port)
        return 0;
    local.family = family;
    /* The system need not choose a port before it knows the other end: there are more that way. */
    rc = local.port ? bight__socket_set(race->seams, fd, SOL_SOCKET, SO_REUSEADDR, 1)
                    : bight__socket_set(race->seams, fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
    if (rc)
        return rc;
    bytes = bight__address_to_sockaddr(&local, &name);
    return bight__socket_bind(race->seams, fd, &name, bytes);
}

/* A port that the system chose for us may be the very one that we connect to, on the same machine:
 * then TCP connects the socket to itself, though nobody listens. */
static bool is_itself(int fd)
{
    struct sockaddr_storage own = {0}, peer = {0};
    socklen_t own_bytes = sizeof(own), peer_bytes = sizeof(peer);

    return getsockname(fd, (struct sockaddr *)&own, &own_bytes) == 0 &&
           getpeername(fd, (struct sockaddr *)&peer, &peer_bytes) == 0 && own_bytes == peer_bytes &&
           memcmp(&own, &peer, own_bytes) == 0;
}

static int connect_error(const struct race *race, int error)
{
    switch (error) {
    case EISCONN:
        return 0;
    case EINPROGRESS:
    case EALREADY:
    case EINTR: /* goes on all the same */
        return -EINPROGRESS;
    case EAGAIN: /* no local port is free */
        return -EADDRNOTAVAIL;
    case EADDRNOTAVAIL: /* the same two ends are connected already */
        return race->options->local_port ? BIGHT_EADDRINUSE : -error;
    default:
        return -error;
    }
}

/* Begin to connect, or ask how far it is: 0 when it is connected; -EINPROGRESS. To ask with
 * connect(2) itself tells more than SO_ERROR: a wait may end for no reason, and there is then no
 * error and no connection either. */
static int connect_step(const struct race *race, const struct attempt *attempt)
{
    struct sockaddr_storage name;
    unsigned bytes = bight__address_to_sockaddr(&attempt->address, &name);
    int rc = 0;

    if (bight__call_fails(race->seams, "connect") ||
        connect(attempt->fd, (const struct sockaddr *)&name, bytes))
        rc = connect_error(race, errno);
    if (rc == 0 && is_itself(attempt->fd)) {
        bight__socket_close_resets(attempt->fd); /* the port is not to stay in use for a while */
        return BIGHT_ECONNREFUSED;
    }
    return rc;
}

static void attempt_end(struct attempt *attempt, int code)
{
    attempt->code = code;
    bight__fd_forget(attempt->fd);
    close(attempt->fd);
    attempt->fd = -1;
}

static int prepare(const struct race *race, const struct attempt *attempt)
{
    int rc = 0;

    if (!race->options->nagle)
        rc = bight__socket_set(race->seams, attempt->fd, IPPROTO_TCP, TCP_NODELAY, 1);
    return rc ? rc : bind_local(race, attempt->fd, attempt->address.family);
}

/* Take what a step came to: whether the attempt has won. */
static bool settle(struct race *race, struct attempt *attempt, int rc)
{
    if (rc == -EINPROGRESS)
        return false;
    attempt->code = rc;
    if (rc == 0)
        return true;
    attempt_end(attempt, rc);
    race->due_ns = 0; /* the next one need not wait */
    return false;
}

static uint64_t stagger_end(const struct race *race)
{
    int64_t ms = race->options->stagger_ms;

    if (ms == 0)
        ms = DEFAULT_STAGGER_MS;
    else if (ms > 0 && ms < LEAST_STAGGER_MS)
        ms = LEAST_STAGGER_MS;
    return ns_after(bight_now_ns(), ms);
}

/* Begin with the next address: whether it has won. */
static bool begin_next(struct race *race)
{
    struct attempt *attempt = &race->attempts[race->next++];
    int rc;

    attempt->fd = bight__socket_new(race->seams, attempt->address.family == 4 ? AF_INET : AF_INET6);
    if (attempt->fd < 0) {
        attempt->code = attempt->fd;
        attempt->fd = -1;
        race->due_ns = 0;
        return false;
    }
    race->due_ns = stagger_end(race);
    rc = prepare(race, attempt);
    return settle(race, attempt, rc ? rc : connect_step(race, attempt));
}

static bool any_on_its_way(const struct race *race)
{
    for (size_t i = 0; i < race->next; i++) {
        if (race->attempts[i].fd >= 0)
            return true;
    }
    return false;
}

/* Sleep until an attempt is ready, which *ready then is, or until the next one is due, NULL. */
static int wait_next(struct race *race, struct attempt **ready)
{
    struct attempt *of_case[BIGHT_RESOLVE_ADDRESSES + 1];
    size_t count = 0;
    int index;

    for (size_t i = 0; i < race->next; i++) {
        if (race->attempts[i].fd < 0)
            continue;
        bight_case_fd(&race->cases[count], race->attempts[i].fd, BIGHT_FD_WRITE);
        of_case[count++] = &race->attempts[i];
    }
    if (race->next < race->count && race->due_ns != BIGHT_NO_DEADLINE) {
        bight_case_deadline(&race->cases[count], race->due_ns);
        of_case[count++] = NULL;
    }
    index = bight_select(race->cases, count, BIGHT_SELECT_ORDERED);
    if (index < 0)
        return index;
    *ready = of_case[index];
    return *ready && race->cases[index].status < 0 ? race->cases[index].status : 0;
}

/* The attempt that has connected; NULL: *rc says why there is none. */
static struct attempt *run(struct race *race, int *rc)
{
    for (;;) {
        struct attempt *ready;
        bool others = any_on_its_way(race);

        if (race->next < race->count && (!others || bight_now_ns() >= race->due_ns)) {
            if (begin_next(race))
                return &race->attempts[race->next - 1];
            continue;
        }
        if (!others) {
            *rc = race->attempts[0].code;
            return NULL;
        }
        *rc = wait_next(race, &ready);
        if (*rc)
            return NULL;
        if (!ready)
            race->due_ns = 0;
        else if (settle(race, ready, connect_step(race, ready)))
            return ready;
    }
}

/* Make a stream of the winner's socket, if there is a winner, and close all others. */
static int finish(struct race *race, struct attempt *winner, int rc, struct bight_stream **out)
{
    for (size_t i = 0; i < race->next; i++) {
        if (race->attempts[i].fd >= 0 && &race->attempts[i] != winner)
            attempt_end(&race->attempts[i], BIGHT_ECANCELED);
    }
    if (!winner)
        return rc;
    bight__fd_forget(winner->fd);
    rc = bight__socket_stream(out, race->streams, winner->fd,
                              winner->address.family == 4 ? AF_INET : AF_INET6, &winner->address);
    if (rc)
        attempt_end(winner, rc);
    return rc;
}

static void add_address(struct race *race, const struct bight_address *address, uint16_t port)
{
    struct attempt *attempt = &race->attempts[race->count];

    if (race->local.family && race->local.family != address->family)
        return;
    attempt->address = *address;
    attempt->address.port = port;
    attempt->fd = -1;
    attempt->code = BIGHT_EAGAIN;
    race->count++;
}

/* The local address that the options name; family 0: none. */
static int read_local(const struct bight_tcp_options *options, struct bight_address *local)
{
    *local = (struct bight_address){0};
    return options->local_host ? bight_address_parse(options->local_host, local) : 0;
}

static int race_new(struct race **out, const struct bight_tcp_options *options,
                    const struct bight_address *local)
{
    struct streams *streams;
    int rc = bight__streams_get(&streams);

    if (rc)
        return rc;
    *out = bight__alloc_zero(&streams->poller.runtime->sched.seams, sizeof(**out));
    if (!*out)
        return BIGHT_ENOMEM;
    (*out)->streams = streams;
    (*out)->seams = &streams->poller.runtime->sched.seams;
    (*out)->options = options;
    (*out)->local = *local;
    return 0;
}

static int race_run(struct race *race, struct bight_stream **out)
{
    struct attempt *winner;
    int rc = 0;

    if (!race->count)
        return -EADDRNOTAVAIL;
    winner = run(race, &rc);
    return finish(race, winner, rc, out);
}

/* The addresses of `host`, in the order in which they are to be tried. A literal needs no
 * resolver. */
static int look_up(struct race *race, const char *host, uint16_t port)
{
    struct bight_resolver *resolver = race->options->resolver;
    struct bight_resolved *found = &race->found;
    int rc = 0;

    found->text = "";
    if (bight_address_parse(host, &found->addresses[0]) == 0) {
        found->count = 1;
    } else {
        if (!resolver)
            rc = bight__resolver_default(&resolver);
        if (rc == 0)
            rc = bight_resolve(resolver, host, found);
    }
    if (rc)
        return rc;
    bight__connect_order(found->addresses, found->count);
    for (size_t i = 0; i < found->count; i++)
        add_address(race, &found->addresses[i], port);
    return 0;
}

static void tell(const struct race *race, struct bight_tcp_attempts *attempts)
{
    attempts->count = race->count;
    attempts->gai_code = race->found.gai_code;
    attempts->text = race->found.text;
    for (size_t i = 0; i < race->count; i++) {
        attempts->addresses[i] = race->attempts[i].address;
        attempts->codes[i] = race->attempts[i].code;
    }
}

int bight_tcp_connect(struct bight_stream **out, const char *host, uint16_t port,
                      const struct bight_tcp_options *options, struct bight_tcp_attempts *attempts)
{
    struct bight_address local;
    struct race *race;
    int rc;

    if (!options)
        options = &default_options;
    if (attempts)
        *attempts = (struct bight_tcp_attempts){.text = ""};
    if (!out || !host || !port || read_local(options, &local))
        return BIGHT_EINVAL;
    rc = bight_checkpoint();
    if (rc == 0)
        rc = race_new(&race, options, &local);
    if (rc)
        return rc;
    rc = look_up(race, host, port);
    if (rc == 0)
        rc = race_run(race, out);
    if (attempts)
        tell(race, attempts);
    bight__free(race);
    return rc;
}

int bight_tcp_connect_address(struct bight_stream **out, const struct bight_address *address,
                              const struct bight_tcp_options *options)
{
    struct bight_address local;
    struct race *race;
    int rc;

    if (!options)
        options = &default_options;
    if (!out || !address || !address->port || (address->family != 4 && address->family != 6) ||
        read_local(options, &local))
        return BIGHT_EINVAL;
    rc = bight_checkpoint();
    if (rc == 0)
        rc = race_new(&race, options, &local);
    if (rc)
        return rc;
    add_address(race, address, address->port);
    rc = race_run(race, out);
    bight__free(race);
    return rc;
}
