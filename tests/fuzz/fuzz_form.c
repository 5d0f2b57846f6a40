/* net/server/form.c: pairs and cookies. The input is a query, and the header Cookie, and
 * NAME=VALUE;PATH of a cookie that is set. No byte of a form is lost: its pairs, encoded again, are
 * the same form. A cookie that can be set is found in what a client then sends. */
#include <bight/form.h>

#include "tests/fuzz/exchange.h"

#define PAIRS_MAX 1000u

static size_t pieces(const char *text)
{
    size_t count = 0;

    for (; *text; text += strspn(text, "&")) {
        size_t bytes = strcspn(text, "&");

        count += bytes > 0;
        text += bytes;
    }
    return count;
}

static char *encode(char *to, const char *text, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        if (bight__is_alphanumeric(text[i]))
            *to++ = text[i];
        else
            to += sprintf(to, "%%%02x", (unsigned char)text[i]);
    }
    return to;
}

/* The query that has the same pairs. Gives it. */
static char *encode_form(const struct bight_form *form, size_t room)
{
    char *query = malloc(3 * room + 2 * bight_form_count(form) + 1), *to = query;
    const char *name, *value;
    size_t bytes;

    FUZZ_CHECK(query);
    for (size_t i = 0; bight_form_at(form, i, &name, &value, &bytes) == 0; i++) {
        if (i)
            *to++ = '&';
        /* A name ends behind its NUL, where its value begins. */
        to = encode(to, name, (size_t)(value - name) - 1);
        *to++ = '=';
        to = encode(to, value, bytes);
    }
    *to = '\0';
    return query;
}

static void look_at_first(const struct bight_form *form, size_t index)
{
    const char *name, *value, *first, *first_value;
    size_t bytes;

    FUZZ_CHECK(bight_form_at(form, index, &name, &value, &bytes) == 0);
    FUZZ_CHECK(value[bytes] == '\0' && value[-1] == '\0');
    if (strlen(name) + 1 != (size_t)(value - name))
        return;
    for (size_t i = 0; i <= index; i++) {
        FUZZ_CHECK(bight_form_at(form, i, &first, &first_value, &bytes) == 0);
        if (strlen(first) + 1 == (size_t)(first_value - first) && strcmp(first, name) == 0)
            break;
    }
    const char *found = bight_form_value(form, name);
    FUZZ_CHECK(found == (strlen(first_value) == bytes ? first_value : NULL));
}

static void try_query(const char *text)
{
    const struct bight_form *form, *again;
    struct fuzz_exchange opened;
    const char *name, *value, *same_name, *same_value;
    size_t bytes, same_bytes;

    FUZZ_CHECK(fuzz_exchange_open(&opened, "Host", "a", 1));
    opened.exchange->query = text;
    int rc = bight_exchange_read_query(opened.exchange, &form);
    FUZZ_CHECK(rc == (pieces(text) > PAIRS_MAX ? BIGHT_ETOOBIG : 0));
    if (rc == 0) {
        FUZZ_CHECK(bight_form_count(form) == pieces(text));
        char *query = encode_form(form, strlen(text));
        opened.exchange->query = query;
        FUZZ_CHECK(bight_exchange_read_query(opened.exchange, &again) == 0);
        FUZZ_CHECK(bight_form_count(form) == bight_form_count(again));
        for (size_t i = 0; bight_form_at(form, i, &name, &value, &bytes) == 0; i++) {
            FUZZ_CHECK(bight_form_at(again, i, &same_name, &same_value, &same_bytes) == 0);
            FUZZ_CHECK(value - name == same_value - same_name && bytes == same_bytes);
            FUZZ_CHECK(memcmp(name, same_name, (size_t)(value - name) + bytes) == 0);
            if (i < 32)
                look_at_first(form, i);
        }
        free(query);
    }
    fuzz_exchange_close(&opened);
}

/* The cookie `name` in the header Cookie, which is `before` and `text`. Gives it; NULL: none. */
static char *cookie_in(const char *before, const char *text, size_t bytes, const char *name)
{
    size_t before_bytes = strlen(before);
    char *header = malloc(before_bytes + bytes + 1), *copy = NULL;
    struct fuzz_exchange opened;

    FUZZ_CHECK(header);
    memcpy(mempcpy(header, before, before_bytes), text, bytes);
    if (fuzz_exchange_open(&opened, "Cookie", header, before_bytes + bytes)) {
        const char *value = bight_exchange_cookie(opened.exchange, name);

        if (value)
            copy = strdup(value);
        fuzz_exchange_close(&opened);
    }
    free(header);
    return copy;
}

/* Other cookies in front of it change nothing, and it has no more than one. */
static void try_cookies(const char *text)
{
    char *value = cookie_in("", text, strlen(text), "a");
    char *same = cookie_in("b=a=c; \t;; aa=\"\"; ", text, strlen(text), "a");

    FUZZ_CHECK(!value == !same && (!value || strcmp(value, same) == 0));
    FUZZ_CHECK(!value || (!strchr(value, ';') && strlen(value) + 2 <= strlen(text)));
    free(value);
    free(same);
}

/* What a client sends of a cookie that was set: NAME=VALUE, as it is in the header. */
static void look_at_set_cookie(const struct bight_exchange *exchange,
                               const struct bight_cookie *cookie)
{
    const char *header = exchange->out + PREFIX_BYTES;
    size_t bytes = exchange->out_end - PREFIX_BYTES;
    const char *end = memmem(header, bytes, "\r\n", 2), *semicolon;

    FUZZ_CHECK(end == header + bytes - 2 && strncmp(header, "Set-Cookie: ", 12) == 0);
    header += 12;
    semicolon = memchr(header, ';', (size_t)(end - header));
    FUZZ_CHECK(semicolon);
    char *value = cookie_in("", header, (size_t)(semicolon - header), cookie->name);
    FUZZ_CHECK(value && strcmp(value, cookie->value) == 0);
    free(value);
    /* In front of Path, HttpOnly and SameSite, and nothing else. */
    for (unsigned i = 0; i < 2; i++) {
        semicolon = memchr(semicolon + 1, ';', (size_t)(end - semicolon - 1));
        FUZZ_CHECK(semicolon);
    }
    FUZZ_CHECK(!memchr(semicolon + 1, ';', (size_t)(end - semicolon - 1)));
}

static void try_set_cookie(const char *text)
{
    struct fuzz_exchange opened;
    char *name = strdup(text), *value = name + strcspn(name, "="), *path;

    FUZZ_CHECK(name && fuzz_exchange_open(&opened, "Host", "a", 1));
    if (*value)
        *value++ = '\0';
    path = value + strcspn(value, ";");
    if (*path)
        *path++ = '\0';
    struct bight_cookie cookie = {.name = name, .value = value, .path = path};
    if (bight_exchange_set_cookie(opened.exchange, &cookie) == 0)
        look_at_set_cookie(opened.exchange, &cookie);
    fuzz_exchange_close(&opened);
    free(name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);

    try_query(text);
    try_cookies(text);
    try_set_cookie(text);
    free(text);
    return 0;
}
