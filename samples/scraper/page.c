/* See page.h. libxml2's push parser tells what it sees through SAX callbacks and builds no tree. */
#include "samples/scraper/page.h"

#include <stdlib.h>
#include <string.h>

#include <libxml/HTMLparser.h>

#include <bight/errors.h>

#include "samples/scraper/charset.h"

/* How much the parser gets at a time: it can be stopped between two pieces. */
static const size_t piece_bytes = (size_t)8 * 1024;

struct parser {
    struct page *page;
    /* The first error; nothing is collected after it. */
    int rc;
    unsigned depth;
    /* How many <svg> are open: their <title> is not the page's. */
    unsigned svg_depth;
    bool in_title;
    bool in_word;
    /* White space was seen in the title, not yet written. */
    bool title_space;
};

/* --- text ------------------------------------------------------------------------------------- */

/* The character at `text` and its size. The decoder's output is valid UTF-8, but the parser may cut
 * it: a piece of a character counts as one. */
static size_t character(const char *text, size_t size, uint32_t *code)
{
    const unsigned char *at = (const unsigned char *)text;
    size_t length = at[0] < 0x80 ? 1 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;

    *code = at[0];
    if (length == 1 || length > size)
        return 1;
    *code = at[0] & (0x7fu >> length);
    for (size_t i = 1; i < length; i++)
        *code = *code << 6 | (at[i] & 0x3fu);
    return length;
}

