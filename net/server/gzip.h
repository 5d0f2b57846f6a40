/* Compression of answers: gzip.c with zlib, gzip_none.c without. */
#ifndef BIGHT_NET_SERVER_GZIP_H
#define BIGHT_NET_SERVER_GZIP_H

#include <stdbool.h>
#include <stddef.h>

struct bight_seams;
struct gzip;

enum gzip_step { GZIP_GO_ON, GZIP_FLUSH, GZIP_FINISH };

/* Whether it was built in. */
bool bight__gzip_is_there(void);
/* 0, BIGHT_ENOMEM or BIGHT_ENOTSUP. */
int bight__gzip_new(struct gzip **out, const struct bight_seams *seams);
void bight__gzip_free(struct gzip *gzip);

/* Compress `data`; what comes of it goes to `emit`, whose failure is returned. */
int bight__gzip_run(struct gzip *gzip, const void *data, size_t bytes, enum gzip_step step,
                    int (*emit)(void *arg, const void *data, size_t bytes), void *arg);

#endif
