/* Rows of libbight-server. */
#include <bight/access_log.h>
#include <bight/events.h>
#include <bight/form.h>
#include <bight/monitor_page.h>
#include <bight/multipart.h>
#include <bight/router.h>
#include <bight/server.h>
#include <bight/server_testing.h>
#include <bight/static.h>

#include "tests/nulls/rows.h"

static int handler(struct bight_exchange *exchange, void *arg)
{
    (void)exchange;
    (void)arg;
    return 0;
}

void walk_library(void)
{
    struct bight_sent_event event = {.data = "x"};
    struct bight_multipart *parts;
    struct bight_part part;
    struct bight_server_answer *answer;
    struct bight_address address;
    const struct bight_form *form;
    struct bight_cookie cookie = {.name = "a", .value = "b"};
    struct bight_static *files;
    const char *text;
    struct bight_stream *stream;

    says_einval(bight_http_serve, NULL, handler, NULL, NULL);
    says_einval(bight_http_serve, (void *)some, NULL, NULL, NULL);
    says_einval(bight_http_serve_stream, NULL, handler, NULL, NULL);
    says_einval(bight_http_serve_stream, (void *)some, NULL, NULL, NULL);
    is_null(bight_exchange_method, NULL);
    is_null(bight_exchange_target, NULL);
    is_null(bight_exchange_path, NULL);
    is_null(bight_exchange_query, NULL);
    is_null(bight_exchange_host, NULL);
    says_einval(bight_exchange_version, NULL);
    is_null(bight_exchange_header, NULL, "x");
    is_null(bight_exchange_header, (void *)some, NULL);
    says_einval(bight_exchange_header_at, NULL, 0, &text, &text);
    says_einval(bight_exchange_header_at, (void *)some, 0, NULL, &text);
    says_einval(bight_exchange_header_at, (void *)some, 0, &text, NULL);
    is_null(bight_exchange_stream, NULL);
    says_einval(bight_exchange_body_bytes, NULL);
    says_einval(bight_exchange_cancel_on_end, NULL, true);
    says_einval(bight_exchange_set_max_body, NULL, 1);
    says_einval(bight_exchange_read, NULL, some, 1);
    says_einval(bight_exchange_read, (void *)some, NULL, 1);
    says_einval(bight_exchange_read_all, NULL, &text, NULL);
    says_einval(bight_exchange_read_all, (void *)some, NULL, NULL);
    says_einval(bight_exchange_add_header, NULL, "x", "y");
    says_einval(bight_exchange_add_header, (void *)some, NULL, "y");
    says_einval(bight_exchange_add_header, (void *)some, "x", NULL);
    does_nothing(bight_exchange_close, NULL);
    says_einval(bight_exchange_compress, NULL);
    says_einval(bight_exchange_answer, NULL, 200, NULL, NULL, 0);
    says_einval(bight_exchange_answer, (void *)some, 200, NULL, NULL, 1);
    says_einval(bight_exchange_answer_status, NULL, 200);
    says_einval(bight_exchange_begin, NULL, 200, 0);
    says_einval(bight_exchange_write, NULL, "x", 1);
    says_einval(bight_exchange_write, (void *)some, NULL, 1);
    says_einval(bight_exchange_send_file, NULL, 0, 0, 0);
    says_einval(bight_exchange_flush, NULL);
    says_einval(bight_exchange_upgrade, NULL, "x", &stream);
    says_einval(bight_exchange_upgrade, (void *)some, "x", NULL);
    says_einval(bight_exchange_status, NULL);
    is_zero(bight_exchange_bytes_sent, NULL);
    is_zero(bight_exchange_started_ns, NULL);
    is_null(bight_exchange_keep, NULL, 1);
    says_einval(bight_exchange_peer, NULL, &address);
    says_einval(bight_exchange_peer, (void *)some, NULL);
    is_false(bight_exchange_is_secure, NULL);
    is_zero(bight_exchange_id, NULL);
    says_einval(bight_monitor_page, NULL, NULL);
    says_einval(bight_metrics_answer, NULL, NULL);
    says_einval(bight_exchange_trace_context, NULL, (void *)some);
    says_einval(bight_exchange_trace_context, (void *)some, NULL);
    says_einval(bight_exchange_redirect, NULL, 301, "/");
    says_einval(bight_exchange_redirect, (void *)some, 301, NULL);
    says_einval(bight_access_log_line, NULL, BIGHT_ACCESS_LOG_JSON, some, 1);
    says_einval(bight_access_log_line, (void *)some, BIGHT_ACCESS_LOG_JSON, NULL, 1);
    says_einval(bight_events_begin, NULL);
    says_einval(bight_events_send, NULL, &event);
    says_einval(bight_events_send, (void *)some, NULL);
    says_einval(bight_events_ping, NULL);
    is_null(bight_events_last_id, NULL);
    says_einval(bight_server_ask, NULL, handler, NULL, NULL, "x");
    says_einval(bight_server_ask, &answer, NULL, NULL, NULL, "x");
    says_einval(bight_server_ask, &answer, handler, NULL, NULL, NULL);
    says_einval(bight_server_ask_bytes, NULL, handler, NULL, NULL, "x", 1);
    says_einval(bight_server_ask_bytes, &answer, NULL, NULL, NULL, "x", 1);
    says_einval(bight_server_ask_bytes, &answer, handler, NULL, NULL, NULL, 1);
    says_einval(bight_server_answer_status, NULL);
    is_null(bight_server_answer_header, NULL, "x");
    is_null(bight_server_answer_header, (void *)some, NULL);
    is_null(bight_server_answer_body, NULL, NULL);
    does_nothing(bight_server_answer_free, NULL);
    says_einval(bight_multipart_begin, NULL, (void *)some);
    says_einval(bight_multipart_begin, &parts, NULL);
    says_einval(bight_multipart_next, NULL, &part);
    says_einval(bight_multipart_next, (void *)some, NULL);
    says_einval(bight_multipart_read, NULL, some, 1);
    says_einval(bight_multipart_read, (void *)some, NULL, 1);
    says_einval(bight_exchange_read_query, NULL, &form);
    says_einval(bight_exchange_read_query, (void *)some, NULL);
    says_einval(bight_exchange_read_form, NULL, &form);
    says_einval(bight_exchange_read_form, (void *)some, NULL);
    is_zero(bight_form_count, NULL);
    says_einval(bight_form_at, NULL, 0, &text, &text, NULL);
    says_einval(bight_form_at, (void *)some, 0, NULL, &text, NULL);
    says_einval(bight_form_at, (void *)some, 0, &text, NULL, NULL);
    is_null(bight_form_value, NULL, "x");
    is_null(bight_form_value, (void *)some, NULL);
    is_null(bight_exchange_cookie, NULL, "x");
    is_null(bight_exchange_cookie, (void *)some, NULL);
    says_einval(bight_exchange_set_cookie, NULL, &cookie);
    says_einval(bight_exchange_set_cookie, (void *)some, NULL);
    says_einval(bight_router_new, NULL);
    does_nothing(bight_router_free, NULL);
    says_einval(bight_router_add, NULL, "GET", "/", handler, NULL);
    says_einval(bight_router_add, (void *)some, NULL, "/", handler, NULL);
    says_einval(bight_router_add, (void *)some, "GET", NULL, handler, NULL);
    says_einval(bight_router_add, (void *)some, "GET", "/", NULL, NULL);
    says_einval(bight_router_use, NULL, handler, NULL);
    says_einval(bight_router_use, (void *)some, NULL, NULL);
    says_einval(bight_router_handle, NULL, some);
    says_einval(bight_router_handle, (void *)some, NULL);
    says_einval(bight_router_next, NULL);
    is_null(bight_router_param, NULL, "x");
    is_null(bight_router_param, (void *)some, NULL);
    is_null(bight_router_pattern, NULL);

    says_einval(bight_static_new, NULL, "/", NULL);
    says_einval(bight_static_new, &files, NULL, NULL);
    does_nothing(bight_static_free, NULL);
    says_einval(bight_static_answer, NULL, (void *)some, NULL);
    says_einval(bight_static_answer, (void *)some, NULL, NULL);
}
