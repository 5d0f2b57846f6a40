/* Finding the route of a request. Where a choice leads to none the next one is tried, so that
 * "/a/{x}/c" and "/a/b/d" do not hide each other. */
#include "net/server/router.h"

#include <bight/router.h>

struct choice {
    const char *method;
    const struct route *route;
    const struct node *path; /* the first that fits the path, whatever the methods */
};

/* The route of `node` that names that method, or else the one of all methods; NULL: none. */
static const struct route *route_of(const struct node *node, const char *method)
{
    const struct route *route = node->routes;

    while (route && !has_method(route->methods, method, strlen(method)))
        route = route->next;
    return route;
}

/* A HEAD without a route of its own takes that of GET, which goes before one of all methods. */
static const struct route *route_for(const struct node *node, const char *method)
{
    const struct route *route = route_of(node, method), *get;

    if (strcmp(method, "HEAD") != 0 || (route && *route->methods != '*'))
        return route;
    get = route_of(node, "GET");
    return get ? get : route;
}

/* The path ends at `node`. */
static bool ends_here(const struct node *node, struct choice *choice)
{
    if (!node->routes)
        return false;
    if (!choice->path)
        choice->path = node;
    choice->route = route_for(node, choice->method);
    return choice->route;
}

static const struct node *literal_child(const struct node *node, const struct segment *segment)
{
    const struct node *child = node->children;

    while (child && (strncmp(child->text, segment->begin, segment->bytes) != 0 ||
                     child->text[segment->bytes]))
        child = child->sibling;
    return child;
}

/* A place to which the search may have to come back: with {name} tried, or {name...}. */
struct place {
    const struct node *node;
    const char *at;
    bool tried_any;
};

/* One for each segment of the way that is tried. */
struct search {
    struct place places[ROUTER_SEGMENTS_MAX];
    size_t count;
};

static void remember(struct search *search, const struct node *node, const char *at, bool tried_any)
{
    if (node->rest || (!tried_any && node->any))
        search->places[search->count++] = (struct place){node, at, tried_any};
}

/* Go down from `node` by literal segments first, as far as it goes. True: a route is found. */
static bool descend(struct search *search, struct choice *choice, const struct node *node,
                    const char *at, bool skip_literal)
{
    struct segment segment;

    for (;;) {
        const char *here = at;
        const struct node *child = NULL;

        if (!next_segment(&at, &segment))
            return ends_here(node, choice);
        if (!skip_literal)
            child = literal_child(node, &segment);
        if (child) {
            remember(search, node, here, false);
        } else {
            remember(search, node, here, true);
            child = segment.bytes ? node->any : NULL;
        }
        if (!child)
            return false;
        skip_literal = false;
        node = child;
    }
}

static bool choose(struct choice *choice, const struct node *root, const char *path)
{
    struct search search = {.count = 0};

    if (descend(&search, choice, root, path + 1, false))
        return true;
    while (search.count) {
        struct place place = search.places[--search.count];

        if (!place.tried_any && place.node->any) {
            if (descend(&search, choice, place.node, place.at, true))
                return true;
        } else if (place.node->rest && ends_here(place.node->rest, choice)) {
            return true;
        }
    }
    return false;
}

/* Parameters */

static char *decode_again(char *to, const char *from, size_t bytes)
{
    const char *end = from + bytes;

    while (from < end) {
        if (*from == '%') { /* %2F or %25: path.c */
            *to++ = from[2] == 'F' ? '/' : '%';
            from += 3;
        } else {
            *to++ = *from++;
        }
    }
    *to++ = '\0';
    return to;
}

static size_t params_of(const char *pattern)
{
    size_t count = 0;

    for (; *pattern; pattern++)
        count += *pattern == '{';
    return count;
}

/* Note what the names of the pattern took. */
static int take_params(struct bight_exchange *exchange, const struct route *route)
{
    const char *pattern = route->pattern + 1, *path = bight_exchange_path(exchange) + 1;
    size_t count = params_of(pattern);
    struct segment of_pattern, of_path;
    struct route_param *param;
    char *text;

    exchange->param_count = count;
    if (!count)
        return 0;
    param = bight__exchange_keep(exchange, count * sizeof(*param));
    text = bight__exchange_keep(exchange, strlen(path) + count);
    if (!param || !text)
        return BIGHT_ENOMEM;
    exchange->params = param;
    while (next_segment(&pattern, &of_pattern)) {
        const char *rest = path ? path : "";
        struct segment name = name_of(&of_pattern);

        if (!next_segment(&path, &of_path))
            of_path = (struct segment){"", 0};
        if (is_rest(&of_pattern))
            of_path = (struct segment){rest, strlen(rest)};
        else if (!is_name(&of_pattern))
            continue;
        *param++ = (struct route_param){name.begin, name.bytes, text};
        text = decode_again(text, of_path.begin, of_path.bytes);
    }
    return 0;
}

