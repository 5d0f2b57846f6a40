/* Which handler gets a request, and what is put around handlers. */
#include <bight/router.h>

#include "tests/net/server/talk.h"

#include <stdio.h>
#include <string.h>

static struct bight_router *router;

/* Says its argument, the pattern and what x, y and z are. */
static int says(struct bight_exchange *exchange, void *arg)
{
    const char *x = bight_router_param(exchange, "x"), *y = bight_router_param(exchange, "y");
    const char *z = bight_router_param(exchange, "z");
    char text[1000];
    int bytes = snprintf(text, sizeof(text), "%s %s x=%s y=%s z=%s", (const char *)arg,
                         bight_router_pattern(exchange), x ? x : "-", y ? y : "-", z ? z : "-");

    return bight_exchange_answer(exchange, 200, NULL, text, (size_t)bytes);
}

static int route(struct bight_exchange *exchange, void *arg)
{
    (void)arg;
    return bight_router_handle(exchange, router);
}

static void begin(void)
{
    ck_ok(bight_router_new(&router));
}

static void add(const char *methods, const char *pattern, const char *name)
{
    ck_ok(bight_router_add(router, methods, pattern, says, (void *)(uintptr_t)name));
}

static int finish(void)
{
    int rc = talk_end();

    bight_router_free(router);
    return rc;
}

/* What the body of the answer is. */
static const char *body_of(const char *method, const char *target, int status)
{
    char request[600];

    snprintf(request, sizeof(request), "%s %s HTTP/1.1\r\nHost: a\r\n\r\n", method, target);
    return strstr(talk_ask(request, status), "\r\n\r\n") + 4;
}

static int by_path(void *arg)
{
    static const char *const rows[][2] = {
        {"/", "root / x=- y=- z=-"},
        {"/a", "a /a x=- y=- z=-"},
        {"/a/", "slash /a/ x=- y=- z=-"},
        {"/a/b", "literal /a/b x=- y=- z=-"},
        {"/a/c", "one /a/{x} x=c y=- z=-"},
        {"/a/b/d", "under /a/{x}/d x=b y=- z=-"},
        {"/a/b/e", "rest /{z...} x=- y=- z=a/b/e"},
        {"/u/1/v/2", "two /u/{x}/v/{y} x=1 y=2 z=-"},
        {"/f/", "file /f/{z...} x=- y=- z="},
        {"/f/1/2.txt", "file /f/{z...} x=- y=- z=1/2.txt"},
        {"/a/%62", "literal /a/b x=- y=- z=-"},
        {"/a/p%2Fq%2525", "one /a/{x} x=p/q%25 y=- z=-"},
        {"/a/%7Bx%7D", "one /a/{x} x={x} y=- z=-"},
        {"/zzz?a=/a", "rest /{z...} x=- y=- z=zzz"},
    };

    (void)arg;
    begin();
    add("GET", "/", "root");
    add("GET", "/{z...}", "rest");
    add("GET", "/a/{x}", "one");
    add("GET", "/a", "a");
    add("GET", "/a/", "slash");
    add("GET", "/a/b", "literal");
    add("GET", "/a/{x}/d", "under");
    add("GET", "/u/{x}/v/{y}", "two");
    add("GET", "/f/{z...}", "file");
    talk_begin(route, NULL);
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        ck_assert_str_eq(body_of("GET", rows[i][0], 200), rows[i][1]);
    return finish();
}

static int says_nothing(struct bight_exchange *exchange, void *arg)
{
    (void)arg;
    return bight_exchange_answer_status(exchange, 204);
}

static int head_goes_to_its_own(void *arg)
{
    (void)arg;
    begin();
    add("GET", "/x", "get");
    ck_ok(bight_router_add(router, "HEAD", "/x", says_nothing, NULL));
    ck_ok(bight_router_add(router, "*", "/y", says_nothing, NULL));
    add("GET", "/y", "get");
    talk_begin(route, NULL);
    body_of("HEAD", "/x", 204);
    body_of("HEAD", "/y", 200);
    body_of("PUT", "/y", 204);
    return finish();
}

