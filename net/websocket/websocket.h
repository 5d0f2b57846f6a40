/* The private part of WebSocket. accept.c and connect.c are the two handshakes, key.c what both
 * compute; receive.c takes messages apart of frames, and wait.c waits for bytes and for the peer's
 * signs of life; send.c sends messages, control.c the frames that go between them; close.c is the
 * end.
 *
 * wslay knows how a frame looks, in both directions. What it offers beyond that is not used: its
 * queue sends a Close before the messages that were queued earlier, and drops those, and it has
 * read the whole of what has come before it says anything. So messages are made of frames here. It
 * is never left within a frame that goes out: it writes each into memory, whole, and a task that is
 * cancelled before the first byte went out has sent nothing. */
#ifndef BIGHT_NET_WEBSOCKET_WEBSOCKET_H
#define BIGHT_NET_WEBSOCKET_WEBSOCKET_H

#include <sys/types.h>

#include <wslay/wslay.h>

#include <bight/event.h>
#include <bight/mutex.h>
#include <bight/websocket.h>

#include "coro/base/seams.h"
#include "net/server/text.h"
#include "net/server/utf8.h"

#define CONTROL_BYTES 125u /* at most, of the payload of a control frame */
#define HEADER_BYTES 14u   /* at most, with the mask */
#define KEY_BYTES 24u      /* Sec-WebSocket-Key */
#define ACCEPT_BYTES 28u   /* Sec-WebSocket-Accept */

/* What a client masks at a time: longer messages go in fragments. */
#define FRAGMENT_BYTES 16384u

/* What is kept of the memory for messages from one to the next. */
#define KEPT_MESSAGE_BYTES ((size_t)64 << 10)

enum close_code {
    CLOSE_NORMAL = 1000,
    CLOSE_PROTOCOL = 1002,
    CLOSE_NONE = 1005,     /* never sent */
    CLOSE_ABNORMAL = 1006, /* likewise */
    CLOSE_TEXT = 1007,
    CLOSE_TOO_BIG = 1009,
};

/* The message that comes in. */
enum message_phase {
    MESSAGE_NONE,
    MESSAGE_WHOLE, /* bight_websocket_receive collects it */
    MESSAGE_PIECES,
};

/* A control frame that is to be sent. */
struct due {
    bool is_due;
    uint8_t bytes;
    uint8_t payload[CONTROL_BYTES];
};

struct bight_websocket {
    struct bight_stream *stream;
    const struct bight_seams *seams;
    char *protocol;
    size_t max_message_bytes;
    uint64_t ping_ns, idle_ns; /* UINT64_MAX: never */
    int64_t close_ms;

    /* In */
    wslay_frame_context_ptr in;
    uint64_t silent_ns; /* while somebody listened */
    uint64_t frame_left;
    const uint8_t *piece; /* what was not taken yet of what wslay has given */
    size_t piece_bytes;
    char *message;
    size_t message_bytes, message_room;
    int ended; /* what each call returns that receives; 0: not yet */
    int code;  /* why wslay got no byte */
    enum message_phase phase;
    enum bight_websocket_type type;
    struct utf8 text;
    uint8_t opcode; /* of the frame */
    bool fin;
    bool in_frame;
    bool complete;  /* behind `piece` the message is over */
    bool pinged;    /* since it is silent */
    bool receiving; /* a task does */
    bool is_client;
    bool closing; /* a task does */
    uint8_t control_in_bytes;
    uint8_t control_in[CONTROL_BYTES];

    /* Out */
    wslay_frame_context_ptr out;
    struct bight_mutex lock;        /* of what follows; held while a frame goes out */
    uint8_t *fragment;              /* of a client */
    const void *direct;             /* a payload that is not copied */
    uint8_t *written;               /* where wslay writes the next byte */
    size_t control_at, control_end; /* what has not gone out of `control` */
    size_t masks_left;              /* bytes */
    int broken;                     /* what each call returns that sends; 0: it works */
    enum bight_websocket_type parts_type;
    struct utf8 parts_text;
    bool parts_open; /* of a message, which is not complete */
    bool sending;    /* a task does */
    bool close_sent; /* or is in `control` */
    struct due pong, ping, close;
    uint8_t control[HEADER_BYTES + CONTROL_BYTES];
    uint8_t masks[256];

    /* The end */
    char peer_reason[CONTROL_BYTES];
    int peer_code;
    struct bight_event changed; /* for the task that closes: nobody receives any more */
};

/* close.c: one that is open, over `stream`. *out is to be freed. */
int bight__websocket_new(struct bight_websocket **out, bool is_client,
                         const struct bight_websocket_options *options);
bool bight__websocket_may_send_code(int code);
/* It has ended: `rc` is what each call returns that receives. */
void bight__websocket_ended(struct bight_websocket *socket, int rc);

/* key.c */
/* 0; BIGHT_ENOTSUP: OpenSSL is configured to make no SHA-1. */
int bight__websocket_accept_key(const char key[KEY_BYTES], char accept[ACCEPT_BYTES + 1]);
/* A client's, of random bytes. False: there are none. */
bool bight__websocket_make_key(char key[KEY_BYTES + 1]);
bool bight__websocket_random(void *to, size_t bytes);
/* Whether one of the list is `item`; `exact`: in the same case. */
bool bight__websocket_lists(const char *list, size_t list_bytes, const char *item, bool exact);
int bight__websocket_set_protocol(struct bight_websocket *socket, const char *protocol);

/* wait.c: wslay's way to bytes. It sleeps, answers and pings, and keeps in `code` why there are
 * none: 0 is the stream's end. */
ssize_t bight__websocket_on_recv(uint8_t *buffer, size_t bytes, int flags, void *arg);

/* receive.c: the calling task begins to receive, and ends that. */
int bight__websocket_enter(struct bight_websocket *socket);
void bight__websocket_leave(struct bight_websocket *socket);
/* Receive until it has ended, and drop all messages; 0, or why it could not. */
int bight__websocket_drain(struct bight_websocket *socket);

/* control.c: wslay's ways out */
ssize_t bight__websocket_on_send(const uint8_t *data, size_t bytes, int flags, void *arg);
int bight__websocket_on_mask(uint8_t *mask, size_t bytes, void *arg);
/* Write a frame to `to`. Of a server's only the header: the payload stays where it is. *bytes is
 * how long that is. */
int bight__websocket_encode(struct bight_websocket *socket, uint8_t opcode, bool fin,
                            const void *data, size_t data_bytes, uint8_t *to, size_t *bytes);
/* Send what is left of a control frame, and all that are due, with the lock held. `wait`: sleep
 * while the peer takes nothing, and otherwise BIGHT_EAGAIN. A cancellation does no harm. */
int bight__websocket_flush(struct bight_websocket *socket, bool wait);
/* The same for the task that receives: who holds the lock sends them behind its own frame. Failures
 * other than BIGHT_ECANCELED show when it reads. */
int bight__websocket_say(struct bight_websocket *socket, bool wait);
/* Let a Close be sent; payload of `code` (0: none) and `reason`. */
void bight__websocket_due_close(struct bight_websocket *socket, int code, const char *reason);
/* Send it, in `close_ms`. */
void bight__websocket_say_close(struct bight_websocket *socket);

#endif
