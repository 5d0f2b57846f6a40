#!/bin/sh
# nghttp2: to cancel a request that waits for a free stream takes effect only once another stream has ended.
#
# Expected: the server allows one stream at a time (SETTINGS_MAX_CONCURRENT_STREAMS, RFC 9113, 5.1.2), so the second
# request stays inside the client's session. The page of nghttp2_submit_rst_stream() says that it cancels the stream
# and can fail for a stream of 0 or for want of memory only. Nothing of that request has left the machine, so its
# cancellation should be over as fast as that of an open stream: at the next nghttp2_session_send().
# Found: the call returns 0 and nothing follows, neither on_frame_not_send nor on_stream_close, however often the
# session sends; want_write() is 0. Both come when the first stream ends. If that is a long poll or a stream of events,
# they may never come, and whoever waits for on_stream_close to free the request's state waits as long.
# What helps: count the open streams above nghttp2 and submit no more than the server allows.
# shellcheck source=findings/common.sh
. "$(dirname "$0")/common.sh"

unpack libnghttp2-14=1.52.0-1+deb12u3 libnghttp2-dev=1.52.0-1+deb12u3
build -lnghttp2 <<'C'
#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <string.h>

#define HEADER(name, value) {(uint8_t *)(name), (uint8_t *)(value), sizeof(name) - 1, sizeof(value) - 1, 0}

/* The two sessions, client first, write to each other's input. */
static nghttp2_session *session[2];
static unsigned char wire[2][4096];
static size_t wire_bytes[2];

static ssize_t send_bytes(nghttp2_session *self, const uint8_t *data, size_t bytes, int flags, void *arg) {
    (void)arg, (void)flags;
    int to = self == session[0];
    memcpy(wire[to] + wire_bytes[to], data, bytes);
    wire_bytes[to] += bytes;
    return (ssize_t)bytes;
}

static int stream_closed(nghttp2_session *self, int32_t id, uint32_t code, void *arg) {
    (void)arg;
    if (self == session[0])
        printf("client: stream %d is closed, %s\n", id, nghttp2_http2_strerror(code));
    return 0;
}

static void exchange(void) {
    for (int i = 0; i < 8; i++) {
        nghttp2_session_send(session[i % 2]);
        int to = !(i % 2);
        nghttp2_session_mem_recv(session[to], wire[to], wire_bytes[to]);
        wire_bytes[to] = 0;
    }
}

int main(void) {
    nghttp2_session_callbacks *callbacks;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_send_callback(callbacks, send_bytes);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, stream_closed);
    nghttp2_session_client_new(&session[0], callbacks, NULL);
    nghttp2_session_server_new(&session[1], callbacks, NULL);
    nghttp2_settings_entry one = {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 1};
    nghttp2_submit_settings(session[0], 0, NULL, 0);
    nghttp2_submit_settings(session[1], 0, &one, 1);
    exchange();

    nghttp2_nv request[] = {HEADER(":method", "GET"), HEADER(":scheme", "http"), HEADER(":path", "/"),
                            HEADER(":authority", "example")};
    int32_t first = nghttp2_submit_request(session[0], NULL, request, 4, NULL, NULL);
    int32_t second = nghttp2_submit_request(session[0], NULL, request, 4, NULL, NULL);
    exchange();
    printf("cancel stream %d: %d\n", second, nghttp2_submit_rst_stream(session[0], 0, second, NGHTTP2_CANCEL));
    exchange();
    printf("the client wants to write: %d\n", nghttp2_session_want_write(session[0]));
    printf("the server answers stream %d\n", first);
    nghttp2_nv response[] = {HEADER(":status", "200")};
    nghttp2_submit_response(session[1], first, response, 1, NULL);
    exchange();
    nghttp2_session_del(session[0]);
    nghttp2_session_del(session[1]);
    nghttp2_session_callbacks_del(callbacks);
    return 0;
}
C
shows "$work/program" <<'OUTPUT'
cancel stream 3: 0
the client wants to write: 0
the server answers stream 1
client: stream 1 is closed, NO_ERROR
client: stream 3 is closed, CANCEL
OUTPUT
