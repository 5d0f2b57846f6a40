/* What the suites of the HTTP server share: a handler behind one end of a pair in memory, in
 * virtual time, and a client that writes and reads plain text at the other. */
#ifndef TESTS_NET_SERVER_TALK_H
#define TESTS_NET_SERVER_TALK_H

#include <bight.h>
#include <bight/server.h>

#include "tests/harness/suite.h"
#include "tests/harness/world.h"

/* The client's end. */
extern struct bight_stream *talk_client;

/* Begin to serve the other end by `handler`, with `arg` NULL. Options: NULL for the defaults. */
void talk_begin(int (*handler)(struct bight_exchange *exchange, void *arg),
                const struct bight_http_serve_options *options);
/* The same over a pair with options. */
void talk_begin_over(int (*handler)(struct bight_exchange *exchange, void *arg),
                     const struct bight_http_serve_options *options,
                     const struct bight_stream_pair_options *pair);

/* Write it. */
void talk_say(const char *text);
void talk_say_bytes(const char *text, size_t bytes);
/* What the server has said since the last call, without the lines of the header Date, once it says
 * no more by itself; "<end>" or "<reset>" is behind it when that followed. */
const char *talk_hear(void);
/* Cut the lines of the header Date out. */
void talk_drop_date(char *text);
/* talk_say and talk_hear; the answer must begin with that status. */
const char *talk_ask(const char *request, int status);

/* Whether the call that serves has returned. */
bool talk_is_over(void);
/* End the client's end, and give what the call returned. */
int talk_end(void);

/* Handlers: "hello\n"; the body that was sent; the parts of the request as text. */
int talk_hello(struct bight_exchange *exchange, void *arg);
int talk_echo(struct bight_exchange *exchange, void *arg);
int talk_show(struct bight_exchange *exchange, void *arg);

/* How often a handler of these was called; how often failures were reported, and the last one. */
extern int talk_calls;
extern int talk_failures, talk_last_failure;

#endif
