/* Building a router: a tree of segments. A node has its literal children, one for any segment, and
 * one for the rest. */
#include "net/server/router.h"

#include <bight/router.h>

#include "runtime/door.h"

/* Those of the calling thread's runtime, if it has one. */
static const struct bight_seams *seams_here(void)
{
    struct bight_runtime *runtime;

    return bight__runtime_get(&runtime) ? NULL : bight__runtime_seams(runtime);
}

/* Whether a segment can be one of a pattern, of which the names so far are `names`. */
static bool is_segment(const struct segment *segment, bool last, struct segment *names,
                       size_t *count)
{
    struct segment name;

    if (!is_name(segment))
        return !memchr(segment->begin, '{', segment->bytes) &&
               !memchr(segment->begin, '}', segment->bytes) && (segment->bytes || last);
    name = name_of(segment);
    if (name.bytes == 0 || memchr(name.begin, '.', name.bytes) || *count == ROUTER_PARAMS_MAX ||
        (is_rest(segment) && !last))
        return false;
    for (size_t i = 0; i < *count; i++) {
        if (are_equal(&names[i], &name))
            return false;
    }
    names[(*count)++] = name;
    return true;
}

static bool is_pattern(const char *pattern)
{
    struct segment names[ROUTER_PARAMS_MAX], segment;
    size_t count = 0, segments = 0;
    const char *at = pattern + 1;

    if (*pattern != '/')
        return false;
    while (next_segment(&at, &segment)) {
        if (++segments > ROUTER_SEGMENTS_MAX || !is_segment(&segment, !at, names, &count))
            return false;
    }
    return true;
}

static char *copy_of(const char *text, size_t bytes)
{
    char *copy = bight__alloc(seams_here(), bytes + 1);

    if (copy) {
        memcpy(copy, text, bytes);
        copy[bytes] = '\0';
    }
    return copy;
}

/* "GET, POST" as "GET POST ". NULL: not methods, *rc says what it is. */
static char *methods_of(const char *text, int *rc)
{
    const char *at = text, *end = text + strlen(text), *item;
    char *methods = bight__alloc(seams_here(), strlen(text) + 2), *to = methods;
    size_t bytes;

    *rc = BIGHT_ENOMEM;
    if (!methods)
        return NULL;
    while ((item = bight__list_next(&at, end, &bytes))) {
        if (!bight__is_token(item, bytes) || (*item == '*' && bytes > 1) ||
            (to > methods && (*item == '*' || *methods == '*')))
            break;
        memcpy(to, item, bytes);
        to += bytes;
        *to++ = ' ';
    }
    *to = '\0';
    if (!item && to > methods)
        return methods;
    *rc = BIGHT_EINVAL;
    bight__free(methods);
    return NULL;
}

static bool share_a_method(const char *one, const char *other)
{
    if (*one == '*' || *other == '*')
        return *one == *other; /* a method by its name goes before all */
    while (*one) {
        size_t length = strcspn(one, " ");

        if (has_method(other, one, length))
            return true;
        one += length + 1;
    }
    return false;
}

static struct node *node_new(const char *text, size_t bytes)
{
    struct node *node = bight__alloc_zero(seams_here(), sizeof(*node) + bytes + 1);

    if (node && bytes)
        memcpy(node->text, text, bytes);
    return node;
}

/* Where in its parent the node of `segment` is, or is to be. */
static struct node **place_of(struct node *parent, const struct segment *segment)
{
    struct node **place = &parent->children;

    if (is_rest(segment))
        return &parent->rest;
    if (is_name(segment))
        return &parent->any;
    while (*place && (strncmp((*place)->text, segment->begin, segment->bytes) != 0 ||
                      (*place)->text[segment->bytes]))
        place = &(*place)->sibling;
    return place;
}

/* The node of a pattern, made if there is none. What is made stays, empty, if a later one fails. */
static struct node *node_for(struct bight_router *router, const char *pattern)
{
    const char *at = pattern + 1;
    struct node *node = router->root;
    struct segment segment;

