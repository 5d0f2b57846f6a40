/* Memory shared with worker processes, and what lies in it: a robust mutex, semaphore, event,
 * barrier, queue and pipe, on which tasks, jobs and plain threads wait for each other. Everything
 * else in it is the program's own: values and arrays by C11 atomics or under the mutex.
 *
 *     struct counters {
 *         struct bight_shared_mutex mutex;
 *         long jobs;
 *     };
 *     rc = bight_shared_new(&segment, sizeof(struct counters));
 *     counters = bight_shared_data(segment);
 *     rc = bight_shared_mutex_init(&counters->mutex);
 *     number = bight_workers_share(executor, segment);         // travels in the input of jobs
 *
 * and in a job: rc = bight_job_shared(job, number, (void **)&counters, NULL).
 *
 * A call that may wait is the same everywhere: a task of the runtime that made the segment sleeps,
 * a job and a thread without a runtime block. Who waits is not served in order. `timeout_ms` limits
 * the wait: negative for none, 0 for not at all. A process that is killed, at any instant, hangs
 * nobody: docs/shared.md says what becomes of what it held. */
#ifndef BIGHT_SHARED_H
#define BIGHT_SHARED_H

#include <bight/base.h>
#include <bight/errors.h>

BIGHT_BEGIN_DECLS

struct bight_executor;
struct bight_job;

/* A segment: zeroed memory of a fixed size. */
struct bight_shared;

/** Make a segment of at least `bytes`, all zero. It belongs to the runtime of the calling thread,
 *  whose end frees it. Where the program forks, the child does not have it.
 *
 *  @return 0; BIGHT_EINVAL for no bytes, or more than there can be; BIGHT_EFBIG: more than
 *          RLIMIT_FSIZE; BIGHT_ENORUNTIME; BIGHT_ECLOSED: the runtime is ending;
 *          BIGHT_ENOMEM, BIGHT_EMFILE and the like.
 *  Ownership: gives *out, to be freed with bight_shared_free.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_shared_new(struct bight_shared **out, size_t bytes);

/** Free a segment. Workers that were given it keep it until they have ended the jobs that they run.
 *  A job that waits for something in it is not woken by this, so close or set that before. No
 *  thread may be inside of a call on what lies in it.
 *
 *  @return 0; BIGHT_EBUSY: a task waits on something in it; BIGHT_EPERM: it belongs to the runtime
 *          of another thread; BIGHT_EINVAL.
 *  Ownership: takes segment on success.
 */
BIGHT_API int bight_shared_free(struct bight_shared *segment);

/** Where the segment begins in this process, aligned to a page; NULL for NULL. Workers have it at
 *  other addresses: store offsets in it, no pointers.
 *
 *  Thread: any.  Ownership: the memory is the segment's.
 */
BIGHT_API void *bight_shared_data(const struct bight_shared *segment);

/** How many bytes it was made for; 0 for NULL.
 *
 *  Thread: any.
 */
BIGHT_API size_t bight_shared_bytes(const struct bight_shared *segment);

/** Give the segment to all workers of `executor`, also to those made later. Jobs that are begun
 *  after this call find it, and the initialiser of later workers does.
 *
 *  @return the segment's number in that executor, at least 0, the same each time; BIGHT_EFULL: the
 *          executor has 128 of them; BIGHT_EPERM: the two do not belong to the runtime of this
 *          thread; BIGHT_EINVAL: not an executor of worker processes; BIGHT_ENOMEM.
 *  Ownership: keeps segment until it is freed or the executor has ended.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_workers_share(struct bight_executor *executor,
                                                   struct bight_shared *segment);

/** In a job of a worker process: find segment `number`, and its size unless `bytes` is NULL.
 *
 *  @return 0; BIGHT_ENOENT: this worker was not given it, or it has been freed; BIGHT_EMFILE,
 *          BIGHT_ENOMEM: the worker had no room for it; BIGHT_EINVAL.
 *  Thread: the one that runs the job.
 *  Ownership: *data is valid until the job ends, and longer unless the segment is freed.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_job_shared(struct bight_job *job, int number, void **data,
                                                size_t *bytes);

/* Private: what everything in a segment that can be waited for begins with. */
struct bight__shared_base {
    uint32_t sequence;
    uint32_t sleepers;
    uint32_t tasks;
    uint32_t kind;
};

