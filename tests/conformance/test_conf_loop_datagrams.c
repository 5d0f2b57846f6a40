/* Datagrams, by libuv's UDP handles: the bridge is in datagram.c. */
#include "tests/conformance/conf.h"
#include "tests/conformance/datagram.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

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
