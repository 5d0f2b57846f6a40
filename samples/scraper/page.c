/* See page.h. libxml2's push parser tells what it sees through SAX callbacks and builds no tree. */
#include "samples/scraper/page.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <libxml/HTMLparser.h>

#include <bight/errors.h>

#include "samples/scraper/charset.h"
#include "samples/scraper/text.h"

/* What of HTML's rules libxml2 follows from this version on. Before, tags are read in the text of
 * <title> and <textarea>, and references to the numbers of windows-1252 are taken at their word. */
static const bool knows_text = LIBXML_VERSION >= 21400;

/* How much the parser gets at a time: it can be stopped between two pieces. */
static const size_t piece_bytes = (size_t)8 * 1024;

struct parser {
    struct page *page;
    htmlParserCtxtPtr context;
    /* Nothing is collected after an error in it. */
    struct text text;
    unsigned depth;
    /* How many <svg> are open: their <title> is not the page's. */
    unsigned svg_depth;
    /* What the element that is open consists of: TEXT is that of title and textarea, whose tags are
     * text as well; CODE that of script and style, which are not read. */
    enum { TAGS, TEXT, CODE } content;
    /* `content` ends with the element of this name. */
    const char *until;
};

/* --- text ------------------------------------------------------------------------------------- */

/* Text comes in pieces; a reference is one of its own. It comes through three callbacks: which one
 * the text of which element takes is not the same in all versions. */
static void on_text(void *arg, const xmlChar *text, int size)
{
    struct parser *parser = arg;
    const char *at = (const char *)text;

    if (parser->content == CODE || size <= 0)
        return;
    if (!knows_text && size == 2 && text[0] == 0xc2 && text[1] < 0xa0 &&
        text_of_windows_1252(text[1])) {
        at = text_of_windows_1252(text[1]);
        size = (int)strlen(at);
    }
    text_add(&parser->text, at, (size_t)size);
}

/* --- elements --------------------------------------------------------------------------------- */

/* Elements that may begin or end within a word. All others end a word. */
static bool is_inline(const char *name)
{
    /* By their first letters, each list with the usual ones first. */
    static const char lists[][48] = {
        ['a' - 'a'] = "a\0abbr\0acronym\0",
        ['b' - 'a'] = "b\0big\0bdi\0bdo\0",
        ['c' - 'a'] = "code\0cite\0",
        ['d' - 'a'] = "dfn\0del\0data\0",
        ['e' - 'a'] = "em\0",
        ['f' - 'a'] = "font\0",
        ['i' - 'a'] = "i\0ins\0",
        ['k' - 'a'] = "kbd\0",
        ['m' - 'a'] = "mark\0",
        ['q' - 'a'] = "q\0",
        ['s' - 'a'] = "span\0strong\0small\0sup\0sub\0s\0strike\0samp\0",
        ['t' - 'a'] = "tt\0time\0",
        ['u' - 'a'] = "u\0",
        ['v' - 'a'] = "var\0",
        ['w' - 'a'] = "wbr\0",
    };
    size_t letter = (size_t)(unsigned char)name[0] - 'a';

    if (letter >= sizeof lists / sizeof lists[0])
        return false;
    for (const char *at = lists[letter]; *at; at += strlen(at) + 1)
        if (strcmp(at, name) == 0)
            return true;
    return false;
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
    parser->text.rc = bytes_append(&parser->page->hrefs, href, strlen(href) + 1);
    parser->page->links += parser->text.rc == 0;
}

static void add_base(struct parser *parser, const char *href)
{
    struct page *page = parser->page;

    if (page->has_base)
        return;
    page->has_base = true;
    parser->text.rc = bytes_append(&page->base, href, strlen(href) + 1);
}

static bool begins_with(const char *at, const char *end, const char *open, const char *name)
{
    size_t before = strlen(open), bytes = strlen(name);

    return (size_t)(end - at) >= before + bytes && memcmp(at, open, before) == 0 &&
           strncasecmp(at + before, name, bytes) == 0;
}

/* The tag `name` that has begun is text: as it is written, up to the '>', which is not read yet. */
static void add_start_tag(struct parser *parser, const char *name)
{
    const xmlParserInput *input = parser->context->input;
    const char *end = (const char *)input->cur;
    const char *at = end;

    while (at > (const char *)input->base && !begins_with(at, end, "<", name))
        at--;
    text_add(&parser->text, at, (size_t)(end - at));
    text_add(&parser->text, ">", 1);
}

/* The element `name` has ended. Its tag, which is read, is text, unless there is none because the
 * parser closes the element on its own. */
