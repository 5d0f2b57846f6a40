/* runtime/uv/uvreq.c: one-shot libuv requests and close callbacks awaited in direct style. What
 * happens when they are cancelled is in test_uvreq_cancel.c. */
#include "runtime/runtime.h"

#include <arpa/inet.h>
#include <bight.h>
#include <fcntl.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/harness/suite.h"
#include "tests/harness/support.h"

/* Files */

static int64_t done(struct bight_uv_req *req, int started)
{
    ck_assert_int_eq(started, 0);
    int64_t result = bight_uv_await(req);
    uv_fs_req_cleanup(&req->u.fs);
    return result;
}

static int write_and_read(void *arg)
{
    char path[] = "/tmp/bight-uvreq-XXXXXX", text[16] = "";
    uv_buf_t out = uv_buf_init((char *)"thirteen byte", 13), in = uv_buf_init(text, sizeof text);
    struct bight_uv_req r;
    uv_loop_t *loop = bight_uv_loop();

    (void)arg;
    close(mkstemp(path));
    ck_assert_int_eq(bight_uv_req_init(&r), 0);
    int fd = (int)done(&r, uv_fs_open(loop, &r.u.fs, path, O_RDWR, 0, bight_uv_on_fs));
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(bight_uv_req_init(&r), 0);
    ck_assert_int_eq(done(&r, uv_fs_write(loop, &r.u.fs, fd, &out, 1, 0, bight_uv_on_fs)), 13);
    ck_assert_int_eq(bight_uv_req_init(&r), 0);
    ck_assert_int_eq(done(&r, uv_fs_read(loop, &r.u.fs, fd, &in, 1, 0, bight_uv_on_fs)), 13);
    ck_assert_str_eq(text, "thirteen byte");
    ck_assert_int_eq(bight_uv_req_init(&r), 0);
    ck_assert_int_eq(done(&r, uv_fs_close(loop, &r.u.fs, fd, bight_uv_on_fs)), 0);
    unlink(path);
    ck_assert_int_eq(bight_uv_req_init(&r), 0);
    ck_assert_int_eq(done(&r, uv_fs_open(loop, &r.u.fs, path, O_RDONLY, 0, bight_uv_on_fs)),
                     BIGHT_ENOENT);
    return 0;
}

static int stat_file(void *arg)
{
    struct bight_uv_req r;

    (void)arg;
    ck_assert_int_eq(bight_uv_req_init(&r), 0);
    ck_assert_int_eq(uv_fs_stat(bight_uv_loop(), &r.u.fs, "/", bight_uv_on_fs), 0);
    ck_assert_int_eq(bight_uv_await(&r), 0);
    ck_assert(S_ISDIR(r.u.fs.statbuf.st_mode));
    uv_fs_req_cleanup(&r.u.fs);
    return 0;
}

/* Names */

static int resolve_literal(void *arg)
{
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM};
    struct bight_uv_req r;

    (void)arg;
    ck_assert_int_eq(bight_uv_req_init(&r), 0);
    ck_assert_int_eq(uv_getaddrinfo(bight_uv_loop(), &r.u.getaddrinfo, bight_uv_on_getaddrinfo,
                                    "192.0.2.7", "80", &hints),
                     0);
    ck_assert_int_eq(bight_uv_await(&r), 0);
    struct sockaddr_in *address = (struct sockaddr_in *)r.u.getaddrinfo.addrinfo->ai_addr;
    ck_assert_uint_eq(ntohl(address->sin_addr.s_addr), 0xc0000207);
    ck_assert_uint_eq(ntohs(address->sin_port), 80);

    struct bight_uv_req back;
    ck_assert_int_eq(bight_uv_req_init(&back), 0);
    ck_assert_int_eq(uv_getnameinfo(bight_uv_loop(), &back.u.getnameinfo, bight_uv_on_getnameinfo,
                                    (struct sockaddr *)address, NI_NUMERICHOST | NI_NUMERICSERV),
                     0);
    ck_assert_int_eq(bight_uv_await(&back), 0);
    ck_assert_str_eq(back.u.getnameinfo.host, "192.0.2.7");
    uv_freeaddrinfo(r.u.getaddrinfo.addrinfo);
    return 0;
}

