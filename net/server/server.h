/* The private part of the HTTP server. head.c finds the parts of a head, framing.c what they mean
 * for the body and the connection, body.c and chunked.c read bodies, path.c takes the target apart;
 * answer.c writes answers, answer_head.c their heads, answer_file.c files, and upgrade.c gives
 * connections away; pace.c gives clients their time; connection.c is the life of a connection,
 * refusal.c how requests are refused, and serve.c that of all. exchange.c has what a handler may
 * ask, and router.c and route.c choose one. */
#ifndef BIGHT_NET_SERVER_SERVER_H
#define BIGHT_NET_SERVER_SERVER_H

#include <llhttp.h>

#include <bight/scope.h>
#include <bight/server.h>

#include "coro/base/hash.h"
#include "net/server/gzip.h"
#include "net/server/head.h"
#include "net/server/trust.h"
#include "runtime/stream/stream.h"

/* What of a body that nobody read is dropped, so that the connection can be used again. */
#define DROPPED_BYTES ((int64_t)64 << 10)

/* The room for the first line of an answer and the headers that the server writes: before those of
 * the handler, which come first. */
#define PREFIX_BYTES 512u
/* With them, and a short body behind. */
#define OUT_BYTES 4096u
#define OUT_BYTES_MAX ((size_t)64 << 10)

/* For what is kept of a request beside its head: the path, the host, parameters. */
#define KEPT_BYTES 512u

enum body_phase {
    BODY_NONE,  /* there is none, or all was read */
    BODY_FIXED, /* `body_left` bytes follow */
    BODY_CHUNK_LINE,
    BODY_CHUNK_DATA, /* `body_left` bytes of this chunk follow */
    BODY_CHUNK_END,
    BODY_TRAILERS,
    BODY_BROKEN, /* `body_error` */
};

enum answer_phase {
    ANSWER_NONE,
    ANSWER_BEGUN, /* its head has not gone out */
    ANSWER_OPEN,  /* its head has */
    ANSWER_DONE,
    ANSWER_BROKEN,   /* the client has a part of it, or was promised more than it gets */
    ANSWER_UPGRADED, /* the connection is the handler's */
};

/* How the end of an answer's body is told. */
enum answer_framing { FRAMING_NONE, FRAMING_LENGTH, FRAMING_CHUNKED, FRAMING_CLOSE };

/* How long a client made wait, and what it moved meanwhile. */
struct client_pace {
    uint64_t bytes;
    uint64_t waited_ns;
};

struct http_server {
    int (*handler)(struct bight_exchange *exchange, void *arg);
    void *arg;
    struct bight_http_serve_options options;
    struct head_limits limits;
    const struct bight_seams *seams;
    struct bight_exchange *spare; /* exchanges that nobody uses now */
    unsigned spare_count;
    size_t running; /* handlers */
    uint64_t ids;   /* that were given, from a random number on */
    bool draining;
    struct trust trust;
    struct bight_link connections;
    struct hash_table peers; /* of connections, when they are counted */
    char date[40];           /* the header's line, of that second */
    int64_t date_s;
};

struct http_connection {
    struct bight_link link; /* of the server's */
    struct http_server *server;
    struct bight_stream *stream;
    struct bight_scope *idle; /* around the wait for a request; NULL: it has begun */
    struct bight_exchange *exchange;
    unsigned requests;
    bool close; /* after this answer */
    bool has_peer;
    struct bight_address peer; /* by the PROXY protocol */
};

/* What a name in a pattern took. */
struct route_param {
    const char *name; /* in the pattern */
    size_t name_bytes;
    const char *value;
};

struct bight_exchange {
    struct bight_exchange *next; /* among the spare ones */
    struct http_connection *connection;
    struct http_server *server;
    struct bight_stream *stream;
    struct bight_scope scope;  /* around the handler */
    struct stream_watch watch; /* while it runs */
    bool client_gone;
    bool cancel_on_end; /* of the client's half */
    uint64_t started_ns;
    uint64_t id;
    bool traced; /* with `trace` */
    struct bight_trace_context trace;

    /* The request. Its head is where it came, in the stream's buffer, or else a copy. */
    char *text;
    size_t text_bytes;
    bool head_taken;
    size_t kept_used;        /* of kept_room */
    struct kept_block *kept; /* what did not fit there */
    const char *method, *target;
    char *path; /* NULL: the target is none */
    const char *query;
    const char *host;
    llhttp_t parser;
    const struct head_field *protocol; /* Upgrade */
    bool keep_alive;                   /* as far as the client goes */
    bool says_keep_alive;
    bool upgrades;
    bool expects; /* 100 Continue */
    bool is_get, is_head, is_connect;

    /* Its body */
    enum body_phase body;
    int body_error;
    int64_t body_bytes; /* as the request says; -1: chunked */
    uint64_t body_left;
    uint64_t body_read;
    uint64_t body_extra; /* of the lines of chunks, beyond what is usual */
    uint64_t max_body_bytes;
    bool reading;
    int blamed; /* a failure that is the client's fault, and what it is then told */
    int blamed_status;
    struct client_pace in;
    char *whole; /* of bight_exchange_read_all */

    /* What the router chose. */
    const struct bight_router *router;
    const struct route *route; /* NULL: nothing */
    size_t route_step;         /* of what is around its handler */
    struct route_param *params;
    size_t param_count;

    /* The answer. out[PREFIX_BYTES, out_end) are the headers that the handler added. */
    enum answer_phase answer;
    enum answer_framing framing;
    int answer_error; /* a mistake of the handler's, with which it cannot be whole */
    int status;
    bool close;
    bool writing; /* a task is at it */
    bool has_date;
    bool has_length; /* `promised` */
    bool compresses;
    struct gzip *gzip; /* NULL: the body goes out as it is */
    uint64_t promised; /* bytes of the body, before it is compressed */
    uint64_t sent;
    size_t out_end;
    size_t out_capacity;
    char *out; /* `out_room`, or allocated */
    struct client_pace outward;

