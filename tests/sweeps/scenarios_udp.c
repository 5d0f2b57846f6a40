/* Scenarios of net/udp: datagrams, multicast, and sends that wait. See scenarios.h. */
#include "tests/sweeps/scenarios.h"

#include <bight.h>
#include <check.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/udp/udp.h"

/* An answer that does not come, since the other side was cancelled, is not waited for long. */

static int receive_and_answer(void *udp)
{
    struct bight_udp_datagram answers[2] = {{.data = "answer", .bytes = 6},
                                            {.data = "again", .bytes = 5}};
    struct bight_udp_info info;
    char bytes[16];
    int64_t count;

    scenario_balance--;
    count = bight_udp_receive(udp, bytes, sizeof(bytes), &info);
    if (count < 0)
        return (int)count;
    answers[0].to = info.from;
    answers[1].to = info.from;
    for (size_t sent = 0; sent < 2; sent += (size_t)count) {
        count = bight_udp_send_many(udp, answers + sent, 2 - sent);
        if (count < 0)
            return (int)count;
    }
    return 0;
}

static int ask_and_receive(struct bight_udp *udp)
{
    struct bight_case cases[2];
    char bytes[16];
    int64_t count;
    int rc = bight_udp_send(udp, "ask", 3);

    for (int i = 0; rc == 0 && i < 2; i++) {
        bight_case_udp(&cases[0], udp);
        bight_case_sleep(&cases[1], 50);
        rc = bight_select(cases, 2, 0);
        if (rc == 1)
            return 0;
        if (rc == 0)
            rc = cases[0].status;
        count = rc ? rc : bight_udp_receive(udp, bytes, sizeof(bytes), NULL);
        rc = count < 0 ? (int)count : 0;
    }
    return rc;
}

static int udp_body(struct bight_group *group, void *server)
{
    const struct bight_udp_options options = {.send_buffer_bytes = 10000, .hops = 2};
    struct bight_address address;
    struct bight_udp *udp;
    int rc = scenario_spawn(group, NULL, "answers", receive_and_answer, server);

    if (rc == 0)
        rc = bight_yield(); /* the other side waits by now */
    if (rc == 0)
        rc = bight_udp_local_address(server, &address);
    if (rc == 0)
        rc = bight_udp_connect(&udp, "127.0.0.1", address.port, &options);
    if (rc)
        return rc;
    rc = ask_and_receive(udp);
    EXPECT(bight_udp_end(udp) == 0);
    return rc;
}

int scenario_udp(void *arg)
{
    const struct bight_udp_options options = {.batch = 4, .reuse_address = true};
    struct bight_udp *server;
    int rc = bight_udp_open(&server, "127.0.0.1", 0, &options);

    (void)arg;
    if (rc)
        return rc;
    rc = bight_group_run(udp_body, server);
    EXPECT(bight_udp_end(server) == 0);
    return rc;
}

/* For every address, in a group; and of a socket that somebody else has made. */
int scenario_multicast(void *arg)
{
    const struct bight_udp_multicast how = {.interface_name = "lo"};
    const struct bight_udp_options options = {.hops = 2};
    int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct bight_address group;
    struct bight_udp *udp;
    int rc = bight_udp_open(&udp, NULL, 0, &options);

    (void)arg;
    EXPECT(fd >= 0 && bight_address_parse("239.1.2.3", &group) == 0);
    if (rc == 0) {
        rc = bight_udp_set_multicast(udp, &how);
        if (rc == 0)
            rc = bight_udp_join(udp, &group, "lo");
        EXPECT(bight_udp_end(udp) == 0);
    }
    if (rc == 0)
        rc = bight_udp_from_fd(&udp, fd, NULL);
    if (rc)
        close(fd);
    else
        EXPECT(bight_udp_end(udp) == 0);
    return rc;
}

/* Sends that wait. A socket of loopback has room at once, which is not known before the loop has
 * told of it. */

static int send_one(struct bight_udp *udp)
{
    return bight_udp_send(udp, "a", 1);
}

static int send_one_to(struct bight_udp *udp)
{
    struct bight_address peer;
    int rc = bight_udp_peer_address(udp, &peer);

    return rc ? rc : bight_udp_send_to(udp, &peer, "a", 1);
}

static int send_one_of_many(struct bight_udp *udp)
{
    const struct bight_udp_datagram one = {.data = "a", .bytes = 1};
    int64_t count = bight_udp_send_many(udp, &one, 1);

    return count < 0 ? (int)count : 0;
}

int scenario_patient_sends(void *arg)
{
    int (*const sends[])(struct bight_udp * udp) = {send_one, send_one_to, send_one_of_many};
    struct bight_address address;
    struct bight_udp *server, *udp;
    int rc = bight_udp_open(&server, "127.0.0.1", 0, NULL);

    (void)arg;
    if (rc)
        return rc;
    rc = bight_udp_local_address(server, &address);
    for (size_t i = 0; i < sizeof(sends) / sizeof(sends[0]) && rc == 0; i++) {
        rc = bight_udp_connect_address(&udp, &address, NULL);
        if (rc)
            break;
        udp->out.ready = false;
        rc = sends[i](udp);
        EXPECT(bight_udp_end(udp) == 0);
    }
    EXPECT(bight_udp_end(server) == 0);
    return rc;
}
