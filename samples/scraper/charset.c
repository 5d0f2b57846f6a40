/* See charset.h. The conversion is iconv's. */
#include "samples/scraper/charset.h"

#include <ctype.h>
#include <errno.h>
#include <iconv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <bight/errors.h>
#include <bight/http.h>

#include "samples/scraper/utf8.h"

/* How far into the page browsers look for a declaration before they read it. */
static const size_t declaration_bytes = 1024;
/* How much of an undeclared page is looked at to tell whether it is UTF-8. */
static const size_t guess_bytes = (size_t)64 * 1024;

static const char replacement[] = "\xef\xbf\xbd";

struct decoder {
    iconv_t conversion; /* for the charsets that are no iconv's: of UTF-8, and not used */
    enum { BY_ICONV, REPLACEMENT, USER_DEFINED } way;
    /* How many bytes a bad character costs. */
    size_t unit;
    /* The page should be UTF-8, which needs no conversion where that is true. */
    bool utf8;
};

/* --- labels ----------------------------------------------------------------------------------- */

struct span {
    const char *text;
    size_t size;
};

static void set_name(char name[CHARSET_NAME_BYTES], const char *text)
{
    (void)snprintf(name, CHARSET_NAME_BYTES, "%s", text);
}

static bool is_label_char(char c)
{
    return isalnum((unsigned char)c) || strchr("-_.:+", c);
}

/* Put the charset whose label `value` begins with, quoted or not, into `name`; false when it is not
 * a label. */
static bool use_label(char name[CHARSET_NAME_BYTES], struct span value)
{
    size_t size = 0;

    while (value.size && strchr(" \t\r\n\f\"'", *value.text)) {
        value.text++;
        value.size--;
    }
    while (size < value.size && value.text[size] && is_label_char(value.text[size]))
        size++;
    const char *charset = bight_http_charset(value.text, size);
    if (charset)
        set_name(name, charset);
    return charset;
}

/* --- finding it ------------------------------------------------------------------------------- */

/* The first `word` in `text`, without regard to case. */
static const char *find_word(struct span text, const char *word)
{
    size_t size = strlen(word);

    for (; text.size >= size; text.text++, text.size--)
        if (strncasecmp(text.text, word, size) == 0)
            return text.text;
    return NULL;
}

/* The value after "WORD =" in `text`; empty when there is none. */
static struct span value_of(struct span text, const char *word)
{
    const char *end = text.text + text.size;

    for (const char *at; (at = find_word(text, word));) {
        at += strlen(word);
        while (at < end && isspace((unsigned char)*at))
            at++;
        if (at < end && *at == '=')
            return (struct span){at + 1, (size_t)(end - at - 1)};
        text = (struct span){at, (size_t)(end - at)};
    }
    return (struct span){end, 0};
}

static bool use_byte_order_mark(char name[CHARSET_NAME_BYTES], struct span body)
{
    static const struct {
        const char *bytes;
        size_t size;
        const char *name;
    } marks[] = {
        {"\xef\xbb\xbf", 3, "UTF-8"}, {"\xfe\xff", 2, "UTF-16BE"}, {"\xff\xfe", 2, "UTF-16LE"}};

    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        if (body.size >= marks[i].size && memcmp(body.text, marks[i].bytes, marks[i].size) == 0) {
            set_name(name, marks[i].name);
            return true;
        }
    }
    return false;
}

/* The tag that begins at `at`, up to its '>' or the end. */
static struct span tag_at(const char *at, const char *end)
{
    const char *close = memchr(at, '>', (size_t)(end - at));
    return (struct span){at, (size_t)((close ? close : end) - at)};
}

/* Where the element that begins with the tag at `at` ends, if it is one whose content is text and
 * not tags; `at` for others. */
