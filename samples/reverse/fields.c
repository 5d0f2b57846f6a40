/* See fields.h. */
#include "samples/reverse/fields.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* As others see this program in Via. */
#define PSEUDONYM "bight-reverse"

/* The fields that are added to those of the client: fields_upward has them. */
#define ADDED_MOST 8

/* Of one connection, whether its field Connection says so or not. Content-Length is here because
 * both sides count for themselves, Proxy because CGI programs take it for HTTP_PROXY. */
static const char *const of_connection[] = {
    "Connection", "Content-Length", "HTTP2-Settings",    "Keep-Alive", "Proxy",
    "TE",         "Trailer",        "Transfer-Encoding", "Upgrade",
};

/* What this program says itself. X-Forwarded-For, Forwarded and Via begin with what there was. */
static const char *const our_own[] = {
    "Expect",           "Forwarded",         "Host",         "Via", "X-Forwarded-For",
    "X-Forwarded-Host", "X-Forwarded-Proto", "X-Request-Id",
};

static bool is_one_of(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcasecmp(name, names[i]) == 0)
            return true;
    return false;
}

#define IS_ONE_OF(name, names) is_one_of(name, names, sizeof(names) / sizeof *(names))

/* --- what came -------------------------------------------------------------------------------- */

int fields_of_request(struct fields *fields, struct bight_exchange *exchange)
{
    struct field field;

    *fields = (struct fields){NULL, 0};
    while (!bight_exchange_header_at(exchange, fields->count, &field.name, &field.value))
        fields->count++;
    fields->all = bight_exchange_keep(exchange, fields->count * sizeof field);
    if (!fields->all)
        return BIGHT_ENOMEM;
    for (size_t i = 0; i < fields->count; i++)
        (void)bight_exchange_header_at(exchange, i, &fields->all[i].name, &fields->all[i].value);
    return 0;
}

int fields_of_response(struct fields *fields, struct bight_exchange *exchange,
                       const struct bight_http_response *response)
{
    struct field field;

    *fields = (struct fields){NULL, 0};
    while (!bight_http_response_header_at(response, fields->count, &field.name, &field.value))
        fields->count++;
    fields->all = bight_exchange_keep(exchange, fields->count * sizeof field);
    if (!fields->all)
        return BIGHT_ENOMEM;
    for (size_t i = 0; i < fields->count; i++)
        (void)bight_http_response_header_at(response, i, &fields->all[i].name,
                                            &fields->all[i].value);
    return 0;
}

static bool has_element(const char *list, const char *element)
{
    size_t bytes = strlen(element);

    while (*list) {
        list += strspn(list, ", \t");
        size_t end = strcspn(list, ",");
        size_t length = end;
        while (length && (list[length - 1] == ' ' || list[length - 1] == '\t'))
            length--;
        if (length == bytes && strncasecmp(list, element, bytes) == 0)
            return true;
        list += end;
    }
    return false;
}

bool fields_list(const struct fields *fields, const char *name, const char *element)
{
    for (size_t i = 0; i < fields->count; i++)
        if (strcasecmp(fields->all[i].name, name) == 0 &&
            has_element(fields->all[i].value, element))
            return true;
    return false;
}

const char *fields_find(const struct fields *fields, const char *name)
{
    for (size_t i = 0; i < fields->count; i++)
        if (strcasecmp(fields->all[i].name, name) == 0)
            return fields->all[i].value;
    return NULL;
}

/* Whether a field goes beyond the connection that it came on. */
static bool goes_on(const struct fields *fields, const char *name)
{
    return !IS_ONE_OF(name, of_connection) && strncasecmp(name, "Proxy-", 6) != 0 &&
           !fields_list(fields, "Connection", name);
}

/* --- to the server behind --------------------------------------------------------------------- */

/* What all fields `name` have, as one list, with `last` behind it; NULL: no memory. */
static const char *appended(struct bight_exchange *exchange, const struct fields *fields,
                            const char *name, const char *last)
{
    size_t bytes = strlen(last) + 1;
    char *list, *at;

    for (size_t i = 0; i < fields->count; i++)
        if (strcasecmp(fields->all[i].name, name) == 0)
            bytes += strlen(fields->all[i].value) + 2;
    list = at = bight_exchange_keep(exchange, bytes);
    if (!list)
        return NULL;
    for (size_t i = 0; i < fields->count; i++)
        if (strcasecmp(fields->all[i].name, name) == 0 && *fields->all[i].value)
            at += sprintf(at, "%s, ", fields->all[i].value);
    memcpy(at, last, strlen(last) + 1);
    return list;
}

