/* ports FIRST LAST [AT_ONCE [TIMEOUT_MS]]: which ports of this machine somebody listens on.
 *
 * To notice: bight_map runs one plain function per port, so many at a time, and each writes into
 * its own item; the results are then in order, whatever the order of the answers. The time limit is
 * around the call that it limits (bight_timeout): connecting knows nothing of it. */
#include <bight/address.h>
#include <bight/errors.h>
#include <bight/gather.h>
#include <bight/runtime.h>
#include <bight/scope.h>
#include <bight/stream.h>
#include <bight/tcp.h>
#include <bight/time.h>

#include <stdio.h>
#include <stdlib.h>

#define PORTS 65536

struct scan {
    int first, last;
    int at_once;
    int timeout_ms;
};

struct port {
    const struct scan *scan;
    uint16_t number;
    int status; /* 0: open; BIGHT_ECONNREFUSED; BIGHT_ETIMEDOUT: silent */
    uint64_t took_ns;
};

/* The system chooses the local port, and if that is the very port that is tried, the connection is
 * one to itself (TCP's simultaneous open): nobody listens there. */
static int refuse_self(const struct bight_stream *stream)
{
    struct bight_address local, peer;
    int rc = bight_stream_local_address(stream, &local);

    if (rc == 0)
        rc = bight_stream_peer_address(stream, &peer);
    return rc == 0 && local.port == peer.port ? BIGHT_ECONNREFUSED : rc;
}

static int dial(void *arg)
{
    const struct port *port = arg;
    struct bight_stream *stream;
    int rc = bight_tcp_connect(&stream, "127.0.0.1", port->number, NULL, NULL);

    if (rc)
        return rc;
    rc = refuse_self(stream);
    bight_stream_abort(stream); /* which keeps no port in TIME_WAIT */
    return rc;
}

/* Another failure than those that say something about the port (no descriptors, say) ends the
 * scan. */
static int try_port(void *arg)
{
    struct port *port = arg;
    uint64_t began_ns = bight_now_ns();

    port->status = bight_timeout(port->scan->timeout_ms, dial, port);
    port->took_ns = bight_now_ns() - began_ns;
    return port->status == BIGHT_ECONNREFUSED || port->status == BIGHT_ETIMEDOUT ? 0 : port->status;
}

static void print(const struct port *ports, size_t count, uint64_t took_ns)
{
    size_t open = 0, silent = 0;

    for (size_t i = 0; i < count; i++) {
        open += ports[i].status == 0;
        silent += ports[i].status == BIGHT_ETIMEDOUT;
        if (ports[i].status == 0)
            printf("%5u open %8.3f ms\n", ports[i].number, (double)ports[i].took_ns / 1e6);
    }
    printf("%zu ports in %.3f s: %zu open, %zu closed, %zu silent\n", count, (double)took_ns / 1e9,
           open, count - open - silent, silent);
}

static int run(void *arg)
{
    const struct scan *scan = arg;
    size_t count = (size_t)(scan->last - scan->first) + 1;
    struct port *ports = calloc(count, sizeof *ports);
    uint64_t began_ns = bight_now_ns();
    int rc;

    if (!ports)
        return BIGHT_ENOMEM;
    for (size_t i = 0; i < count; i++)
        ports[i] = (struct port){.scan = scan, .number = (uint16_t)((size_t)scan->first + i)};
    rc = bight_map(try_port, ports, sizeof *ports, count, (size_t)scan->at_once, 0);
    if (rc == 0)
        print(ports, count, bight_now_ns() - began_ns);
    free(ports);
    return rc;
}

/* A number from `least` to `most`, or -1. */
static int parse(const char *text, int least, int most)
{
    char *end;
    long number = strtol(text, &end, 10);

    return *text && !*end && number >= least && number <= most ? (int)number : -1;
}

int main(int argc, char **argv)
{
    struct scan scan = {
        .first = argc > 2 ? parse(argv[1], 1, PORTS - 1) : -1,
        .last = argc > 2 ? parse(argv[2], 1, PORTS - 1) : -1,
        .at_once = argc > 3 ? parse(argv[3], 1, PORTS) : 100,
        .timeout_ms = argc > 4 ? parse(argv[4], 1, 3600000) : 500,
    };
    int rc;

    if (argc > 5 || scan.first < 0 || scan.last < scan.first || scan.at_once < 0 ||
        scan.timeout_ms < 0) {
        fprintf(stderr, "usage: ports FIRST LAST [AT_ONCE [TIMEOUT_MS]]\n");
        return 2;
    }
    rc = bight_run(run, &scan);
    if (rc)
        fprintf(stderr, "ports: %s\n", bight_strerror(rc));
    return rc != 0;
}