static int fill_random(void *arg)
{
    struct bight_uv_req r;
    char bytes[32] = {0}, zero[32] = {0};

    (void)arg;
    ck_assert_int_eq(bight_uv_req_init(&r), 0);
    ck_assert_int_eq(
        uv_random(bight_uv_loop(), &r.u.random, bytes, sizeof bytes, 0, bight_uv_on_random), 0);
    ck_assert_int_eq(bight_uv_await(&r), 0);
    ck_assert_mem_ne(bytes, zero, sizeof bytes);
    return 0;
}

/* Streams and datagrams */

static int connect_to(uv_tcp_t *tcp, struct bight_uv_req *req, const struct sockaddr_in *address)
{
    ck_assert_int_eq(uv_tcp_init(bight_uv_loop(), tcp), 0);
    ck_assert_int_eq(bight_uv_req_init(req), 0);
    return uv_tcp_connect(&req->u.connect, tcp, (const struct sockaddr *)address,
                          bight_uv_on_connect);
}

static int be_refused(void *arg)
{
    struct sockaddr_in address;
    struct bight_uv_req r;
    uv_tcp_t tcp;
    int fd = test_bound_socket(&address); /* bound and not listening */

    (void)arg;
    ck_assert_int_eq(connect_to(&tcp, &r, &address), 0);
    ck_assert_int_eq(bight_uv_await(&r), BIGHT_ECONNREFUSED);
    ck_assert_int_eq(bight_uv_close((uv_handle_t *)&tcp), 0);
    close(fd);
    return 0;
}

static int connect_and_write(void *arg)
{
    struct sockaddr_in address;
    struct bight_uv_req r;
    uv_buf_t text = uv_buf_init((char *)"hello", 5);
    char got[8];
    uv_tcp_t tcp;
    int fd = test_bound_socket(&address);

    (void)arg;
    ck_assert_int_eq(listen(fd, 1), 0);
    ck_assert_int_eq(connect_to(&tcp, &r, &address), 0);
    ck_assert_int_eq(bight_uv_await(&r), 0);
    int peer = accept(fd, NULL, NULL);
    ck_assert_int_eq(bight_uv_req_init(&r), 0);
    ck_assert_int_eq(uv_write(&r.u.write, (uv_stream_t *)&tcp, &text, 1, bight_uv_on_write), 0);
    ck_assert_int_eq(bight_uv_await(&r), 0);
    ck_assert_int_eq(bight_uv_req_init(&r), 0);
    ck_assert_int_eq(uv_shutdown(&r.u.shutdown, (uv_stream_t *)&tcp, bight_uv_on_shutdown), 0);
    ck_assert_int_eq(bight_uv_await(&r), 0);
    ck_assert_int_eq(read(peer, got, sizeof got), 5);
    ck_assert_int_eq(read(peer, got, sizeof got), 0);
    ck_assert_int_eq(bight_uv_close((uv_handle_t *)&tcp), 0);
    close(peer);
    close(fd);
    return 0;
}

static int send_datagram(void *arg)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    uv_buf_t text = uv_buf_init((char *)"hello", 5);
    struct bight_uv_req r;
    uv_udp_t udp;
    char got[8];
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    (void)arg;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    ck_assert_int_eq(uv_udp_init(bight_uv_loop(), &udp), 0);
    ck_assert_int_eq(bight_uv_req_init(&r), 0);
    ck_assert_int_eq(uv_udp_send(&r.u.udp_send, &udp, &text, 1, (struct sockaddr *)&address,
                                 bight_uv_on_udp_send),
                     0);
    ck_assert_int_eq(bight_uv_await(&r), 0);
    ck_assert_int_eq(recv(fd, got, sizeof got, 0), 5);
    ck_assert_int_eq(bight_uv_close((uv_handle_t *)&udp), 0);
    close(fd);
    return 0;
}

