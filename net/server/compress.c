/* Whether an answer is compressed. */
#include "net/server/codings.h"
#include "net/server/server.h"

#include <bight/errors.h>

/* Of what is shorter nothing is saved: the head alone is as long. */
#define SHORTEST_BYTES 256

int bight_exchange_compress(struct bight_exchange *exchange)
{
    if (!exchange)
        return BIGHT_EINVAL;
    if (exchange->answer != ANSWER_NONE)
        return BIGHT_EALREADY;
    if (!bight__gzip_is_there())
        return BIGHT_ENOTSUP;
    exchange->compresses = true;
    return 0;
}

/* Whether the client would rather have gzip than nothing. */
static bool accepts_gzip(const struct bight_exchange *exchange)
{
    enum coding order[CODINGS_COUNT];
    struct accepted accepted;
    int count;

    bight__accepted_init(&accepted);
    for (uint32_t i = 0; i < exchange->head.count; i++) {
        const struct head_field *field = &exchange->head.fields[i];

        if (bight__is_name(exchange->text + field->name, field->name_bytes, "accept-encoding"))
            bight__accepted_take(&accepted, bight__field_value(exchange, field));
    }
    count = bight__accepted_order(&accepted, order);
    for (int i = 0; i < count; i++) {
        if (order[i] == CODING_GZIP)
            return true;
        if (order[i] == CODING_IDENTITY)
            return false;
    }
    return false;
}

int bight__compress_begin(struct bight_exchange *exchange, int64_t bytes)
{
    int rc = bight__answer_add(exchange, "Vary", "Accept-Encoding");

    if (rc || (bytes >= 0 && bytes < SHORTEST_BYTES) || !accepts_gzip(exchange))
        return rc;
    rc = bight__gzip_new(&exchange->gzip, exchange->server->seams);
    return rc ? rc : bight__answer_add(exchange, "Content-Encoding", "gzip");
}