/* All fields are private. An object lies in a segment, is initialised by the process that made the
 * segment, once, and is there until the segment is freed. Each _init returns 0; BIGHT_EINVAL: it is
 * not in a segment, or a value is out of range; BIGHT_EPERM: another process made the segment;
 * BIGHT_ENOMEM. Calls on what was not initialised return BIGHT_EINVAL. */
struct bight_shared_mutex {
    struct bight__shared_base base;
    uint64_t owner;
    uint64_t reserved[5];
};

struct bight_shared_semaphore {
    struct bight__shared_base base;
    int64_t value;
    int64_t bound;
    uint64_t reserved[4];
};

struct bight_shared_event {
    struct bight__shared_base base;
    uint64_t turns;
    uint64_t reserved[5];
};

struct bight_shared_barrier {
    struct bight__shared_base base;
    uint64_t state;
    uint32_t parties;
    uint32_t reserved_word;
    uint64_t reserved[4];
};

struct bight_shared_queue {
    struct bight__shared_base base;
    uint64_t lock;
    uint64_t head;
    uint64_t tail;
    uint64_t finished;
    int64_t storage;
    uint32_t capacity;
    uint32_t item_bytes;
    uint32_t closed;
    uint32_t reserved_word;
    uint64_t reserved[7];
};

struct bight_shared_pipe {
    struct bight__shared_base base;
    uint64_t lock;
    uint64_t head;
    uint64_t tail;
    int64_t storage;
    uint64_t bytes;
    uint32_t closed;
    uint32_t reserved_word;
    uint64_t reserved[8];
};

/** Make a free mutex.
 *
 *  @return 0; BIGHT_EINVAL, BIGHT_EPERM, BIGHT_ENOMEM as above.
 *  Thread: any.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_shared_mutex_init(struct bight_shared_mutex *mutex);

/** Take the mutex. It belongs to the task of the segment's runtime that took it, which may hold it
 *  while it sleeps, or otherwise to the thread.
 *
 *  @return 0; BIGHT_EOWNERDEAD: it is held, and the process that held it before has ended with it:
 *          mend what it guards, then call bight_shared_mutex_recover; BIGHT_ENOTRECOVERABLE: an
 *          owner of that kind has unlocked it without; BIGHT_EDEADLK: the caller holds it;
 *          BIGHT_ETIMEDOUT; BIGHT_ECANCELED; BIGHT_ENOTASK outside of tasks on a thread that has a
 *          runtime; BIGHT_EPERM: a task of another runtime, which cannot wait here; BIGHT_EINVAL.
 *  Suspends: yes.  Cancellable: yes.  On cancel: BIGHT_ECANCELED, the mutex is not held.
 *  Allocates: no.  Thread: any.  Ownership: keeps mutex until it is unlocked.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_shared_mutex_lock(struct bight_shared_mutex *mutex,
                                                       int64_t timeout_ms);

/** Take the mutex if it is free. Does not observe cancellation.
 *
 *  @return as bight_shared_mutex_lock; BIGHT_EBUSY: somebody else holds it.
 *  Thread: any.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_shared_mutex_try_lock(struct bight_shared_mutex *mutex);

/** Free the mutex.
 *
 *  @return 0; BIGHT_EPERM: the caller does not hold it; BIGHT_EINVAL.
 *  Thread: any.
 */
BIGHT_API int bight_shared_mutex_unlock(struct bight_shared_mutex *mutex);

/** After BIGHT_EOWNERDEAD: what the mutex guards is in order again.
 *
 *  @return 0; BIGHT_EPERM: the caller does not hold it; BIGHT_EINVAL: no owner has died.
 *  Thread: any.
 */
BIGHT_API int bight_shared_mutex_recover(struct bight_shared_mutex *mutex);

