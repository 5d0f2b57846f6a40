/* Datagrams, each case twice: by <bight/udp.h>, and by libuv's UDP handles, whose bridge is in
 * datagram.c. */
#include "tests/conformance/conf.h"
#include "tests/conformance/datagram.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct bight_udp *opened(const char *host, const struct bight_udp_options *options)
{
    struct bight_udp *udp = NULL;

    ck_ok(bight_udp_open(&udp, host, 0, options));
    return udp;
}

static struct bight_address address_of(const struct bight_udp *udp)
{
    struct bight_address address;

    ck_ok(bight_udp_local_address(udp, &address));
    return address;
}

static void expect(struct bight_udp *udp, const char *text)
{
    char bytes[64];

    ck_assert_int_eq(bight_udp_receive(udp, bytes, sizeof(bytes), NULL), (int)strlen(text));
    ck_assert_mem_eq(bytes, text, strlen(text));
}

/* Answers each datagram x with resp:x, until it is cancelled. */
static int answers(void *udp)
{
    struct bight_udp_info info;
    char bytes[64], answer[80];
    int64_t count;
    int rc;

    while ((count = bight_udp_receive(udp, bytes, sizeof(bytes), &info)) >= 0) {
        snprintf(answer, sizeof(answer), "resp:%.*s", (int)count, bytes);
        rc = bight_udp_send_to(udp, &info.from, answer, strlen(answer));
        if (rc)
            return rc;
    }
    return (int)count;
}

static void udp_both_ways(const char *host)
{
    struct bight_udp *server, *client;
    struct bight_udp_stats stats;
    struct bight_address address;
    struct bight_task *task;

    if (bight_udp_open(&server, host, 0, NULL)) { /* a system without IPv6 */
        ck_assert_str_eq(host, "::1");
        return;
    }
    address = address_of(server);
    ck_ok(bight_spawn(&task, answers, server));
    ck_ok(bight_udp_connect_address(&client, &address, NULL));
    ck_ok(bight_udp_send(client, "xxx", 3));
    expect(client, "resp:xxx");
    ck_ok(bight_udp_get_stats(server, &stats));
    ck_assert_uint_eq(stats.bytes_received, 3);
    ck_ok(bight_udp_end(client));
    bight_task_cancel(task);
    conf_join(task, BIGHT_ECANCELED);
    ck_ok(bight_udp_end(server));
}

static void udp_to_nobody(void)
{
    struct bight_udp *sockets[3];
    struct bight_address addresses[3];

    for (int i = 0; i < 3; i++) {
        sockets[i] = opened("127.0.0.1", NULL);
        addresses[i] = address_of(sockets[i]);
    }
    ck_ok(bight_udp_end(sockets[2]));
    ck_ok(bight_udp_send_to(sockets[0], &addresses[1], "a", 1));
    expect(sockets[1], "a");
    ck_ok(bight_udp_send_to(sockets[1], &addresses[0], "b", 1));
    expect(sockets[0], "b");
    ck_ok(bight_udp_send_to(sockets[0], &addresses[2], "c", 1));
    ck_ok(bight_udp_send_to(sockets[1], &addresses[0], "d", 1));
    expect(sockets[0], "d");
    ck_ok(bight_udp_end(sockets[0]));
    ck_ok(bight_udp_end(sockets[1]));
}

static void udp_fails_to_set_up(void)
{
    struct bight_udp *taken = opened("127.0.0.1", NULL), *udp;
    struct bight_address address = address_of(taken);
    int before = test_open_fds();

    ck_code(bight_udp_from_fd(&udp, -1, NULL), BIGHT_EBADF);
    ck_code(bight_udp_open(&udp, "127.0.0.1", address.port, NULL), BIGHT_EADDRINUSE);
    ck_code(bight_udp_connect(&udp, "255.255.255.255", 9, NULL), BIGHT_EACCES);
    ck_assert_int_eq(test_open_fds(), before);
    ck_ok(bight_udp_end(taken));
    ck_assert_int_eq(test_open_fds(), before - 1);
}

static int udp_option(const struct bight_udp *udp, int name)
{
    socklen_t bytes = sizeof(int);
    int value;

    ck_ok(getsockopt(bight_udp_fd(udp), SOL_SOCKET, name, &value, &bytes));
    return value;
}

static void udp_reads_options(void)
{
    const struct bight_udp_options share = {.reuse_port = true, .broadcast = true};
    struct bight_udp *plain = opened("127.0.0.1", NULL), *sharing = opened("127.0.0.1", &share);
    struct bight_udp *other;

    ck_assert_int_eq(udp_option(plain, SO_REUSEPORT), 0);
    ck_assert_int_eq(udp_option(plain, SO_BROADCAST), 0);
    ck_assert_int_eq(udp_option(plain, SO_REUSEADDR), 0);
    ck_assert_int_eq(udp_option(sharing, SO_REUSEPORT), 1);
    ck_assert_int_eq(udp_option(sharing, SO_BROADCAST), 1);
    ck_assert_int_eq(udp_option(sharing, SO_REUSEADDR), 0);
    ck_ok(bight_udp_open(&other, "127.0.0.1", address_of(sharing).port, &share));
    ck_ok(bight_udp_end(plain));
    ck_ok(bight_udp_end(sharing));
    ck_ok(bight_udp_end(other));
}

