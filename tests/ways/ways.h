/* The ways of waiting that there are, as tables: how to make a source, wait for it, and give it
 * what is waited for. test_waits.c plays the same scenes with each of them. It is the suite of
 * several programs: one with the ways of coro/, runtime/, net/stream/ and offload/threads/
 * (ways.c), one with those of the HTTP server (ways_server.c), and one with those of WebSocket
 * (ways_websocket.c). */
#ifndef TESTS_WAYS_WAYS_H
#define TESTS_WAYS_WAYS_H

#include <semaphore.h>
#include <stdatomic.h>

#include <bight.h>
#include <bight/uv.h>

#include "runtime/testing/testing.h"

struct stage;

/* One task that waits. */
struct seat {
    struct stage *stage;
    struct bight_task *task;
    /* How it is to wait. */
    int64_t timeout_ms; /* under a deadline; 0: none */
    bool cancelled;     /* in a scope that was cancelled before */
    bool stoppable;     /* in a scope of BIGHT_SCOPE_STOPPABLE */
    /* What it saw: the call's return, that of a checkpoint after it, when it was over. */
    int rc;
    int after;
    uint64_t end_ns;
    bool done;
    /* For the source's use. */
    void *item;
    struct bight_group group;
};

/* A source, and those who wait for it. */
struct stage {
    struct bight__test test; /* first: the seams' ctx */
    const struct way *way;
    struct seat seats[2];
    size_t given; /* what main gave out, and how many seats got something */
    size_t taken;
    /* From now on no allocation succeeds; threads ask too. */
    atomic_bool no_memory;
    atomic_size_t allocations;
    /* The sources. */
    struct bight_mutex mutex;
    struct bight_event event;
    struct bight_future future;
    struct bight_queue *queue;
    struct bight_thread_queue *thread_queue;
    struct bight_thread_event *thread_event;
    struct bight_sender sender;
    struct bight_receiver receiver;
    struct bight_mailbox *mailbox;
    struct bight_submission *submission;
    struct bight_broadcast *broadcast;
    struct bight_subscriber subscriber;
    struct bight_latest latest;
    int latest_value;
    struct bight_generator *generator;
    struct bight_rate_limiter rate;
    struct bight_test_sequencer sequencer;
    struct bight_stream *ends[4];
    struct bight_listener *listener;
    struct bight_udp *udp;
    int fds[2];
    struct bight_task *child;
    struct bight_exchange *exchange;
    struct bight_multipart *parts;
    struct bight_websocket *socket;
    struct bight_background *background;
    struct bight_signal *signal;
    struct bight_process *process;
    struct bight_waiter *first;
    uv_timer_t timer;
    struct bight_uv_req req;
    sem_t finish;
    atomic_bool begun;
    struct bight_executor *executor;
    struct bight_execution execution;
    struct bight_file *file;
    struct bight_watch *watch;
    struct bight_job_map map;
    int items; /* that the map still gets */
    struct bight_shared *segment;
    size_t destroyed;
};

enum way_flags {
    /* Nobody has to wake it, and nobody can hold it up. */
    WAY_BY_ITSELF = 1,
    /* What it is woken with is not what it waits for: it goes on to look, and a cancellation that
     * comes in between ends it. */
    WAY_HINT = 2,
    /* A drain does not end it: it waits for tasks that were given to it, or in a scope of its own,
     * which is not stoppable. */
    WAY_DRAINS_ON = 4,
    /* A drain is what it waits for. */
    WAY_DRAIN_WAKES = 8,
};

struct way {
    /* The call, as docs/waiting.md lists it. */
    const char *call;
    /* How many may wait for one source: 2 where what is given goes to one of several. */
    int seats;
    /* What the call returns when it got what it waited for. */
    int woken;
    /* A cancellation ends the wait; else the wait goes on until it is woken. */
    bool lets_go;
    unsigned flags;
    /* In main: make a source that has nothing to give. */
    void (*open)(struct stage *stage);
    /* In a seat: wait. With `no_memory` from the call in question on, unless that takes memory for
     * what it is to give: the file of such a way says so. */
    int (*wait)(struct seat *seat);
    /* In main: give something once. A second time does nothing where there is but one to give. */
    void (*wake)(struct stage *stage);
    /* In a seat that was woken, may be NULL: give back. */
    void (*leave)(struct seat *seat);
    /* In main: check that nothing was lost, and end the source. */
    void (*close)(struct stage *stage);
};

/* One per file of ways. */
struct way_table {
    const struct way *rows;
    int count;
};

extern const struct way_table basic_way_table;
extern const struct way_table body_way_table;
extern const struct way_table combine_way_table;
extern const struct way_table file_way_table;
extern const struct way_table net_way_table;
extern const struct way_table offload_way_table;
extern const struct way_table pass_way_table;
extern const struct way_table process_way_table;
extern const struct way_table queue_way_table;
extern const struct way_table select_way_table;
extern const struct way_table server_way_table;
extern const struct way_table service_way_table;
extern const struct way_table shared_way_table;
extern const struct way_table stream_way_table;
extern const struct way_table task_way_table;
extern const struct way_table testing_way_table;
extern const struct way_table thread_way_table;
extern const struct way_table sync_way_table;
extern const struct way_table time_way_table;
extern const struct way_table udp_way_table;
extern const struct way_table websocket_way_table;

/* ways_select.c: wait in a select for the first of two cases, beside one that never happens; when
 * it happens its status has to be `status`. No memory from here on. */
int ways_select(struct seat *seat, struct bight_case *cases, int status);

/* Those of this program, numbered from 0. */
extern const int way_table_count;
const struct way_table *way_table_at(int index);
/* Whether this program plays the calls of `<bight/HEADER.h>`. */
bool ways_have_header(const char *header);

#define SLEEP_MS 10

#endif
