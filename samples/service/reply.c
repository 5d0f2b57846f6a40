/* See reply.h. */
#include "samples/service/reply.h"

#include <stdlib.h>
#include <string.h>

#include <bight/errors.h>

int reply_json(struct bight_exchange *exchange, int status, json_t *json)
{
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
    int rc = BIGHT_ENOMEM;

    json_decref(json);
    if (text)
        rc = bight_exchange_answer(exchange, status, "application/json", text, strlen(text));
    free(text);
    return rc;
}

int reply_error(struct bight_exchange *exchange, int status, const char *text)
{
    return reply_json(exchange, status, json_pack("{ss}", "error", text));
}

int reply_fault(struct bight_exchange *exchange, const struct note_fault *fault)
{
    json_t *json = json_pack("{ss ss*}", "error", fault->text, "member", fault->member);

    if (json && fault->line > 0)
        (void)json_object_update_new(
            json, json_pack("{si si}", "line", fault->line, "column", fault->column));
    return reply_json(exchange, 400, json);
}

int reply_failure(struct bight_exchange *exchange, int rc)
{
    static const struct {
        int code, status;
        const char *text;
    } failures[] = {
        {BIGHT_ENOENT, 404, "there is no such note"},
        {BIGHT_ETOOBIG, 413, "too long"},
        {BIGHT_EUNKNOWNOUTCOME, 500, "the database was lost, and the change may have been made"},
        {BIGHT_EBUSY, 503, "the database is busy"},
        {BIGHT_ECONNECT, 503, "the database cannot be reached"},
        {BIGHT_EFULL, 503, "too many searches"},
        {BIGHT_EWORKERDIED, 503, "the search was lost"},
        {BIGHT_ETIMEDOUT, 503, "it took too long"},
    };

    for (size_t i = 0; i < sizeof failures / sizeof *failures; i++) {
        if (failures[i].code != rc)
            continue;
        if (failures[i].status == 503 && bight_exchange_add_header(exchange, "Retry-After", "1"))
            return rc;
        return reply_error(exchange, failures[i].status, failures[i].text);
    }
    return rc;
}