static int by_method(void *arg)
{
    (void)arg;
    begin();
    add("GET", "/x", "get");
    add("PUT, DELETE", "/x", "change");
    add("POST", "/y", "post");
    add("*", "/z", "any");
    add("GET", "/z", "named");
    talk_begin(route, NULL);
    ck_assert_str_eq(body_of("GET", "/x", 200), "get /x x=- y=- z=-");
    ck_assert_str_eq(body_of("DELETE", "/x", 200), "change /x x=- y=- z=-");
    ck_assert_str_eq(body_of("HEAD", "/x", 200), "");
    ck_assert_str_eq(body_of("PATCH", "/z", 200), "any /z x=- y=- z=-");
    ck_assert_str_eq(body_of("GET", "/z", 200), "named /z x=- y=- z=-");
    ck_assert_ptr_nonnull(strstr(talk_ask("POST /x HTTP/1.1\r\nHost: a\r\n\r\n", 405),
                                 "\r\nAllow: GET, PUT, DELETE, HEAD, OPTIONS\r\n"));
    ck_assert_ptr_nonnull(strstr(talk_ask("OPTIONS /y HTTP/1.1\r\nHost: a\r\n\r\n", 204),
                                 "\r\nAllow: POST, OPTIONS\r\n"));
    body_of("GET", "/none", 404);
    talk_ask("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 404);
    return finish();
}

static int refused(void *arg)
{
    static const char *const patterns[] = {"",       "a",          "/a//b", "/{}",      "/a{x}",
                                           "/{x",    "/{x}/{x}",   "/x}",   "/{x...}/", "/{...}",
                                           "/{x..}", "/{x.}/{y.}", "//"};
    char deep[200] = "";

    (void)arg;
    begin();
    for (size_t i = 0; i < sizeof(patterns) / sizeof(*patterns); i++)
        ck_assert_int_eq(bight_router_add(router, "GET", patterns[i], says, NULL), BIGHT_EINVAL);
    for (int i = 0; i < 33; i++)
        strcat(deep, "/a");
    ck_assert_int_eq(bight_router_add(router, "GET", deep, says, NULL), BIGHT_EINVAL);
    ck_ok(bight_router_add(router, "GET", deep + 2, says, NULL));
    ck_assert_int_eq(bight_router_add(router, "", "/", says, NULL), BIGHT_EINVAL);
    ck_assert_int_eq(bight_router_add(router, "G T", "/", says, NULL), BIGHT_EINVAL);
    ck_assert_int_eq(bight_router_add(router, "GET, *", "/", says, NULL), BIGHT_EINVAL);
    ck_assert_int_eq(bight_router_add(router, "*, GET", "/", says, NULL), BIGHT_EINVAL);
    add("GET", "/{x}/b", "first");
    ck_assert_int_eq(bight_router_add(router, "PUT, GET", "/{other}/b", says, NULL), BIGHT_EEXIST);
    add("PUT", "/{other}/b", "second");
    bight_router_free(router);
    return 0;
}

/* Around handlers */

static char trace[100];

static int outer(struct bight_exchange *exchange, void *arg)
{
    int rc;

    (void)arg;
    strcat(trace, "(");
    rc = bight_router_next(exchange);
    strcat(trace, ")");
    return rc;
}

static int twice(struct bight_exchange *exchange, void *arg)
{
    int rc = bight_router_next(exchange);

    (void)arg;
    return rc == BIGHT_EIO ? bight_router_next(exchange) : rc;
}

static int guard(struct bight_exchange *exchange, void *arg)
{
    (void)arg;
    if (!bight_exchange_header(exchange, "Authorization"))
        return bight_exchange_answer_status(exchange, 401);
    return bight_router_next(exchange);
}

static int fails_once(struct bight_exchange *exchange, void *arg)
{
    strcat(trace, "h");
    if (!strstr(trace, "hh"))
        return BIGHT_EIO;
    ck_assert_int_eq(bight_router_next(exchange), BIGHT_EINVAL);
    return says(exchange, arg);
}

static int around(void *arg)
{
    (void)arg;
    *trace = '\0';
    begin();
    add("GET", "/before", "before");
    ck_ok(bight_router_use(router, outer, NULL));
    ck_ok(bight_router_use(router, twice, NULL));
    ck_ok(bight_router_add(router, "GET", "/twice", fails_once, "twice"));
    ck_ok(bight_router_use(router, guard, NULL));
    add("GET", "/guarded/{x}", "guarded");
    talk_begin(route, NULL);
    body_of("GET", "/before", 200);
    ck_assert_str_eq(trace, "");
    body_of("GET", "/twice", 200);
    ck_assert_str_eq(trace, "(hh)");
    body_of("GET", "/guarded/1", 401);
    ck_assert_ptr_nonnull(strstr(talk_ask("GET /guarded/1 HTTP/1.1\r\nHost: a\r\n"
                                          "Authorization: x\r\n\r\n",
                                          200),
                                 "x=1"));
    ck_assert_str_eq(trace, "(hh)()()");
    return finish();
}

/* Both ways at each of many segments are tried. */
static int both_ways(void *arg)
{
    char pattern[200] = "";

    (void)arg;
    begin();
    for (int i = 0; i < 10; i++) {
        char deep[220];

        snprintf(deep, sizeof(deep), "%s/{x}/no", pattern);
        add("GET", deep, "other");
        strcat(pattern, "/a");
    }
    add("GET", "/{x}/{y}/{z...}", "found");
    talk_begin(route, NULL);
    ck_assert_str_eq(body_of("GET", "/a/a/a/a/a/a/a/a/a/a/end", 200),
                     "found /{x}/{y}/{z...} x=a y=a z=a/a/a/a/a/a/a/a/end");
    return finish();
}

static const struct suite_case cases[] = {
    world_case(a_handler_is_chosen_by_path, by_path),
    world_case(a_handler_is_chosen_by_method, by_method),
    world_case(a_head_goes_to_its_own_route, head_goes_to_its_own),
    world_case(a_pattern_that_cannot_be_is_refused, refused),
    world_case(something_may_be_around_handlers, around),
    world_case(a_way_that_leads_nowhere_hides_no_other, both_ways),
};

test_suite("router", cases);
