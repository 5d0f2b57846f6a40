/* Watching descriptors, with a bridge as programs write it, and names of hosts and services. */
#include "tests/conformance/conf.h"

#include <bight/http.h>
#include <bight/uv.h>
#include <fcntl.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/resolve/resolve.h"

struct fd_wait {
    struct bight_waiter waiter;
    uv_poll_t poll;
};

static int let_go(struct bight_waiter *waiter)
{
    uv_poll_stop(&((struct fd_wait *)waiter)->poll);
    return 0;
}

static const struct bight_waiter_ops fd_ops = {
    .name = "descriptor",
    .abort = let_go,
    .flags = BIGHT_WAITER_OUTSIDE,
};

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct fd_wait *wait = poll->data;

    uv_poll_stop(poll);
    bight_unpark(&wait->waiter, status ? status : events);
}

static int park_on(struct fd_wait *wait, int events)
{
    int rc = bight_waiter_init(&wait->waiter, &fd_ops);

    if (rc == 0)
        rc = uv_poll_start(&wait->poll, events, on_poll);
    return rc ? rc : bight_park(&wait->waiter);
}

/* Sleep until one of `events` (UV_READABLE, ...) can be had of `fd`; gives those that can. */
static int fd_wait(int fd, int events)
{
    struct fd_wait wait;
    int rc = bight_checkpoint();

    if (rc)
        return rc;
    rc = uv_poll_init(bight_uv_loop(), &wait.poll, fd);
    if (rc)
        return rc;
    wait.poll.data = &wait;
    rc = park_on(&wait, events);
    ck_ok(bight_uv_close((uv_handle_t *)&wait.poll));
    return rc;
}

static int watches(void *arg)
{
    int *ends = arg;

    ck_assert_int_eq(fd_wait(ends[0], UV_READABLE), UV_READABLE);
    ck_assert_int_eq(fd_wait(ends[1], UV_WRITABLE), UV_WRITABLE);
    return 0;
}

static void fd_04_after_the_end_of_the_runtime_nothing_can_be_watched(void)
{
    int ends[2];

    ck_ok(pipe(ends));
    ck_assert_int_eq(write(ends[1], "x", 1), 1);
    ck_ok(world_run(watches, ends, NULL));
    ck_code(fd_wait(ends[0], UV_READABLE), BIGHT_ENOTASK);
    ck_code(fd_wait(ends[1], UV_WRITABLE), BIGHT_ENOTASK);
    ck_assert_ptr_null(bight_uv_loop());
    close(ends[0]);
    close(ends[1]);
}

static int watches_what_is_none(void *arg)
{
    int closed = dup(0);
    int file = open("/proc/self/exe", O_RDONLY);

    (void)arg;
    close(closed);
    ck_code(fd_wait(-1, UV_READABLE), BIGHT_EBADF);
    ck_code(fd_wait(-1, UV_WRITABLE), BIGHT_EBADF);
    ck_code(fd_wait(closed, UV_READABLE), BIGHT_EBADF);
    ck_code(fd_wait(closed, UV_WRITABLE), BIGHT_EBADF);
    ck_code(fd_wait(file, UV_READABLE), BIGHT_EPERM); /* a file is always ready */
    close(file);
    return 0;
}

static char received[8];

static void lend_buffer(uv_handle_t *stream, size_t bytes, uv_buf_t *buffer)
{
    (void)stream;
    (void)bytes;
    *buffer = uv_buf_init(received, sizeof(received));
}

static void on_read(uv_stream_t *stream, ssize_t bytes, const uv_buf_t *buffer)
{
    (void)buffer;
    ck_assert_int_eq(bytes, 5);
    bight_event_set(stream->data);
}

