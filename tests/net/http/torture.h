/* Every allocation of libcurl fails in turn, alone or with some that follow, in a process of its
 * own: requests end, with their body or an error, and the session works on. libcurl itself, and
 * what it uses, does not survive all of it: how many processes ended inside of it is said, and
 * is no failure of ours. */
#ifndef TESTS_NET_HTTP_TORTURE_H
#define TESTS_NET_HTTP_TORTURE_H

#include <stdbool.h>
#include <stdint.h>

#include <bight/http.h>

/* How a process ends. */
enum ending {
    ENDED_WELL,
    ENDED_UNREACHED, /* there were fewer allocations */
    ENDED_WRONG,     /* a body that is not the one, or a session that does not work any more */
    ENDED_STALLED,
    ENDED_LATE, /* well, but that a request was out of time where the plan expects that */
    ENDED_IN_LIBRARY,
    ENDED_OTHERWISE,
    ENDINGS,
};

struct torture_plan {
    const struct bight_http_session_options *options;
    /* Before the first allocation that may fail. */
    int (*begin)(struct bight_http_session *session);
    /* At once while they may, and one after the other when they do not any more; their argument is
     * the session. */
    int (*mains[4])(void *session);
    /* Streams share a connection: of a header that is lost for want of memory libcurl tells the
     * transfer that reads at the moment (7.88), and the one that it belongs to hears nothing more.
     * Its own time ends it; how often is said. The session has to work on. */
    bool shares;
};

/* For such tasks: 0, or the code of the request. The process ends when it stalls or has another
 * body than one of `wanted` bytes. */
int torture_ask(struct bight_http_session *session, const char *url,
                const struct bight_http_request *limits, size_t wanted);
int torture_stream(struct bight_http_session *session, const char *url, int64_t wanted);

/* With `count` allocations at a time. */
void torture_sweep(const struct torture_plan *plan, long count);

#endif
