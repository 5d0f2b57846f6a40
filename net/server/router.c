/* A tree of segments. A node has its literal children, one for any segment, and one for the rest;
 * where a choice leads to no route the next one is tried, so that "/a/{x}/c" and "/a/b/d" do not
 * hide each other. */
#include "net/server/server.h"

#include <string.h>

#include <bight/router.h>

#include "runtime/door.h"

#define PARAMS_MAX 16u
#define SEGMENTS_MAX 32

/* A handler with what is around it. */
struct route {
    struct route *next; /* of the same node */
    char *methods;      /* words, a space behind each; "* " for all */
    char *pattern;
    int (*handler)(struct bight_exchange *exchange, void *arg);
    void *arg;
    size_t around; /* of the router's, from the first on */
};

struct node {
    struct node *sibling;
    struct node *children; /* literal ones */
    struct node *any;      /* {name} */
    struct node *rest;     /* {name...} */
    struct route *routes;
    char text[]; /* of a literal one */
};

struct around {
    int (*fn)(struct bight_exchange *exchange, void *arg);
    void *arg;
};

struct bight_router {
    struct node *root;
    struct around *around;
    size_t around_count;
};

/* Those of the calling thread's runtime, if it has one. */
static const struct bight_seams *seams_here(void)
{
    struct bight_runtime *runtime;

    return bight__runtime_get(&runtime) ? NULL : bight__runtime_seams(runtime);
}

/* A segment of a pattern or a path. */
struct segment {
    const char *begin;
    size_t bytes;
};

/* Take the next segment from *at, which is behind a "/". False: there is none. */
static bool next_segment(const char **at, struct segment *segment)
{
    const char *end;

    if (!*at)
        return false;
    end = strchr(*at, '/');
    segment->begin = *at;
    segment->bytes = end ? (size_t)(end - *at) : strlen(*at);
    *at = end ? end + 1 : NULL;
    return true;
}

static bool is_name(const struct segment *segment)
{
    return segment->bytes >= 2 && segment->begin[0] == '{' &&
           segment->begin[segment->bytes - 1] == '}';
}

static bool is_rest(const struct segment *segment)
{
    return is_name(segment) && segment->bytes >= 5 &&
           memcmp(segment->begin + segment->bytes - 4, "...", 3) == 0;
}

/* The name within the braces. */
static struct segment name_of(const struct segment *segment)
{
    return (struct segment){segment->begin + 1, segment->bytes - (is_rest(segment) ? 5 : 2)};
}

static bool are_equal(const struct segment *one, const struct segment *other)
{
    return one->bytes == other->bytes && memcmp(one->begin, other->begin, one->bytes) == 0;
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
    if (name.bytes == 0 || memchr(name.begin, '.', name.bytes) || *count == PARAMS_MAX ||
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
    struct segment names[PARAMS_MAX], segment;
    size_t count = 0, segments = 0;
    const char *at = pattern + 1;

    if (*pattern != '/')
        return false;
    while (next_segment(&at, &segment)) {
        if (++segments > SEGMENTS_MAX || !is_segment(&segment, !at, names, &count))
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
        if (!bight__is_token(item, bytes) || (*item == '*' && (bytes > 1 || to > methods)))
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

/* Whether `methods` has that one. */
static bool has_method(const char *methods, const char *method, size_t bytes)
{
    if (*methods == '*')
        return true;
    while (*methods) {
        size_t length = strcspn(methods, " ");

        if (length == bytes && memcmp(methods, method, bytes) == 0)
            return true;
        methods += length + 1;
    }
    return false;
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

/* Choosing */

struct choice {
    const char *method;
    const struct route *route;
    const struct node *path; /* the first that fits the path, whatever the methods */
};

static const struct route *route_for(const struct node *node, const char *method)
{
    bool is_head = strcmp(method, "HEAD") == 0;

    for (const struct route *route = node->routes; route; route = route->next) {
        if (has_method(route->methods, method, strlen(method)) ||
            (is_head && has_method(route->methods, "GET", 3)))
            return route;
    }
    return NULL;
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
    struct place places[SEGMENTS_MAX];
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
