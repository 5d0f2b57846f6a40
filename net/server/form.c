/* Pairs of application/x-www-form-urlencoded, and cookies. */
#include "net/server/server.h"

#include <stdio.h>
#include <string.h>

#include <bight/form.h>

#define PAIRS_MAX 1000u

/* Browsers take no more than this: RFC 6265 6.1. */
#define COOKIE_BYTES_MAX 4096

struct pair {
    const char *name, *value;
    size_t name_bytes, value_bytes;
};

struct bight_form {
    size_t count;
    struct pair pairs[];
};

/* https://url.spec.whatwg.org/#urlencoded-parsing: what is malformed stays as it is. Returns where
 * it ends, behind a NUL. */
static char *decode(char *to, const char *from, const char *end)
{
    while (from < end) {
        int high = end - from >= 3 && *from == '%' ? bight__hex(from[1]) : -1;
        int low = high >= 0 ? bight__hex(from[2]) : -1;

        if (low >= 0) {
            *to++ = (char)(high * 16 + low);
            from += 3;
        } else {
            *to++ = *from == '+' ? ' ' : *from;
            from++;
        }
    }
    *to++ = '\0';
    return to;
}

static size_t pairs_in(const char *text, const char *end)
{
    size_t count = 0;

    while (text < end) {
        const char *last = memchr(text, '&', (size_t)(end - text));

        count += last != text;
        text = last ? last + 1 : end;
    }
    return count;
}

/* Decode the pair between `text` and `end` to *room. */
static struct pair pair_of(const char *text, const char *end, char **room)
{
    const char *equal = memchr(text, '=', (size_t)(end - text));
    struct pair pair = {.name = *room};

    *room = decode(*room, text, equal ? equal : end);
    pair.name_bytes = (size_t)(*room - pair.name) - 1;
    pair.value = *room;
    *room = decode(*room, equal ? equal + 1 : end, end);
    pair.value_bytes = (size_t)(*room - pair.value) - 1;
    return pair;
}

static int parse(struct bight_exchange *exchange, const char *text, size_t bytes,
                 const struct bight_form **out)
{
    const char *end = text + bytes;
    size_t count = pairs_in(text, end);
    struct bight_form *form;
    char *room;

    if (count > PAIRS_MAX)
        return bight__blame(exchange, BIGHT_ETOOBIG, 413);
    form = bight__exchange_keep(exchange, sizeof(*form) + count * sizeof(*form->pairs));
    room = bight__exchange_keep(exchange, bytes + 2 * count);
    if (!form || !room)
        return BIGHT_ENOMEM;
    form->count = 0;
    while (text < end) {
        const char *last = memchr(text, '&', (size_t)(end - text));

        if (!last)
            last = end;
        if (last > text)
            form->pairs[form->count++] = pair_of(text, last, &room);
        text = last + 1;
    }
    *out = form;
    return 0;
}

int bight_exchange_read_query(struct bight_exchange *exchange, const struct bight_form **form)
{
    const char *query;

    if (!exchange || !form)
        return BIGHT_EINVAL;
    query = exchange->query ? exchange->query : "";
    return parse(exchange, query, strlen(query), form);
}

bool bight__has_type(const struct bight_exchange *exchange, const char *lower)
{
    const char *type = bight_exchange_header(exchange, "Content-Type");
    size_t bytes = type ? strcspn(type, "; \t") : 0;

    return type && bight__is_name(type, bytes, lower);
}

int bight_exchange_read_form(struct bight_exchange *exchange, const struct bight_form **form)
{
    const char *body;
    size_t bytes;
    int rc;

    if (!exchange || !form)
        return BIGHT_EINVAL;
    if (!bight__has_type(exchange, "application/x-www-form-urlencoded"))
        return bight__blame(exchange, BIGHT_ENOTSUP, 415);
    rc = bight_exchange_read_all(exchange, &body, &bytes);
    return rc ? rc : parse(exchange, body, bytes, form);
}

size_t bight_form_count(const struct bight_form *form)
{
    return form ? form->count : 0;
}

int bight_form_at(const struct bight_form *form, size_t index, const char **name,
                  const char **value, size_t *bytes)
{
    if (!form || !name || !value)
        return BIGHT_EINVAL;
    if (index >= form->count)
        return BIGHT_ENOENT;
    *name = form->pairs[index].name;
    *value = form->pairs[index].value;
    if (bytes)
        *bytes = form->pairs[index].value_bytes;
    return 0;
}

