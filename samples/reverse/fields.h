/* The fields of a request and of an answer, and which of them go on: those that are about the
 * connection alone end here (RFC 9110 7.6.1), and those that say where a request has come from get
 * one more element. */
#ifndef SAMPLES_REVERSE_FIELDS_H
#define SAMPLES_REVERSE_FIELDS_H

#include <bight/base.h>
#include <bight/http.h>
#include <bight/server.h>

#include "samples/reverse/options.h"

struct field {
    const char *name;
    const char *value;
};

/* In memory of the exchange that they are for. */
struct fields {
    struct field *all;
    size_t count;
};

/* What came; 0 or BIGHT_ENOMEM. */
int fields_of_request(struct fields *fields, struct bight_exchange *exchange);
int fields_of_response(struct fields *fields, struct bight_exchange *exchange,
                       const struct bight_http_response *response);

/* Whether one of the elements of the fields `name`, which are lists, is `element`. */
bool fields_list(const struct fields *fields, const char *name, const char *element);

/* The first value of that name; NULL: there is none. */
const char *fields_find(const struct fields *fields, const char *name);

/* What the server behind is to be told; 0 or BIGHT_ENOMEM. */
int fields_upward(struct fields *to, struct bight_exchange *exchange, const struct route *route,
                  bool replace_host);

/* Add to the answer what the server behind has said; `version` is its protocol: 10 or 11.
 * BIGHT_EPROTOCOL: something of it cannot be a field. */
int fields_downward(struct bight_exchange *exchange, const struct fields *from, int version);

#endif
