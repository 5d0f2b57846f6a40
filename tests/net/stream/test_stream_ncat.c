/* net/stream against ncat: our servers with its clients, and its listeners with our connects. */
#include "tests/harness/suite.h"
#include "tests/net/stream/peers.h"

static struct words connects(enum place place, const char *host, const char *port)
{
    if (place == PLACE_UNIX)
        return (struct words){{"ncat", "-U", host}};
    return (struct words){{"ncat", host, port}};
}

static struct words listens(enum place place, const char *host, const char *port)
{
    if (place == PLACE_UNIX)
        return (struct words){{"ncat", "-v", "-lU", host}};
    return (struct words){{"ncat", "-v", "-l", host, port}};
}

const struct tool the_tool = {"ncat", connects, listens};

static const struct suite_case cases[] = {tool_cases};

test_suite("stream_ncat", cases, .begin = tool_needed);
