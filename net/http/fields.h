/* Fields of queries and forms, encoded. */
#ifndef BIGHT_NET_HTTP_FIELDS_H
#define BIGHT_NET_HTTP_FIELDS_H

#include <bight/http.h>

#include "net/http/buffer.h"

enum http_fields_use { HTTP_FIELDS_QUERY, HTTP_FIELDS_FORM };

/* Append them to `out`, with "&" in between: 0 or BIGHT_ENOMEM. */
int bight__http_fields_append(const struct bight_seams *seams, struct http_buffer *out,
                              const struct bight_http_field *fields, enum http_fields_use use);

/* Put them into the query of the URL and NUL in `url`: 0 or BIGHT_ENOMEM. */
int bight__http_query_add(const struct bight_seams *seams, struct http_buffer *url,
                          const struct bight_http_field *query);

#endif
