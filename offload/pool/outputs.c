/* What a worker sends over its channel's socket: wake-ups, and descriptors of large outputs in the
 * order of their slots. A descriptor is there before its slot is DONE, so one that is missing then
 * will never come. Nothing that comes is believed: see harvest.c. */
#include "offload/pool/pool.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

/* At most two wake-ups are before the first descriptor that is in the socket. */
#define READINGS_MAX 4

/* A place for a descriptor that this process could not take, having too many. */
#define NO_DESCRIPTOR (-1)

static bool push(struct worker *worker, int fd)
{
    if (worker->output_count >= worker->head - worker->tail)
        return false;
    worker->outputs[(worker->first_output + worker->output_count++) % CHANNEL_SLOTS] = fd;
    return true;
}

static int pop(struct worker *worker)
{
    worker->output_count--;
    return worker->outputs[worker->first_output++ % CHANNEL_SLOTS];
}

void bight__outputs_drop(struct worker *worker)
{
    while (worker->output_count) {
        int fd = pop(worker);

        if (fd >= 0)
            close(fd);
    }
}

/* Whether a message is what a worker sends; then its descriptor, if any, is kept. */
static bool keep(struct worker *worker, const struct channel_message *message)
{
    for (size_t i = 0; i + 1 < message->count; i++) {
        if (message->bytes[i] != CHANNEL_WAKE)
            return false;
    }
    if (message->bytes[message->count - 1] == CHANNEL_WAKE)
        return message->fd_count == 0 && !message->cut;
    if (message->bytes[message->count - 1] != CHANNEL_OUTPUT)
        return false;
    if (message->fd_count == 0 && message->cut)
        return push(worker, NO_DESCRIPTOR);
    return message->fd_count == 1 && !message->cut && push(worker, message->fds[0]);
}

bool bight__outputs_listen(struct worker *worker)
{
    struct channel_message message;
    int rc = bight__channel_receive(bight__watch_fd(worker->watch), &message);

    if (rc)
        return rc == -EAGAIN;
    atomic_store_explicit(&worker->channel->told, 0, memory_order_relaxed);
    atomic_thread_fence(memory_order_seq_cst); /* before the slots are read */
    worker->listened = true;
    if (keep(worker, &message))
        return true;
    worker->scribbled = true;
    for (int i = 0; i < message.fd_count; i++)
        close(message.fds[i]);
    return false;
}

/* Whether it is a file in memory of so many bytes that nobody can change. */
static bool is_sound(int fd, uint64_t bytes)
{
    int seals = fcntl(fd, F_GET_SEALS), flags = fcntl(fd, F_GETFL);
    struct stat about;
    struct statfs where;

    return seals >= 0 && (seals & CHANNEL_OUTPUT_SEALS) == CHANNEL_OUTPUT_SEALS && flags >= 0 &&
           (flags & O_ACCMODE) != O_WRONLY && fstat(fd, &about) == 0 &&
           (uint64_t)about.st_size == bytes && fstatfs(fd, &where) == 0 &&
           where.f_type == TMPFS_MAGIC;
}

bool bight__outputs_take(struct worker *worker, uint64_t bytes, int *out)
{
    int fd;

    for (int i = 0; i < READINGS_MAX && !worker->output_count && worker->watch; i++) {
        if (!bight__outputs_listen(worker))
            break;
    }
    if (!worker->output_count)
        return false;
    fd = pop(worker);
    if (fd >= 0 && !is_sound(fd, bytes)) {
        close(fd);
        return false;
    }
    *out = fd;
    return true;
}

/* noinline: its return address is the site that bight__may_map asks about. */
__attribute__((noinline)) int bight__output_map(const struct pool *pool, int fd, size_t bytes,
                                                struct bight_result *result)
{
    void *at = MAP_FAILED;

    if (fd == NO_DESCRIPTOR)
        return BIGHT_EMFILE;
    if (bight__may_map(pool_seams(pool), __builtin_return_address(0)))
        at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    close(fd);
    if (at == MAP_FAILED)
        return BIGHT_ENOMEM;
    result->output = at;
    result->output_bytes = result->mapped_bytes = bytes;
    return 0;
}