/* Who is at the other end of the connection, be it a client or a proxy. */
static void write_peer(struct bight_exchange *exchange, char text[BIGHT_ADDRESS_TEXT_BYTES])
{
    struct bight_address address;

    if (bight_stream_peer_address(bight_exchange_stream(exchange), &address)) {
        (void)snprintf(text, BIGHT_ADDRESS_TEXT_BYTES, "unknown");
        return;
    }
    address.port = 0; /* which would be written too */
    (void)bight_address_text(&address, text);
}

/* An element of Forwarded (RFC 7239): an address of IPv6 and a port have to be quoted. */
static void write_forwarded(struct bight_exchange *exchange, const char *peer, char *text,
                            size_t bytes)
{
    const char *proto = bight_exchange_is_secure(exchange) ? "https" : "http";
    const char *host = bight_exchange_host(exchange);
    bool ipv6 = strchr(peer, ':');

    if (!*host || strlen(host) > 255 || strpbrk(host, "\"\\"))
        (void)snprintf(text, bytes, ipv6 ? "for=\"[%s]\";proto=%s" : "for=%s;proto=%s", peer,
                       proto);
    else
        (void)snprintf(text, bytes,
                       ipv6 ? "for=\"[%s]\";host=\"%s\";proto=%s" : "for=%s;host=\"%s\";proto=%s",
                       peer, host, proto);
}

static const char *via(int version)
{
    return version == 10 ? "1.0 " PSEUDONYM : "1.1 " PSEUDONYM;
}

static void add(struct fields *to, const char *name, const char *value)
{
    to->all[to->count++] = (struct field){name, value};
}

/* Where the request comes from. */
static int add_origin(struct fields *to, struct bight_exchange *exchange, const struct fields *from)
{
    char peer[BIGHT_ADDRESS_TEXT_BYTES], text[BIGHT_ADDRESS_TEXT_BYTES + 300];
    char *id = bight_exchange_keep(exchange, 17);

    if (!id)
        return BIGHT_ENOMEM;
    (void)snprintf(id, 17, "%016" PRIx64, bight_exchange_id(exchange));
    write_peer(exchange, peer);
    write_forwarded(exchange, peer, text, sizeof text);
    add(to, "X-Forwarded-For", appended(exchange, from, "X-Forwarded-For", peer));
    add(to, "X-Forwarded-Host", bight_exchange_host(exchange));
    add(to, "X-Forwarded-Proto", bight_exchange_is_secure(exchange) ? "https" : "http");
    add(to, "Forwarded", appended(exchange, from, "Forwarded", text));
    add(to, "Via", appended(exchange, from, "Via", via(bight_exchange_version(exchange))));
    add(to, "X-Request-Id", id);
    for (size_t i = 0; i < to->count; i++)
        if (!to->all[i].value)
            return BIGHT_ENOMEM;
    return 0;
}

int fields_upward(struct fields *to, struct bight_exchange *exchange, const struct route *route,
                  bool replace_host)
{
    struct fields from;
    const char *host = replace_host ? route->authority : bight_exchange_host(exchange);
    int rc = fields_of_request(&from, exchange);

    if (rc)
        return rc;
    to->count = 0;
    to->all = bight_exchange_keep(exchange, (from.count + ADDED_MOST) * sizeof *to->all);
    if (!to->all)
        return BIGHT_ENOMEM;
    add(to, "Host", *host ? host : route->authority); /* HTTP/1.0 needs none */
    for (size_t i = 0; i < from.count; i++) {
        const struct field *field = &from.all[i];
        if (goes_on(&from, field->name) && !IS_ONE_OF(field->name, our_own))
            add(to, field->name, field->value);
    }
    return add_origin(to, exchange, &from);
}

/* --- to the client ---------------------------------------------------------------------------- */

int fields_downward(struct bight_exchange *exchange, const struct fields *from, int version)
{
    int rc = 0;

    for (size_t i = 0; i < from->count && rc == 0; i++) {
        const struct field *field = &from->all[i];
        if (goes_on(from, field->name) && strcasecmp(field->name, "Via") != 0)
            rc = bight_exchange_add_header(exchange, field->name, field->value);
    }
    if (rc == 0) {
        const char *list = appended(exchange, from, "Via", via(version));
        rc = list ? bight_exchange_add_header(exchange, "Via", list) : BIGHT_ENOMEM;
    }
    return rc == BIGHT_EINVAL || rc == BIGHT_ETOOBIG ? BIGHT_EPROTOCOL : rc;
}
