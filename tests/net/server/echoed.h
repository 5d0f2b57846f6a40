/* The handler of the suites with peers: it says what it was asked. */
#ifndef TESTS_NET_SERVER_ECHOED_H
#define TESTS_NET_SERVER_ECHOED_H

#include "tests/net/server/listened.h"

#define ECHOED_LARGE_BYTES (3 << 20)

/* Paths:
 *   /echo     the request: its line, its version, the client's address, its port on the connection,
 *             the fields, and the body; any method
 *   /known    ECHOED_LARGE_BYTES, byte i is 'a' + i / 1000 % 26
 *   /unknown  the same without a length
 *   /events   events "data: number N", each when listened.go_on was set; cancelled with its client
 *   /pieces   says "number N" of each piece of the body that it reads: listened.begun counts them
 *   /half     half an answer of known length, /half-open of unknown
 *   /status/N that status, without a body
 *   /waits    until it is cancelled, which listened.returned counts
 */
int echoed(struct bight_exchange *exchange, void *arg);

/* Hear an answer with what is at /known and /unknown, whole and in order, and end the client. */
void echoed_hear_large(struct bight_stream *client);

#endif
