/* The two ways onto a thread of libuv's pool. What is queued there is withdrawn when its task is
 * cancelled; what a thread has begun is waited for, and what it did is told. */
#include "coro/core/source.h"
#include "runtime/file/file.h"

#include <errno.h>
#include <stdio.h>

/* Requests of uv_fs */

/* The abort never succeeds: libuv has the request until it calls back, also when it was
 * withdrawn. */
static int call_abort(struct bight_waiter *waiter)
{
    struct file_call *call = container_of(waiter, struct file_call, waiter);

    call->cancelled = true;
    (void)uv_cancel((uv_req_t *)&call->fs);
    return BIGHT_EBUSY;
}

static void call_describe(const struct bight_waiter *waiter, char *text, size_t text_bytes)
{
    snprintf(text, text_bytes, "%s", container_of(waiter, const struct file_call, waiter)->name);
}

static const struct bight_waiter_ops call_ops = {
    .name = "file",
    .abort = call_abort,
    .describe = call_describe,
    .flags = BIGHT_WAITER_OUTSIDE | BIGHT_WAITER_MAY_REFUSE,
};

static const struct bight_waiter_ops insist_ops = {
    .name = "file",
    .describe = call_describe,
    .flags = BIGHT_WAITER_OUTSIDE,
};

static int begin(struct file_call *call, const char *name, size_t *bytes,
                 const struct bight_waiter_ops *ops)
{
    struct files *files;
    int rc = bight__files_get(&files);

    if (rc)
        return rc;
    if (bight__transfer_fails(bight__files_seams(files), name, bytes))
        return -errno;
    call->loop = files->runtime->loop;
    call->name = name;
    call->cancelled = false;
    return bight_waiter_init(&call->waiter, ops);
}

int bight__file_call_begin(struct file_call *call, const char *name, size_t *bytes)
{
    int rc = bight_checkpoint();

    return rc ? rc : begin(call, name, bytes, &call_ops);
}

int bight__file_call_insist(struct file_call *call, const char *name)
{
    return begin(call, name, NULL, &insist_ops);
}

void bight__file_on_fs(uv_fs_t *fs)
{
    struct file_call *call = container_of(fs, struct file_call, fs);

    bight_unpark(&call->waiter, 0);
}

int64_t bight__file_call_wait(struct file_call *call, int rc)
{
    if (rc == 0)
        rc = bight_park(&call->waiter);
    if (rc)
        return rc;
    /* Nobody but our abort withdraws it: a file system that says so means something else. */
    if (call->fs.result == UV_ECANCELED)
        return call->cancelled ? bight__stop_code(bight_self()) : BIGHT_EIO;
    return call->fs.result;
}

int bight__file_call_end(struct file_call *call, int rc)
{
    int64_t result = bight__file_call_wait(call, rc);

    if (rc == 0)
        uv_fs_req_cleanup(&call->fs);
    return result < 0 ? (int)result : 0;
}

/* Turns */

static void run(uv_work_t *work)
{
    struct file_turn *turn = container_of(work, struct file_turn, work);

    turn->fn(turn);
}

static void after(uv_work_t *work, int status);

static void admit(struct file_turn *turn)
{
    turn->admitted = true;
    turn->files->turns++;
    /* it fails only when there is no function to call */
    (void)uv_queue_work(turn->files->runtime->loop, &turn->work, run, after);
}

static void after(uv_work_t *work, int status)
{
    struct file_turn *turn = container_of(work, struct file_turn, work);
    struct files *files = turn->files;
    struct bight_link *next = link_take(&files->waiting);

    turn->withdrawn = status == UV_ECANCELED;
    files->turns--;
    (void)bight_unpark(&turn->waiter, 0);
    if (next)
        admit(container_of(next, struct file_turn, waiter.link));
}

static int turn_abort(struct bight_waiter *waiter)
{
    struct file_turn *turn = container_of(waiter, struct file_turn, waiter);

    if (!turn->admitted) {
        link_remove(&waiter->link);
        return 0;
    }
    atomic_store_explicit(&turn->stop, true, memory_order_relaxed);
    (void)uv_cancel((uv_req_t *)&turn->work);
    return BIGHT_EBUSY;
}

static const struct bight_waiter_ops turn_ops = {
    .name = "file",
    .abort = turn_abort,
    .flags = BIGHT_WAITER_OUTSIDE | BIGHT_WAITER_MAY_REFUSE,
};

int bight__file_turn(struct file_turn *turn, struct files *files,
                     void (*fn)(struct file_turn *turn))
{
    int rc = bight_waiter_init(&turn->waiter, &turn_ops);

    if (rc)
        return rc;
    turn->files = files;
    turn->fn = fn;
    atomic_init(&turn->stop, false);
    turn->admitted = false;
    turn->withdrawn = false;
    if (files->turns < files->turns_most)
        admit(turn);
    else
        link_append(&files->waiting, &turn->waiter.link);
    rc = bight_park(&turn->waiter);
    return rc || !turn->withdrawn ? rc : bight__stop_code(bight_self());
}
