/* JSON as the body of a request, and of a response. */
#include <bight/http_json.h>

#include <string.h>

#include <jansson.h>

#include "coro/base/seams.h"
#include "runtime/door.h"

#define FORMAT (JSON_COMPACT | JSON_ENCODE_ANY)

/* The text, not by jansson's own allocator, whichever that is. */
static int write_text(const struct json_t *json, char **text, size_t *bytes)
{
    struct bight_runtime *runtime;
    int rc = bight__runtime_get(&runtime);

    if (rc)
        return rc;
    *bytes = json_dumpb(json, NULL, 0, FORMAT);
    if (!*bytes)
        return BIGHT_EINVAL;
    *text = bight__alloc(bight__runtime_seams(runtime), *bytes);
    if (!*text)
        return BIGHT_ENOMEM;
    (void)json_dumpb(json, *text, *bytes, FORMAT);
    return 0;
}

int bight_http_fetch_json(struct bight_http_response **out, struct bight_http_session *session,
                          const char *url, const struct bight_http_request *request,
                          const struct json_t *json)
{
    struct bight_http_request filled = {0};
    size_t bytes;
    char *text;
    int rc;

    if (!out || !session || !url || !json)
        return BIGHT_EINVAL;
    if (request)
        filled = *request;
    rc = filled.body ? BIGHT_EINVAL : write_text(json, &text, &bytes);
    if (rc) {
        if (filled.error)
            *filled.error =
                (struct bight_http_error){BIGHT_HTTP_REQUEST, rc, 0, 0, "the JSON cannot be sent"};
        return rc;
    }
    filled.method = filled.method ? filled.method : "POST";
    filled.body = text;
    filled.body_bytes = bytes;
    filled.content_type = filled.content_type ? filled.content_type : "application/json";
    rc = bight_http_fetch(out, session, url, &filled);
    bight__free(text);
    return rc;
}

/* `skipped`: bytes in front of what jansson saw. */
static void tell(struct bight_http_json_error *error, const json_error_t *why, size_t skipped)
{
    size_t bytes = strcspn(why->text, "\r\n");

    if (!error)
        return;
    *error = (struct bight_http_json_error){
        .line = why->line,
        .column = why->column,
        .offset = (size_t)(why->position > 0 ? why->position : 0) + skipped,
    };
    if (bytes >= sizeof(error->text))
        bytes = sizeof(error->text) - 1;
    memcpy(error->text, why->text, bytes); /* the rest is zero */
}

int bight_http_response_json(struct json_t **json, const struct bight_http_response *response,
                             struct bight_http_json_error *error)
{
    static const char mark[] = "\xef\xbb\xbf";
    json_error_t why;
    const char *body;
    size_t bytes, skipped;
    json_t *value;

    if (!json || !response)
        return BIGHT_EINVAL;
    body = bight_http_response_body(response, &bytes);
    skipped = bytes >= 3 && memcmp(body, mark, 3) == 0 ? 3 : 0;
    value = json_loadb(body + skipped, bytes - skipped,
                       JSON_DECODE_ANY | JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &why);
    if (!value) {
        tell(error, &why, skipped);
        return json_error_code(&why) == json_error_out_of_memory ? BIGHT_ENOMEM : BIGHT_EPROTOCOL;
    }
    *json = value;
    return 0;
}
