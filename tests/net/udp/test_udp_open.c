/* net/udp/open.c, multicast.c, ring.c: addresses and options, groups on the loopback interface, and
 * several datagrams at a time. */
#include "tests/net/udp/udp_wire.h"

#include <fcntl.h>
#include <semaphore.h>
#include <sys/resource.h>

#include "net/resolve/resolve.h"

static int families(void *arg)
{
    struct bight_udp *dual = wire_open(NULL, NULL);
    struct bight_udp *v4 = wire_open("127.0.0.1", NULL), *v6 = wire_open("::1", NULL);
    struct bight_address to = wire_address(dual, "127.0.0.1");
    struct bight_udp_info info;
    char bytes[8];

    (void)arg;
    wire_sends(v4, &to, "four");
    ck_assert_int_eq(bight_udp_receive(dual, bytes, 8, &info), 4);
    ck_assert_uint_eq(info.from.family, 4); /* and not one of IPv6 that contains it */
    wire_sends(dual, &info.from, "back");
    wire_receives(v4, "back");
    to = wire_address(dual, "::1");
    wire_sends(v6, &to, "six");
    ck_assert_int_eq(bight_udp_receive(dual, bytes, 8, &info), 3);
    ck_assert_uint_eq(info.from.family, 6);
    wire_sends(dual, &info.from, "back");
    wire_receives(v6, "back");
    ck_code(bight_udp_send_to(v4, &to, "x", 1), -EAFNOSUPPORT);
    ck_ok(bight_udp_end(v4));
    ck_ok(bight_udp_end(v6));
    return bight_udp_end(dual);
}

static int ipv6_only(void *arg)
{
    const struct bight_udp_options options = {.ipv6_only = true};
    struct bight_udp *udp = wire_open("::", &options), *other;
    struct bight_address own = wire_address(udp, "127.0.0.1");

    (void)arg;
    ck_assert_int_eq(wire_option(udp, IPPROTO_IPV6, IPV6_V6ONLY), 1);
    ck_code(bight_udp_send_to(udp, &own, "x", 1), -ENETUNREACH);
    ck_ok(bight_udp_open(&other, "0.0.0.0", own.port, NULL)); /* the port is free there */
    ck_ok(bight_udp_end(other));
    return bight_udp_end(udp);
}

static int ports(void *arg)
{
    const struct bight_udp_options address = {.reuse_address = true}, port = {.reuse_port = true};
    struct bight_udp *first = wire_open("127.0.0.1", NULL), *second;
    struct bight_address own = wire_address(first, "127.0.0.1");

    (void)arg;
    ck_code(bight_udp_open(&second, "127.0.0.1", own.port, NULL), BIGHT_EADDRINUSE);
    ck_code(bight_udp_open(&second, "127.0.0.1", own.port, &address), BIGHT_EADDRINUSE);
    ck_ok(bight_udp_end(first));
    for (int i = 0; i < 2; i++) {
        const struct bight_udp_options *options = i ? &address : &port;

        ck_ok(bight_udp_open(&first, "127.0.0.1", own.port, options));
        ck_ok(bight_udp_open(&second, "127.0.0.1", own.port, options));
        ck_ok(bight_udp_end(first));
        ck_ok(bight_udp_end(second));
    }
    return 0;
}

