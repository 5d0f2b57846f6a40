/* What the suites of bight_http_serve share: a server with a listener, of TCP at loopback or of a
 * Unix socket without a file, and clients that are streams of the same runtime. */
#ifndef TESTS_NET_SERVER_LISTENED_H
#define TESTS_NET_SERVER_LISTENED_H

#include <bight.h>
#include <bight/server.h>

#include "tests/harness/world.h"

/* Of the server that has begun last; all but the first two are also the handlers'. */
struct listened {
    struct bight_listener *listener;
    struct bight_task *server;
    int begun, returned; /* handlers */
    int last;            /* what the last call in one returned; 1: none has */
    int failures, last_failure, remaining, drains;
    struct bight_event go_on;
};

extern struct listened listened;

void listened_begin(int (*handler)(struct bight_exchange *exchange, void *arg),
                    const struct bight_http_serve_options *options, bool local);
/* Close the listener and give what the server returned. */
int listened_end(void);

/* A client. */
struct bight_stream *listened_dial(void);
void listened_say(struct bight_stream *client, const char *text);
/* What comes up to `until`, or else up to the end, which is told by "<end>" or "<reset>". */
const char *listened_hear(struct bight_stream *client, const char *until);

/* Whether `text` has `part` in it. */
bool listened_has(const char *text, const char *part);
/* Sleep until the count has that value. */
void listened_wait(const int *count, int value);

#endif
