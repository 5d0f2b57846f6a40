/* What the files share that write answers. */
#ifndef BIGHT_NET_SERVER_ANSWER_H
#define BIGHT_NET_SERVER_ANSWER_H

#include "net/server/server.h"

/* One task at a time, from bight__answer_may_follow to the last byte: a second one between would
 * break what the first has promised. 0: it is this task's turn, and bight__answer_turn_end follows,
 * which returns `rc`. */
int bight__answer_turn_begin(struct bight_exchange *exchange);
int bight__answer_turn_end(struct bight_exchange *exchange, int rc);

/* Whether `bytes` more may follow in the body: 0 or a negative code. */
int bight__answer_may_follow(struct bight_exchange *exchange, uint64_t bytes);

/* Send `body` as it is, and the head before it unless that went out. */
int bight__answer_put(struct bight_exchange *exchange, const struct bight_slice *body,
                      size_t count);
/* The next piece of the body, compressed if that is asked for: it then goes out when there is
 * enough of it, or when it is flushed. */
int bight__answer_put_coded(struct bight_exchange *exchange, const void *data, size_t bytes,
                            enum gzip_step step);

/* bight_exchange_write; with GZIP_FLUSH nothing of it is held back. */
int bight__answer_write(struct bight_exchange *exchange, const void *data, size_t bytes,
                        enum gzip_step step);

/* An attempt moved so many bytes, or is to be made again when this returns 0. */
int bight__answer_go_on(struct bight_exchange *exchange, int64_t written);
/* The connection no longer takes what it should; `moved`: a part is with the client. Returns rc. */
int bight__answer_failed(struct bight_exchange *exchange, int rc, bool moved);

#endif
