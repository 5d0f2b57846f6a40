/* Names and values that a client sent: the query of a target, the body of a form, cookies. They
 * belong to the exchange, and so do their strings.
 *
 *     const struct bight_form *query;
 *     int rc = bight_exchange_read_query(exchange, &query);
 *     if (rc)
 *         return rc;
 *     const char *word = bight_form_value(query, "q");
 */
#ifndef BIGHT_FORM_H
#define BIGHT_FORM_H

#include <bight/base.h>
#include <bight/errors.h>
#include <bight/server.h>

BIGHT_BEGIN_DECLS

struct bight_form;

/** The pairs of the target's query, decoded as the URL Standard does (application/
 *  x-www-form-urlencoded: "+" is a space). A target without a query has none.
 *
 *  @return 0; BIGHT_ETOOBIG: more than 1,000 pairs; BIGHT_ENOMEM.
 *  Allocates: what is large.  Ownership: *form is the exchange's.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_exchange_read_query(struct bight_exchange *exchange,
                                                         const struct bight_form **form);

/** Read the whole body, of the type application/x-www-form-urlencoded, and decode it.
 *
 *  @return 0; BIGHT_ENOTSUP: it is of another type (415 if the handler returns it); BIGHT_ETOOBIG:
 *          more than 1,000 pairs; otherwise as bight_exchange_read_all.
 *  Suspends: yes.  Cancellable: yes.  On cancel: BIGHT_ECANCELED; what was read is lost.
 *  Allocates: the body.  Thread: the loop's.
 *  Ownership: borrows exchange; *form is the exchange's.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_exchange_read_form(struct bight_exchange *exchange,
                                                        const struct bight_form **form);

/** How many pairs there are; 0 for NULL. */
BIGHT_API size_t bight_form_count(const struct bight_form *form);

/** Pair number `index`, in the order in which they came. A value may hold a NUL: *bytes, which may
 *  be NULL, is how long it is.
 *
 *  @return 0; BIGHT_ENOENT beyond the last one.
 */
BIGHT_API int bight_form_at(const struct bight_form *form, size_t index, const char **name,
                            const char **value, size_t *bytes);

/** The value of the first pair with that name; NULL: there is none, or it holds a NUL. */
BIGHT_API const char *bight_form_value(const struct bight_form *form, const char *name);

/** The value of the cookie `name` that the client sent (RFC 6265), as it came but for quotes around
 *  it; NULL: there is none, or no memory for it.
 *
 *  Allocates: what is large.  Ownership: the string is the exchange's.
 */
BIGHT_API const char *bight_exchange_cookie(struct bight_exchange *exchange, const char *name);

enum bight_same_site {
    BIGHT_SAME_SITE_LAX, /* the default: sent with navigation from elsewhere, not with the rest */
    BIGHT_SAME_SITE_STRICT,
    BIGHT_SAME_SITE_NONE, /* needs `secure` */
};

/* Zero is the default for every field but name and value. */
struct bight_cookie {
    const char *name;
    /* Without white space, comma, semicolon, backslash, quotes, and bytes beyond ASCII. */
    const char *value;
    /* Default "/". */
    const char *path;
    /* Default: this host alone. */
    const char *domain;
    /* How long it lives; 0: as long as the browser runs; negative: it is deleted. */
    int64_t max_age_s;
    /* Not over plain HTTP. */
    bool secure;
    /* Scripts may read it. */
    bool scripts;
    enum bight_same_site same_site;
};

/** Have the client keep a cookie: adds the header Set-Cookie.
 *
 *  @return 0; BIGHT_EINVAL: a name, value, path or domain that cannot be sent, or no `secure` with
 *          BIGHT_SAME_SITE_NONE; otherwise as bight_exchange_add_header.
 *  Ownership: borrows all, and copies.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_exchange_set_cookie(struct bight_exchange *exchange,
                                                         const struct bight_cookie *cookie);

BIGHT_END_DECLS

#endif