static int watches_a_stream(void *arg)
{
    struct bight_event event;
    uv_pipe_t stream;
    int ends[2];

    (void)arg;
    ck_ok(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
    bight_event_init(&event);
    uv_pipe_init(bight_uv_loop(), &stream, 0);
    ck_ok(uv_pipe_open(&stream, ends[0]));
    stream.data = &event;
    ck_ok(uv_read_start((uv_stream_t *)&stream, lend_buffer, on_read));
    for (int i = 0; i < 2; i++) {
        ck_code(fd_wait(ends[0], UV_READABLE), BIGHT_EEXIST);
        ck_code(fd_wait(ends[0], UV_WRITABLE), BIGHT_EEXIST);
    }
    ck_assert_int_eq(write(ends[1], "hello", 5), 5); /* and the stream goes on */
    ck_ok(bight_event_wait(&event));
    ck_assert_mem_eq(received, "hello", 5);
    ck_ok(bight_uv_close((uv_handle_t *)&stream));
    close(ends[1]);
    return 0;
}

/* Addresses */

static const struct literal {
    const char *text;
    struct bight_address address;
} literals[] = {
    {"1.2.3.4", {.family = 4, .bytes = {1, 2, 3, 4}}},
    {"255.255.255.255", {.family = 4, .bytes = {255, 255, 255, 255}}},
    {"::3", {.family = 6, .bytes = {[15] = 3}}},
    {"[::3]", {.family = 6, .bytes = {[15] = 3}}},
    {"2001:db8::ff", {.family = 6, .bytes = {0x20, 1, 0xd, 0xb8, [15] = 0xff}}},
    {"::3%1", {.family = 6, .bytes = {[15] = 3}, .scope_id = 1}},
};

static int resolves_literals(void *arg)
{
    struct bight_resolver_stats stats;
    struct bight_resolver *resolver;
    struct bight_resolved result;

    (void)arg;
    ck_ok(bight_resolver_new(&resolver, NULL));
    for (size_t i = 0; i < sizeof(literals) / sizeof(*literals); i++) {
        const struct bight_address *found = &result.addresses[0];

        ck_ok(bight_resolve(resolver, literals[i].text, &result));
        ck_assert(result.cached);
        ck_assert_uint_eq(result.count, 1);
        ck_assert_uint_eq(found->family, literals[i].address.family);
        ck_assert_mem_eq(found->bytes, literals[i].address.bytes, 16);
        ck_assert_uint_eq(found->scope_id, literals[i].address.scope_id);
        ck_assert_uint_eq(found->port, 0); /* the caller's to set */
    }
    bight_resolver_get_stats(resolver, &stats);
    ck_assert_uint_eq(stats.threads, 0);
    ck_assert_uint_eq(stats.lookups, 0);
    bight_resolver_free(resolver);
    return 0;
}

/* The port of a service, or the error of the lookup. */
static int port_of(const char *service)
{
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    struct bight_uv_req lookup;
    int rc;

    ck_ok(bight_uv_req_init(&lookup));
    ck_ok(uv_getaddrinfo(bight_uv_loop(), &lookup.u.getaddrinfo, bight_uv_on_getaddrinfo,
                         "127.0.0.1", service, &hints));
    rc = (int)bight_uv_await(&lookup);
    if (rc == 0)
        rc = ntohs(((struct sockaddr_in *)lookup.u.getaddrinfo.addrinfo->ai_addr)->sin_port);
    uv_freeaddrinfo(lookup.u.getaddrinfo.addrinfo);
    return rc;
}

static int services(void *arg)
{
    struct bight_resolver *resolver;
    uint16_t port;
    int rc;

    (void)arg;
    ck_assert_int_eq(port_of("http"), 80);
    rc = port_of("nonsense");
    ck_assert(rc == UV_EAI_SERVICE || rc == UV_EAI_NONAME);
    ck_ok(bight_resolver_default(&resolver));
    ck_ok(bight_resolve_service(resolver, "http", false, &port));
    ck_assert_uint_eq(port, 80);
    ck_code(bight_resolve_service(resolver, "nonsense", false, &port), BIGHT_ERESOLVE);
    return 0;
}

static void addr_03_services_have_names(void)
{
    if (!getservbyname("http", "tcp")) /* a system without the list of services */
        return;
    conf_ok(services);
}

static int finds_nothing(void *arg, const char *host, struct bight_address *addresses,
                         size_t *count)
{
    (void)arg;
    (void)addresses;
    *count = 0;
    return strcmp(host, "unknown.test") ? 0 : EAI_NONAME;
}

static int resolves_nothing(void *arg)
{
    struct bight_http_session_options options = {0};
    struct bight_http_response *response;
    struct bight_http_session *session;
    struct bight_resolver *resolver;
    struct bight_resolved result;

    (void)arg;
    ck_ok(bight_resolver_new(&resolver, NULL));
    bight__resolver_set_lookup(resolver, finds_nothing, NULL);
    ck_code(bight_resolve(resolver, "empty.test", &result), BIGHT_ERESOLVE);
    ck_assert_int_ne(result.gai_code, 0);
    ck_code(bight_resolve(resolver, "unknown.test", &result), BIGHT_ERESOLVE);
    ck_assert_int_eq(result.gai_code, EAI_NONAME);
    options.resolver = resolver;
    ck_ok(bight_http_session_new(&session, &options));
    ck_code(bight_http_fetch(&response, session, "http://empty.test/", NULL), BIGHT_ERESOLVE);
    ck_code(bight_http_fetch(&response, session, "http://unknown.test/", NULL), BIGHT_ERESOLVE);
    ck_ok(bight_http_session_end(session));
    bight_resolver_free(resolver);
    return 0;
}

static const struct suite_case cases[] = {
    plain_case(fd_04_after_the_end_of_the_runtime_nothing_can_be_watched),
    conf_case(fd_05_watching_what_is_no_descriptor_is_refused, watches_what_is_none),
    conf_case(fd_06_watching_the_descriptor_of_a_stream_is_refused, watches_a_stream),
    conf_case(addr_01_numeric_addresses_need_no_lookup, resolves_literals),
    plain_case(addr_03_services_have_names),
    conf_case(addr_04_a_lookup_that_finds_nothing_is_an_error, resolves_nothing),
};

test_suite("loop, descriptors and addresses", cases);
