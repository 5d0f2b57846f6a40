/* See shares.h. There is one worker in a process, and its jobs may ask on any thread that runs
 * them, which is the worker's: so this needs no lock. A segment that the host has freed stays until
 * no job runs, since one may still be using it. */
#include "offload/child/shares.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "offload/child/inputs.h"
#include "offload/shared/base.h"
#include "offload/wire/channel.h"
#include "offload/wire/control.h"

static struct {
    bool begun;
    pid_t pid; /* of the worker: a child that a job forks has no part in its socket */
    uint32_t member;
    unsigned end; /* the numbers of all that are here are below it */
    struct bight_shared *by_number[SHARES_MAX];
    int failed[SHARES_MAX];     /* why there is none */
    struct bight_link replaced; /* their numbers have been given to others */
} shares;

void bight__shares_begin(uint32_t member)
{
    bight__shared_forget();
    /* Nothing is left of another worker, whose job has forked this one's zygote. */
    memset(&shares, 0, sizeof(shares));
    shares.begun = true;
    shares.pid = getpid();
    shares.member = member;
    link_init(&shares.replaced);
}

/* The host has given the number to another one. It is found by its address until it is dropped. */
static void replace(unsigned number)
{
    struct bight_shared *old = shares.by_number[number];

    shares.by_number[number] = NULL;
    if (old)
        link_append(&shares.replaced, &old->waits);
}

static void take(unsigned number, const struct channel_message *message)
{
    int rc = BIGHT_EMFILE;

    replace(number);
    if (number >= shares.end)
        shares.end = number + 1;
    if (message->fd_count == 2)
        rc = bight__shared_take(&shares.by_number[number], message->fds[0], message->fds[1],
                                shares.member);
    else if (message->fd_count == 1)
        close(message->fds[0]);
    shares.failed[number] = rc;
}

ssize_t bight__shares_receive(int flags, bool *any)
{
    struct channel_message message;
    int rc = bight__channel_receive_with(CONTROL_FD, &message, flags);

    if (rc) {
        errno = -rc;
        return rc == -EPIPE ? 0 : -1;
    }
    /* Descriptors come with the last byte that was received. */
    if ((unsigned char)message.bytes[message.count - 1] >= CHANNEL_SHARE) {
        take((unsigned char)message.bytes[message.count - 1] - CHANNEL_SHARE, &message);
        *any = true;
    } else if (message.bytes[message.count - 1] == CHANNEL_INPUT) {
        bight__inputs_take(&message);
        *any = true;
    }
    return (ssize_t)message.count;
}

static bool is_dropped(const struct bight_shared *segment)
{
    return shared_load(segment->tail->dropped) != 0;
}

void bight__shares_tidy(void)
{
    struct bight_link *link;

    while (shares.end && (link = link_take(&shares.replaced)))
        bight__shared_drop(container_of(link, struct bight_shared, waits));
    for (unsigned i = 0; i < shares.end; i++) {
        struct bight_shared *segment = shares.by_number[i];

        if (!segment || !is_dropped(segment))
            continue;
        shares.by_number[i] = NULL;
        bight__shared_drop(segment);
    }
}

int bight_job_shared(struct bight_job *job, int number, void **data, size_t *bytes)
{
    const struct bight_shared *segment;
    bool any = false;

    if (!job || !data || number < 0 || number >= SHARES_MAX)
        return BIGHT_EINVAL;
    if (!shares.begun)
        return BIGHT_ENOENT;
    segment = shares.by_number[number];
    while ((!segment || is_dropped(segment)) && getpid() == shares.pid &&
           bight__shares_receive(MSG_DONTWAIT, &any) > 0)
        segment = shares.by_number[number];
    if (!segment || is_dropped(segment))
        return shares.failed[number] ? shares.failed[number] : BIGHT_ENOENT;
    *data = segment->data;
    if (bytes)
        *bytes = segment->bytes;
    return 0;
}
