/* See inputs.h. Numbers count the descriptors of this channel; they wrap around. */
#include "offload/child/inputs.h"

#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "offload/child/shares.h"

/* Where this process had no room for a descriptor. */
#define NOTHING (-1)

static struct {
    int fds[CHANNEL_SLOTS]; /* a ring: `count` of them from `first` on */
    uint32_t first;         /* the number of the oldest */
    uint32_t count;
    void *mapped; /* that of the running job */
    size_t mapped_bytes;
} inputs;

static int pop(void)
{
    inputs.count--;
    return inputs.fds[inputs.first++ % CHANNEL_SLOTS];
}

static void drop_oldest(void)
{
    int fd = pop();

    if (fd != NOTHING)
        close(fd);
}

void bight__inputs_take(const struct channel_message *message)
{
    if (inputs.count == CHANNEL_SLOTS)
        drop_oldest(); /* nobody needs it: there are as many slots behind its own */
    inputs.fds[(inputs.first + inputs.count++) % CHANNEL_SLOTS] =
        message->fd_count == 1 ? message->fds[0] : NOTHING;
    for (int i = 0; message->fd_count > 1 && i < message->fd_count; i++)
        close(message->fds[i]);
}

/* Have `number` as the oldest. False when it is not there and will not come. */
static bool find(uint32_t number)
{
    bool any = false;

    for (;;) {
        while (inputs.count && (int32_t)(number - inputs.first) > 0)
            drop_oldest();
        if (inputs.count || (int32_t)(number - inputs.first) < 0)
            return inputs.count && inputs.first == number;
        if (bight__shares_receive(MSG_DONTWAIT, &any) <= 0)
            return false;
    }
}

void *bight__inputs_map(uint32_t number, size_t bytes)
{
    void *at = MAP_FAILED;
    struct stat about;
    int fd;

    if (!find(number))
        return NULL;
    fd = pop();
    if (fd == NOTHING)
        return NULL;
    if (fstat(fd, &about) == 0 && (uint64_t)about.st_size >= bytes)
        at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, fd, 0);
    close(fd);
    if (at == MAP_FAILED)
        return NULL;
    inputs.mapped = at;
    inputs.mapped_bytes = bytes;
    return at;
}

void bight__inputs_drop(uint32_t number)
{
    if (inputs.mapped)
        munmap(inputs.mapped, inputs.mapped_bytes);
    else if (find(number))
        drop_oldest();
    inputs.mapped = NULL;
}
