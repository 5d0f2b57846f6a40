/* Bodies in parts, as browsers send forms with files (multipart/form-data, RFC 7578): one part
 * behind the other, each read as it comes, so that a file of any size takes no memory.
 *
 *     rc = bight_multipart_begin(&parts, exchange);
 *     while (rc == 0 && (rc = bight_multipart_next(parts, &part)) == 0) {
 *         while ((count = bight_multipart_read(parts, buffer, sizeof(buffer))) > 0)
 *             ...
 *         rc = count < 0 ? (int)count : 0;
 *     }
 *     if (rc != BIGHT_EOF)
 *         return rc;
 *
 * What is wrong with such a body is the client's fault: a handler returns what a call has returned,
 * and the client is told (400, 413, 415). */
#ifndef BIGHT_MULTIPART_H
#define BIGHT_MULTIPART_H

#include <bight/base.h>
#include <bight/errors.h>
#include <bight/server.h>

BIGHT_BEGIN_DECLS

struct bight_multipart;

/** Begin to read the body in parts. Nobody else may read it.
 *
 *  @return 0; BIGHT_ENOTSUP: it is of another type; BIGHT_EPROTOCOL: it says no boundary;
 *          BIGHT_ENOMEM.
 *  Allocates: a buffer.  Ownership: *out is the exchange's.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_multipart_begin(struct bight_multipart **out,
                                                     struct bight_exchange *exchange);

/* What a part says of itself. The strings are valid until the next part. */
struct bight_part {
    /* Of the form's field. */
    const char *name;
    /* As the client gives it, which may be a path, or anything else: do not use it as one. NULL: it
     * is no file. */
    const char *filename;
    /* NULL: it says none, and is plain text. */
    const char *content_type;
};

/** Go on to the next part; what was not read of the last is passed over.
 *
 *  @return 0; BIGHT_EOF: there is no further part; BIGHT_EPROTOCOL: the body is malformed;
 *          BIGHT_ETOOBIG: headers of more than 8 KiB, or more than 1,000 parts; otherwise as
 *          bight_exchange_read.
 *  Suspends: yes.  Cancellable: yes.  On cancel: BIGHT_ECANCELED, and it can be called again.
 *  Allocates: no.  Thread: the loop's.  Ownership: borrows all.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_multipart_next(struct bight_multipart *parts,
                                                    struct bight_part *part);

/** Read what there is of the part, up to `bytes`, sleeping until there is something.
 *
 *  @return how many bytes, at least 1; 0 at the end of the part or for `bytes` 0; BIGHT_EINVAL:
 *          there is no part; BIGHT_EPROTOCOL: the body ends within it; otherwise as
 *          bight_exchange_read.
 *  Suspends: yes.  Cancellable: yes.  On cancel: BIGHT_ECANCELED, nothing was taken.
 *  Allocates: no.  Thread: the loop's.  Ownership: borrows all.
 */
BIGHT_API BIGHT_MUST_CHECK int64_t bight_multipart_read(struct bight_multipart *parts, void *buffer,
                                                        size_t bytes);

BIGHT_END_DECLS

#endif
