/* What a client asks for, checked. The calls return 0; a negative code; or REQUEST_ANSWERED: it was
 * not valid, and the client has been told so. A handler returns any other than 0. */
#ifndef SAMPLES_SERVICE_REQUEST_H
#define SAMPLES_SERVICE_REQUEST_H

#include <bight/form.h>
#include <bight/server.h>

#include "samples/service/note.h"

#define REQUEST_ANSWERED 1

/* Answer with an error. */
BIGHT_MUST_CHECK int request_refuse(struct bight_exchange *exchange, int status, const char *text);

/* The {id} of the path. */
BIGHT_MUST_CHECK int request_id(struct bight_exchange *exchange, int64_t *id);

/* The version of If-Match, which the note must have; 0: any. */
BIGHT_MUST_CHECK int request_if_match(struct bight_exchange *exchange, int64_t *version);

/* The number `name` of the query, up to `most`. *number stays as it is where there is none. */
BIGHT_MUST_CHECK int request_number(struct bight_exchange *exchange, const struct bight_form *query,
                                    const char *name, int64_t most, int64_t *number);

/* Title and text, of the body. Gives *note. */
BIGHT_MUST_CHECK int request_note(struct bight_exchange *exchange, struct note *note);

#endif