static int options_set(void *arg)
{
    const struct bight_udp_options options = {
        .broadcast = true, .hops = 7, .receive_buffer_bytes = 20000, .send_buffer_bytes = 30000};
    struct bight_udp *udp = wire_open("127.0.0.1", &options), *plain = wire_open("::1", NULL);
    struct bight_udp *six;
    struct bight_address everybody;

    (void)arg;
    ck_assert_int_eq(wire_option(udp, SOL_SOCKET, SO_BROADCAST), 1);
    ck_assert_int_eq(wire_option(udp, IPPROTO_IP, IP_TTL), 7);
    ck_assert_int_eq(wire_option(udp, SOL_SOCKET, SO_RCVBUF), 40000); /* socket(7): doubled */
    ck_assert_int_eq(wire_option(udp, SOL_SOCKET, SO_SNDBUF), 60000);
    ck_assert_int_ne(fcntl(bight_udp_fd(udp), F_GETFD) & FD_CLOEXEC, 0);
    ck_assert_int_ne(fcntl(bight_udp_fd(udp), F_GETFL) & O_NONBLOCK, 0);
    ck_ok(bight_udp_open(&six, "::1", 0, &options));
    ck_assert_int_eq(wire_option(six, IPPROTO_IPV6, IPV6_UNICAST_HOPS), 7);
    ck_ok(bight_udp_end(six));
    ck_ok(bight_udp_end(plain));
    plain = wire_open("127.0.0.1", NULL);
    ck_ok(bight_address_parse("127.255.255.255", &everybody));
    everybody.port = wire_address(plain, "127.0.0.1").port;
    ck_code(bight_udp_send_to(plain, &everybody, "x", 1), BIGHT_EACCES);
    ck_ok(bight_udp_send_to(udp, &everybody, "x", 1));
    ck_ok(bight_udp_end(plain));
    return bight_udp_end(udp);
}

static int invalid(void *arg)
{
    const struct bight_udp_options bad[] = {
        {.batch = BIGHT_UDP_BATCH + 1}, {.hops = -1}, {.hops = 256}, {.receive_buffer_bytes = -1},
        {.send_buffer_bytes = -1},
    };
    struct bight_udp *udp = wire_open("127.0.0.1", NULL), *other;
    struct bight_address address = wire_address(udp, "127.0.0.1"), none = {0};
    struct bight_udp_options local = {.local_host = "localhost"};

    (void)arg;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ck_code(bight_udp_open(&other, NULL, 0, &bad[i]), BIGHT_EINVAL);
        ck_code(bight_udp_connect_address(&other, &address, &bad[i]), BIGHT_EINVAL);
        ck_code(bight_udp_connect(&other, "127.0.0.1", 1, &bad[i]), BIGHT_EINVAL);
        ck_code(bight_udp_from_fd(&other, 0, &bad[i]), BIGHT_EINVAL);
    }
    ck_code(bight_udp_open(&other, "localhost", 0, NULL), BIGHT_EINVAL);
    ck_code(bight_udp_open(&other, "192.0.2.1", 0, NULL), -EADDRNOTAVAIL);
    ck_code(bight_udp_connect(&other, "127.0.0.1", 0, NULL), BIGHT_EINVAL);
    ck_code(bight_udp_connect(&other, "127.0.0.1", 1, &local), BIGHT_EINVAL);
    local.local_host = "::1";
    ck_code(bight_udp_connect(&other, "127.0.0.1", 1, &local), -EADDRNOTAVAIL);
    ck_code(bight_udp_send_to(udp, &none, "x", 1), BIGHT_EINVAL);
    ck_code(bight_udp_try_send_to(udp, &none, "x", 1), BIGHT_EINVAL);
    ck_code(bight_udp_connect_address(&other, &none, NULL), BIGHT_EINVAL);
    none.family = 5;
    none.port = 1;
    ck_code(bight_udp_send_to(udp, &none, "x", 1), BIGHT_EINVAL);
    ck_code(bight_udp_connect_address(&other, &none, NULL), BIGHT_EINVAL);
    address.port = 0;
    ck_code(bight_udp_send_to(udp, &address, "x", 1), BIGHT_EINVAL);
    ck_code(bight_udp_connect_address(&other, &address, NULL), BIGHT_EINVAL);
    return bight_udp_end(udp);
}

