/* The private part of static files: static.c finds what is to be sent, static_send.c sends it. What
 * they decide by is in static_name.c, condition.c, range.c, codings.c and types.c; files.c is the
 * disk. */
#ifndef BIGHT_NET_SERVER_STATIC_H
#define BIGHT_NET_SERVER_STATIC_H

#include <stdatomic.h>

#include <bight/static.h>

#include "net/server/codings.h"
#include "net/server/condition.h"
#include "net/server/files.h"
#include "net/server/range.h"

#define ETAG_BYTES 48

struct bight_static {
    struct files_root root;
    const char *index;         /* "": none */
    const char *cache_control; /* NULL: none */
    const char *default_type;
    const struct bight_static_type *types;
    size_t types_count;
    bool dot_files;
    bool precompressed;
    bool leave_missing;
    atomic_uint_least64_t seen[FILES_SEEN];
};

/* One answer in the making. */
struct visit {
    struct bight_exchange *exchange;
    const struct bight_static *files;
    struct open_file file;
    enum coding coding;
    bool head; /* of a HEAD */
    int64_t now_s;
    const char *type; /* of `path` without the suffix of a coding */
    char *path;       /* relative, with room for an index and a suffix */
    char etag[ETAG_BYTES];
};

/* Room behind a path and an index: for the slash between them and the suffix of a coding. */
#define SUFFIX_BYTES 6

enum static_path {
    STATIC_PATH_FILE,
    STATIC_PATH_FOLDER, /* it ends with a slash */
    STATIC_PATH_REFUSED,
};

/* static_name.c */

/* Write `path`, which is one as bight_exchange_path gives it, decoded and without its first slash,
 * its last one, and empty parts to `out`, which has room for it; "" for the root. */
enum static_path bight__static_path(const char *path, bool dot_files, char *out);

/* Percent-encode what is left to do of `path`, so that it stays a path wherever a reference may
 * stand, to `out`, which has room for three times as many bytes. Returns the end. */
char *bight__static_encode(const char *path, char *out);

/* Whether the file was not written for so long that another write would show in its time. */
bool bight__static_is_settled(const struct open_file *file, int64_t now_s);

/* The tag of the file: a weak one until it is settled, for it may be written again in the same step
 * of the file system's clock (RFC 9110, 8.8.1). `mark` is of its coding. */
void bight__static_etag(const struct open_file *file, const char *mark, int64_t now_s,
                        char out[ETAG_BYTES]);

/* static_send.c: answer with the file that is open, or why there is no need to. */
int bight__static_send(struct visit *visit);

#endif