static bool is_ascii_space(uint32_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Unicode's White_Space. */
static bool is_space(uint32_t c)
{
    if (c < 0x80)
        return is_ascii_space(c);
    return c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 ||
           c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

static void add_to_title(struct parser *parser, const char *text, size_t size, bool space)
{
    struct bytes *title = &parser->page->title;

    if (space) {
        parser->title_space = title->size > 0;
        return;
    }
    int rc = 0;
    if (parser->title_space)
        rc = bytes_append_char(title, ' ');
    parser->title_space = false;
    if (rc == 0)
        rc = bytes_append(title, text, size);
    if (rc == BIGHT_ETOOBIG)
        title->limit = title->size; /* full: later, shorter characters must not get in */
    else if (rc)
        parser->rc = rc;
}

/* Count the words in `text` up to its end or the first byte beyond ASCII; returns the bytes. */
static size_t count_ascii(struct parser *parser, const char *text, size_t size)
{
    bool in_word = parser->in_word;
    uint64_t words = 0;
    size_t i = 0;

    for (; i < size && (unsigned char)text[i] < 0x80; i++) {
        bool space = is_ascii_space((unsigned char)text[i]);
        words += !space & !in_word;
        in_word = !space;
    }
    parser->in_word = in_word;
    parser->page->words += words;
    return i;
}

static void on_text(void *arg, const xmlChar *text, int size)
{
    struct parser *parser = arg;
    const char *at = (const char *)text;
    size_t left = size > 0 ? (size_t)size : 0;

    while (left && parser->rc == 0) {
        size_t ascii = parser->in_title ? 0 : count_ascii(parser, at, left);
        if (ascii) {
            at += ascii;
            left -= ascii;
            continue;
        }
        uint32_t code;
        size_t length = character(at, left, &code);
        bool space = is_space(code);
        if (parser->in_title)
            add_to_title(parser, at, length, space);
        parser->page->words += !space && !parser->in_word;
        parser->in_word = !space;
        at += length;
        left -= length;
    }
}

/* What the parser calls here is the text of script and style. */
static void on_script(void *arg, const xmlChar *text, int size)
{
    (void)arg;
    (void)text;
    (void)size;
}

/* --- elements --------------------------------------------------------------------------------- */

static int compare_names(const void *key, const void *name)
{
    return strcmp(key, *(const char *const *)name);
}

/* Elements that may begin or end within a word. All others end a word. */
static bool is_inline(const char *name)
{
    /* In the order of strcmp. */
    static const char *const names[] = {
        "a",    "abbr",   "acronym", "b",   "bdi", "bdo",  "big",  "cite", "code", "data", "del",
        "dfn",  "em",     "font",    "i",   "ins", "kbd",  "mark", "q",    "s",    "samp", "small",
        "span", "strike", "strong",  "sub", "sup", "time", "tt",   "u",    "var",  "wbr",
    };

    return bsearch(name, names, sizeof names / sizeof names[0], sizeof names[0], compare_names);
}

/* The value of `name`; "" for an attribute without one, NULL when there is none. */
static const char *attribute(const xmlChar **attributes, const char *name)
{
    for (; attributes && attributes[0]; attributes += 2)
        if (strcmp((const char *)attributes[0], name) == 0)
            return attributes[1] ? (const char *)attributes[1] : "";
    return NULL;
}

static void add_link(struct parser *parser, const char *href)
{
    parser->rc = bytes_append(&parser->page->hrefs, href, strlen(href) + 1);
    parser->page->links += parser->rc == 0;
}

static void add_base(struct parser *parser, const char *href)
{
    struct page *page = parser->page;

    if (page->has_base)
        return;
    page->has_base = true;
    parser->rc = bytes_append(&page->base, href, strlen(href) + 1);
}

static void on_start(void *arg, const xmlChar *element, const xmlChar **attributes)
{
    struct parser *parser = arg;
    const char *name = (const char *)element;

    parser->depth++;
    if (parser->rc)
        return;
    if (!is_inline(name))
        parser->in_word = false;
    const char *href = attribute(attributes, "href");
    if (href && strcmp(name, "a") == 0)
        add_link(parser, href);
    else if (href && strcmp(name, "base") == 0)
        add_base(parser, href);
    else if (strcmp(name, "svg") == 0)
        parser->svg_depth++;
    else if (strcmp(name, "title") == 0 && !parser->page->has_title && !parser->svg_depth)
        parser->in_title = parser->page->has_title = true;
}

static void on_end(void *arg, const xmlChar *element)
{
    struct parser *parser = arg;
    const char *name = (const char *)element;

    parser->depth -= parser->depth > 0;
    if (!is_inline(name))
        parser->in_word = false;
    if (strcmp(name, "title") == 0)
        parser->in_title = false;
    else if (strcmp(name, "svg") == 0)
        parser->svg_depth -= parser->svg_depth > 0;
}

/* --- driving the parser ----------------------------------------------------------------------- */

static htmlParserCtxtPtr new_context(struct parser *parser)
{
    xmlSAXHandler sax = {
        .startElement = on_start,
        .endElement = on_end,
        .characters = on_text,
        .ignorableWhitespace = on_text,
        .cdataBlock = on_script,
    };
    htmlParserCtxtPtr context =
        htmlCreatePushParserCtxt(&sax, parser, NULL, 0, NULL, XML_CHAR_ENCODING_UTF8);
    /* The text is UTF-8 by now; what the page declares would convert it a second time. */
    if (context)
        (void)htmlCtxtUseOptions(context, HTML_PARSE_RECOVER | HTML_PARSE_NOERROR |
                                              HTML_PARSE_NOWARNING | HTML_PARSE_NONET |
                                              HTML_PARSE_IGNORE_ENC);
    return context;
}

static bool must_stop(struct parser *parser, const struct page_stop *stop)
{
    if (parser->depth <= PAGE_DEPTH_MAX && !(stop && stop->stop(stop->arg)))
        return false;
    parser->page->cut = true;
    return true;
}

/* HTML's errors are forgiven; these are the ones after which there is no more to come. */
static int error_of(int code)
{
    return code == XML_ERR_NO_MEMORY        ? BIGHT_ENOMEM
           : code == XML_ERR_INTERNAL_ERROR ? BIGHT_EIO
                                            : 0;
}

/* Text may go on after </html>, where browsers read on and libxml2 stops once its last open
 * element is closed. It ignores as many misplaced end tags as it ignored misplaced start tags of
 * these elements: so the page's own are all made misplaced, with some to spare for a page that
 * closes more than it opens. */
static const char head_start[] = "<html><body><html><html><html><html><html><html><html><html>";

/* The next piece of the page in UTF-8, at most piece_bytes: where it is in `body`, if it is that
 * already, else in `room`. */
static const char *next_piece(struct decoder *decoder, struct bytes *body, char *room, size_t *size)
{
    const char *in = body->data;

    *size = decoder_as_is(decoder, in, body->size, piece_bytes);
    if (*size == 0) {
        *size = decoder_run(decoder, &in, &body->size, room, piece_bytes);
        body->data = (char *)in;
        return room;
    }
    body->data += *size;
    body->size -= *size;
    return in;
}

static int feed(struct parser *parser, htmlParserCtxtPtr context, struct decoder *decoder,
                struct bytes body, const struct page_stop *stop, char *room)
{
    static const char mark[] = "\xef\xbb\xbf";
    bool first = true;
    int code = htmlParseChunk(context, head_start, sizeof head_start - 1, 0);

    while (body.size && parser->rc == 0 && !must_stop(parser, stop)) {
        size_t size;
        const char *piece = next_piece(decoder, &body, room, &size);
        size_t skip = first && size >= 3 && memcmp(piece, mark, 3) == 0 ? 3 : 0;
        first = first && size == 0;
        if (size > skip)
            code = htmlParseChunk(context, piece + skip, (int)(size - skip), 0);
        if (parser->rc == 0)
            parser->rc = error_of(code);
    }
    /* A page that was cut is left where it is: ending it would let the parser go on. */
    if (parser->rc == 0 && !parser->page->cut)
        parser->rc = error_of(htmlParseChunk(context, NULL, 0, 1));
    return parser->rc;
}

int page_parse(struct page *page, const char *body, size_t size, const char *charset,
               const struct page_stop *stop)
{
    struct parser parser = {.page = page};
    struct decoder *decoder = NULL;

    *page = (struct page){.title.limit = PAGE_TITLE_BYTES_MAX};
    htmlParserCtxtPtr context = new_context(&parser);
    char *room = malloc(piece_bytes);
    int rc = context && room ? decoder_new(&decoder, charset) : BIGHT_ENOMEM;
    if (rc == 0) {
        struct bytes whole = {.data = (char *)body, .size = size};
        rc = feed(&parser, context, decoder, whole, stop, room);
        decoder_free(decoder);
    }
    free(room);
    if (context)
        htmlFreeParserCtxt(context);
    return rc;
}

void page_free(struct page *page)
{
    bytes_free(&page->title);
    bytes_free(&page->base);
    bytes_free(&page->hrefs);
}