    while (next_segment(&at, &segment)) {
        struct node **place = place_of(node, &segment);

        if (!*place)
            *place = node_new(segment.begin, is_name(&segment) ? 0 : segment.bytes);
        node = *place;
        if (!node)
            return NULL;
    }
    return node;
}

static void route_free(struct route *route)
{
    bight__free(route->methods);
    bight__free(route->pattern);
    bight__free(route);
}

static int route_new(struct route **out, const char *methods, const char *pattern)
{
    struct route *route = bight__alloc_zero(seams_here(), sizeof(*route));
    int rc = BIGHT_ENOMEM;

    if (!route)
        return rc;
    route->methods = methods_of(methods, &rc);
    route->pattern = copy_of(pattern, strlen(pattern));
    if (route->methods && route->pattern) {
        *out = route;
        return 0;
    }
    route_free(route);
    return rc ? rc : BIGHT_ENOMEM;
}

static int route_insert(struct bight_router *router, struct route *route)
{
    struct node *node = node_for(router, route->pattern);
    struct route **place;

    if (!node)
        return BIGHT_ENOMEM;
    for (place = &node->routes; *place; place = &(*place)->next) {
        if (share_a_method((*place)->methods, route->methods))
            return BIGHT_EEXIST;
        if (*(*place)->methods == '*')
            break; /* it stays behind those with a name */
    }
    route->next = *place;
    *place = route;
    return 0;
}

int bight_router_add(struct bight_router *router, const char *methods, const char *pattern,
                     int (*handler)(struct bight_exchange *exchange, void *arg), void *arg)
{
    struct route *route;
    int rc;

    if (!router || !methods || !pattern || !handler || !is_pattern(pattern))
        return BIGHT_EINVAL;
    rc = route_new(&route, methods, pattern);
    if (rc)
        return rc;
    route->handler = handler;
    route->arg = arg;
    route->around = router->around_count;
    rc = route_insert(router, route);
    if (rc)
        route_free(route);
    return rc;
}

int bight_router_use(struct bight_router *router,
                     int (*around)(struct bight_exchange *exchange, void *arg), void *arg)
{
    struct around *more;
    size_t count;

    if (!router || !around)
        return BIGHT_EINVAL;
    count = router->around_count;
    more = bight__alloc(seams_here(), (count + 1) * sizeof(*more));
    if (!more)
        return BIGHT_ENOMEM;
    if (count)
        memcpy(more, router->around, count * sizeof(*more));
    more[count] = (struct around){around, arg};
    bight__free(router->around);
    router->around = more;
    router->around_count = count + 1;
    return 0;
}

int bight_router_new(struct bight_router **out)
{
    struct bight_router *router;

    if (!out)
        return BIGHT_EINVAL;
    router = bight__alloc_zero(seams_here(), sizeof(*router));
    if (router)
        router->root = node_new(NULL, 0);
    if (!router || !router->root) {
        bight__free(router);
        return BIGHT_ENOMEM;
    }
    *out = router;
    return 0;
}

static void node_free(struct node *node)
{
    while (node->routes) {
        struct route *route = node->routes;

        node->routes = route->next;
        route_free(route);
    }
    bight__free(node);
}

/* Where a child of `node` is; NULL: it has none. */
static struct node **a_child(struct node *node)
{
    if (node->children)
        return &node->children;
    if (node->any)
        return &node->any;
    return node->rest ? &node->rest : NULL;
}

/* A pattern may be long, so the tree is not walked by calls within calls. */
void bight_router_free(struct bight_router *router)
{
    if (!router)
        return;
    while (router->root) {
        struct node **place = &router->root, **below, *node;

        while ((below = a_child(*place)))
            place = below;
        node = *place;
        *place = node->sibling;
        node_free(node);
    }
    bight__free(router->around);
    bight__free(router);
}
