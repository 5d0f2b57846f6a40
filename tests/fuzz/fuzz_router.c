/* net/server/router.c and route.c: the route of a request. Input: lines; one that begins with "+"
 * is the methods and the pattern of a route, each other one the method and the target of a request.
 * A model that tries every pattern, and takes the best by comparing them, chooses the same. */
#include <bight/router.h>

#include "tests/fuzz/talk.h"

#define ROUTES_MAX 24u
#define REQUESTS_MAX 16u

struct route {
    const char *methods, *pattern;
};

struct model {
    struct bight_router *router;
    size_t count;
    struct route routes[ROUTES_MAX];
    struct fuzz_buffer requests;
    unsigned asked;
};

/* What a segment of a pattern is; lower ones are preferred. */
enum kind { LITERAL, ANY, REST };

static enum kind kind_of(const char *segment, size_t bytes)
{
    if (segment[0] != '{')
        return LITERAL;
    return bytes >= 5 && strncmp(segment + bytes - 4, "...}", 4) == 0 ? REST : ANY;
}

/* Both without their first "/". */
static bool fits(const char *pattern, const char *path)
{
    for (;;) {
        size_t bytes = strcspn(pattern, "/"), path_bytes = strcspn(path, "/");
        enum kind kind = kind_of(pattern, bytes);

        if (kind == REST)
            return true;
        if (kind == ANY ? path_bytes == 0
                        : bytes != path_bytes || strncmp(pattern, path, bytes) != 0)
            return false;
        if (!pattern[bytes] || !path[path_bytes])
            return pattern[bytes] == path[path_bytes];
        pattern += bytes + 1;
        path += path_bytes + 1;
    }
}

/* Which of two that fit the same path goes first: negative, positive, or 0: they are equal. */
static int compare(const char *one, const char *other)
{
    for (;;) {
        size_t bytes = strcspn(one, "/"), other_bytes = strcspn(other, "/");
        int difference = (int)kind_of(one, bytes) - (int)kind_of(other, other_bytes);

        if (difference || !one[bytes] || !other[other_bytes])
            return difference;
        one += bytes + 1;
        other += other_bytes + 1;
    }
}

/* Whether both fit the same paths. */
static bool have_one_shape(const char *one, const char *other)
{
    for (;;) {
        size_t bytes = strcspn(one, "/"), other_bytes = strcspn(other, "/");
        enum kind kind = kind_of(one, bytes);

        if (kind != kind_of(other, other_bytes) ||
            (kind == LITERAL && (bytes != other_bytes || strncmp(one, other, bytes) != 0)))
            return false;
        if (!one[bytes] || !other[other_bytes])
            return one[bytes] == other[other_bytes];
        one += bytes + 1;
        other += other_bytes + 1;
    }
}

static bool names_method(const char *methods, const char *method, size_t bytes)
{
    while (*methods) {
        methods += strspn(methods, ", \t");
        size_t length = strcspn(methods, ", \t");
        if (length == bytes && strncmp(methods, method, bytes) == 0)
            return true;
        methods += length;
    }
    return false;
}

/* How well a route fits a method: by its name, as GET for HEAD, as all; 0: not at all. */
static int fits_method(const char *methods, const char *method)
{
    if (names_method(methods, method, strlen(method)))
        return 3;
    if (strcmp(method, "HEAD") == 0 && names_method(methods, "GET", 3))
        return 2;
    return names_method(methods, "*", 1);
}

static bool share_a_method(const char *one, const char *other)
{
    while (*one) {
        one += strspn(one, ", \t");
        size_t bytes = strcspn(one, ", \t");
        if (bytes && names_method(other, one, bytes))
            return true;
        one += bytes;
    }
    return false;
}

/* The route for a request. NULL: none; *known: the path has routes. */
static const struct route *choose(const struct model *model, const char *method, const char *path,
                                  bool *known)
{
    const struct route *best = NULL;

    *known = false;
    for (size_t i = 0; i < model->count; i++) {
        const struct route *route = &model->routes[i];

        if (!fits(route->pattern + 1, path + 1))
            continue;
        *known = true;
        int rank = fits_method(route->methods, method);
        if (!rank)
            continue;
        int order = best ? compare(route->pattern + 1, best->pattern + 1) : -1;
        if (order < 0 || (order == 0 && rank > fits_method(best->methods, method)))
            best = route;
    }
    return best;
}

static char *decode(const char *text, size_t bytes)
{
    char *decoded = malloc(bytes + 1), *to = decoded;

    FUZZ_CHECK(decoded);
    for (const char *end = text + bytes; text < end;) {
        bool is_encoded = *text == '%';

        *to++ = is_encoded ? (text[2] == 'F' ? '/' : '%') : *text;
        text += is_encoded ? 3 : 1;
    }
    *to = '\0';
    return decoded;
}