/** Make a semaphore with `value` units, of which there can never be more than `bound`.
 *
 *  @return 0; BIGHT_EINVAL also for a negative value or a bound below it; BIGHT_EPERM,
 *          BIGHT_ENOMEM.
 *  Thread: any.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_shared_semaphore_init(struct bight_shared_semaphore *semaphore,
                                                           int64_t value, int64_t bound);

/** Take a unit, waiting until there is one. A unit that a killed process had taken is lost.
 *
 *  @return 0; BIGHT_ETIMEDOUT; BIGHT_ECANCELED; BIGHT_ENOTASK, BIGHT_EPERM as
 *          bight_shared_mutex_lock; BIGHT_EINVAL.
 *  Suspends: yes.  Cancellable: yes.  On cancel: BIGHT_ECANCELED, nothing was taken.
 *  Allocates: no.  Thread: any.  Ownership: borrows semaphore.
 */
BIGHT_API BIGHT_MUST_CHECK int
bight_shared_semaphore_acquire(struct bight_shared_semaphore *semaphore, int64_t timeout_ms);

/** Take a unit if there is one. Does not observe cancellation.
 *
 *  @return 0; BIGHT_EAGAIN; BIGHT_EINVAL.
 *  Thread: any.
 */
BIGHT_API BIGHT_MUST_CHECK int
bight_shared_semaphore_try_acquire(struct bight_shared_semaphore *semaphore);

/** Give back a unit.
 *
 *  @return 0; BIGHT_ERANGE: there are as many as there can be; BIGHT_EINVAL.
 *  Thread: any.
 */
BIGHT_API int bight_shared_semaphore_release(struct bight_shared_semaphore *semaphore);

/** How many units there are at the moment of the call; 0 of what is no semaphore.
 *
 *  Thread: any.
 */
BIGHT_API int64_t bight_shared_semaphore_value(const struct bight_shared_semaphore *semaphore);

/** Make an event that is not set.
 *
 *  @return 0; BIGHT_EINVAL, BIGHT_EPERM, BIGHT_ENOMEM.
 *  Thread: any.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_shared_event_init(struct bight_shared_event *event);

/** Set the flag and wake all that wait now; they return 0 even if it is cleared before they run.
 *
 *  @return 0; BIGHT_EINVAL.
 *  Thread: any.
 */
BIGHT_API int bight_shared_event_set(struct bight_shared_event *event);

/** Clear the flag: later waits wait again.
 *
 *  @return 0; BIGHT_EINVAL.
 *  Thread: any.
 */
BIGHT_API int bight_shared_event_clear(struct bight_shared_event *event);

/** Whether the flag is set at the moment of the call.
 *
 *  Thread: any.
 */
BIGHT_API bool bight_shared_event_is_set(const struct bight_shared_event *event);

/** Wait until the flag is set.
 *
 *  @return 0; BIGHT_ETIMEDOUT; BIGHT_ECANCELED; BIGHT_ENOTASK, BIGHT_EPERM as
 *          bight_shared_mutex_lock; BIGHT_EINVAL.
 *  Suspends: yes.  Cancellable: yes.  On cancel: BIGHT_ECANCELED.
 *  Allocates: no.  Thread: any.  Ownership: borrows event.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_shared_event_wait(struct bight_shared_event *event,
                                                       int64_t timeout_ms);

/** Make a barrier for `parties` tasks, jobs and threads, at least 1 and at most 1,000,000.
 *
 *  @return 0; BIGHT_EINVAL also for another number; BIGHT_EPERM, BIGHT_ENOMEM.
 *  Thread: any.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_shared_barrier_init(struct bight_shared_barrier *barrier,
                                                         int parties);

/** Wait until all parties have come. Who is cancelled or out of time before leaves and does not
 *  count; that does not break the barrier. Who is killed while waiting counts.
 *
 *  @return how many had come before, so exactly one of a round gets parties-1, the last to come;
 *          BIGHT_EBROKEN: the barrier is broken, or was broken or reset before the caller had gone
 *          on; BIGHT_ETIMEDOUT; BIGHT_ECANCELED; BIGHT_ENOTASK, BIGHT_EPERM as
 *          bight_shared_mutex_lock; BIGHT_EINVAL.
 *  Suspends: yes.  Cancellable: yes, until all have come.
 *  On cancel: BIGHT_ECANCELED, the caller is not counted.
 *  Allocates: no.  Thread: any.  Ownership: borrows barrier.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_shared_barrier_wait(struct bight_shared_barrier *barrier,
                                                         int64_t timeout_ms);

/** Break the barrier: all that wait, and all that come later, get BIGHT_EBROKEN until it is reset.
 *
 *  @return 0; BIGHT_EINVAL.
 *  Thread: any.
 */