/* Two ready-made sockets talk; the first one is bound. */
static void udp_ready_made(int first_fd, int second_fd)
{
    struct bight_udp *first, *second;
    struct bight_address address;

    ck_ok(bight_udp_from_fd(&first, first_fd, NULL));
    ck_ok(bight_udp_from_fd(&second, second_fd, NULL));
    address = address_of(first);
    ck_ok(bight_udp_send_to(second, &address, "hello", 5));
    expect(first, "hello");
    ck_ok(bight_udp_end(first));
    ck_ok(bight_udp_end(second));
}

struct server {
    struct endpoint endpoint;
    size_t received; /* bytes */
};

/* Answers each datagram x with resp:x, until it is cancelled. */
static int serves(void *arg)
{
    struct server *server = arg;
    struct datagram datagram;
    char answer[80];
    int rc;

    while ((rc = endpoint_receive(&server->endpoint, &datagram)) == 0) {
        server->received += datagram.count;
        snprintf(answer, sizeof(answer), "resp:%.*s", (int)datagram.count, datagram.bytes);
        rc = endpoint_send(&server->endpoint, answer, &datagram.from);
        if (rc)
            break;
    }
    endpoint_close(&server->endpoint);
    return rc;
}

static void both_ways(const char *host)
{
    static struct server server;
    static struct endpoint client;
    struct bight_task *task;
    union address address;

    server.received = 0;
    endpoint_init(&server.endpoint);
    if (endpoint_bind(&server.endpoint, host)) { /* a system without IPv6 */
        ck_assert_str_eq(host, "::1");
        endpoint_close(&server.endpoint);
        return;
    }
    endpoint_start(&server.endpoint);
    endpoint_address(&server.endpoint, &address);
    ck_ok(bight_spawn(&task, serves, &server));
    endpoint_init(&client);
    ck_ok(uv_udp_connect(&client.udp, &address.any));
    endpoint_start(&client);
    ck_ok(endpoint_send(&client, "xxx", NULL));
    endpoint_expect(&client, "resp:xxx"); /* 8 bytes */
    ck_assert_uint_eq(server.received, 3);
    endpoint_close(&client);
    ck_code(bight_uv_close((uv_handle_t *)&client.udp), BIGHT_EALREADY); /* once */
    bight_task_cancel(task);
    conf_join(task, BIGHT_ECANCELED);
}

static int both_ways_twice(void *arg)
{
    (void)arg;
    both_ways("127.0.0.1");
    both_ways("::1");
    udp_both_ways("127.0.0.1");
    udp_both_ways("::1");
    return 0;
}

static int to_nobody(void *arg)
{
    static struct endpoint endpoints[3];
    union address addresses[3];

    (void)arg;
    for (int i = 0; i < 3; i++) {
        endpoint_init(&endpoints[i]);
        ck_ok(endpoint_bind(&endpoints[i], "127.0.0.1"));
        endpoint_start(&endpoints[i]);
        endpoint_address(&endpoints[i], &addresses[i]);
    }
    endpoint_close(&endpoints[2]);
    ck_ok(endpoint_send(&endpoints[0], "a", &addresses[1]));
    endpoint_expect(&endpoints[1], "a");
    ck_ok(endpoint_send(&endpoints[1], "b", &addresses[0]));
    endpoint_expect(&endpoints[0], "b");
    ck_ok(endpoint_send(&endpoints[0], "c", &addresses[2]));
    ck_ok(endpoint_send(&endpoints[1], "d", &addresses[0]));
    endpoint_expect(&endpoints[0], "d");
    endpoint_close(&endpoints[0]);
    endpoint_close(&endpoints[1]);
    udp_to_nobody();
    return 0;
}

static int fails_to_set_up(void *arg)
{
    static struct endpoint taken, endpoint;
    union address address;
    int before = test_open_fds();

    (void)arg;
    endpoint_init(&taken);
    ck_ok(endpoint_bind(&taken, "127.0.0.1"));
    endpoint_address(&taken, &address);

    ck_code(uv_udp_init_ex(bight_uv_loop(), &endpoint.udp, 200), BIGHT_EINVAL); /* no family */

    ck_code(endpoint_init_with(&endpoint, -1), BIGHT_EBADF); /* cannot be made non-blocking */
    endpoint_close(&endpoint);

    endpoint_init(&endpoint);
    ck_code(uv_udp_bind(&endpoint.udp, &address.any, 0), BIGHT_EADDRINUSE);
    endpoint_close(&endpoint);

    endpoint_init(&endpoint);
    ck_ok(uv_ip4_addr("255.255.255.255", 9, &address.v4)); /* without leave to broadcast */
    ck_code(uv_udp_connect(&endpoint.udp, &address.any), BIGHT_EACCES);
    endpoint_close(&endpoint);

    ck_assert_int_eq(test_open_fds(), before + 1);
    endpoint_close(&taken);
    ck_assert_int_eq(test_open_fds(), before);
    udp_fails_to_set_up();
    return 0;
}