    struct head head; /* the fields last: few are used */
    _Alignas(max_align_t) char kept_room[KEPT_BYTES];
    char out_room[OUT_BYTES];
};

/* framing.c: what the scanned head means; fills in what is said of the request. 0, or the negative
 * status with which it is refused. */
int bight__framing(struct bight_exchange *exchange);

/* body.c: the body, or what is left of it. */
int64_t bight__body_read(struct bight_exchange *exchange, void *buffer, size_t bytes);
/* Whether it can be passed over cheaply, so that the connection stays. */
bool bight__body_is_short(const struct bight_exchange *exchange);
/* Pass over what nobody has read; 0, or why the connection cannot be used again. */
int bight__body_drop(struct bight_exchange *exchange);
/* Whether the body is said to be of that type, which is in lower case. */
bool bight__has_type(const struct bight_exchange *exchange, const char *lower);
/* If the handler returns `rc`, the client is at fault, and is told `status`. Returns rc. */
int bight__blame(struct bight_exchange *exchange, int rc, int status);
/* What comes next cannot be the body: note it, and return `error`. */
int bight__body_broken(struct bight_exchange *exchange, int error);
/* Read from the connection in the client's time, or look at what comes next, `bytes` at least. The
 * end comes too early: BIGHT_EPROTOCOL. */
int64_t bight__body_receive(struct bight_exchange *exchange, void *buffer, size_t bytes);
int64_t bight__body_peek(struct bight_exchange *exchange, const char **data, size_t bytes);

/* chunked.c */
int64_t bight__chunked_read(struct bight_exchange *exchange, void *buffer, size_t bytes);

/* path.c: path, query and host of the target; 0, -400 or -503. */
int bight__path_make(struct bight_exchange *exchange);
/* Host of a target that is a whole URL; NULL: it is not one. *path: what follows it. */
const char *bight__target_authority(const char *target, size_t *bytes, const char **path);

/* pace.c: open `scope` with what time the client has for `bytes`, and end it. */
int bight__pace_enter(const struct http_server *server, const struct client_pace *pace,
                      struct bight_scope *scope, uint64_t bytes);
int bight__pace_leave(struct client_pace *pace, struct bight_scope *scope, uint64_t since_ns,
                      int64_t moved);

/* answer_head.c: finish the head of an answer that has begun. Where it begins; *bytes is how
 * long it is. */
char *bight__answer_head(struct bight_exchange *exchange, size_t *bytes);
/* bight_exchange_add_header, also for what is the server's. */
int bight__answer_add(struct bight_exchange *exchange, const char *name, const char *value);
/* The header Content-Type, as bight_exchange_add_header. */
int bight__answer_add_type(struct bight_exchange *exchange, const char *type);
/* Whether an answer with that status can have a body at all. */
bool bight__status_has_body(int status);
const char *bight__status_text(int status);

/* answer.c: forget an answer of which nothing has gone out. */
void bight__answer_reset(struct bight_exchange *exchange);
/* The handler has returned 0: send what is left. 0, or why it cannot be whole. */
int bight__answer_finish(struct bight_exchange *exchange);
/* Send `slices`, all of them, in the client's time. */
int bight__answer_send(struct bight_exchange *exchange, const struct bight_slice *slices,
                       size_t count);

/* bight_exchange_answer, also for a task that was cancelled, as long as the client takes it. */
int bight__answer_whole(struct bight_exchange *exchange, int status, const char *content_type,
                        const void *body, size_t bytes);

/* compress.c: compress the body that begins, of so many bytes, or of an unknown number if that is
 * negative, where it is good for something. 0, or as bight_exchange_add_header. */
int bight__compress_begin(struct bight_exchange *exchange, int64_t bytes);

/* refusal.c: answer with `status`, in the server's own words; `close`: and close the connection. */
int bight__refuse(struct bight_exchange *exchange, int status, bool close);

/* request_id.c: the request's number, which is its task's too while the handler runs. */
void bight__request_id_make(struct bight_exchange *exchange);
/* The one that a trusted peer has given it counts. */
void bight__request_id_adopt(struct bight_exchange *exchange);
int bight__request_id_begin(const struct bight_exchange *exchange);
void bight__request_id_end(const struct bight_exchange *exchange);

/* trace.c: give the task the trace context of the request, and take it back. */
int bight__trace_begin(struct bight_exchange *exchange);
void bight__trace_end(void);

/* trust.c: whether the server believes what the exchange's peer says of others. */
bool bight__peer_is_trusted(const struct bight_exchange *exchange);

/* connection.c: serve `stream` until it ends. */
/* `peer`: whom the PROXY protocol names, or NULL. */
int bight__connection_run(struct http_server *server, struct bight_stream *stream,
                          const struct bight_address *peer);
/* The server takes no more connections. */
void bight__connections_drain(struct http_server *server);

/* serve.c */
struct bight_exchange *bight__exchange_take(struct http_connection *connection);
void bight__exchange_give(struct bight_exchange *exchange);
/* Memory that goes with the exchange; NULL: there is none. */
void *bight__exchange_keep(struct bight_exchange *exchange, size_t bytes);
/* The line of the header Date, with its end. */
const char *bight__date_line(struct http_server *server, size_t *bytes);

static inline const char *bight__field_value(const struct bight_exchange *exchange,
                                             const struct head_field *field)
{
    return exchange->text + field->value;
}

#endif