/* Closing */

static int start_what_cannot_be(void *arg)
{
    struct bight_uv_req r;

    (void)arg;
    ck_assert_int_eq(bight_uv_req_init(&r), 0);
    ck_assert_int_eq(uv_getaddrinfo(bight_uv_loop(), &r.u.getaddrinfo, bight_uv_on_getaddrinfo,
                                    NULL, NULL, NULL),
                     BIGHT_EINVAL);
    return bight_yield();
}

static int close_timer(void *arg)
{
    uv_timer_t timer;
    int mine;

    ck_assert_int_eq(uv_timer_init(bight_uv_loop(), &timer), 0);
    timer.data = &mine;
    ck_assert_int_eq(bight_uv_close((uv_handle_t *)&timer), 0);
    ck_assert_ptr_eq(timer.data, &mine);
    ck_assert_int_eq(bight_uv_close((uv_handle_t *)&timer), BIGHT_EALREADY);
    (void)arg;
    return 0;
}

static int close_in_cancelled_scope(void *arg)
{
    struct bight_scope scope;
    uv_timer_t timer;

    (void)arg;
    ck_assert_int_eq(uv_timer_init(bight_uv_loop(), &timer), 0);
    ck_assert_int_eq(bight_scope_begin(&scope, -1, 0), 0);
    bight_scope_cancel(&scope);
    ck_assert_int_eq(bight_uv_close((uv_handle_t *)&timer), 0);
    return bight_scope_end(&scope, 0);
}

static int cancel_scope(void *scope)
{
    bight_scope_cancel(scope);
    return 0;
}

static int close_and_be_cancelled(void *arg)
{
    struct bight_scope scope;
    uv_timer_t timer;

    (void)arg;
    ck_assert_int_eq(uv_timer_init(bight_uv_loop(), &timer), 0);
    ck_assert_int_eq(bight_scope_begin(&scope, -1, 0), 0);
    ck_assert_int_eq(bight_spawn(NULL, cancel_scope, &scope), 0);
    ck_assert_int_eq(bight_uv_close((uv_handle_t *)&timer), 0);
    ck_assert(scope.cancelled);
    return bight_scope_end(&scope, 0);
}

static void a_close_goes_on_in_spite_of_a_cancellation(void)
{
    ck_assert_int_eq(bight_run(close_in_cancelled_scope, NULL), 0);
    ck_assert_int_eq(bight_run(close_and_be_cancelled, NULL), 0);
}

static void outside_of_a_task_nothing_is_closed(void)
{
    uv_loop_t loop;
    uv_timer_t timer;

    ck_assert_int_eq(uv_loop_init(&loop), 0);
    ck_assert_int_eq(uv_timer_init(&loop, &timer), 0);
    ck_assert_int_eq(bight_uv_close((uv_handle_t *)&timer), BIGHT_ENOTASK);
    ck_assert(!uv_is_closing((uv_handle_t *)&timer));
    uv_close((uv_handle_t *)&timer, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
}

static const struct suite_case cases[] = {
    body_case(a_file_is_written_and_read_in_direct_style, bight_run, write_and_read),
    body_case(what_the_request_holds_is_there_after_the_wait, bight_run, stat_file),
    body_case(a_literal_address_is_resolved_both_ways, bight_run, resolve_literal),
    body_case(random_bytes_are_awaited, bight_run, fill_random),
    body_case(a_refused_connect_says_so, bight_run, be_refused),
    body_case(connect_write_and_shutdown_are_awaited, bight_run, connect_and_write),
    body_case(a_datagram_is_sent, bight_run, send_datagram),
    body_case(a_request_that_did_not_start_needs_no_wait, bight_run, start_what_cannot_be),
    body_case(a_close_lasts_until_libuv_has_let_go, bight_run, close_timer),
    plain_case(a_close_goes_on_in_spite_of_a_cancellation),
    plain_case(outside_of_a_task_nothing_is_closed),
};

test_suite("uvreq", cases);
