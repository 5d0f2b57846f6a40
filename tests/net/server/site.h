/* What the suites of static files share: a directory of files whose contents and times are known,
 * and what a server says that has them. */
#ifndef TESTS_NET_SERVER_SITE_H
#define TESTS_NET_SERVER_SITE_H

#include <stddef.h>
#include <stdint.h>

#include <bight/static.h>

/* All files are of Sun, 06 Nov 1994 08:49:37 GMT, if nothing else is said. */
#define SITE_MODIFIED_S INT64_C(784111777)
#define SITE_MODIFIED "Sun, 06 Nov 1994 08:49:37 GMT"
#define SITE_LAST_MODIFIED "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT"

/* Longer than what is read at a time. */
#define SITE_BIG_BYTES 700001

/* The directory, with what lies beside it: for setup and teardown. */
void site_make(void);
void site_remove(void);

extern char site_root[64];

/* Write a file, or one over it, at `path` below the root, with that time. */
void site_write(const char *path, const void *data, size_t bytes);
void site_write_text(const char *path, const char *text);
void site_set_time(const char *path, int64_t seconds);
/* The path with the root before it, in memory that the next call but three uses again. */
const char *site_path(const char *path);
/* The byte of the big file at that place. */
char site_big_byte(size_t at);

/* An answer, as it came. */
struct said {
    int status;
    char *head; /* with its lines' ends, to the empty line */
    char *body;
    size_t body_bytes;
};

/* Say `request`, to which a Host and the end of the head are added, to a server of `files` over a
 * connection in memory: the answer, to be dropped. In a task. `code` is what the server says of the
 * connection; `path` is for bight_static_answer. */
struct said site_ask_code(const struct bight_static *files, const char *request, const char *path,
                          int code);
struct said site_ask(const struct bight_static *files, const char *request);
void said_drop(struct said *said);

/* The value of the first header of that name, in memory that the next call but three uses again;
 * NULL: there is none. */
const char *said_header(const struct said *said, const char *name);

#endif
