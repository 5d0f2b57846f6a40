/* Server-sent events: an answer that goes on, in the format of the HTML Standard, 9.2. The client
 * is a browser's EventSource, which connects anew when the connection ends. */
#ifndef BIGHT_EVENTS_H
#define BIGHT_EVENTS_H

#include <bight/base.h>
#include <bight/errors.h>
#include <bight/server.h>

BIGHT_BEGIN_DECLS

/** Begin the answer: a stream of events, which no cache keeps and nginx does not hold back
 *  (X-Accel-Buffering: no). Its head goes out at once.
 *
 *  @return 0; otherwise as bight_exchange_flush and bight_exchange_add_header.
 *  Suspends: yes, while the client takes nothing.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED; the connection is reset when the handler returns.
 *  Allocates: no.  Thread: the loop's.  Ownership: borrows exchange.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_events_begin(struct bight_exchange *exchange);

/* Each field may be NULL, or 0: then it is not sent. */
struct bight_sent_event {
    /* Of one line; the client's default is "message". */
    const char *event;
    /* Of one line: what a client that comes again says it has seen last. */
    const char *id;
    /* Of any number of lines. Without it the client only notes the id. */
    const char *data;
    /* How long the client waits before it connects anew. */
    unsigned retry_ms;
};

/** Send an event; it goes out at once, in one write.
 *
 *  @return 0; BIGHT_EINVAL: event or id with the end of a line; BIGHT_ENOMEM; otherwise as
 *          bight_exchange_write.
 *  Suspends: yes, while the client takes nothing.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED; the connection is reset when the handler returns.
 *  Allocates: what is long.  Thread: the loop's.  Ownership: borrows all.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_events_send(struct bight_exchange *exchange,
                                                 const struct bight_sent_event *event);

/** Send a line that the client ignores, so that no proxy takes the connection for dead and a client
 *  that is gone is noticed; every 15 seconds is usual.
 *
 *  @return as bight_exchange_write.
 *  Suspends: yes, while the client takes nothing.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED; the connection is reset when the handler returns.
 *  Allocates: no.  Thread: the loop's.  Ownership: borrows exchange.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_events_ping(struct bight_exchange *exchange);

/** The id of the last event that the client has seen before (Last-Event-ID); NULL: it is new. */
BIGHT_API const char *bight_events_last_id(const struct bight_exchange *exchange);

BIGHT_END_DECLS

#endif
