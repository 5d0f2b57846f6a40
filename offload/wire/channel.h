/* The channel between an executor and one of its workers: memory that both map, and a stream socket
 * that wakes the side that sleeps. Read docs/workers.md, "The channel", first.
 *
 * A ring of slots carries jobs in order: FREE -> READY (host) -> TAKEN (worker) -> DONE (worker)
 * -> FREE (host). The host withdraws a job that was not taken with READY -> REVOKED; the worker
 * passes over it. So when a worker dies, the host knows exactly which jobs had begun. Each side
 * also counts: `posted` slots are filled, `finished` ones are done with. A slot whose input is
 * still being copied is FREE, and those behind it, which may be READY, are not counted yet. A job
 * that writes where it should not may change any of this; states and counts that do not go together
 * tell of it. Payloads that do not fit into a slot lie in two arenas, which are rings of bytes: the
 * host fills one, the worker the other. A large output is a file of its own, whose descriptor the
 * worker sends before the slot is DONE.
 *
 * Neither side waits on the memory. A worker that sleeps says so in `sleeping`, and the host
 * then sends a byte; the worker sends one when it has not told the host since the host last
 * looked. The host believes nothing that it reads here: see pool/harvest.c. */
#ifndef BIGHT_OFFLOAD_WIRE_CHANNEL_H
#define BIGHT_OFFLOAD_WIRE_CHANNEL_H

#include <fcntl.h>
#include <stdatomic.h>

#include <bight/base.h>
#include <bight/trace_context.h>

#define CHANNEL_MAGIC 0x62696768742d3032u
/* As many short jobs as a worker can do while the host wakes up, some tens of microseconds. Only
 * the first settings.slots of them are used. */
#define CHANNEL_SLOTS 256u
#define CHANNEL_SLOT_BYTES 1024u
#define CHANNEL_INLINE_BYTES 448u
#define CHANNEL_ALIGN 64u
/* The byte that either side sends. */
#define CHANNEL_WAKE 'w'
/* A worker's byte with which the descriptor of an output comes, sealed as follows. */
#define CHANNEL_OUTPUT 'o'
#define CHANNEL_OUTPUT_SEALS (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)
/* An output of more bytes is sent that way, if the worker can. */
#define CHANNEL_LARGE_BYTES ((size_t)1 << 20)
/* slot.output_offset of an output that was sent. */
#define OUTPUT_SENT UINT32_MAX
/* The host's byte with which the two descriptors of segment 0 come; others follow it. */
#define CHANNEL_SHARE 0x80
/* The host's byte with which the descriptor of an input comes. */
#define CHANNEL_INPUT 'i'
/* The last one of a worker whose ring is not what the host has made it. */
#define CHANNEL_BROKEN 'b'

/* No state is 0 or a small number, so that a stray write is unlikely to produce one. */
enum slot_state {
    SLOT_FREE = 0x46726565,
    SLOT_READY = 0x52647921,
    SLOT_TAKEN = 0x54616b65,
    SLOT_DONE = 0x446f6e65,
    SLOT_REVOKED = 0x5265766b,
};

/* channel.told when the host was told; any other value means that it has to be woken. */
#define CHANNEL_TOLD 0x746f6c64u

enum slot_verdict {
    VERDICT_RAN = 1,
    VERDICT_UNKNOWN_JOB,
    VERDICT_TOO_BIG,
    VERDICT_NO_MEMORY,
    VERDICT_LOST,    /* it ran, and there is neither a file nor room for its output */
    VERDICT_SPOILED, /* the sum of what it was given is another one: it was not run */
    VERDICT_PASSED_OVER,
};

#define CHANNEL_REPORTS_BYTES 4096u

/* Before the bytes of a report, which are rounded to its size. */
struct channel_report {
    uint32_t serial; /* of the job's slot */
    uint32_t bytes;
};

static inline uint32_t channel_report_room(uint32_t bytes)
{
    uint32_t unit = sizeof(struct channel_report);

    return unit + (bytes + unit - 1) / unit * unit;
}

/* What a sleeping worker waits for: a job, or room in its arena. */
#define SLEEPS_FOR_JOB 1u
#define SLEEPS_FOR_ROOM 2u

/* The input begins with the job's definition, which the worker may not know yet. */
#define SLOT_DEFINES 1u
/* The input is a chunk: the job is run for each of its items. */
#define SLOT_CHUNK 2u
/* The caller wants to be told of progress. */
#define SLOT_REPORTS 4u
/* The input is a file, of which slot.placed is the number; only a definition is in the channel. */
#define SLOT_PLACED 8u
/* slot.trace is the caller's trace context. */
#define SLOT_TRACED 16u

/* Offsets count from the start of the mapping, which is smaller than 4 GiB. What both sides read
 * of a slot's head is in one cache line. */
struct channel_slot {
    _Atomic uint32_t state;
    /* The host sets it while the job runs: the job should stop. */
    uint32_t cancel;
    /* Written by the host. */
    uint32_t serial; /* the lower half of the position */
    uint32_t def;
    uint32_t flags;
    uint32_t attempt;
    uint32_t define_bytes;
    uint32_t input_offset;
    uint32_t input_bytes;
    /* Written by the worker. */
    uint32_t verdict;
    int32_t code;
    uint32_t output_offset;
    uint32_t output_bytes;
    uint32_t grown; /* 1: the worker has more memory than it may, and takes no further slot */
    /* With checksums: the host's of what it has put in, then the worker's; see sum.h. */
    uint64_t sum;
    _Alignas(CHANNEL_ALIGN) unsigned char input[CHANNEL_INLINE_BYTES];
    _Alignas(CHANNEL_ALIGN) unsigned char output[CHANNEL_INLINE_BYTES];
    /* The host's; apart from the head, as they are seldom used. */
    uint32_t placed;
    struct bight_trace_context trace;
    unsigned char unused[CHANNEL_SLOT_BYTES - 2 * CHANNEL_INLINE_BYTES - 64 - 4 -
                         sizeof(struct bight_trace_context)];
};