/* Each name has taken its segment, or the rest. */
static void look_at_params(const struct bight_exchange *exchange, const char *pattern,
                           const char *path)
{
    for (;;) {
        size_t bytes = strcspn(pattern, "/"), path_bytes = strcspn(path, "/");
        enum kind kind = kind_of(pattern, bytes);
        char name[64];

        if (kind != LITERAL && bytes < sizeof(name)) {
            size_t name_bytes = bytes - (kind == REST ? 5 : 2);

            memcpy(name, pattern + 1, name_bytes);
            name[name_bytes] = '\0';
            char *value = decode(path, kind == REST ? strlen(path) : path_bytes);
            const char *param = bight_router_param(exchange, name);
            FUZZ_CHECK(param && strcmp(param, value) == 0);
            free(value);
        }
        if (!pattern[bytes])
            return;
        pattern += bytes + 1;
        path += path_bytes + (path[path_bytes] != '\0');
    }
}

static int routed(struct bight_exchange *exchange, void *arg)
{
    const struct route *route = arg;

    FUZZ_CHECK(strcmp(bight_router_pattern(exchange), route->pattern) == 0);
    look_at_params(exchange, route->pattern + 1, bight_exchange_path(exchange) + 1);
    return bight_exchange_answer_status(exchange, 299);
}

/* A handler around the router's. */
static int ask(struct bight_exchange *exchange, void *arg)
{
    struct model *model = arg;
    const char *method = bight_exchange_method(exchange), *path = bight_exchange_path(exchange);
    bool is_path = *path == '/', known = false;
    const struct route *route = is_path ? choose(model, method, path, &known) : NULL;
    int rc = bight_router_handle(exchange, model->router);
    int status = bight_exchange_status(exchange);

    model->asked++;
    FUZZ_CHECK(rc == 0);
    FUZZ_CHECK(!route == !bight_router_pattern(exchange));
    if (route)
        FUZZ_CHECK(status == 299 && strcmp(bight_router_pattern(exchange), route->pattern) == 0);
    else if (!known)
        FUZZ_CHECK(status == 404);
    else
        FUZZ_CHECK(status == (strcmp(method, "OPTIONS") == 0 ? 204 : 405));
    return rc;
}

static void add_route(struct model *model, char *line)
{
    char *pattern = strchr(line, '/');
    struct route *route = &model->routes[model->count];
    bool exists = false;

    if (!pattern || model->count == ROUTES_MAX)
        return;
    char *methods = strndup(line, (size_t)(pattern - line));
    FUZZ_CHECK(methods);
    *route = (struct route){methods, pattern};
    for (size_t i = 0; i < model->count; i++)
        exists |= have_one_shape(model->routes[i].pattern + 1, pattern + 1) &&
                  share_a_method(model->routes[i].methods, methods);
    int rc = bight_router_add(model->router, methods, pattern, routed, route);
    FUZZ_CHECK(rc == 0 || rc == BIGHT_EINVAL || rc == BIGHT_EEXIST);
    if (rc != BIGHT_EINVAL)
        FUZZ_CHECK((rc == BIGHT_EEXIST) == exists);
    if (rc == 0)
        model->count++;
    else
        free(methods);
}

static void add_request(struct fuzz_buffer *requests, const char *line)
{
    fuzz_put(requests, line, strlen(line));
    fuzz_put(requests, " HTTP/1.1\r\nHost: a\r\n\r\n", 22);
}

static int serve(void *arg)
{
    struct model *model = arg;
    struct fuzz_talk talk = {.handler = ask,
                             .arg = model,
                             .said = model->requests.data,
                             .said_bytes = model->requests.bytes};

    fuzz_talk(&talk);
    free(talk.heard);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct model model = {.count = 0};
    unsigned requests = 0;
    char *text = fuzz_text(data, size);

    if (size <= FUZZ_RUN_BYTES) {
        FUZZ_CHECK(bight_router_new(&model.router) == 0);
        for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
            if (*line == '+')
                add_route(&model, line + 1);
            else if (requests++ < REQUESTS_MAX)
                add_request(&model.requests, line);
        }
        if (requests)
            fuzz_run(serve, &model);
        FUZZ_CHECK(model.asked <= requests);
        bight_router_free(model.router);
    }
    for (size_t i = 0; i < model.count; i++)
        free((char *)(uintptr_t)model.routes[i].methods);
    free(model.requests.data);
    free(text);
    return 0;
}