static void add_end_tag(struct parser *parser, const char *name)
{
    static const size_t spaces_max = 16;
    const xmlParserInput *input = parser->context->input;
    const char *end = (const char *)input->cur;
    size_t bytes = (size_t)(end - (const char *)input->base);
    size_t bytes_max = strlen(name) + sizeof "</>" - 1 + spaces_max;
    const char *at = memrchr(end - (bytes < bytes_max ? bytes : bytes_max), '<',
                             bytes < bytes_max ? bytes : bytes_max);

    if (at && begins_with(at, end, "</", name))
        text_add(&parser->text, at, (size_t)(end - at));
}

/* Comments are text where tags are. */
static void on_comment(void *arg, const xmlChar *text)
{
    struct parser *parser = arg;

    if (parser->content != TEXT)
        return;
    text_add(&parser->text, "<!--", 4);
    text_add(&parser->text, (const char *)text, strlen((const char *)text));
    text_add(&parser->text, "-->", 3);
}

static void enter_content(struct parser *parser, const char *name)
{
    static const char *const texts[] = {"title", "textarea"}, *const codes[] = {"script", "style"};

    for (size_t i = 0; i < 2; i++) {
        if (strcmp(name, codes[i]) == 0) {
            parser->content = CODE;
            parser->until = codes[i];
        } else if (!parser->svg_depth && strcmp(name, texts[i]) == 0) {
            parser->content = TEXT;
            parser->until = texts[i];
        }
    }
}

static void on_start(void *arg, const xmlChar *element, const xmlChar **attributes)
{
    struct parser *parser = arg;
    const char *name = (const char *)element;

    parser->depth++;
    if (parser->text.rc)
        return;
    if (parser->content == TEXT) {
        add_start_tag(parser, name);
        return;
    }
    if (!is_inline(name))
        parser->text.in_word = false;
    const char *href = attribute(attributes, "href");
    if (href && strcmp(name, "a") == 0)
        add_link(parser, href);
    else if (href && strcmp(name, "base") == 0)
        add_base(parser, href);
    else if (strcmp(name, "svg") == 0)
        parser->svg_depth++;
    else if (strcmp(name, "title") == 0 && !parser->page->has_title && !parser->svg_depth)
        parser->text.in_title = parser->page->has_title = true;
    if (name[0] == 's' || name[0] == 't')
        enter_content(parser, name);
}

static void on_end(void *arg, const xmlChar *element)
{
    struct parser *parser = arg;
    const char *name = (const char *)element;

    parser->depth -= parser->depth > 0;
    if (parser->content == TEXT && strcmp(name, parser->until) != 0) {
        add_end_tag(parser, name);
        return;
    }
    if (!is_inline(name))
        parser->text.in_word = false;
    if (parser->content != TAGS && strcmp(name, parser->until) == 0) {
        parser->content = TAGS;
        parser->text.in_title = false;
    } else if (strcmp(name, "svg") == 0) {
        parser->svg_depth -= parser->svg_depth > 0;
    }
}

/* --- driving the parser ----------------------------------------------------------------------- */

static htmlParserCtxtPtr new_context(struct parser *parser)
{
    xmlSAXHandler sax = {
        .startElement = on_start,
        .endElement = on_end,
        .characters = on_text,
        .ignorableWhitespace = on_text,
        .cdataBlock = on_text,
        .comment = on_comment,
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

    while (body.size && parser->text.rc == 0 && !must_stop(parser, stop)) {
        size_t size;
        const char *piece = next_piece(decoder, &body, room, &size);
        size_t skip = first && size >= 3 && memcmp(piece, mark, 3) == 0 ? 3 : 0;
        first = first && size == 0;
        if (size > skip)
            code = htmlParseChunk(context, piece + skip, (int)(size - skip), 0);
        if (parser->text.rc == 0)
            parser->text.rc = error_of(code);
    }
    /* A page that was cut is left where it is: ending it would let the parser go on. */
    if (parser->text.rc == 0 && !parser->page->cut)
        parser->text.rc = error_of(htmlParseChunk(context, NULL, 0, 1));
    return parser->text.rc;
}

int page_parse(struct page *page, const char *body, size_t size, const char *charset,
               const struct page_stop *stop)
{
    struct parser parser = {.page = page};
    struct decoder *decoder = NULL;

    *page = (struct page){0};
    parser.text.title.limit = PAGE_TITLE_BYTES_MAX;
    htmlParserCtxtPtr context = new_context(&parser);
    parser.context = context;
    char *room = malloc(piece_bytes);
    int rc = context && room ? decoder_new(&decoder, charset) : BIGHT_ENOMEM;
    if (rc == 0) {
        struct bytes whole = {.data = (char *)body, .size = size};
        rc = feed(&parser, context, decoder, whole, stop, room);
        decoder_free(decoder);
    }
    free(room);
    page->title = parser.text.title;
    page->words = parser.text.words;
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