_Static_assert(sizeof(struct channel_slot) == CHANNEL_SLOT_BYTES, "slots are of one size");
_Static_assert(offsetof(struct channel_slot, input) == 64, "the head of a slot is a cache line");

/* As many as there are resources. */
#define CHANNEL_LIMITS 16u

/* What the worker makes of itself before its first job. */
struct channel_settings {
    int32_t niceness;
    uint32_t nicer;  /* whether that is to be set */
    char name[16];   /* "": that of all workers */
    uint32_t cpu;    /* to run on, counted from 1; 0: on any */
    uint32_t limits; /* a bit for each resource that is limited */
    uint32_t sums;   /* whether slots have sums */
    uint32_t spin_us;
    uint32_t slots; /* of the ring: a power of two */
    uint32_t unused;
    /* Slots from that position on are followed by a look at the memory that the worker has; 0: no
     * limit. */
    uint64_t memory_max_bytes;
    uint64_t memory_from;
    struct {
        uint64_t soft;
        uint64_t hard;
    } limit[CHANNEL_LIMITS];
};

struct channel {
    uint64_t magic;
    uint64_t map_bytes;
    uint64_t input_arena; /* offsets of the arenas */
    uint64_t output_arena;
    uint64_t output_arena_bytes;
    uint64_t payload_max_bytes;
    uint32_t spins;  /* how often the worker looks before it sleeps */
    uint32_t member; /* who it is in the segments that it is sent */
    struct channel_settings settings;
    /* What the worker sleeps for: SLEEPS_*, or 0 while it is awake. */
    _Alignas(CHANNEL_ALIGN) _Atomic uint32_t sleeping;
    /* The host's, written after the slot. */
    _Alignas(CHANNEL_ALIGN) _Atomic uint64_t posted;
    /* How many bytes of `reports` it has taken since the start. */
    _Atomic uint32_t reports_taken;
    /* The worker's, written after the slot and before it looks at `told`. */
    _Alignas(CHANNEL_ALIGN) _Atomic uint64_t finished;
    _Atomic uint32_t told;
    /* How many bytes of `reports` it has written since the start. */
    _Atomic uint32_t reported;
    /* Progress: a ring of records, which do not mind its end. */
    _Alignas(CHANNEL_ALIGN) unsigned char reports[CHANNEL_REPORTS_BYTES];
    _Alignas(4096) struct channel_slot slots[CHANNEL_SLOTS];
};

/* The longest definition record. The arenas are larger than the largest payload by this much. */
#define CHANNEL_DEFINE_MAX 8192u

/* The definition record before an input that SLOT_DEFINES: module and name follow, each with its
 * NUL, then padding. */
struct channel_define {
    uint64_t offset; /* of the definition in its module */
    uint32_t module_bytes;
    uint32_t name_bytes;
    uint32_t version;
    uint32_t unused;
};

static inline struct channel_slot *channel_slot(struct channel *channel, uint32_t slots,
                                                uint64_t position)
{
    return &channel->slots[position & (slots - 1)];
}

static inline uint64_t channel_round(uint64_t bytes)
{
    return (bytes + CHANNEL_ALIGN - 1) & ~(uint64_t)(CHANNEL_ALIGN - 1);
}

/* A ring of bytes in which pieces are taken and given back in order. Positions are offsets into the
 * arena; a piece never wraps around. Used by one side only, each for its own arena. */
struct arena {
    uint64_t bytes;
    uint64_t head; /* where the next piece begins, if it fits there */
    uint64_t tail; /* where the oldest piece begins; == head when empty or full: see `pieces` */
    uint64_t pieces;
};

/* Where `bytes` fit in one piece, or UINT64_MAX. Takes nothing yet. */
uint64_t bight__arena_find(const struct arena *arena, uint64_t bytes);

/* Take the piece of `bytes` found at `at`. */
void bight__arena_take(struct arena *arena, uint64_t at, uint64_t bytes);

/* Give back the oldest piece; `next` is where the second oldest begins, UINT64_MAX for none. */
void bight__arena_give(struct arena *arena, uint64_t next);

/* Send a copy of the descriptor `output` to the host, waiting for room in the socket. 0 or
 * -errno. */
int bight__channel_send_output(int fd, int output);

/* Send a copy of the descriptor of an input to the worker, without waiting. 0 or -errno. */
int bight__channel_send_input(int fd, int input);

/* Send copies of a segment's two descriptors to the worker, without waiting. 0 or -errno. */
int bight__channel_send_share(int fd, int number, const int fds[2]);

/* What has come from a worker, up to the first byte with descriptors. */
struct channel_message {
    char bytes[64];
    size_t count; /* of bytes, at least 1 */
    int fds[2];   /* those that came with the last byte; close-on-exec */
    int fd_count;
    bool cut; /* there were more, or this process has no room for them */
};

/* Receive without waiting. 0; -EAGAIN; -EPIPE at the end; another -errno. */
int bight__channel_receive(int fd, struct channel_message *message);
/* The same with `flags` for recvmsg: without MSG_DONTWAIT it waits. */
int bight__channel_receive_with(int fd, struct channel_message *message, int flags);

/* Wake the other side. 0 or -errno; a full socket is 0, because the other side is then awake. */
int bight__channel_wake(int fd);

#endif
