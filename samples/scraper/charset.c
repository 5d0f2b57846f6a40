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

/* How far into the page browsers look for a declaration. */
static const size_t declaration_bytes = 1024;
/* How much of an undeclared page is looked at to tell whether it is UTF-8. */
static const size_t guess_bytes = (size_t)64 * 1024;

static const char replacement[] = "\xef\xbf\xbd";

struct decoder {
    iconv_t conversion;
    /* How many bytes a bad character costs. */
    size_t unit;
};

/* --- labels ----------------------------------------------------------------------------------- */

struct label {
    const char *label;
    const char *iconv_name;
};

/* The labels that mean another charset to browsers, nearly always a superset. All other labels go
 * to iconv as they are. */
static const struct label labels[] = {
    {"ascii", "CP1252"},         {"us-ascii", "CP1252"},    {"iso-8859-1", "CP1252"},
    {"iso8859-1", "CP1252"},     {"iso_8859-1", "CP1252"},  {"iso88591", "CP1252"},
    {"latin1", "CP1252"},        {"latin-1", "CP1252"},     {"l1", "CP1252"},
    {"cp819", "CP1252"},         {"x-cp1252", "CP1252"},    {"windows-1252", "CP1252"},
    {"iso-8859-9", "CP1254"},    {"latin5", "CP1254"},      {"iso-8859-11", "CP874"},
    {"tis-620", "CP874"},        {"x-cp1251", "CP1251"},    {"win-1251", "CP1251"},
    {"koi8", "KOI8-R"},          {"koi", "KOI8-R"},         {"x-sjis", "CP932"},
    {"shift_jis", "CP932"},      {"shift-jis", "CP932"},    {"sjis", "CP932"},
    {"windows-31j", "CP932"},    {"gb2312", "GB18030"},     {"gbk", "GB18030"},
    {"x-gbk", "GB18030"},        {"gb_2312-80", "GB18030"}, {"euc-kr", "CP949"},
    {"ks_c_5601-1987", "CP949"}, {"ksc5601", "CP949"},      {"big5", "BIG5-HKSCS"},
    {"x-x-big5", "BIG5-HKSCS"},  {"utf8", "UTF-8"},         {"unicode", "UTF-16LE"},
    {"utf-16", "UTF-16LE"},
};

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

/* Put the charset that `value` begins with, quoted or not, into `name`; false when it names none
 * that can be converted. */
static bool use_label(char name[CHARSET_NAME_BYTES], struct span value)
{
    char label[CHARSET_NAME_BYTES];
    size_t size = 0;

    while (value.size && strchr(" \t\r\n\f\"'", *value.text)) {
        value.text++;
        value.size--;
    }
    while (size < value.size && value.text[size] && is_label_char(value.text[size]))
        size++;
    if (size == 0 || size >= sizeof label)
        return false;
    memcpy(label, value.text, size);
    label[size] = '\0';
    const char *known = label;
    for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++)
        if (strcasecmp(label, labels[i].label) == 0)
            known = labels[i].iconv_name;
    iconv_t conversion = iconv_open("UTF-8", known);
    if (conversion == (iconv_t)-1)
        return false;
    (void)iconv_close(conversion);
    set_name(name, known);
    return true;
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

static bool use_declaration(char name[CHARSET_NAME_BYTES], struct span body)
{
    const char *end = body.text + (body.size < declaration_bytes ? body.size : declaration_bytes);
    const char *at = body.text;
    bool found = false;

    while (!found && at < end && (at = memchr(at, '<', (size_t)(end - at)))) {
        struct span tag = tag_at(at, end);
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
    return found;
}

static bool looks_like_utf8(struct span body)
{
    char out[1024];
    iconv_t conversion = iconv_open("UTF-8", "UTF-8");
    if (conversion == (iconv_t)-1)
        return true;
    char *in = (char *)body.text;
    size_t left = body.size < guess_bytes ? body.size : guess_bytes;
    bool valid = true;
    while (left && valid) {
        char *to = out;
        size_t room = sizeof out;
        if (iconv(conversion, &in, &left, &to, &room) != (size_t)-1)
            continue;
        if (errno == EINVAL)
            break; /* the cut went through a character */
        valid = errno == E2BIG;
    }
    (void)iconv_close(conversion);
    return valid;
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
    decoder->conversion = iconv_open("UTF-8", charset);
    if (decoder->conversion == (iconv_t)-1)
        decoder->conversion = iconv_open("UTF-8", "CP1252");
    if (decoder->conversion == (iconv_t)-1) {
        free(decoder);
        return BIGHT_ENOMEM;
    }
    decoder->unit = strncasecmp(charset, "UTF-16", 6) == 0 ? 2 : 1;
    *out = decoder;
    return 0;
}

void decoder_free(struct decoder *decoder)
{
    (void)iconv_close(decoder->conversion);
    free(decoder);
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

size_t decoder_run(struct decoder *decoder, const char **in, size_t *in_size, char *out,
                   size_t room)
{
    char *at = out;

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
