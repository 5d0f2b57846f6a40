/* Cancelling what runtime/uv/uvreq.c awaits. libuv's pool has one thread here, so that a request
 * can be kept waiting behind work that stands at a gate. */
#include "runtime/runtime.h"

#include <bight.h>
#include <semaphore.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/harness/suite.h"
#include "tests/harness/support.h"

static int run(int (*fn)(void *arg), void *arg)
{
    setenv("UV_THREADPOOL_SIZE", "1", 1);
    return bight_run(fn, arg);
}

/* The pool's thread stands at the gate until it is opened. */
struct blocker {
    struct bight_uv_req req;
    sem_t entered;
    sem_t gate;
};

static void stand_at_gate(uv_work_t *work)
{
    struct blocker *blocker = container_of(work, struct blocker, req.u.work);

    sem_post(&blocker->entered);
    sem_wait(&blocker->gate);
}

static void block_pool(struct blocker *blocker, uv_after_work_cb after)
{
    sem_init(&blocker->entered, 0, 0);
    sem_init(&blocker->gate, 0, 0);
    ck_assert_int_eq(bight_uv_req_init(&blocker->req), 0);
    ck_assert_int_eq(uv_queue_work(bight_uv_loop(), &blocker->req.u.work, stand_at_gate, after), 0);
    sem_wait(&blocker->entered);
}

static void open_gate(struct blocker *blocker)
{
    sem_post(&blocker->gate);
}

static void destroy_gate(struct blocker *blocker)
{
    sem_destroy(&blocker->entered);
    sem_destroy(&blocker->gate);
}

static int cancel_scope(void *scope)
{
    bight_scope_cancel(scope);
    return 0;
}

static int cancel_queued(void *arg)
{
    struct blocker blocker;
    struct bight_uv_req fs, name;
    struct bight_scope scope;

    (void)arg;
    block_pool(&blocker, bight_uv_on_work);
    ck_assert_int_eq(bight_uv_req_init(&fs), 0);
    ck_assert_int_eq(bight_uv_req_init(&name), 0);
    ck_assert_int_eq(uv_fs_stat(bight_uv_loop(), &fs.u.fs, "/", bight_uv_on_fs), 0);
    ck_assert_int_eq(uv_getaddrinfo(bight_uv_loop(), &name.u.getaddrinfo, bight_uv_on_getaddrinfo,
                                    "127.0.0.1", NULL, NULL),
                     0);
    ck_assert_int_eq(bight_scope_begin(&scope, -1, 0), 0);
    ck_assert_int_eq(bight_spawn(NULL, cancel_scope, &scope), 0);
    ck_assert_int_eq(bight_uv_await(&fs), BIGHT_ECANCELED);
    ck_assert_int_eq(bight_uv_await(&name), BIGHT_ECANCELED);
    ck_assert_int_eq(bight_scope_end(&scope, BIGHT_ECANCELED), 0);
    uv_fs_req_cleanup(&fs.u.fs);
    open_gate(&blocker);
    ck_assert_int_eq(bight_uv_await(&blocker.req), 0);
    destroy_gate(&blocker);
    return 0;
}

struct late {
    struct blocker blocker;
    struct bight_scope scope;
};

static int cancel_then_open(void *arg)
{
    struct late *late = arg;

    bight_scope_cancel(&late->scope);
    open_gate(&late->blocker);
    return 0;
}

static int cancel_running(void *arg)
{
    struct late late;

    (void)arg;
    block_pool(&late.blocker, bight_uv_on_work);
    ck_assert_int_eq(bight_scope_begin(&late.scope, -1, 0), 0);
    ck_assert_int_eq(bight_spawn(NULL, cancel_then_open, &late), 0);
    ck_assert_int_eq(bight_uv_await(&late.blocker.req), 0);
    ck_assert_int_eq(bight_checkpoint(), BIGHT_ECANCELED);
    ck_assert_int_eq(bight_scope_end(&late.scope, 0), 0);
    destroy_gate(&late.blocker);
    return 0;
}

static void finish_then_cancel(uv_work_t *work, int status)
{
    struct late *late = container_of(work, struct late, blocker.req.u.work);

    bight_uv_on_work(work, status);
    bight_scope_cancel(&late->scope);
}

static int cancel_finished(void *arg)
{
    struct late late;

    (void)arg;
    ck_assert_int_eq(bight_scope_begin(&late.scope, -1, 0), 0);
    block_pool(&late.blocker, finish_then_cancel);
    open_gate(&late.blocker);
    ck_assert_int_eq(bight_uv_await(&late.blocker.req), 0);
    ck_assert(late.scope.cancelled);
    ck_assert_int_eq(bight_scope_end(&late.scope, 0), 0);
    destroy_gate(&late.blocker);
    return 0;
}

