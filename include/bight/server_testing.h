/* A client for tests of handlers: it talks to a handler through memory, without sockets, and in a
 * test run (<bight/testing.h>) in virtual time.
 *
 *     rc = bight_server_ask(&answer, handler, arg, NULL, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
 *     assert(rc == 0 && bight_server_answer_status(answer) == 200);
 *     bight_server_answer_free(answer);
 */
#ifndef BIGHT_SERVER_TESTING_H
#define BIGHT_SERVER_TESTING_H

#include <bight/base.h>
#include <bight/errors.h>
#include <bight/server.h>

BIGHT_BEGIN_DECLS

struct bight_server_answer;

/** Send `request`, which is text as it goes over the wire, to a server with that handler, end the
 *  client's half of the connection, and collect the answer; of several requests the last one's.
 *
 *  @return 0; BIGHT_ECONNRESET: the server has cut the connection off, so that there is no whole
 *          answer; BIGHT_EOF: it has ended it without one; BIGHT_EPROTOCOL: what came is no answer;
 *          BIGHT_EINVAL; BIGHT_ENOMEM; BIGHT_ECANCELED; BIGHT_ENOTASK.
 *  Suspends: yes.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED, after the handler was cancelled and has returned.
 *  Allocates: a pair of streams, a task, the answer.  Thread: the loop's.
 *  Ownership: borrows request and options, NULL for the defaults; keeps arg until it returns; gives
 *  *out, to be freed with bight_server_answer_free.
 */
BIGHT_API BIGHT_MUST_CHECK int
bight_server_ask(struct bight_server_answer **out,
                 int (*handler)(struct bight_exchange *exchange, void *arg), void *arg,
                 const struct bight_http_serve_options *options, const char *request);

/** bight_server_ask for a request of `bytes`, which may hold a NUL.
 *
 *  @return as bight_server_ask.
 *  Suspends: yes.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED, after the handler was cancelled and has returned.
 *  Allocates: a pair of streams, a task, the answer.  Thread: the loop's.
 *  Ownership: as bight_server_ask.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_server_ask_bytes(
    struct bight_server_answer **out, int (*handler)(struct bight_exchange *exchange, void *arg),
    void *arg, const struct bight_http_serve_options *options, const char *request, size_t bytes);

/** The status, such as 200. */
BIGHT_API int bight_server_answer_status(const struct bight_server_answer *answer);

/** The value of the first header `name`, compared without regard to case; NULL: there is none. */
BIGHT_API const char *bight_server_answer_header(const struct bight_server_answer *answer,
                                                 const char *name);

/** The body, without the chunks that it may have come in, and with a NUL behind it; its length to
 *  `bytes`, which may be NULL. */
BIGHT_API const char *bight_server_answer_body(const struct bight_server_answer *answer,
                                               size_t *bytes);

/** Free an answer.
 *
 *  Ownership: takes answer; NULL does nothing.
 */
BIGHT_API void bight_server_answer_free(struct bight_server_answer *answer);

BIGHT_END_DECLS

#endif
