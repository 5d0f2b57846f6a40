/* The scenarios that wait for something outside of the runtime. See scenarios.h. */
#include "tests/sweeps/scenarios.h"

#include <bight.h>
#include <bight/threads.h>
#include <bight/uv.h>
#include <check.h>
#include <fcntl.h>
#include <semaphore.h>
#include <signal.h>

static void call_event(void *event)
{
    bight_event_set(event);
}

int scenario_posts(void *arg)
{
    static struct bight_event event; /* outlives a main that gave up waiting */
    struct bight_mailbox *mailbox;
    int rc = bight_mailbox_get(&mailbox);

    (void)arg;
    if (rc)
        return rc;
    bight_event_init(&event);
    rc = bight_post_call(mailbox, call_event, &event);
    if (rc == 0)
        rc = bight_event_wait(&event);
    bight_mailbox_unref(mailbox);
    return rc;
}

/* Wait on another one of the number that `first` is open for, and then on `first`. */
static int share_signal(struct bight_signal *first)
{
    struct bight_signal *other;
    int rc = bight_signal_open(&other, SIGUSR2);

    if (rc)
        return rc;
    raise(SIGUSR2);
    rc = bight_signal_wait(other);
    bight_signal_end(other);
    return rc > 0 ? bight_signal_wait(first) : rc;
}

int scenario_signals(void *arg)
{
    struct bight_signal *first, *second;
    int rc = bight_signal_open(&first, SIGUSR1);

    (void)arg;
    if (rc)
        return rc;
    rc = bight_signal_open(&second, SIGUSR2);
    if (rc == 0) {
        rc = share_signal(second);
        bight_signal_end(second);
    }
    bight_signal_end(first);
    return rc > 0 ? 0 : rc;
}

/* The result of a request that libuv has accepted. */
static int finish(struct bight_uv_req *req, int started)
{
    int rc = started ? started : (int)bight_uv_await(req);

    uv_fs_req_cleanup(&req->u.fs);
    return rc;
}

static int close_file(void *arg)
{
    struct bight_uv_req req;
    int rc = bight_uv_req_init(&req);

    return rc ? rc
              : finish(&req, uv_fs_close(bight_uv_loop(), &req.u.fs, *(int *)arg, bight_uv_on_fs));
}

static int read_file(void *arg)
{
    char text[16];
    uv_buf_t buffer = uv_buf_init(text, sizeof text);
    struct bight_uv_req req;
    int rc = bight_uv_req_init(&req), fd;

    (void)arg;
    if (rc)
        return rc;
    fd = finish(&req,
                uv_fs_open(bight_uv_loop(), &req.u.fs, "/dev/zero", O_RDONLY, 0, bight_uv_on_fs));
    if (fd < 0)
        return fd;
    rc = bight_uv_req_init(&req);
    if (rc == 0)
        rc =
            finish(&req, uv_fs_read(bight_uv_loop(), &req.u.fs, fd, &buffer, 1, 0, bight_uv_on_fs));
    int closed = bight_shield(-1, close_file, &fd);
    return rc < 0 ? rc : closed;
}

int scenario_uv_requests(void *arg)
{
    uv_timer_t timer;

    EXPECT(uv_timer_init(bight_uv_loop(), &timer) == 0);
    int rc = read_file(arg);
    EXPECT(bight_uv_close((uv_handle_t *)&timer) == 0);
    return rc;
}

/* A task fills the queue of threads, main empties it; an event says that it is over. */

struct exchange {
    struct bight_thread_queue *queue;
    struct bight_thread_event *over;
};

#define EXCHANGED 4

static void drop_item(void *arg, void *item)
{
    EXPECT(arg == &scenario_balance);
    (void)item;
    scenario_balance--;
}

static int put_items(void *arg)
{
    struct exchange *exchange = arg;
    int rc = 0;

    for (int i = 0; i < EXCHANGED && !rc; i++) {
        rc = i % 2 ? bight_thread_queue_put(exchange->queue, exchange, -1)
                   : bight_thread_queue_put(exchange->queue, exchange, 1000);
        scenario_balance += !rc;
    }
    bight_thread_queue_close(exchange->queue);
    bight_thread_event_set(exchange->over);
    return rc;
}

static int get_items(struct bight_group *group, void *arg)
{
    struct exchange *exchange = arg;
    void *item;
    int rc = bight_group_spawn(NULL, group, NULL, put_items, exchange);

    for (int i = 0; !rc; i++) {
        rc = i % 2 ? bight_thread_queue_get(exchange->queue, &item, -1)
                   : bight_thread_queue_get(exchange->queue, &item, 1000);
        scenario_balance -= !rc;
    }
    if (rc != BIGHT_ECLOSED)
        return rc;
    rc = bight_thread_event_wait(exchange->over, -1);
    return rc ? rc : bight_thread_event_wait(exchange->over, 1000);
}

