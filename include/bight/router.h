/* A router chooses a handler by method and path, and runs what is to be done around handlers, such
 * as a check of who asks. It is a handler itself:
 *
 *     rc = bight_router_new(&router);
 *     if (rc == 0)
 *         rc = bight_router_add(router, "GET", "/users/{id}", show_user, database);
 *     if (rc == 0)
 *         rc = bight_http_serve(listener, bight_router_handle, router, NULL);
 *
 * A pattern is a path, of segments that are compared as they are, or {name}, which takes one
 * segment that is not empty, or, as the last, {name...}, which takes the rest, and that may be
 * empty. Where several patterns fit, a literal segment wins over {name} and that over {name...};
 * the first segments count most. "/a" and "/a/" are two paths.
 *
 * A pattern with GET is tried for HEAD too, unless there is the same with HEAD. For a path that has
 * patterns, but none for the method, the answer is 405 with Allow, and for OPTIONS 204 with Allow;
 * for other paths it is 404. */
#ifndef BIGHT_ROUTER_H
#define BIGHT_ROUTER_H

#include <bight/base.h>
#include <bight/errors.h>
#include <bight/server.h>

BIGHT_BEGIN_DECLS

struct bight_router;

/** Make a router without patterns.
 *
 *  @return 0; BIGHT_ENOMEM.
 *  Thread: any.  Ownership: gives *out, to be freed with bight_router_free.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_router_new(struct bight_router **out);

/** Free a router, by which nobody serves any more.
 *
 *  Thread: any.  Ownership: takes router; NULL does nothing.
 */
BIGHT_API void bight_router_free(struct bight_router *router);

/** Have `handler(exchange, arg)` answer requests whose method is one of `methods`, such as "GET" or
 *  "PUT, PATCH", or "*" for all, and whose path fits `pattern`.
 *
 *  @return 0; BIGHT_EINVAL: no method, or a malformed pattern: it does not begin with "/", has an
 *          empty segment before its end, a name that is empty or twice there, more than 16 of them,
 *          or {name...} before its end; BIGHT_EEXIST: there is one that fits the same paths, with
 *          one of the methods; BIGHT_ENOMEM. After a failure the router is as before.
 *  Thread: any, before it serves.
 *  Ownership: keeps arg as long as the router is used; borrows the others.
 */
BIGHT_API BIGHT_MUST_CHECK int
bight_router_add(struct bight_router *router, const char *methods, const char *pattern,
                 int (*handler)(struct bight_exchange *exchange, void *arg), void *arg);

/** Run `around(exchange, arg)` in place of the handlers that are added from now on. It calls
 *  bight_router_next to have the handler run, or what was put around it later, and returns what
 *  that returned; or it answers itself.
 *
 *  @return 0; BIGHT_EINVAL; BIGHT_ENOMEM.
 *  Thread: any, before it serves.  Ownership: keeps arg as long as the router is used.
 */
BIGHT_API BIGHT_MUST_CHECK int
bight_router_use(struct bight_router *router,
                 int (*around)(struct bight_exchange *exchange, void *arg), void *arg);

/** Answer `exchange` by the router: the handler for bight_http_serve, with the router as its
 *  argument.
 *
 *  @return what the handler returned; BIGHT_EINVAL; otherwise as bight_exchange_answer.
 *  Suspends: yes, as the handler does.  Cancellable: yes.  On cancel: what the handler returns.
 *  Allocates: memory for long parameters.  Thread: the loop's.  Ownership: borrows all.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_router_handle(struct bight_exchange *exchange, void *router);

/** Go on with the exchange behind what bight_router_use has put around its handler.
 *
 *  @return what that returned; BIGHT_EINVAL: nothing is around it that could go on.
 *  Suspends: yes, as the handler does.  Cancellable: yes.  On cancel: what the handler returns.
 *  Allocates: no.  Thread: the loop's.  Ownership: borrows exchange.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_router_next(struct bight_exchange *exchange);

/** What {name} of the pattern took, decoded; NULL: it has no such name. A {name...} has no "/" in
 *  front, and a "/" that was encoded cannot be told from another in it.
 *
 *  Ownership: the string is valid as long as the exchange.
 */
BIGHT_API const char *bight_router_param(const struct bight_exchange *exchange, const char *name);

/** The pattern that was chosen, as for a log or a count by route; NULL: none.
 *
 *  Ownership: the string is valid as long as the router.
 */
BIGHT_API const char *bight_router_pattern(const struct bight_exchange *exchange);

BIGHT_END_DECLS

#endif