static const char *text_end(const char *at, const char *end)
{
    static const char *const names[] = {"script",   "style",  "title",   "textarea",
                                        "noframes", "iframe", "noembed", "xmp"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        size_t size = strlen(names[i]);
        char close[16];
        if ((size_t)(end - at) < size + 2 || strncasecmp(at + 1, names[i], size) != 0 ||
            isalnum((unsigned char)at[size + 1]))
            continue;
        (void)snprintf(close, sizeof close, "</%s", names[i]);
        const char *found = find_word((struct span){at, (size_t)(end - at)}, close);
        return found ? found : end;
    }
    return at;
}

/* What is declared in the first bytes, where also that counts which will turn out to be text, or
 * behind them, in tags alone. */
static bool use_declaration(char name[CHARSET_NAME_BYTES], struct span body)
{
    const char *end = body.text + body.size;
    const char *at = body.text;
    const char *text = body.text; /* where the element ends that may hold `at` as its text */
    bool found = false;

    while (!found && at < end && (at = memchr(at, '<', (size_t)(end - at)))) {
        if (at < text && (size_t)(at - body.text) >= declaration_bytes) {
            at = text;
            continue;
        }
        struct span tag = tag_at(at, end);
        if (at >= text)
            text = text_end(at, end);
        if (tag.size >= 4 && memcmp(at, "<!--", 4) == 0) {
            const char *close = memmem(at, (size_t)(end - at), "-->", 3);
            at = close ? close : end;
            continue;
        }
        if (tag.size >= 5 && strncasecmp(at, "<meta", 5) == 0)
            found = use_label(name, value_of(tag, "charset"));
        else if (at == body.text && tag.size >= 5 && memcmp(at, "<?xml", 5) == 0)
            found = use_label(name, value_of(tag, "encoding"));
        at++;
    }
    /* Bytes in which "<meta" can be read are not UTF-16, whatever they say. */
    if (found && strncasecmp(name, "UTF-16", 6) == 0)
        set_name(name, "UTF-8");
    if (found && strcmp(name, CHARSET_USER_DEFINED) == 0)
        set_name(name, "CP1252");
    return found;
}

/* A page in UTF-8 may have a bad byte, in what somebody else has put into it; text of other
 * charsets has few bytes that go together as UTF-8 wants them. */
static bool looks_like_utf8(struct span body)
{
    const char *at = body.text;
    size_t left = body.size < guess_bytes ? body.size : guess_bytes;
    size_t good = 0, bad = 0;

    while (left) {
        size_t length = utf8_character(at, left);
        if (!length && left < 4 && body.size > guess_bytes)
            break; /* the cut may have gone through a character */
        good += length > 1;
        bad += length == 0;
        length += length == 0;
        at += length;
        left -= length;
    }
    return good >= bad;
}

void charset_detect(char name[CHARSET_NAME_BYTES], const char *content_type, const char *body,
                    size_t size)
{
    struct span page = {body, size};
    struct span type = {content_type ? content_type : "", content_type ? strlen(content_type) : 0};

    if (use_byte_order_mark(name, page) || use_label(name, value_of(type, "charset")) ||
        use_declaration(name, page))
        return;
    set_name(name, looks_like_utf8(page) ? "UTF-8" : "CP1252");
}

bool content_type_is_html(const char *content_type)
{
    size_t size = strcspn(content_type, "; \t");

    return (size == strlen("text/html") && strncasecmp(content_type, "text/html", size) == 0) ||
           (size == strlen("application/xhtml+xml") &&
            strncasecmp(content_type, "application/xhtml+xml", size) == 0);
}

bool body_looks_like_html(const char *body, size_t size)
{
    static const char *const starts[] = {"<!doctype html", "<html", "<head",
                                         "<title",         "<body", "<!--"};
    size_t skip = size >= 3 && memcmp(body, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;

    while (skip < size && isspace((unsigned char)body[skip]))
        skip++;
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        size_t length = strlen(starts[i]);
        if (size - skip >= length && strncasecmp(body + skip, starts[i], length) == 0)
            return true;
    }
    return false;
}

