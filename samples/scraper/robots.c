/* See robots.h. Paths and rules are compared as octets after both were brought to one
 * percent-encoded form (RFC 9309, 2.2.2); the longest matching rule decides, and Allow wins a
 * draw. */
#include "samples/scraper/robots.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <bight/errors.h>

#include "samples/scraper/bytes.h"
#include "samples/scraper/url.h"

struct rule {
    bool allow;
    /* The pattern ends with '$', which is not part of its text. */
    bool anchored;
    /* Octets of the pattern, as the RFC counts them. */
    size_t length;
    /* Where its text is in robots.patterns, and its size. */
    size_t start;
    size_t size;
};

struct robots {
    struct bytes patterns;
    struct bytes rules;
};

/* A piece of the text; not terminated. */
struct span {
    const char *text;
    size_t size;
};

/* Which rules count: those of groups that name the crawler, else those of the groups for "*". */
struct parser {
    struct span token;
    struct robots *named;
    struct robots *any;
    bool has_named;
    /* The group being read: whom it is for, and whether its rules have begun. */
    bool in_named;
    bool in_any;
    bool in_rules;
};

static bool is_token_char(char c)
{
    return isalpha((unsigned char)c) || c == '-' || c == '_';
}

static struct span token_of(struct span value)
{
    struct span token = {value.text, 0};

    while (token.size < value.size && is_token_char(value.text[token.size]))
        token.size++;
    return token;
}

static struct span trim(struct span span)
{
    for (; span.size && isspace((unsigned char)*span.text); span.size--)
        span.text++;
    while (span.size && isspace((unsigned char)span.text[span.size - 1]))
        span.size--;
    return span;
}

static bool is_word(struct span span, const char *word)
{
    return span.size == strlen(word) && strncasecmp(span.text, word, span.size) == 0;
}

/* --- one form for octets ---------------------------------------------------------------------- */

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_unreserved(unsigned char c)
{
    return isalnum(c) || strchr("-._~", c);
}

static int append_octet(struct bytes *out, unsigned char c)
{
    static const char hex[] = "0123456789ABCDEF";
    const char encoded[3] = {'%', hex[c >> 4], hex[c & 15]};

    return bytes_append(out, encoded, sizeof encoded);
}

/* The octet that "%XX" at the front of `in` stands for, -1 when there is none. */
static int encoded_octet(struct span in)
{
    if (in.size < 3 || in.text[0] != '%')
        return -1;
    int high = hex_value(in.text[1]);
    int low = hex_value(in.text[2]);
    return high < 0 || low < 0 ? -1 : 16 * high + low;
}

/* Append `in` with unreserved characters plain, hex digits in upper case and every byte that is not
 * printable ASCII encoded. Reserved characters stay as they are: "/" and "%2F" differ. */
static int append_normal(struct bytes *out, struct span in)
{
    int rc = 0;

    while (in.size && rc == 0) {
        int encoded = encoded_octet(in);
        unsigned char c = encoded < 0 ? (unsigned char)*in.text : (unsigned char)encoded;
        bool plain = encoded < 0 ? c > ' ' && c < 0x7f : c && is_unreserved(c);
        rc = plain ? bytes_append_char(out, (char)c) : append_octet(out, c);
        in.text += encoded < 0 ? 1 : 3;
        in.size -= encoded < 0 ? 1 : 3;
    }
    return rc;
}

/* --- reading ---------------------------------------------------------------------------------- */

static int add_rule(struct robots *robots, bool allow, struct span path)
{
    struct rule rule = {.allow = allow, .length = path.size, .start = robots->patterns.size};

    rule.anchored = path.size && path.text[path.size - 1] == '$';
    path.size -= rule.anchored;
    int rc = append_normal(&robots->patterns, path);
    rule.size = robots->patterns.size - rule.start;
    /* Lengths are compared in the form that patterns are matched in. */
    rule.length = rule.size + rule.anchored;
    return rc ? rc : bytes_append(&robots->rules, &rule, sizeof rule);
}

static void begin_group(struct parser *parser, struct span value)
{
    if (parser->in_rules)
        parser->in_rules = parser->in_named = parser->in_any = false;
    /* The star alone, or with something behind it that is another word: "*bot" is no token. */
    if (value.size && value.text[0] == '*' &&
        (value.size == 1 || isspace((unsigned char)value.text[1])))
        parser->in_any = true;
    struct span token = token_of(value);
    if (token.size && token.size == parser->token.size &&
        strncasecmp(token.text, parser->token.text, token.size) == 0)
        parser->has_named = parser->in_named = true;
}

static int read_rule(struct parser *parser, bool allow, struct span path)
{
    int rc = 0;

    parser->in_rules = true;
    /* A rule without a path matches nothing: files use "Disallow:" to allow everything. */
    if (!path.size)
        return 0;
    if (parser->in_named)
        rc = add_rule(parser->named, allow, path);
    if (parser->in_any && rc == 0)
        rc = add_rule(parser->any, allow, path);
    return rc;
}

