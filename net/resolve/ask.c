/* What is asked of a resolver beside plain names: one family, ports of services, names of
 * addresses, and answers that need no waiting. */
#include <stdio.h>
#include <string.h>

#include <netdb.h>

#include "net/resolve/resolve.h"

/* The longest name of a service; /etc/services has none half as long. */
#define SERVICE_BYTES 64
#define MOST_PORT 65535u

int bight_resolve(struct bight_resolver *resolver, const char *host, struct bight_resolved *result)
{
    return bight_resolve_with(resolver, host, NULL, result);
}

static const struct bight_resolve_options default_options;

static bool are_valid(const struct bight_resolve_options *options)
{
    return !options->family || options->family == 4 || options->family == 6;
}

/* The number that `service` is, which need not be a port; -1: it is none. */
static int64_t number_of(const char *service)
{
    int64_t number = 0;

    for (const char *at = service; *at; at++) {
        if (*at < '0' || *at > '9')
            return -1;
        if (number <= MOST_PORT)
            number = 10 * number + (*at - '0');
    }
    return *service ? number : -1;
}

/* What RFC 6335, 5.1 lets a name be, and a little more that is in use. */
static bool is_service_name(const char *service)
{
    size_t bytes = strspn(service, "abcdefghijklmnopqrstuvwxyz"
                                   "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                   "0123456789-_.+*/");

    return bytes && !service[bytes] && bytes < SERVICE_BYTES;
}

/* As bight_resolve_service; what failed is told in *failure too. */
static int find_service(struct bight_resolver *resolver, const char *service, bool udp, bool tries,
                        uint16_t *port, struct bight_resolved *failure)
{
    struct resolve_waiter waiter = {.result = failure};
    char key[4 + SERVICE_BYTES];
    const struct resolve_question question = {.kind = RESOLVE_SERVICE, .key = key};
    int64_t number = number_of(service);
    int rc;

    if (number > MOST_PORT || (number < 0 && !is_service_name(service)))
        return BIGHT_EINVAL;
    if (number >= 0) {
        *port = (uint16_t)number;
        return 0;
    }
    snprintf(key, sizeof(key), "%s:%s", udp ? "udp" : "tcp", service);
    rc = bight__resolve_ask(resolver, &question, tries, &waiter);
    if (rc == 0)
        *port = failure->addresses[0].port;
    return rc;
}

/* Leave what is wanted of what was found. */
static int narrow(struct bight_resolved *result, uint8_t family, uint16_t port)
{
    size_t count = 0;

    for (size_t i = 0; i < result->count; i++) {
        if (family && result->addresses[i].family != family)
            continue;
        result->addresses[count] = result->addresses[i];
        result->addresses[count++].port = port;
    }
    result->count = count;
    if (count)
        return 0;
    result->gai_code = EAI_NONAME;
    result->text = "no address of the family that was asked for";
    return BIGHT_ERESOLVE;
}

static int resolve(struct bight_resolver *resolver, const char *host,
                   const struct bight_resolve_options *options, bool tries,
                   struct bight_resolved *result)
{
    struct resolve_waiter waiter = {.result = result};
    uint16_t port = 0;
    bool cached;
    int rc = 0;

    result->cached = true;
    if (options->service)
        rc = find_service(resolver, options->service, options->udp, tries, &port, result);
    if (rc == 0 && resolver->closed) /* by a task that ran before this one, which was woken */
        rc = BIGHT_ECLOSED;
    cached = result->cached;
    if (rc == 0)
        rc = bight__resolve_host(resolver, host, options->fresh, tries, &waiter);
    result->cached = result->cached && cached;
    return rc ? rc : narrow(result, options->family, port);
}

int bight_resolve_with(struct bight_resolver *resolver, const char *host,
                       const struct bight_resolve_options *options, struct bight_resolved *result)
{
    int rc;

    if (!options)
        options = &default_options;
    if (!resolver || !host || !result || !are_valid(options))
        return BIGHT_EINVAL;
    rc = bight__resolver_enter(resolver);
    if (rc)
        return rc;
    rc = resolve(resolver, host, options, false, result);
    bight__resolver_leave(resolver);
    return rc;
}

int bight_try_resolve(struct bight_resolver *resolver, const char *host,
                      const struct bight_resolve_options *options, struct bight_resolved *result)
{
    if (!options)
        options = &default_options;
    if (!resolver || !host || !result || !are_valid(options))
        return BIGHT_EINVAL;
    if (resolver->sched != bight__sched)
        return BIGHT_EPERM;
    return resolve(resolver, host, options, true, result);
}

int bight_resolve_service(struct bight_resolver *resolver, const char *service, bool udp,
                          uint16_t *port)
{
    struct bight_resolved failure;
    int rc;

    if (!resolver || !service || !port)
        return BIGHT_EINVAL;
    rc = bight__resolver_enter(resolver);
    if (rc)
        return rc;
    rc = find_service(resolver, service, udp, false, port, &failure);
    bight__resolver_leave(resolver);
    return rc;
}

int bight_resolve_name(struct bight_resolver *resolver, const struct bight_address *address,
                       struct bight_resolved_name *result)
{
    char key[1 + BIGHT_ADDRESS_TEXT_BYTES] = "@";
    struct bight_address bare;
    const struct resolve_question question = {
        .kind = RESOLVE_ADDRESS, .key = key, .address = &bare};
    struct bight_resolved found;
    struct resolve_waiter waiter = {.result = &found};
    int rc;

    if (!resolver || !address || !result || (address->family != 4 && address->family != 6))
        return BIGHT_EINVAL;
    bare = *address;
    bare.port = 0;
    bight_address_text(&bare, key + 1);
    waiter.name = result->name;
    rc = bight__resolver_enter(resolver);
    if (rc)
        return rc;
    rc = bight__resolve_ask(resolver, &question, false, &waiter);
    if (rc == 0 || rc == BIGHT_ERESOLVE) {
        result->gai_code = found.gai_code;
        result->text = found.text;
        result->cached = found.cached;
    }
    bight__resolver_leave(resolver);
    return rc;
}