const char *bight_form_value(const struct bight_form *form, const char *name)
{
    size_t bytes;

    if (!form || !name)
        return NULL;
    bytes = strlen(name);
    for (size_t i = 0; i < form->count; i++) {
        const struct pair *pair = &form->pairs[i];

        if (pair->name_bytes == bytes && memcmp(pair->name, name, bytes) == 0)
            return strlen(pair->value) == pair->value_bytes ? pair->value : NULL;
    }
    return NULL;
}

/* Cookies */

/* The value of `name` in a header Cookie; NULL: it is not there. */
static const char *find_cookie(const char *text, const char *name, size_t *bytes)
{
    size_t name_bytes = strlen(name);

    while (*text) {
        size_t length;

        text += strspn(text, "; \t");
        length = strcspn(text, ";");
        if (length > name_bytes && text[name_bytes] == '=' && memcmp(text, name, name_bytes) == 0) {
            const char *value = text + name_bytes + 1;

            *bytes = length - name_bytes - 1;
            while (*bytes && (value[*bytes - 1] == ' ' || value[*bytes - 1] == '\t'))
                --*bytes;
            if (*bytes >= 2 && *value == '"' && value[*bytes - 1] == '"') {
                value++;
                *bytes -= 2;
            }
            return value;
        }
        text += length;
    }
    return NULL;
}

const char *bight_exchange_cookie(struct bight_exchange *exchange, const char *name)
{
    if (!exchange || !name || !*name)
        return NULL;
    for (uint32_t i = 0; i < exchange->head.count; i++) {
        const struct head_field *field = &exchange->head.fields[i];
        const char *value = NULL;
        size_t bytes;
        char *copy;

        if (bight__is_name(exchange->text + field->name, field->name_bytes, "cookie"))
            value = find_cookie(bight__field_value(exchange, field), name, &bytes);
        if (!value)
            continue;
        copy = bight__exchange_keep(exchange, bytes + 1);
        if (!copy)
            return NULL;
        memcpy(copy, value, bytes);
        copy[bytes] = '\0';
        return copy;
    }
    return NULL;
}

/* RFC 6265 4.1.1 */
static bool is_cookie_value(const char *value)
{
    for (; *value; value++) {
        if (*value <= ' ' || *value >= 0x7f || strchr("\",;\\", *value))
            return false;
    }
    return true;
}

/* A path or domain: it must not end the attribute. */
static bool is_attribute(const char *value)
{
    return !value || (bight__is_field_value(value, strlen(value)) && !strchr(value, ';'));
}

static bool is_cookie(const struct bight_cookie *cookie)
{
    return cookie->name && cookie->value && bight__is_token(cookie->name, strlen(cookie->name)) &&
           is_cookie_value(cookie->value) && is_attribute(cookie->path) &&
           is_attribute(cookie->domain) &&
           (cookie->same_site != BIGHT_SAME_SITE_NONE || cookie->secure);
}

/* snprintf of the header's value. */
static int print_cookie(char *text, size_t bytes, const struct bight_cookie *cookie)
{
    static const char *const same_sites[] = {"Lax", "Strict", "None"};
    char age[40] = "";

    if (cookie->max_age_s)
        snprintf(age, sizeof(age), "; Max-Age=%lld",
                 cookie->max_age_s > 0 ? (long long)cookie->max_age_s : 0);
    return snprintf(text, bytes, "%s=%s; Path=%s%s%s%s%s%s; SameSite=%s", cookie->name,
                    cookie->value, cookie->path ? cookie->path : "/",
                    cookie->domain ? "; Domain=" : "", cookie->domain ? cookie->domain : "", age,
                    cookie->secure ? "; Secure" : "", cookie->scripts ? "" : "; HttpOnly",
                    same_sites[cookie->same_site]);
}

int bight_exchange_set_cookie(struct bight_exchange *exchange, const struct bight_cookie *cookie)
{
    char *text;
    int bytes;

    if (!exchange || !cookie || (unsigned)cookie->same_site > BIGHT_SAME_SITE_NONE ||
        !is_cookie(cookie))
        return BIGHT_EINVAL;
    bytes = print_cookie(NULL, 0, cookie);
    if (bytes < 0 || bytes > COOKIE_BYTES_MAX)
        return BIGHT_EINVAL;
    text = bight__exchange_keep(exchange, (size_t)bytes + 1);
    if (!text)
        return BIGHT_ENOMEM;
    (void)print_cookie(text, (size_t)bytes + 1, cookie);
    return bight_exchange_add_header(exchange, "Set-Cookie", text);
}