/* --- conversion ------------------------------------------------------------------------------- */

int decoder_new(struct decoder **out, const char *charset)
{
    struct decoder *decoder = malloc(sizeof *decoder);
    if (!decoder)
        return BIGHT_ENOMEM;
    decoder->way = strcmp(charset, CHARSET_REPLACEMENT) == 0    ? REPLACEMENT
                   : strcmp(charset, CHARSET_USER_DEFINED) == 0 ? USER_DEFINED
                                                                : BY_ICONV;
    decoder->conversion = iconv_open("UTF-8", decoder->way == BY_ICONV ? charset : "UTF-8");
    if (decoder->conversion == (iconv_t)-1)
        decoder->conversion = iconv_open("UTF-8", "CP1252");
    if (decoder->conversion == (iconv_t)-1) {
        free(decoder);
        return BIGHT_ENOMEM;
    }
    decoder->unit = strncasecmp(charset, "UTF-16", 6) == 0 ? 2 : 1;
    decoder->utf8 = strcmp(charset, "UTF-8") == 0;
    *out = decoder;
    return 0;
}

void decoder_free(struct decoder *decoder)
{
    (void)iconv_close(decoder->conversion);
    free(decoder);
}

size_t decoder_as_is(const struct decoder *decoder, const char *in, size_t in_size, size_t room)
{
    if (!decoder->utf8)
        return 0;
    size_t size = in_size > room ? utf8_cut(in, room) : in_size;
    return utf8_is_text(in, size) ? size : 0;
}

/* Take the NULs out of `text`, which would end the parser's work; returns the bytes left. */
static size_t without_nul(char *text, size_t size)
{
    char *nul = memchr(text, '\0', size);
    if (!nul)
        return size;
    size_t kept = (size_t)(nul - text);
    for (size_t i = kept; i < size; i++)
        if (text[i])
            text[kept++] = text[i];
    return kept;
}

/* All of the page is one character. */
static size_t run_replacement(const char **in, size_t *in_size, char *out)
{
    *in += *in_size;
    *in_size = 0;
    memcpy(out, replacement, sizeof replacement - 1);
    return sizeof replacement - 1;
}

/* Bytes from 0x80 on are characters for private use, from U+F780 on. */
static size_t run_user_defined(const char **in, size_t *in_size, char *out, size_t room)
{
    char *at = out;

    for (; *in_size && room >= 3; (*in)++, (*in_size)--) {
        unsigned char c = (unsigned char)**in;
        if (c < 0x80) {
            *at++ = (char)c;
            room--;
            continue;
        }
        *at++ = '\xef';
        *at++ = (char)(0x9c | c >> 6);
        *at++ = (char)(0x80 | (c & 0x3f));
        room -= 3;
    }
    return without_nul(out, (size_t)(at - out));
}

size_t decoder_run(struct decoder *decoder, const char **in, size_t *in_size, char *out,
                   size_t room)
{
    char *at = out;

    if (decoder->way == REPLACEMENT)
        return run_replacement(in, in_size, out);
    if (decoder->way == USER_DEFINED)
        return run_user_defined(in, in_size, out, room);

    while (*in_size && room >= sizeof replacement) {
        /* iconv does not write to its input; its parameter's type is older than const. */
        if (iconv(decoder->conversion, (char **)in, in_size, &at, &room) != (size_t)-1)
            break;
        int why = errno;
        if (why == E2BIG || room < sizeof replacement)
            break;
        (void)memcpy(at, replacement, sizeof replacement - 1);
        at += sizeof replacement - 1;
        room -= sizeof replacement - 1;
        /* EILSEQ: a bad character. Otherwise the end cuts one, and nothing follows. */
        size_t skip = why == EILSEQ && *in_size > decoder->unit ? decoder->unit : *in_size;
        *in += skip;
        *in_size -= skip;
    }
    return without_nul(out, (size_t)(at - out));
}
