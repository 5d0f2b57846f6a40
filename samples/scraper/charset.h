/* From the bytes of a page to UTF-8: which charset it is in, and the conversion. Labels are read as
 * browsers do (the WHATWG encoding standard): "latin1" means windows-1252, and so on. */
#ifndef SCRAPER_CHARSET_H
#define SCRAPER_CHARSET_H

#include <bight/base.h>

#define CHARSET_NAME_BYTES 48

/* What stands for no charset of iconv's: a page of which one U+FFFD is shown, since reading it as
 * something else could make a script of its text; and one whose bytes from 0x80 on have no
 * meaning. */
#define CHARSET_REPLACEMENT "replacement"
#define CHARSET_USER_DEFINED "x-user-defined"

/* What the page's charset is, as a name for decoder_new: by its byte order mark, else the
 * charset of `content_type` (may be NULL), else what it declares (<meta>, <?xml?>), else UTF-8
 * when it looks like it, else windows-1252. */
void charset_detect(char name[CHARSET_NAME_BYTES], const char *content_type, const char *body,
                    size_t size);

/* Whether `content_type` is that of an HTML page. */
bool content_type_is_html(const char *content_type);

/* Whether a body without a content type begins like an HTML page. */
bool body_looks_like_html(const char *body, size_t size);

/* A conversion to UTF-8 that cannot fail: what is not text becomes U+FFFD, NUL is left out. */
struct decoder;

/* A name that is not known stands for windows-1252. Returns 0 or BIGHT_ENOMEM. Gives *out. */
BIGHT_MUST_CHECK int decoder_new(struct decoder **out, const char *charset);
void decoder_free(struct decoder *decoder);

/* How many bytes at `in`, at most `room`, are what decoder_run would make of them: whole characters
 * of UTF-8, no NUL. 0 when there is a fault among the first `room` bytes, or the page is in another
 * charset: decoder_run then takes its turn. `room` is at least 16. */
size_t decoder_as_is(const struct decoder *decoder, const char *in, size_t in_size, size_t room);

/* Convert from the front of (*in, *in_size), which must hold all that is left of the page, into
 * `out`, and move the former forward. Returns the bytes written, always whole characters; it may be
 * 0 while there is more. `room` is at least 16. */
size_t decoder_run(struct decoder *decoder, const char **in, size_t *in_size, char *out,
                   size_t room);

#endif
