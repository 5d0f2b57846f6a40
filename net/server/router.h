/* What router.c, which builds the tree of a router, and route.c, which finds ways in it, share. */
#ifndef BIGHT_NET_SERVER_ROUTER_H
#define BIGHT_NET_SERVER_ROUTER_H

#include <string.h>

#include "net/server/server.h"

/* Of a pattern. */
#define ROUTER_PARAMS_MAX 16u
#define ROUTER_SEGMENTS_MAX 32

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
/* A segment of a pattern or a path. */
struct segment {
    const char *begin;
    size_t bytes;
};

/* Take the next segment from *at, which is behind a "/". False: there is none. */
static inline bool next_segment(const char **at, struct segment *segment)
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

static inline bool is_name(const struct segment *segment)
{
    return segment->bytes >= 2 && segment->begin[0] == '{' &&
           segment->begin[segment->bytes - 1] == '}';
}

static inline bool is_rest(const struct segment *segment)
{
    return is_name(segment) && segment->bytes >= 5 &&
           memcmp(segment->begin + segment->bytes - 4, "...", 3) == 0;
}

/* The name within the braces. */
static inline struct segment name_of(const struct segment *segment)
{
    return (struct segment){segment->begin + 1, segment->bytes - (is_rest(segment) ? 5 : 2)};
}

static inline bool are_equal(const struct segment *one, const struct segment *other)
{
    return one->bytes == other->bytes && memcmp(one->begin, other->begin, one->bytes) == 0;
}

/* Whether `methods` has that one. */
static inline bool has_method(const char *methods, const char *method, size_t bytes)
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

#endif
