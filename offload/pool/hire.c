/* Making a worker: the memory it shares with its host, its socket, and the request to the zygote
 * that forks it. fleet.c has the rest of its life. Read pool.h and channel.h first. */
#include "offload/pool/pool.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "offload/wire/control.h"

/* The initialiser is the worker's first job; it is in the ring before the process exists. */
static bool post_init(struct worker *worker, void (*ended)(struct bight_execution *init, int rc))
{
    struct pool *pool = worker->pool;
    struct execution *execution = execution_of(&worker->init);

    worker->init = (struct bight_execution){.ended = ended,
                                            .executor = &pool->base,
                                            .def = pool->options.init,
                                            .input = pool->options.init_input,
                                            .input_bytes = pool->options.init_input_bytes};
    *execution = (struct execution){.number = (uint32_t)pool->init_number};
    if (!bight__post(worker, execution))
        return false;
    bight__fill_tell(worker);
    return true;
}

/* Make the memory that host and worker share. A seal keeps the worker from shrinking it. */
static int make_channel(struct worker *worker, int *memory_fd)
{
    struct pool *pool = worker->pool;
    struct channel *channel;
    struct rlimit limit;
    int fd, rc;

    worker->input_arena = sizeof(*channel);
    worker->output_arena = worker->input_arena + pool->arena_bytes;
    worker->map_bytes = worker->output_arena + pool->output_arena_bytes;
    if (!bight__may_map(pool_seams(pool), __builtin_return_address(0)))
        return BIGHT_ENOMEM;
    /* Beyond this limit ftruncate raises SIGXFSZ, which would end this process. */
    if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur < worker->map_bytes)
        return BIGHT_EFBIG;
    fd = memfd_create("bight-channel", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return -errno;
    if (ftruncate(fd, (off_t)worker->map_bytes) < 0 ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
        goto fail;
    channel = mmap(NULL, worker->map_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (channel == MAP_FAILED)
        goto fail;
    channel->magic = CHANNEL_MAGIC;
    channel->map_bytes = worker->map_bytes;
    channel->input_arena = worker->input_arena;
    channel->output_arena = worker->output_arena;
    channel->output_arena_bytes = pool->output_arena_bytes;
    channel->payload_max_bytes = pool->options.payload_max_bytes;
    channel->spins = pool->spins;
    bight__settings_write(worker, &channel->settings);
    for (unsigned i = 0; i < pool->settings.slots; i++)
        atomic_init(&channel->slots[i].state, SLOT_FREE);
    worker->channel = channel;
    worker->arena.bytes = pool->arena_bytes;
    *memory_fd = fd;
    return 0;
fail:
    rc = -errno;
    close(fd);
    return rc;
}

void bight__worker_free(struct worker *worker)
{
    struct pool *pool = worker->pool;

    bight__worker_phase(worker, WORKER_DOOMED);
    pool_disarm(pool, &worker->grace);
    pool_disarm(pool, &worker->trim);
    pool_disarm(pool, &worker->limit);
    link_remove(&worker->filling);
    link_remove(&worker->untold);
    bight__watch_close(worker->watch);
    bight__outputs_drop(worker);
    if (worker->channel)
        munmap(worker->channel, worker->map_bytes);
    if (!link_empty(&worker->link)) {
        link_remove(&worker->link);
        pool->count--;
        pool->going -= worker->going;
    }
    bight_result_free(&worker->init.result);
    bight__free(worker->known);
    bight__free(worker);
}

/* Ask the zygote for the process, and pass it the worker's ends of the channel. */
static int request(struct worker *worker, int memory_fd, void (*heard)(void *worker))
{
    struct pool *pool = worker->pool;
    int bits = prctl(PR_GET_SECUREBITS);
    const struct control_message message = {
        .kind = CONTROL_SPAWN, .value = bits < 0 ? 0 : bits, .worker = worker->serial};
    int pair[2], fds[CONTROL_FDS_MAX];
    int rc;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return -errno;
    rc = bight__watch_new(&worker->watch, pool->runtime, pair[0], heard, worker);
    if (rc) {
        close(pair[0]);
    } else if (!bight__shares_send(worker)) { /* its initialiser may want them */
        rc = BIGHT_EAGAIN;
    } else {
        fds[0] = pair[1];
        fds[1] = memory_fd;
        fds[2] = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fds[2] < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM))
            rc = -errno;
        else
            rc =
                bight__control_send(bight__watch_fd(pool->line), &message, fds, fds[2] < 0 ? 2 : 3);
        if (fds[2] >= 0)
            close(fds[2]);
    }
    close(pair[1]);
    return rc;
}

int bight__worker_start(struct pool *pool, const struct worker_callbacks *callbacks)
{
    struct worker *worker = bight__alloc_zero(pool_seams(pool), sizeof(*worker));
    int memory_fd = -1;
    int rc;

    if (!worker)
        return BIGHT_ENOMEM;
    worker->pool = pool;
    worker->serial = ++pool->serial;
    worker->grace.fire = callbacks->grace_over;
    worker->trim.fire = bight__trim_timer;
    worker->limit.fire = bight__limit_over;
    link_init(&worker->grace.link);
    link_init(&worker->trim.link);
    link_init(&worker->limit.link);
    link_init(&worker->link);
    link_init(&worker->filling);
    link_init(&worker->untold);
    link_init(&worker->ranked);
    rc = make_channel(worker, &memory_fd);
    if (rc)
        goto fail;
    bight__shares_enlist(worker);
    if (pool->options.init && !post_init(worker, callbacks->initialised))
        rc = BIGHT_ETOOBIG;
    if (!rc)
        rc = request(worker, memory_fd, callbacks->heard);
    close(memory_fd);
    if (rc)
        goto fail;
    link_append(&pool->workers, &worker->link);
    pool->count++;
    pool->forking++;
    pool->started++;
    return 0;
fail:
    bight__worker_free(worker);
    return rc;
}
