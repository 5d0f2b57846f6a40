/* Lines of an access log. bight writes none itself: a program makes them in
 * bight_http_serve_options.on_done and puts them where it likes.
 *
 *     static void on_done(void *arg, const struct bight_exchange *exchange)
 *     {
 *         static char line[BIGHT_ACCESS_LOG_BYTES];
 *         int64_t bytes =
 *             bight_access_log_line(exchange, BIGHT_ACCESS_LOG_JSON, line, sizeof(line));
 *         if (bytes > 0)
 *             fwrite(line, 1, (size_t)bytes, arg);
 *     }
 */
#ifndef BIGHT_ACCESS_LOG_H
#define BIGHT_ACCESS_LOG_H

#include <bight/base.h>
#include <bight/errors.h>
#include <bight/server.h>

BIGHT_BEGIN_DECLS

enum bight_access_log_format {
    /* Apache's combined format. What is not printable is \xHH. */
    BIGHT_ACCESS_LOG_COMBINED,
    /* An object a line: time (RFC 3339, UTC), id (see bight_http_serve_options.request_ids),
     * trace_id, span_id (trace_context), peer, method, target, version, host, status, bytes, ms,
     * referer, user_agent; what there is not is left out. */
    BIGHT_ACCESS_LOG_JSON,
};

/* Room for the line of any request under the default limits. */
#define BIGHT_ACCESS_LOG_BYTES 262144

/** Write the line of an exchange that is over, with a line feed and a final NUL.
 *
 *  @return how many bytes, without the NUL; BIGHT_ETOOBIG: `bytes` are too few, and nothing was
 *          written; BIGHT_EINVAL.
 *  Ownership: borrows all.
 */
BIGHT_API BIGHT_MUST_CHECK int64_t bight_access_log_line(const struct bight_exchange *exchange,
                                                         enum bight_access_log_format format,
                                                         char *line, size_t bytes);

BIGHT_END_DECLS

#endif
