/* The body of a request that has parts. */
#ifndef BIGHT_NET_HTTP_MULTIPART_H
#define BIGHT_NET_HTTP_MULTIPART_H

#include <bight/http.h>

#include "coro/base/seams.h"

struct http_multipart;

/* Borrows parts until it is freed. *bytes: its length; negative: nobody knows. BIGHT_EINVAL for
 * what is no part; what bight_file_stat says of a file. Suspends. */
int bight__http_multipart_new(struct http_multipart **out, const struct bight_seams *seams,
                              const struct bight_http_part *parts, int64_t *bytes);
/* Its header Content-Type. */
const char *bight__http_multipart_type(const struct http_multipart *body);
/* What a source has. */
int64_t bight__http_multipart_read(void *arg, void *buffer, size_t bytes);
/* Suspends where a file is open. */
void bight__http_multipart_free(struct http_multipart *body);

#endif