static int by_name(void *arg)
{
    struct bight_udp *server = wire_open("127.0.0.1", NULL), *client;
    uint16_t port = wire_address(server, "127.0.0.1").port;
    struct bight_udp_options options = {.local_host = "127.0.0.1"};
    struct bight_address peer;

    (void)arg;
    /* ::1 comes first and is not of the family of the local address. */
    ck_ok(bight_udp_connect(&client, "localhost", port, &options));
    ck_ok(bight_udp_peer_address(client, &peer));
    ck_assert_uint_eq(peer.family, 4);
    ck_assert_uint_eq(peer.port, port);
    ck_ok(bight_udp_send(client, "hello", 5));
    wire_receives(server, "hello");
    options.local_port = wire_address(client, "127.0.0.1").port;
    ck_ok(bight_udp_end(client));
    ck_ok(bight_udp_connect(&client, "127.0.0.1", port, &options));
    ck_assert_uint_eq(wire_address(client, "127.0.0.1").port, options.local_port);
    ck_ok(bight_udp_end(client));
    ck_code(bight_udp_connect(&client, "not a name", port, NULL), BIGHT_EINVAL);
    return bight_udp_end(server);
}

/* Holds the thread of a lookup until the test lets go. */
static int slow_lookup(void *arg, const char *host, struct bight_address *addresses, size_t *count)
{
    (void)host;
    sem_wait(arg);
    addresses[0] = (struct bight_address){.family = 4, .bytes = {127, 0, 0, 1}};
    *count = 1;
    return 0;
}

static int connects_by_name(void *resolver)
{
    const struct bight_udp_options options = {.resolver = resolver};
    struct bight_udp *udp;
    int rc = bight_udp_connect(&udp, "slow.test", 9, &options);

    return rc ? rc : bight_udp_end(udp);
}

static int cancelled_by_name(void *arg)
{
    struct bight_resolver *resolver;
    struct bight_task *task;
    int status;
    sem_t go;

    (void)arg;
    sem_init(&go, 0, 0);
    ck_ok(bight_resolver_new(&resolver, NULL));
    bight__resolver_set_lookup(resolver, slow_lookup, &go);
    ck_ok(bight_spawn(&task, connects_by_name, resolver));
    world_settle();
    bight_task_cancel(task);
    ck_ok(bight_join(task, &status));
    ck_code(status, BIGHT_ECANCELED);
    sem_post(&go);
    ck_ok(connects_by_name(resolver));
    bight_resolver_free(resolver);
    return 0;
}

