/* See request.h. */
#include "samples/service/request.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <bight/errors.h>
#include <bight/router.h>

#include "samples/service/reply.h"

/* Digits alone, up to `most`. */
static bool read_number(const char *text, int64_t most, int64_t *number)
{
    char *end;

    if (!*text || strspn(text, "0123456789") != strlen(text))
        return false;
    errno = 0;
    *number = strtoll(text, &end, 10);
    return !errno && *number <= most;
}

int request_refuse(struct bight_exchange *exchange, int status, const char *text)
{
    int rc = reply_error(exchange, status, text);

    return rc ? rc : REQUEST_ANSWERED;
}

int request_id(struct bight_exchange *exchange, int64_t *id)
{
    if (read_number(bight_router_param(exchange, "id"), INT64_MAX, id))
        return 0;
    return request_refuse(exchange, 400, "the id of a note is a number");
}

int request_if_match(struct bight_exchange *exchange, int64_t *version)
{
    const char *tag = bight_exchange_header(exchange, "If-Match");
    char digits[24];
    int end = 0;

    *version = 0;
    if (!tag || strcmp(tag, "*") == 0)
        return 0;
    if (sscanf(tag, "\"%23[0-9]\"%n", digits, &end) == 1 && end > 0 && !tag[end] &&
        read_number(digits, INT64_MAX, version) && *version > 0)
        return 0;
    return request_refuse(exchange, 400, "If-Match is one ETag of this service");
}

int request_number(struct bight_exchange *exchange, const struct bight_form *query,
                   const char *name, int64_t most, int64_t *number)
{
    const char *text = bight_form_value(query, name);
    char why[64];

    if (!text || read_number(text, most, number))
        return 0;
    (void)snprintf(why, sizeof why, "%s is a number up to %lld", name, (long long)most);
    return request_refuse(exchange, 400, why);
}

static bool is_json(const struct bight_exchange *exchange)
{
    static const char json[] = "application/json";
    const char *type = bight_exchange_header(exchange, "Content-Type");

    return type && strncasecmp(type, json, strlen(json)) == 0 &&
           strchr("; \t", type[strlen(json)]); /* its end too */
}

int request_note(struct bight_exchange *exchange, struct note *note)
{
    struct note_fault fault;
    const char *body;
    size_t bytes;
    int rc;

    if (!is_json(exchange))
        return request_refuse(exchange, 415, "a note is of the type application/json");
    rc = bight_exchange_read_all(exchange, &body, &bytes);
    if (rc == 0)
        rc = note_parse(note, body, bytes, &fault);
    if (rc == BIGHT_EINVAL) {
        rc = reply_fault(exchange, &fault);
        return rc ? rc : REQUEST_ANSWERED;
    }
    return rc;
}
