/* Rows of libbight-websocket. */
#include <bight/websocket.h>

#include "tests/nulls/rows.h"

void walk_library(void)
{
    struct bight_websocket_message message;
    struct bight_websocket *socket;
    enum bight_websocket_type type;

    says_einval(bight_websocket_accept, NULL, (void *)some, NULL);
    says_einval(bight_websocket_accept, &socket, NULL, NULL);
    says_einval(bight_websocket_connect, NULL, (void *)some, "a", "/", NULL, NULL);
    says_einval(bight_websocket_connect, &socket, NULL, "a", "/", NULL, NULL);
    says_einval(bight_websocket_connect, &socket, (void *)some, NULL, "/", NULL, NULL);
    says_einval(bight_websocket_connect, &socket, (void *)some, "a", NULL, NULL, NULL);
    is_zero(bight_websocket_free, NULL);
    says_einval(bight_websocket_receive, NULL, &message);
    says_einval(bight_websocket_receive, (void *)some, NULL);
    says_einval(bight_websocket_next, NULL, &type);
    says_einval(bight_websocket_next, (void *)some, NULL);
    says_einval(bight_websocket_read, NULL, some, 1);
    says_einval(bight_websocket_read, (void *)some, NULL, 1);
    says_einval(bight_websocket_send, NULL, BIGHT_WEBSOCKET_TEXT, "x", 1);
    says_einval(bight_websocket_send, (void *)some, BIGHT_WEBSOCKET_TEXT, NULL, 1);
    says_einval(bight_websocket_send_part, NULL, BIGHT_WEBSOCKET_TEXT, "x", 1, true);
    says_einval(bight_websocket_send_part, (void *)some, BIGHT_WEBSOCKET_TEXT, NULL, 1, true);
    says_einval(bight_websocket_ping, NULL);
    says_einval(bight_websocket_close, NULL, 1000, NULL, 0);
    says_einval(bight_websocket_close_code, NULL);
    is_null(bight_websocket_close_reason, NULL);
    is_null(bight_websocket_protocol, NULL);
}
