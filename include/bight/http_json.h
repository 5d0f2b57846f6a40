/* JSON for the HTTP client, by jansson: a library of its own, libbight-json. <jansson.h> is not
 * included here: who makes values includes it.
 *
 *     json_t *note = json_pack("{s:s}", "text", "a rope"), *answer;
 *     rc = bight_http_fetch_json(&response, session, "notes", NULL, note);
 *     if (rc == 0)
 *         rc = bight_http_response_json(&answer, response, &error);
 */
#ifndef BIGHT_HTTP_JSON_H
#define BIGHT_HTTP_JSON_H

#include <bight/base.h>
#include <bight/errors.h>
#include <bight/http.h>

BIGHT_BEGIN_DECLS

struct json_t; /* <jansson.h> */

/* Where a text is no JSON, and why. */
struct bight_http_json_error {
    /* From 1 on; a column is a character. */
    int line;
    int column;
    /* In bytes, from 0 on. */
    size_t offset;
    /* One line, without a newline. */
    char text[160];
};

/** bight_http_fetch with `json` as the body and application/json as its type, unless the request
 *  says another one; POST by default.
 *
 *  @return as bight_http_fetch; BIGHT_EINVAL also when jansson cannot write `json`, such as one
 *          that is in itself.
 *  Suspends: yes.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED; the transfer is aborted, its connection closed.
 *  Allocates: the text, and as bight_http_fetch.  Thread: the loop's.
 *  Ownership: as bight_http_fetch; borrows json.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_http_fetch_json(struct bight_http_response **out,
                                                     struct bight_http_session *session,
                                                     const char *url,
                                                     const struct bight_http_request *request,
                                                     const struct json_t *json);

/** Read the collected body as JSON, any value of it, whatever its Content-Type says: in UTF-8 (RFC
 *  8259), with or without a byte order mark. A name that an object has twice is refused.
 *
 *  @return 0; BIGHT_EPROTOCOL: it is no JSON, and *error, which may be NULL, says where;
 *          BIGHT_ENOMEM.
 *  Allocates: the value.  Ownership: gives *json, to be given up with json_decref.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_http_response_json(struct json_t **json,
                                                        const struct bight_http_response *response,
                                                        struct bight_http_json_error *error);

BIGHT_END_DECLS

#endif
