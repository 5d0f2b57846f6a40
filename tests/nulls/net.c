/* Rows of net/, but for the HTTP client. */
#include "tests/nulls/rows.h"

static int handler(struct bight_stream *stream, void *arg)
{
    (void)stream;
    (void)arg;
    return 0;
}

static void walk_connecting(void)
{
    size_t count;
    int fd = 0;

    says_einval(bight_tcp_connect, NULL, "127.0.0.1", 1, NULL, NULL);
    says_einval(bight_tcp_connect, (void *)some, NULL, 1, NULL, NULL);
    says_einval(bight_tcp_connect_address, NULL, (void *)some, NULL);
    says_einval(bight_tcp_connect_address, (void *)some, NULL, NULL);
    says_einval(bight_unix_connect, NULL, "path");
    says_einval(bight_unix_connect, (void *)some, NULL);
    says_einval(bight_unix_write_descriptors, NULL, some, 1, &fd, 1);
    says_einval(bight_unix_write_descriptors, (void *)some, NULL, 1, &fd, 1);
    says_einval(bight_unix_write_descriptors, (void *)some, some, 1, NULL, 1);
    says_einval(bight_unix_read_descriptors, NULL, some, 1, &fd, 1, &count);
    says_einval(bight_unix_read_descriptors, (void *)some, NULL, 1, &fd, 1, &count);
    says_einval(bight_unix_read_descriptors, (void *)some, some, 1, NULL, 1, &count);
    says_einval(bight_unix_read_descriptors, (void *)some, some, 1, &fd, 1, NULL);
}

static void walk_listeners(void)
{
    struct bight_case without;

    says_einval(bight_tcp_listen, NULL, NULL, 0, NULL);
    says_einval(bight_unix_listen, NULL, "path", NULL);
    says_einval(bight_unix_listen, (void *)some, NULL, NULL);
    says_einval(bight_listener_from_fd, NULL, 0);
    says_einval(bight_listener_accept, NULL, (void *)some);
    says_einval(bight_listener_accept, (void *)some, NULL);
    says_einval(bight_listener_try_accept, NULL, (void *)some);
    says_einval(bight_listener_try_accept, (void *)some, NULL);
    says_einval(bight_listener_address, NULL, (void *)some);
    says_einval(bight_listener_address, (void *)some, NULL);
    says_einval(bight_listener_fd, NULL);
    says_einval(bight_listener_close, NULL);
    gives(0, bight_listener_end, NULL);
    says_einval(bight_serve, NULL, handler, NULL, NULL);
    says_einval(bight_serve, (void *)some, NULL, NULL, NULL);
    says_einval(bight_monitor_listen, NULL, "path");
    says_einval(bight_monitor_listen, (void *)some, NULL);
    says_einval(bight_monitor_serve, NULL, NULL);
    does_nothing(bight_case_accept, NULL, (void *)some);
    does_nothing(bight_case_accept, &without, NULL);
    says_einval(bight_select, &without, 1, 0);
}