static int refuse_in_cancelled(void *arg)
{
    struct bight_scope scope;
    struct bight_uv_req r;

    (void)arg;
    ck_assert_int_eq(bight_scope_begin(&scope, -1, 0), 0);
    bight_scope_cancel(&scope);
    ck_assert_int_eq(bight_uv_req_init(&r), BIGHT_ECANCELED);
    ck_assert_int_eq(bight_scope_end(&scope, BIGHT_ECANCELED), 0);
    return 0;
}

static void in_a_cancelled_scope_nothing_is_begun(void)
{
    struct bight_uv_req r;

    ck_assert_int_eq(bight_uv_req_init(&r), BIGHT_ENOTASK);
    ck_assert_int_eq(run(refuse_in_cancelled, NULL), 0);
}

/* A connect that hangs: nobody accepts, and the backlog is full. */
struct hanging {
    struct sockaddr_in address;
    int fd;
    int filler[4];
    uv_tcp_t tcp;
    struct bight_uv_req req;
    int closes;
};

static void on_closed(uv_handle_t *handle)
{
    container_of(handle, struct hanging, tcp)->closes++;
}

static void close_tcp(struct bight_uv_req *req)
{
    struct hanging *hanging = container_of(req, struct hanging, req);

    uv_close((uv_handle_t *)&hanging->tcp, on_closed);
}

static void hang(struct hanging *hanging)
{
    hanging->closes = 0;
    hanging->fd = test_bound_socket(&hanging->address);
    ck_assert_int_eq(listen(hanging->fd, 0), 0);
    for (int i = 0; i < 4; i++) {
        hanging->filler[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        (void)connect(hanging->filler[i], (struct sockaddr *)&hanging->address,
                      sizeof hanging->address);
    }
    ck_assert_int_eq(uv_tcp_init(bight_uv_loop(), &hanging->tcp), 0);
    ck_assert_int_eq(bight_uv_req_init(&hanging->req), 0);
    ck_assert_int_eq(uv_tcp_connect(&hanging->req.u.connect, &hanging->tcp,
                                    (const struct sockaddr *)&hanging->address,
                                    bight_uv_on_connect),
                     0);
    hanging->req.cancel = close_tcp;
}

static void unhang(struct hanging *hanging)
{
    for (int i = 0; i < 4; i++)
        close(hanging->filler[i]);
    close(hanging->fd);
    ck_assert_int_eq(hanging->closes, 1);
}

static int cancel_connect(void *arg)
{
    struct hanging hanging;
    struct bight_scope scope;

    (void)arg;
    hang(&hanging);
    ck_assert_int_eq(bight_scope_begin(&scope, -1, 0), 0);
    ck_assert_int_eq(bight_spawn(NULL, cancel_scope, &scope), 0);
    ck_assert_int_eq(bight_uv_await(&hanging.req), BIGHT_ECANCELED);
    ck_assert_int_eq(bight_uv_close((uv_handle_t *)&hanging.tcp), BIGHT_EALREADY);
    ck_assert_int_eq(bight_scope_end(&scope, BIGHT_ECANCELED), 0);
    unhang(&hanging);
    return 0;
}

static int await_hanging(void *arg)
{
    struct hanging *hanging = arg;

    return (int)bight_uv_await(&hanging->req);
}

static int time_out_connect(void *arg)
{
    struct hanging hanging;

    (void)arg;
    hang(&hanging);
    ck_assert_int_eq(bight_timeout(2, await_hanging, &hanging), BIGHT_ETIMEDOUT);
    unhang(&hanging);
    return 0;
}

static int close_from_elsewhere(void *arg)
{
    struct hanging *hanging = arg;

    close_tcp(&hanging->req);
    return 0;
}

static int close_under_connect(void *arg)
{
    struct hanging hanging;

    (void)arg;
    hang(&hanging);
    ck_assert_int_eq(bight_spawn(NULL, close_from_elsewhere, &hanging), 0);
    ck_assert_int_eq(bight_uv_await(&hanging.req), BIGHT_ECLOSED);
    unhang(&hanging);
    return 0;
}

static const struct suite_case cases[] = {
    body_case(a_request_that_still_queues_for_the_pool_is_cancelled, run, cancel_queued),
    body_case(cancelled_too_late_the_result_is_kept, run, cancel_running),
    body_case(woken_then_cancelled_is_woken, run, cancel_finished),
    plain_case(in_a_cancelled_scope_nothing_is_begun),
    body_case(a_cancelled_connect_is_ended_by_its_hook, run, cancel_connect),
    body_case(a_connect_observes_its_deadline, run, time_out_connect),
    body_case(a_handle_closed_by_somebody_else_is_not_a_cancellation, run, close_under_connect),
};

test_suite("uvreq_cancel", cases);