BIGHT_API int bight_shared_barrier_abort(struct bight_shared_barrier *barrier);

/** Begin a new round: those who wait get BIGHT_EBROKEN. Mends a broken barrier.
 *
 *  @return 0; BIGHT_EINVAL.
 *  Thread: any.
 */
BIGHT_API int bight_shared_barrier_reset(struct bight_shared_barrier *barrier);

/** How many parties wait at the moment of the call; BIGHT_EBROKEN; BIGHT_EINVAL.
 *
 *  Thread: any.
 */
BIGHT_API int bight_shared_barrier_waiting(const struct bight_shared_barrier *barrier);

/** How large the storage of a queue is; 0: no such queue can be.
 *
 *  Thread: any.
 */
BIGHT_API size_t bight_shared_queue_storage(uint32_t capacity, size_t item_bytes);

/** Make a queue of at most `capacity` items, each of at most `item_bytes`, which lie in `storage`:
 *  bight_shared_queue_storage bytes of the same segment, aligned to 8.
 *
 *  @return 0; BIGHT_EINVAL also when the storage is not in the segment; BIGHT_EPERM, BIGHT_ENOMEM.
 *  Thread: any.  Ownership: keeps storage for as long as the segment.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_shared_queue_init(struct bight_shared_queue *queue,
                                                       void *storage, uint32_t capacity,
                                                       size_t item_bytes);

/** Append a copy of `item`, waiting while the queue is full.
 *
 *  @return 0; BIGHT_ECLOSED; BIGHT_EMSGSIZE: `bytes` is more than an item may have;
 *          BIGHT_EPROTOCOL: something wrote over the queue; BIGHT_ETIMEDOUT; BIGHT_ECANCELED;
 *          BIGHT_ENOTASK, BIGHT_EPERM as bight_shared_mutex_lock; BIGHT_EINVAL.
 *  Suspends: yes.  Cancellable: yes.  On cancel: BIGHT_ECANCELED, the item was not put.
 *  Allocates: no.  Thread: any.  Ownership: borrows all.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_shared_queue_put(struct bight_shared_queue *queue,
                                                      const void *item, size_t bytes,
                                                      int64_t timeout_ms);

/** Append a copy of `item` if there is room. Does not observe cancellation.
 *
 *  @return as bight_shared_queue_put; BIGHT_EAGAIN: it is full, or others are at it all the time.
 *  Thread: any.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_shared_queue_try_put(struct bight_shared_queue *queue,
                                                          const void *item, size_t bytes);

/** Take the oldest item into the `room` bytes at `item`, waiting while there is none.
 *
 *  @return how many bytes it has; BIGHT_ECLOSED: closed and empty; BIGHT_EMSGSIZE: it has more than
 *          `room`, and is still in the queue; otherwise as bight_shared_queue_put.
 *  Suspends: yes.  Cancellable: yes.  On cancel: BIGHT_ECANCELED, nothing was taken.
 *  Allocates: no.  Thread: any.  Ownership: borrows all.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_shared_queue_get(struct bight_shared_queue *queue, void *item,
                                                      size_t room, int64_t timeout_ms);

/** Take the oldest item if there is one. Does not observe cancellation.
 *
 *  @return as bight_shared_queue_get; BIGHT_EAGAIN: it is empty, or others are at it all the time.
 *  Thread: any.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_shared_queue_try_get(struct bight_shared_queue *queue,
                                                          void *item, size_t room);

/** Say that an item taken with get has been worked on; see bight_shared_queue_join.
 *
 *  @return 0; BIGHT_EINVAL: more often than items were taken, or no queue.
 *  Thread: any.
 */