static void walk_udp(void)
{
    const struct bight_udp_datagram without = {.bytes = 1};
    struct bight_case one;

    says_einval(bight_udp_open, NULL, NULL, 0, NULL);
    says_einval(bight_udp_connect, NULL, "127.0.0.1", 1, NULL);
    says_einval(bight_udp_connect, (void *)some, NULL, 1, NULL);
    says_einval(bight_udp_connect_address, NULL, (void *)some, NULL);
    says_einval(bight_udp_connect_address, (void *)some, NULL, NULL);
    says_einval(bight_udp_from_fd, NULL, 0, NULL);
    says_einval(bight_udp_receive, NULL, some, 1, NULL);
    says_einval(bight_udp_receive, (void *)some, NULL, 1, NULL);
    says_einval(bight_udp_try_receive, NULL, some, 1, NULL);
    says_einval(bight_udp_try_receive, (void *)some, NULL, 1, NULL);
    says_einval(bight_udp_send, NULL, some, 1);
    says_einval(bight_udp_send, (void *)some, NULL, 1);
    says_einval(bight_udp_try_send, NULL, some, 1);
    says_einval(bight_udp_try_send, (void *)some, NULL, 1);
    says_einval(bight_udp_send_to, NULL, (void *)some, some, 1);
    says_einval(bight_udp_send_to, (void *)some, NULL, some, 1);
    says_einval(bight_udp_send_to, (void *)some, (void *)some, NULL, 1);
    says_einval(bight_udp_try_send_to, NULL, (void *)some, some, 1);
    says_einval(bight_udp_try_send_to, (void *)some, NULL, some, 1);
    says_einval(bight_udp_try_send_to, (void *)some, (void *)some, NULL, 1);
    says_einval(bight_udp_send_many, NULL, (void *)some, 1);
    says_einval(bight_udp_send_many, (void *)some, NULL, 1);
    says_einval(bight_udp_send_many, (void *)some, &without, 1);
    does_nothing(bight_case_udp, NULL, (void *)some);
    does_nothing(bight_case_udp, &one, NULL);
    says_einval(bight_select, &one, 1, 0);
    says_einval(bight_udp_join, NULL, (void *)some, NULL);
    says_einval(bight_udp_join, (void *)some, NULL, NULL);
    says_einval(bight_udp_leave, NULL, (void *)some, NULL);
    says_einval(bight_udp_leave, (void *)some, NULL, NULL);
    says_einval(bight_udp_set_multicast, NULL, NULL);
    says_einval(bight_udp_local_address, NULL, (void *)some);
    says_einval(bight_udp_local_address, (void *)some, NULL);
    says_einval(bight_udp_peer_address, NULL, (void *)some);
    says_einval(bight_udp_peer_address, (void *)some, NULL);
    says_einval(bight_udp_fd, NULL);
    says_einval(bight_udp_get_stats, NULL, (void *)some);
    says_einval(bight_udp_get_stats, (void *)some, NULL);
    gives(0, bight_udp_end, NULL);
}

void walk_net(void)
{
    says_einval(bight_resolver_new, NULL, NULL);
    says_einval(bight_resolve, NULL, "host", (void *)some);
    says_einval(bight_resolve, (void *)some, NULL, (void *)some);
    says_einval(bight_resolve, (void *)some, "host", NULL);
    says_einval(bight_resolver_default, NULL);
    says_einval(bight_resolve_with, NULL, "host", NULL, (void *)some);
    says_einval(bight_resolve_with, (void *)some, NULL, NULL, (void *)some);
    says_einval(bight_resolve_with, (void *)some, "host", NULL, NULL);
    says_einval(bight_try_resolve, NULL, "host", NULL, (void *)some);
    says_einval(bight_try_resolve, (void *)some, NULL, NULL, (void *)some);
    says_einval(bight_try_resolve, (void *)some, "host", NULL, NULL);
    says_einval(bight_resolve_service, NULL, "http", false, (void *)some);
    says_einval(bight_resolve_service, (void *)some, NULL, false, (void *)some);
    says_einval(bight_resolve_service, (void *)some, "http", false, NULL);
    says_einval(bight_resolve_name, NULL, (void *)some, (void *)some);
    says_einval(bight_resolve_name, (void *)some, NULL, (void *)some);
    says_einval(bight_resolve_name, (void *)some, (void *)some, NULL);
    does_nothing(bight_resolver_flush, NULL);
    says_einval(bight_resolver_forget, NULL, "host");
    says_einval(bight_resolver_forget, (void *)some, NULL);
    does_nothing(bight_resolver_free, NULL);
    does_nothing(bight_resolver_get_stats, NULL, (void *)some);
    does_nothing(bight_resolver_get_stats, (void *)some, NULL);
    says_einval(bight_address_parse, NULL, (void *)some);
    is_null(bight_address_text, NULL, some);
    is_null(bight_address_text, (void *)some, NULL);
    says_einval(bight_address_parse, NULL, (void *)some);
    says_einval(bight_address_parse, "127.0.0.1", NULL);
    walk_connecting();
    walk_listeners();
    walk_udp();
}