static int read_line(struct parser *parser, struct span line)
{
    const char *comment = memchr(line.text, '#', line.size);
    if (comment)
        line.size = (size_t)(comment - line.text);
    const char *colon = memchr(line.text, ':', line.size);
    if (!colon)
        return 0;
    size_t key_size = (size_t)(colon - line.text);
    struct span key = trim((struct span){line.text, key_size});
    struct span value = trim((struct span){colon + 1, line.size - key_size - 1});
    if (is_word(key, "user-agent")) {
        begin_group(parser, value);
        return 0;
    }
    /* Other keys (Sitemap and the like) neither begin nor end a group. */
    if (is_word(key, "allow") || is_word(key, "disallow"))
        return read_rule(parser, is_word(key, "allow"), value);
    return 0;
}

static int read_lines(struct parser *parser, struct span text)
{
    int rc = 0;

    while (text.size && rc == 0) {
        size_t size = 0;
        while (size < text.size && text.text[size] != '\n' && text.text[size] != '\r')
            size++;
        rc = read_line(parser, (struct span){text.text, size});
        size_t skip = size + (size < text.size);
        text.text += skip;
        text.size -= skip;
    }
    return rc;
}

static struct span readable(const char *text, size_t size)
{
    static const char bom[] = "\xef\xbb\xbf";

    if (size >= 3 && memcmp(text, bom, 3) == 0) {
        text += 3;
        size -= 3;
    }
    if (size <= ROBOTS_BYTES_MAX)
        return (struct span){text, size};
    /* Half a rule at the cut would forbid more than was meant: so the last line is cut off too. */
    const char *end = memrchr(text, '\n', ROBOTS_BYTES_MAX);
    return (struct span){text, end ? (size_t)(end - text) : ROBOTS_BYTES_MAX};
}

int robots_parse(struct robots **out, const char *text, size_t size, const char *user_agent)
{
    struct parser parser = {
        .token = token_of((struct span){user_agent, strlen(user_agent)}),
        .named = calloc(1, sizeof *parser.named),
        .any = calloc(1, sizeof *parser.any),
    };
    int rc = parser.named && parser.any ? 0 : BIGHT_ENOMEM;

    if (rc == 0)
        rc = read_lines(&parser, readable(text, size));
    if (rc) {
        robots_free(parser.named);
        robots_free(parser.any);
        return rc;
    }
    *out = parser.has_named ? parser.named : parser.any;
    robots_free(parser.has_named ? parser.any : parser.named);
    return 0;
}

void robots_free(struct robots *robots)
{
    if (!robots)
        return;
    bytes_free(&robots->patterns);
    bytes_free(&robots->rules);
    free(robots);
}

/* --- matching --------------------------------------------------------------------------------- */

static bool ends_with(struct span text, struct span end)
{
    return end.size == 0 || (end.size <= text.size &&
                             memcmp(text.text + text.size - end.size, end.text, end.size) == 0);
}

/* Whether the pattern matches a prefix of `path`, all of it when anchored. The pieces between the
 * stars are looked for from left to right, which is enough: only the last one is bound to a
 * place. */
static bool matches(struct span pattern, bool anchored, struct span path)
{
    bool first = true;

    for (;;) {
        const char *star = pattern.size ? memchr(pattern.text, '*', pattern.size) : NULL;
        struct span piece = {pattern.text, star ? (size_t)(star - pattern.text) : pattern.size};
        if (!star && anchored)
            return ends_with(path, piece) && (!first || piece.size == path.size);
        const char *found =
            piece.size ? memmem(path.text, path.size, piece.text, piece.size) : path.text;
        if (!found || (first && found != path.text))
            return false;
        if (!star)
            return true;
        path.size -= (size_t)(found - path.text) + piece.size;
        path.text = found + piece.size;
        pattern.size -= piece.size + 1;
        pattern.text = star + 1;
        first = false;
    }
}

static bool allows_path(const struct robots *robots, struct span path)
{
    const struct rule *rules = (const struct rule *)(const void *)robots->rules.data;
    size_t count = robots->rules.size / sizeof *rules;
    size_t longest = 0;
    bool allow = true;

    for (size_t i = 0; i < count; i++) {
        const struct rule *rule = &rules[i];
        /* Shorter rules cannot change the answer, and neither can another one of this length unless
         * it allows. */
        if (rule->length < longest || (rule->length == longest && allow))
            continue;
        struct span pattern = {rule->size ? robots->patterns.data + rule->start : "", rule->size};
        if (matches(pattern, rule->anchored, path)) {
            longest = rule->length;
            allow = rule->allow;
        }
    }
    return allow;
}

bool robots_allows(const struct robots *robots, const char *url)
{
    if (!robots)
        return true;
    const char *path = url + url_origin_bytes(url);
    if (strcmp(path, "/robots.txt") == 0)
        return true;
    struct bytes normal = {0};
    bool allowed = append_normal(&normal, (struct span){path, strlen(path)}) == 0 && normal.data &&
                   allows_path(robots, (struct span){normal.data, normal.size});
    bytes_free(&normal);
    return allowed;
}
