#include "tests/conformance/datagram.h"

#include <string.h>

void endpoint_init(struct endpoint *endpoint)
{
    memset(endpoint, 0, sizeof(*endpoint));
    ck_ok(uv_udp_init(bight_uv_loop(), &endpoint->udp));
    endpoint->udp.data = endpoint;
}

int endpoint_init_with(struct endpoint *endpoint, int fd)
{
    endpoint_init(endpoint);
    return uv_udp_open(&endpoint->udp, fd);
}

int endpoint_bind(struct endpoint *endpoint, const char *host)
{
    union address address;

    if (strchr(host, ':'))
        ck_ok(uv_ip6_addr(host, 0, &address.v6));
    else
        ck_ok(uv_ip4_addr(host, 0, &address.v4));
    return uv_udp_bind(&endpoint->udp, &address.any, 0);
}

static void lend_buffer(uv_handle_t *handle, size_t bytes, uv_buf_t *buffer)
{
    struct endpoint *endpoint = handle->data;

    (void)bytes;
    *buffer = uv_buf_init(endpoint->buffer, sizeof(endpoint->buffer));
}

static size_t address_bytes(const struct sockaddr *address)
{
    switch (address->sa_family) {
    case AF_INET:
        return sizeof(struct sockaddr_in);
    case AF_INET6:
        return sizeof(struct sockaddr_in6);
    default:
        return sizeof(struct sockaddr_un);
    }
}

static void on_datagram(uv_udp_t *udp, ssize_t bytes, const uv_buf_t *buffer,
                        const struct sockaddr *from, unsigned flags)
{
    struct endpoint *endpoint = udp->data;
    struct datagram *datagram = &endpoint->pending[endpoint->last];

    (void)flags;
    if (bytes == 0 && !from)
        return; /* no more for now */
    ck_assert_int_ge(bytes, 0);
    ck_assert_int_lt(++endpoint->last, 8);
    datagram->count = (size_t)bytes;
    memcpy(datagram->bytes, buffer->base, datagram->count);
    if (from)
        memcpy(&datagram->from, from, address_bytes(from));
    if (endpoint->receiver) {
        struct bight_waiter *receiver = endpoint->receiver;

        endpoint->receiver = NULL;
        bight_unpark(receiver, 0);
    }
}

void endpoint_start(struct endpoint *endpoint)
{
    ck_ok(uv_udp_recv_start(&endpoint->udp, lend_buffer, on_datagram));
}

void endpoint_address(const struct endpoint *endpoint, union address *address)
{
    int bytes = sizeof(*address);

    ck_ok(uv_udp_getsockname(&endpoint->udp, &address->any, &bytes));
}

int endpoint_send(struct endpoint *endpoint, const char *text, const union address *to)
{
    uv_buf_t buffer = uv_buf_init((char *)text, (unsigned)strlen(text));
    struct bight_uv_req send;
    int rc = bight_uv_req_init(&send);

    if (rc == 0)
        rc = uv_udp_send(&send.u.udp_send, &endpoint->udp, &buffer, 1, to ? &to->any : NULL,
                         bight_uv_on_udp_send);
    return rc ? rc : (int)bight_uv_await(&send);
}

struct receive {
    struct bight_waiter waiter;
    struct endpoint *endpoint;
};

static int stop_receiving(struct bight_waiter *waiter)
{
    ((struct receive *)waiter)->endpoint->receiver = NULL;
    return 0;
}

static const struct bight_waiter_ops receive_ops = {
    .name = "datagram",
    .abort = stop_receiving,
    .flags = BIGHT_WAITER_OUTSIDE,
};

int endpoint_receive(struct endpoint *endpoint, struct datagram *datagram)
{
    struct receive receive = {.endpoint = endpoint};
    int rc = bight_checkpoint();

    while (rc == 0 && endpoint->first == endpoint->last) {
        ck_ok(bight_waiter_init(&receive.waiter, &receive_ops));
        endpoint->receiver = &receive.waiter;
        rc = bight_park(&receive.waiter);
    }
    if (rc)
        return rc;
    *datagram = endpoint->pending[endpoint->first++];
    if (endpoint->first == endpoint->last)
        endpoint->first = endpoint->last = 0;
    return 0;
}

void endpoint_expect(struct endpoint *endpoint, const char *text)
{
    struct datagram datagram = {.count = 0};

    ck_ok(endpoint_receive(endpoint, &datagram));
    ck_assert_uint_eq(datagram.count, strlen(text));
    ck_assert_mem_eq(datagram.bytes, text, datagram.count);
}

void endpoint_close(struct endpoint *endpoint)
{
    ck_ok(bight_uv_close((uv_handle_t *)&endpoint->udp));
}