static int from_fd(void *arg)
{
    const struct sockaddr_in here = {.sin_family = AF_INET,
                                     .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int stream = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct bight_udp *udp, *other = wire_open("127.0.0.1", NULL);
    struct bight_address to;

    (void)arg;
    ck_code(bight_udp_from_fd(&udp, -1, NULL), BIGHT_EBADF);
    ck_code(bight_udp_from_fd(&udp, stream, NULL), BIGHT_EINVAL);
    ck_code(bight_udp_from_fd(&udp, STDIN_FILENO, NULL), BIGHT_EINVAL);
    ck_assert_int_eq(bind(fd, (const struct sockaddr *)&here, sizeof(here)), 0);
    ck_ok(bight_udp_from_fd(&udp, fd, NULL));
    to = wire_address(udp, "127.0.0.1");
    wire_sends(other, &to, "hello");
    wire_receives(udp, "hello");
    ck_ok(bight_udp_end(udp));
    close(stream);
    return bight_udp_end(other);
}

static int connected_from_fd(void *arg)
{
    struct bight_address to = wire_nobody();
    struct sockaddr_in peer = {.sin_family = AF_INET,
                               .sin_port = htons(to.port),
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct bight_udp *udp;

    (void)arg;
    ck_assert_int_eq(connect(fd, (const struct sockaddr *)&peer, sizeof(peer)), 0);
    ck_ok(bight_udp_from_fd(&udp, fd, NULL));
    ck_ok(bight_udp_send(udp, "x", 1));
    ck_ok(bight_udp_send(udp, "x", 1));
    ck_assert_int_eq(bight_udp_receive(udp, NULL, 0, NULL), BIGHT_ECONNREFUSED);
    return bight_udp_end(udp);
}

static int without_descriptors(void *arg)
{
    struct bight_udp *udp = wire_open("127.0.0.1", NULL);
    struct bight_address to = wire_address(udp, "127.0.0.1");
    struct rlimit before, none;

    (void)arg;
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = 0;
    ck_ok(bight_udp_end(udp));
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    ck_code(bight_udp_open(&udp, NULL, 0, NULL), BIGHT_EMFILE);
    ck_code(bight_udp_connect_address(&udp, &to, NULL), BIGHT_EMFILE);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    return 0;
}

/* Multicast */

static int groups(const char *host, const char *text)
{
    const struct bight_udp_options options = {.reuse_address = true};
    const struct bight_udp_multicast how = {.interface_name = "lo"};
    struct bight_udp *first = wire_open(host, &options), *second, *sender = wire_open(host, NULL);
    struct bight_address group;
    int rc;

    ck_ok(bight_address_parse(text, &group));
    group.port = wire_address(first, "::1").port;
    ck_ok(bight_udp_open(&second, host, group.port, &options));
    ck_ok(bight_udp_join(first, &group, "lo"));
    ck_code(bight_udp_join(first, &group, "lo"), BIGHT_EADDRINUSE);
    ck_ok(bight_udp_join(second, &group, "lo"));
    ck_ok(bight_udp_set_multicast(sender, &how));
    rc = bight_udp_send_to(sender, &group, "to all", 6);
    /* The loopback interface need not have a route for groups of IPv6. */
    if (rc != -ENETUNREACH || group.family == 4) {
        ck_ok(rc);
        wire_receives(first, "to all");
        wire_receives(second, "to all");
    }
    ck_ok(bight_udp_leave(second, &group, "lo"));
    ck_code(bight_udp_leave(second, &group, "lo"), -EADDRNOTAVAIL);
    if (rc == 0) {
        wire_sends(sender, &group, "to one");
        wire_receives(first, "to one");
    }
    ck_assert_int_eq(bight_udp_try_receive(second, NULL, 0, NULL), BIGHT_EAGAIN);
    ck_ok(bight_udp_end(first));
    ck_ok(bight_udp_end(second));
    return bight_udp_end(sender);
}

static int groups_ipv4(void *arg)
{
    (void)arg;
    return groups("0.0.0.0", "239.1.2.3");
}

static int groups_ipv6(void *arg)
{
    const struct bight_udp_options options = {.ipv6_only = true};
    struct bight_udp *udp = wire_open("::", &options);
    struct bight_address group;

    (void)arg;
    ck_ok(bight_address_parse("ff01::1234", &group));
    ck_ok(bight_udp_join(udp, &group, "lo"));
    ck_ok(bight_udp_end(udp));
    return groups("::", "ff01::1234%lo");
}

static int groups_dual(void *arg)
{
    (void)arg;
    return groups(NULL, "239.1.2.3");
}

static int multicast_settings(void *arg)
{
    const struct bight_udp_multicast far = {.hops = 9, .no_loop = true, .interface_name = "lo"};
    struct bight_udp_multicast bad = {.hops = 256};
    struct bight_udp *udp = wire_open(NULL, NULL), *four = wire_open("127.0.0.1", NULL);
    struct bight_address group = wire_address(udp, "127.0.0.1"), six;

    (void)arg;
    ck_ok(bight_udp_set_multicast(udp, &far));
    ck_assert_int_eq(wire_option(udp, IPPROTO_IPV6, IPV6_MULTICAST_HOPS), 9);
    ck_assert_int_eq(wire_option(udp, IPPROTO_IP, IP_MULTICAST_TTL), 9);
    ck_assert_int_eq(wire_option(udp, IPPROTO_IPV6, IPV6_MULTICAST_LOOP), 0);
    ck_assert_int_eq(wire_option(udp, IPPROTO_IP, IP_MULTICAST_LOOP), 0);
    ck_assert_int_eq(wire_option(udp, IPPROTO_IPV6, IPV6_MULTICAST_IF), 1);
    ck_ok(bight_udp_set_multicast(udp, NULL));
    ck_assert_int_eq(wire_option(udp, IPPROTO_IPV6, IPV6_MULTICAST_HOPS), 1);
    ck_assert_int_eq(wire_option(udp, IPPROTO_IP, IP_MULTICAST_LOOP), 1);
    ck_assert_int_eq(wire_option(udp, IPPROTO_IPV6, IPV6_MULTICAST_IF), 0);
    ck_code(bight_udp_set_multicast(udp, &bad), BIGHT_EINVAL);
    bad.hops = -1;
    ck_code(bight_udp_set_multicast(udp, &bad), BIGHT_EINVAL);
    bad = (struct bight_udp_multicast){.interface_name = "no such one"};
    ck_code(bight_udp_set_multicast(udp, &bad), -ENODEV);
    ck_code(bight_udp_join(udp, &group, "no such one"), -ENODEV);
    ck_code(bight_udp_join(udp, &group, NULL), BIGHT_EINVAL);
    ck_code(bight_udp_leave(udp, &group, NULL), -EADDRNOTAVAIL);
    ck_ok(bight_address_parse("ff01::1234", &six));
    ck_code(bight_udp_join(four, &six, "lo"), -ENOPROTOOPT);
    ck_code(bight_udp_join(udp, &(struct bight_address){0}, "lo"), BIGHT_EINVAL);
    ck_ok(bight_udp_end(four));
    return bight_udp_end(udp);
}

/* Several at a time */

static int fetched_together(void *arg)
{
    const struct bight_udp_options options = {.batch = 8};
    struct bight_udp *udp = wire_open("127.0.0.1", &options);
    struct bight_udp *sender = wire_open("127.0.0.1", NULL);
    struct bight_address to = wire_address(udp, "127.0.0.1");
    struct bight_address own = wire_address(sender, "127.0.0.1");
    struct bight_udp_info info;
    char byte;

    (void)arg;
    for (int i = 0; i < 20; i++) {
        byte = (char)('a' + i);
        ck_ok(bight_udp_send_to(sender, &to, &byte, 1));
    }
    for (int i = 0; i < 20; i++) {
        ck_assert_int_eq(bight_udp_receive(udp, &byte, 1, &info), 1);
        ck_assert_int_eq(byte, 'a' + i);
        ck_assert_mem_eq(&info.from, &own, sizeof(own));
        if (i == 0)
            ck_assert_uint_eq(wire_stats(udp).buffered, 7);
    }
    ck_assert_uint_eq(wire_stats(udp).fetches, 3);
    ck_assert_uint_eq(wire_stats(udp).datagrams_received, 20);
    ck_assert_int_eq(bight_udp_try_receive(udp, &byte, 1, &info), BIGHT_EAGAIN);
    ck_ok(bight_udp_end(sender));
    return bight_udp_end(udp);
}

/* The system hands out glued what was sent glued. */
static int glued(void *arg)
{
    const struct bight_udp_options options = {.batch = 2};
    struct bight_udp *udp = wire_open("127.0.0.1", &options);
    struct bight_udp *sender = wire_connect(udp, NULL);
    char sent[950], got[256];
    int each = 100;

    (void)arg;
    for (size_t i = 0; i < sizeof(sent); i++)
        sent[i] = (char)i;
    ck_assert_int_eq(
        setsockopt(bight_udp_fd(sender), IPPROTO_UDP, UDP_SEGMENT, &each, sizeof(each)), 0);
    ck_ok(bight_udp_send(sender, sent, sizeof(sent)));
    for (size_t at = 0; at < sizeof(sent); at += (size_t)each) {
        size_t bytes = sizeof(sent) - at < 100 ? sizeof(sent) - at : 100;

        ck_assert_int_eq(bight_udp_receive(udp, got, sizeof(got), NULL), (int64_t)bytes);
        ck_assert_mem_eq(got, sent + at, bytes);
        ck_assert_uint_eq(wire_stats(udp).buffered, (sizeof(sent) - at - 1) / 100);
    }
    ck_assert_uint_eq(wire_stats(udp).fetches, 1);
    ck_assert_uint_eq(wire_stats(udp).datagrams_received, 10);
    ck_ok(bight_udp_end(sender));
    return bight_udp_end(udp);
}

static int sent_together(void *arg)
{
    struct bight_udp_datagram datagrams[40] = {{0}};
    struct bight_udp *first = wire_open("127.0.0.1", NULL), *second = wire_open("::1", NULL);
    struct bight_udp *sender = wire_open(NULL, NULL);
    struct bight_address to[2] = {wire_address(first, "127.0.0.1"), wire_address(second, "::1")};
    char bytes[40];

    (void)arg;
    for (int i = 0; i < 40; i++) {
        bytes[i] = (char)('a' + i);
        datagrams[i] = (struct bight_udp_datagram){&bytes[i], 1, to[i % 2]};
    }
    ck_assert_int_eq(bight_udp_send_many(sender, datagrams, 40), 40);
    ck_assert_uint_eq(wire_stats(sender).datagrams_sent, 40);
    for (int i = 0; i < 40; i++) {
        char byte;

        ck_assert_int_eq(bight_udp_receive(i % 2 ? second : first, &byte, 1, NULL), 1);
        ck_assert_int_eq(byte, bytes[i]);
    }
    ck_assert_int_eq(bight_udp_send_many(sender, NULL, 0), 0);
    datagrams[3].to.family = 5;
    ck_assert_int_eq(bight_udp_send_many(sender, datagrams, 40), 3);
    ck_assert_int_eq(bight_udp_send_many(sender, datagrams + 3, 37), BIGHT_EINVAL);
    datagrams[3].to.family = 0;
    ck_assert_int_eq(bight_udp_send_many(sender, datagrams, 40), 3);
    ck_assert_int_eq(bight_udp_send_many(sender, datagrams + 3, 37), -EDESTADDRREQ);
    ck_ok(bight_udp_end(first));
    ck_ok(bight_udp_end(second));
    return bight_udp_end(sender);
}

static int dropped(void *arg)
{
    const struct bight_udp_options options = {.receive_buffer_bytes = 1};
    struct bight_udp *udp = wire_open("127.0.0.1", &options);
    struct bight_address to = wire_address(udp, "127.0.0.1");
    uint64_t kept = 0;
    char bytes[1000] = "";

    (void)arg;
    for (int i = 0; i < 100; i++)
        ck_ok(bight_udp_send_to(udp, &to, bytes, sizeof(bytes)));
    while (bight_udp_try_receive(udp, bytes, sizeof(bytes), NULL) > 0)
        kept++;
    ck_assert_uint_gt(kept, 0);
    ck_assert_uint_eq(wire_stats(udp).dropped, 100 - kept);
    ck_assert_uint_gt(wire_stats(udp).dropped, 0);
    return bight_udp_end(udp);
}

static const struct suite_case cases[] = {
    world_case(a_socket_of_every_address_talks_to_both_families, families),
    world_case(a_socket_of_ipv6_only_leaves_ipv4_alone, ipv6_only),
    world_case(a_port_is_shared_by_those_who_allow_it, ports),
    world_case(options_are_set, options_set),
    world_case(what_makes_no_sense_is_refused, invalid),
    world_case(a_name_is_connected_to_where_there_is_a_route, by_name),
    world_case(a_connect_by_name_is_cancelled_during_the_lookup, cancelled_by_name),
    world_case(a_socket_is_handed_over, from_fd),
    world_case(a_connected_socket_is_handed_over, connected_from_fd),
    world_case(without_descriptors_nothing_is_left, without_descriptors),
    world_case(all_who_joined_an_ipv4_group_hear_it, groups_ipv4),
    world_case(all_who_joined_an_ipv6_group_hear_it, groups_ipv6),
    world_case(a_socket_of_both_families_joins_an_ipv4_group, groups_dual),
    world_case(how_datagrams_go_to_groups_is_set, multicast_settings),
    world_case(a_ring_fetches_several_at_a_time, fetched_together),
    world_case(glued_datagrams_are_separate_again, glued),
    world_case(several_are_sent_in_order, sent_together),
    world_case(what_the_system_drops_is_counted, dropped),
};

test_suite("udp_open", cases);