int scenario_thread_queue(void *arg)
{
    struct exchange exchange;
    int rc = bight_thread_event_new(&exchange.over);

    (void)arg;
    if (rc)
        return rc;
    rc = bight_thread_queue_new(&exchange.queue, 1, drop_item, &scenario_balance);
    if (rc == 0) {
        rc = bight_group_run(get_items, &exchange);
        bight_thread_queue_unref(exchange.queue);
    }
    bight_thread_event_unref(exchange.over);
    return rc;
}

/* The same by selects. */

static int select_one(struct bight_case *cases)
{
    bight_case_sleep(&cases[1], 1000);
    int rc = bight_select(cases, 2, 0);

    EXPECT(rc <= 0);
    return rc ? rc : cases[0].status;
}

static int put_selected(void *arg)
{
    struct exchange *exchange = arg;
    struct bight_case cases[2];
    int rc = 0;

    for (int i = 0; i < EXCHANGED && !rc; i++) {
        bight_case_thread_queue_put(&cases[0], exchange->queue, exchange);
        rc = select_one(cases);
        scenario_balance += !rc;
    }
    bight_thread_queue_close(exchange->queue);
    return rc;
}

static int get_selected(struct bight_group *group, void *arg)
{
    struct exchange *exchange = arg;
    struct bight_case cases[2];
    int rc = bight_group_spawn(NULL, group, NULL, put_selected, exchange);

    bight_case_thread_queue_get(&cases[0], exchange->queue);
    while (!rc) {
        rc = select_one(cases);
        scenario_balance -= !rc;
    }
    return rc == BIGHT_ECLOSED ? 0 : rc;
}

int scenario_thread_select(void *arg)
{
    struct exchange exchange;
    int rc = bight_thread_queue_new(&exchange.queue, 1, drop_item, &scenario_balance);

    (void)arg;
    if (rc)
        return rc;
    rc = bight_group_run(get_selected, &exchange);
    bight_thread_queue_unref(exchange.queue);
    return rc;
}

static int submitted(void *arg)
{
    (void)arg;
    return bight_sleep(1);
}

static int select_submission(struct bight_submission *submission)
{
    struct bight_case cases[2];

    bight_case_submission(&cases[0], submission);
    return select_one(cases);
}

/* One that is waited for, in both ways, and one that is let go. */
int scenario_submission(void *arg)
{
    struct bight_mailbox *mailbox;
    struct bight_submission *first, *second;
    int status = 0;
    int rc = bight_mailbox_get(&mailbox);

    if (rc)
        return rc;
    rc = bight_thread_submit(&first, mailbox, submitted, arg);
    if (rc == 0) {
        rc = bight_thread_submit(&second, mailbox, submitted, arg);
        if (rc == 0) {
            bight_submission_cancel(second);
            bight_submission_unref(second);
        }
        int waited = select_submission(first);
        waited = waited ? waited : bight_submission_wait(first, -1, &status);
        bight_submission_unref(first);
        rc = rc ? rc : waited ? waited : status;
    }
    bight_mailbox_unref(mailbox);
    return rc;
}

static int pass(void *arg)
{
    return arg ? 0 : BIGHT_EINVAL;
}

/* One thread that is there from the beginning, and calls on it. The executor is left to the end of
 * the runtime: whether its own end has to wait is up to the thread. */
int scenario_threads(void *arg)
{
    struct bight_threads_options options = {.threads_most = 1, .threads_least = 1};
    struct bight_executor *threads;
    int rc = bight_threads_new(&threads, &options);

    (void)arg;
    if (rc)
        return rc;
    rc = bight_threads_call(threads, pass, &options);
    return rc ? rc : bight_threads_call_owned(threads, pass, threads, NULL);
}

static sem_t gate;

static int stand_at_gate(struct bight_job *job)
{
    (void)job;
    while (sem_wait(&gate))
        ;
    return 0;
}

static void open_gate(struct bight_call *call)
{
    (void)call;
    sem_post(&gate);
}

static const struct bight_job_def gate_job = {.name = "stand at gate", .fn = stand_at_gate};

/* A thread stands at a gate, and one job waits behind: the next one waits for room, until the gate
 * opens. What has begun is left to the end of the runtime. */
int scenario_room(void *arg)
{
    static struct bight_execution executions[3];
    struct bight_threads_options options = {.threads_most = 1, .threads_least = 1, .queue_max = 1};
    struct bight_execute_options wait = {.wait_for_room = true};
    struct bight_call call = BIGHT_CALL_INIT(open_gate);
    struct bight_executor *threads;
    int rc = bight_threads_new(&threads, &options);

    (void)arg;
    if (rc)
        return rc;
    sem_init(&gate, 0, 0);
    for (int i = 0; i < 2 && !rc; i++)
        rc = bight_execution_begin(&executions[i], threads, &gate_job, NULL, 0, NULL);
    if (!rc)
        rc = bight_call_soon(&call);
    if (!rc)
        rc = bight_execution_begin(&executions[2], threads, &gate_job, NULL, 0, &wait);
    bight_call_cancel(&call);
    for (int i = 0; i < 3; i++)
        sem_post(&gate);
    return rc;
}