static int option(const struct endpoint *endpoint, int name)
{
    socklen_t bytes = sizeof(int);
    uv_os_fd_t fd;
    int value;

    ck_ok(uv_fileno((const uv_handle_t *)&endpoint->udp, &fd));
    ck_ok(getsockopt(fd, SOL_SOCKET, name, &value, &bytes));
    return value;
}

static void share_port(struct endpoint *endpoint)
{
    uv_os_fd_t fd;

    endpoint_init(endpoint);
    ck_ok(bight_uv_close((uv_handle_t *)&endpoint->udp));
    ck_ok(uv_udp_init_ex(bight_uv_loop(), &endpoint->udp, AF_INET)); /* with its socket */
    ck_ok(uv_fileno((uv_handle_t *)&endpoint->udp, &fd));
    ck_ok(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &(int){1}, sizeof(int)));
    ck_ok(uv_udp_set_broadcast(&endpoint->udp, 1));
}

static int reads_options(void *arg)
{
    static struct endpoint plain, sharing, other;
    union address address;

    (void)arg;
    endpoint_init(&plain);
    ck_ok(endpoint_bind(&plain, "127.0.0.1"));
    ck_assert_int_eq(option(&plain, SO_REUSEPORT), 0);
    ck_assert_int_eq(option(&plain, SO_BROADCAST), 0);
    ck_assert_int_eq(option(&plain, SO_REUSEADDR), 0);

    share_port(&sharing);
    ck_ok(endpoint_bind(&sharing, "127.0.0.1"));
    ck_assert_int_eq(option(&sharing, SO_REUSEPORT), 1);
    ck_assert_int_eq(option(&sharing, SO_BROADCAST), 1);
    ck_assert_int_eq(option(&sharing, SO_REUSEADDR), 0);
    endpoint_address(&sharing, &address);
    share_port(&other); /* and they do share it */
    ck_ok(uv_udp_bind(&other.udp, &address.any, 0));

    endpoint_close(&plain);
    endpoint_close(&sharing);
    endpoint_close(&other);
    udp_reads_options();
    return 0;
}

/* Two endpoints on ready-made sockets talk; the first has an address. Both are closed. */
static void talk(int first_fd, int second_fd, const union address *first_address)
{
    static struct endpoint first, second;

    ck_ok(endpoint_init_with(&first, first_fd));
    ck_ok(endpoint_init_with(&second, second_fd));
    endpoint_start(&first);
    ck_ok(endpoint_send(&second, "hello", first_address));
    endpoint_expect(&first, "hello");
    endpoint_close(&first);
    endpoint_close(&second);
}

static int local_socket(const union address *address)
{
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

    if (!bind(fd, &address->any, sizeof(address->local)))
        return fd;
    close(fd);
    return -errno;
}

static int ready_made(void *arg)
{
    union address address = {.v4 = {.sin_family = AF_INET}};
    socklen_t bytes = sizeof(address.v4);
    char folder[] = "/tmp/bight-conf-XXXXXX";
    int udp = socket(AF_INET, SOCK_DGRAM, 0);

    (void)arg;
    address.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_ok(bind(udp, &address.any, bytes));
    ck_ok(getsockname(udp, &address.any, &bytes));
    talk(udp, socket(AF_INET, SOCK_DGRAM, 0), &address);
    udp = socket(AF_INET, SOCK_DGRAM, 0);
    ck_ok(bind(udp, &address.any, bytes)); /* where the one before was */
    udp_ready_made(udp, socket(AF_INET, SOCK_DGRAM, 0));

    ck_assert_ptr_nonnull(mkdtemp(folder));
    address = (union address){.local = {.sun_family = AF_UNIX}};
    snprintf(address.local.sun_path, sizeof(address.local.sun_path), "%s/socket", folder);
    close(local_socket(&address)); /* its file stays, and is in the way */
    ck_code(local_socket(&address), BIGHT_EADDRINUSE);
    ck_ok(unlink(address.local.sun_path));
    talk(local_socket(&address), socket(AF_UNIX, SOCK_DGRAM, 0), &address); /* one has no address */
    ck_ok(unlink(address.local.sun_path));
    ck_ok(rmdir(folder));
    return 0;
}

static const struct suite_case cases[] = {
    conf_case(dgram_01_datagrams_go_both_ways, both_ways_twice),
    conf_case(dgram_02_sending_to_a_port_where_nobody_listens_does_not_disturb_receiving,
              to_nobody),
    conf_case(dgram_04_failing_to_set_up_leaves_no_socket, fails_to_set_up),
    conf_case(dgram_05_socket_options_only_on_request, reads_options),
    conf_case(dgram_06_ready_made_and_local_sockets_can_be_used, ready_made),
};

test_suite("loop, datagrams", cases);