const char *bight_router_param(const struct bight_exchange *exchange, const char *name)
{
    size_t bytes;

    if (!exchange || !name)
        return NULL;
    bytes = strlen(name);
    for (size_t i = 0; i < exchange->param_count; i++) {
        const struct route_param *param = &exchange->params[i];

        if (param->name_bytes == bytes && memcmp(param->name, name, bytes) == 0)
            return param->value;
    }
    return NULL;
}

const char *bight_router_pattern(const struct bight_exchange *exchange)
{
    return exchange && exchange->route ? exchange->route->pattern : NULL;
}

/* Answers of the router's own */

struct allow {
    char text[256];
    size_t used;
};

static void allow_add(struct allow *allow, const char *method, size_t bytes)
{
    if (bytes + 2 >= sizeof(allow->text) - allow->used)
        return;
    if (allow->used) {
        memcpy(allow->text + allow->used, ", ", 2);
        allow->used += 2;
    }
    memcpy(allow->text + allow->used, method, bytes);
    allow->used += bytes;
}

/* Whether a route of `node` names that method. */
static bool is_named(const struct node *node, const char *method)
{
    for (const struct route *route = node->routes; route; route = route->next) {
        if (*route->methods != '*' && has_method(route->methods, method, strlen(method)))
            return true;
    }
    return false;
}

static int answer_with_allow(struct bight_exchange *exchange, const struct node *node, int status)
{
    struct allow allow = {.used = 0};
    int rc;

    for (const struct route *route = node->routes; route; route = route->next) {
        const char *method = route->methods;

        for (size_t bytes; *method; method += bytes + 1) {
            bytes = strcspn(method, " ");
            allow_add(&allow, method, bytes);
        }
    }
    if (is_named(node, "GET") && !is_named(node, "HEAD"))
        allow_add(&allow, "HEAD", 4);
    if (!is_named(node, "OPTIONS"))
        allow_add(&allow, "OPTIONS", 7);
    allow.text[allow.used] = '\0';
    rc = bight_exchange_add_header(exchange, "Allow", allow.text);
    return rc ? rc : bight_exchange_answer_status(exchange, status);
}

static int answer_without_route(struct bight_exchange *exchange, const struct choice *choice)
{
    if (!choice->path)
        return bight_exchange_answer_status(exchange, 404);
    return answer_with_allow(exchange, choice->path,
                             strcmp(choice->method, "OPTIONS") == 0 ? 204 : 405);
}

int bight_router_next(struct bight_exchange *exchange)
{
    const struct route *route;
    size_t step;
    int rc;

    if (!exchange || !exchange->route || exchange->route_step > exchange->route->around)
        return BIGHT_EINVAL;
    route = exchange->route;
    step = exchange->route_step++;
    if (step < route->around) {
        const struct around *around = &exchange->router->around[step];

        rc = around->fn(exchange, around->arg);
    } else {
        rc = route->handler(exchange, route->arg);
    }
    exchange->route_step = step;
    return rc;
}

int bight_router_handle(struct bight_exchange *exchange, void *router)
{
    const struct bight_router *chosen = router;
    struct choice choice = {.path = NULL};
    const char *path;
    int rc;

    if (!exchange || !router)
        return BIGHT_EINVAL;
    choice.method = bight_exchange_method(exchange);
    path = bight_exchange_path(exchange);
    if (*path != '/') /* "*", or HOST:PORT */
        return bight_exchange_answer_status(exchange, 404);
    if (!choose(&choice, chosen->root, path))
        return answer_without_route(exchange, &choice);
    rc = take_params(exchange, choice.route);
    if (rc)
        return rc;
    exchange->router = chosen;
    exchange->route = choice.route;
    exchange->route_step = 0;
    return bight_router_next(exchange);
}
