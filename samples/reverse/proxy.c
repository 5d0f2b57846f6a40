/* What both ways of handing on a request share. */
#include "samples/reverse/proxy.h"

#include <stdio.h>
#include <string.h>

int proxy_answer(struct bight_exchange *exchange, void *arg)
{
    const struct proxy *proxy = arg;
    const struct route *route = options_route(&proxy->options, bight_exchange_path(exchange));

    if (!route)
        return bight_exchange_answer_status(exchange, 404);
    if (proxy_is_websocket(exchange))
        return proxy_tunnel(exchange, proxy, route);
    return proxy_pass(exchange, proxy, route);
}

/* Of a whole URL, as proxies are asked, what follows the host. */
const char *proxy_target(struct bight_exchange *exchange)
{
    const char *target = bight_exchange_target(exchange);
    char *whole;

    if (*target == '/')
        return target;
    target = strstr(target, "://") + 3;
    target += strcspn(target, "/?");
    if (*target == '/')
        return target;
    whole = bight_exchange_keep(exchange, strlen(target) + 2);
    if (whole)
        (void)sprintf(whole, "/%s", target);
    return whole;
}

static void complain(struct bight_exchange *exchange, const struct route *route, const char *text)
{
    (void)fprintf(stderr, "bight-reverse: %s %s: %s: %s\n", bight_exchange_method(exchange),
                  bight_exchange_target(exchange), route->authority, text);
}

int proxy_refuse(struct bight_exchange *exchange, const struct route *route, int code,
                 const char *text)
{
    if (code == BIGHT_ECANCELED || code == BIGHT_ENOMEM || code == BIGHT_EMFILE)
        return code;
    complain(exchange, route, text);
    return bight_exchange_answer_status(exchange, code == BIGHT_ETIMEDOUT ? 504 : 502);
}

int proxy_break_off(struct bight_exchange *exchange, const struct route *route, int code,
                    const char *text)
{
    if (code != BIGHT_ECANCELED)
        complain(exchange, route, text);
    return code;
}