BIGHT_API int bight_shared_queue_task_done(struct bight_shared_queue *queue);

/** Wait until every item that was put has been reported with bight_shared_queue_task_done. One that
 *  a killed process had taken never is.
 *
 *  @return 0; BIGHT_ETIMEDOUT; BIGHT_ECANCELED; BIGHT_ENOTASK, BIGHT_EPERM as
 *          bight_shared_mutex_lock; BIGHT_EINVAL.
 *  Suspends: yes.  Cancellable: yes.  On cancel: BIGHT_ECANCELED.
 *  Allocates: no.  Thread: any.  Ownership: borrows queue.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_shared_queue_join(struct bight_shared_queue *queue,
                                                       int64_t timeout_ms);

/** Take no more items. What is in the queue can still be taken; after that, getters get
 *  BIGHT_ECLOSED, all of them. Waiting putters get it now.
 *
 *  @return 0; BIGHT_EINVAL.
 *  Thread: any.
 */
BIGHT_API int bight_shared_queue_close(struct bight_shared_queue *queue);

/** How many items are in the queue at the moment of the call.
 *
 *  Thread: any.
 */
BIGHT_API size_t bight_shared_queue_length(const struct bight_shared_queue *queue);

/** Make a pipe: bytes that go from writers to readers, at most `bytes` of them at a time, which lie
 *  in `storage`, in the same segment.
 *
 *  @return 0; BIGHT_EINVAL also when the storage is not in the segment; BIGHT_EPERM, BIGHT_ENOMEM.
 *  Thread: any.  Ownership: keeps storage for as long as the segment.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_shared_pipe_init(struct bight_shared_pipe *pipe, void *storage,
                                                      size_t bytes);

/** Write all of `data`, waiting for room. What several write at a time is mixed in pieces.
 *
 *  @return how many bytes, fewer than `bytes` only when what is listed here came after some of them
 *          had been written: BIGHT_EPIPE: an end is closed; BIGHT_EPROTOCOL: something wrote over
 *          the pipe; BIGHT_ETIMEDOUT; BIGHT_ECANCELED; BIGHT_ENOTASK, BIGHT_EPERM as
 *          bight_shared_mutex_lock; BIGHT_EINVAL.
 *  Suspends: yes.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED, or how many bytes had been written.
 *  Allocates: no.  Thread: any.  Ownership: borrows all.
 */
BIGHT_API BIGHT_MUST_CHECK int64_t bight_shared_pipe_write(struct bight_shared_pipe *pipe,
                                                           const void *data, size_t bytes,
                                                           int64_t timeout_ms);

/** Read what there is, up to `bytes`, waiting until there is something.
 *
 *  @return how many bytes, at least 1; 0: the writing end is closed and all was read, or for
 *          `bytes` 0; BIGHT_EPIPE: the reading end is closed; otherwise as bight_shared_pipe_write.
 *  Suspends: yes.  Cancellable: yes.  On cancel: BIGHT_ECANCELED, nothing was taken.
 *  Allocates: no.  Thread: any.  Ownership: borrows all.
 */
BIGHT_API BIGHT_MUST_CHECK int64_t bight_shared_pipe_read(struct bight_shared_pipe *pipe,
                                                          void *data, size_t bytes,
                                                          int64_t timeout_ms);

/** Nobody writes any more: readers get what is in the pipe, and then its end.
 *
 *  @return 0; BIGHT_EINVAL.
 *  Thread: any.
 */
BIGHT_API int bight_shared_pipe_close_write(struct bight_shared_pipe *pipe);

/** Nobody reads any more: writers get BIGHT_EPIPE.
 *
 *  @return 0; BIGHT_EINVAL.
 *  Thread: any.
 */
BIGHT_API int bight_shared_pipe_close_read(struct bight_shared_pipe *pipe);

BIGHT_END_DECLS

#endif
