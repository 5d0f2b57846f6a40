/* Which content codings a client accepts (RFC 9110, 12.5.3). */
#ifndef BIGHT_NET_SERVER_CODINGS_H
#define BIGHT_NET_SERVER_CODINGS_H

#include <bight/base.h>

/* Those that accept equally are taken in this order: as a rule the shorter first. */
enum coding {
    CODING_BR,
    CODING_ZSTD,
    CODING_GZIP,
    CODING_IDENTITY,
    CODINGS_COUNT,
};

/* Weights in thousandths; negative: it was not named. */
struct accepted {
    int weights[CODINGS_COUNT];
    int others; /* of "*" */
};

struct coding_name {
    const char *name;   /* as Content-Encoding has it */
    const char *suffix; /* of a file's name */
    const char *mark;   /* of its ETag */
};
extern const struct coding_name bight__coding_names[CODINGS_COUNT];

/* Nothing was named. */
void bight__accepted_init(struct accepted *accepted);
/* Add what `value`, that of a header Accept-Encoding, names. Members of the list that are malformed
 * are left out. */
void bight__accepted_take(struct accepted *accepted, const char *value);
/* The codings that the client prefers to none, the best first, and how many there are. */
int bight__accepted_order(const struct accepted *accepted, enum coding order[CODINGS_COUNT]);

#endif
