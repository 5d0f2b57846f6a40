/* net/stream against socat: our servers with its clients, and its listeners with our connects. */
#include <stdio.h>

#include "tests/harness/suite.h"
#include "tests/net/stream/peers.h"

/* How long it waits for the other direction when one has ended, in seconds. */
#define PATIENCE "60"

static struct words connects(enum place place, const char *host, const char *port)
{
    static char address[128];

    if (place == PLACE_UNIX)
        snprintf(address, sizeof(address), "UNIX-CONNECT:%s", host);
    else
        snprintf(address, sizeof(address), place == PLACE_IPV4 ? "TCP4:%s:%s" : "TCP6:[%s]:%s",
                 host, port);
    return (struct words){{"socat", "-t", PATIENCE, "-", address}};
}

static struct words listens(enum place place, const char *host, const char *port)
{
    static char address[128];

    if (place == PLACE_UNIX)
        snprintf(address, sizeof(address), "UNIX-LISTEN:%s", host);
    else
        snprintf(address, sizeof(address),
                 place == PLACE_IPV4 ? "TCP4-LISTEN:%s,bind=%s" : "TCP6-LISTEN:%s,bind=[%s]", port,
                 host);
    return (struct words){{"socat", "-d", "-d", "-t", PATIENCE, address, "-"}};
}

const struct tool the_tool = {"socat", connects, listens};

static const struct suite_case cases[] = {tool_cases};

test_suite("stream_socat", cases, .begin = tool_needed);
