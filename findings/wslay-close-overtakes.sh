#!/bin/sh
# wslay: a close that is queued behind messages is sent before them, and they are never sent.
#
# Expected: <wslay/wslay.h> calls sending a queue: wslay_event_queue_msg() and wslay_event_queue_close() both "queue",
# wslay_event_send() sends what is queued. So "say goodbye, then close" is two messages and a close, in this order on
# the wire. RFC 6455, 5.5.1, forbids data after a close frame, not before it, and lets the side that receives a close
# finish its current message first.
# Found: both calls return 0, yet the close frame goes out first. After it nothing may be sent: the messages stay
# counted as queued, wslay_event_want_write() says that there is nothing to write, and no call reports the loss. It is
# the same on the side that receives a close: wslay answers it ahead of what that side has queued.
# What helps: queue the close only once wslay_event_get_queued_msg_count() is 0.
# shellcheck source=findings/common.sh
. "$(dirname "$0")/common.sh"

unpack libwslay1=1.1.1-3+b1 libwslay-dev=1.1.1-3+b1
build -lwslay <<'C'
#include <stdio.h>
#include <string.h>
#include <wslay/wslay.h>

static unsigned char wire[256];
static size_t wire_bytes;

static ssize_t send_bytes(wslay_event_context_ptr ws, const uint8_t *data, size_t bytes, int flags, void *arg) {
    (void)ws, (void)flags, (void)arg;
    memcpy(wire + wire_bytes, data, bytes);
    wire_bytes += bytes;
    return (ssize_t)bytes;
}

/* A server does not mask, and all frames here are short: a byte of flags and opcode, one of length. */
static void print_wire(void) {
    for (size_t at = 0; at < wire_bytes; at += 2u + wire[at + 1])
        printf("on the wire: %s frame of %d bytes\n", (wire[at] & 15) == 8 ? "close" : "text", wire[at + 1]);
}

int main(void) {
    struct wslay_event_callbacks callbacks = {.send_callback = send_bytes};
    wslay_event_context_ptr ws;
    wslay_event_context_server_init(&ws, &callbacks, NULL);
    struct wslay_event_msg text = {WSLAY_TEXT_FRAME, (const uint8_t *)"result", 6};
    printf("queue text: %d\n", wslay_event_queue_msg(ws, &text));
    printf("queue text: %d\n", wslay_event_queue_msg(ws, &text));
    printf("queue close: %d\n", wslay_event_queue_close(ws, 1000, NULL, 0));
    printf("send: %d\n", wslay_event_send(ws));
    print_wire();
    printf("still queued: %zu, want_write: %d\n", wslay_event_get_queued_msg_count(ws), wslay_event_want_write(ws));
    wslay_event_context_free(ws);
    return 0;
}
C
shows "$work/program" <<'OUTPUT'
queue text: 0
queue text: 0
queue close: 0
send: 0
on the wire: close frame of 2 bytes
still queued: 2, want_write: 0
OUTPUT
