/* Workers that send descriptors without reason, none where they say so, or wrong ones: they are
 * killed like all that write where they should not, and no descriptor is left in the host. */
#include "tests/offload/worker_cases.h"

#include <fcntl.h>
#include <linux/memfd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "offload/wire/channel.h"

#define BYTES ((size_t)2 << 20)

/* What a hostile job does; all claim an output of BYTES that was sent. */
enum lie {
    NOTHING_SENT,
    A_BYTE_ALONE,
    WITH_A_WAKE_UP,
    TWO_AT_ONCE,
    BEFORE_A_WAKE_UP,
    NOT_SEALED,
    NOT_ALL_SEALED,
    TOO_SHORT,
    TOO_LONG,
    A_DEVICE,
    A_PLAIN_FILE,
    A_PIPE,
    FOR_WRITING,
    OF_HUGE_PAGES,
    NOT_CLAIMED,
    A_SMALL_CLAIM,
    A_HUGE_CLAIM,
    A_FLOOD,
    LIES,
};

static int make_file(unsigned flags, size_t bytes, int seals)
{
    int fd = memfd_create("hostile", MFD_CLOEXEC | MFD_ALLOW_SEALING | flags);

    if (fd < 0 || ftruncate(fd, (off_t)bytes) < 0 || fcntl(fd, F_ADD_SEALS, seals) < 0)
        _exit(9);
    return fd;
}

static int make_wrong(enum lie lie)
{
    int pair[2], fd;
    char path[64];

    switch ((int)lie) {
    case NOT_SEALED:
        return make_file(0, BYTES, 0);
    case NOT_ALL_SEALED:
        return make_file(0, BYTES, CHANNEL_OUTPUT_SEALS & ~F_SEAL_WRITE);
    case TOO_SHORT:
        return make_file(0, BYTES - 1, CHANNEL_OUTPUT_SEALS);
    case TOO_LONG:
        return make_file(0, BYTES + 1, CHANNEL_OUTPUT_SEALS);
    case A_DEVICE:
        return open("/dev/zero", O_RDWR | O_CLOEXEC);
    case A_PLAIN_FILE:
        return open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    case A_PIPE:
        return pipe(pair) ? -1 : pair[0];
    case FOR_WRITING:
        fd = make_file(0, BYTES, CHANNEL_OUTPUT_SEALS);
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        return open(path, O_WRONLY | O_CLOEXEC);
    case OF_HUGE_PAGES: /* which not all kernels have */
        fd = memfd_create("huge", MFD_CLOEXEC | MFD_HUGETLB);
        if (fd < 0)
            return make_file(0, BYTES, 0);
        close(fd);
        return make_file(MFD_HUGETLB, BYTES, CHANNEL_OUTPUT_SEALS);
    default:
        return make_file(0, BYTES, CHANNEL_OUTPUT_SEALS);
    }
}

static void send_with(const char *bytes, const int *fds, size_t count)
{
    union {
        char bytes[CMSG_SPACE(2 * sizeof(int))];
        struct cmsghdr align;
    } buffer = {{0}};
    struct iovec io = {(void *)(uintptr_t)bytes, strlen(bytes)};
    struct msghdr header = {.msg_iov = &io,
                            .msg_iovlen = 1,
                            .msg_control = buffer.bytes,
                            .msg_controllen = CMSG_SPACE(count * sizeof(int))};
    struct cmsghdr *part = CMSG_FIRSTHDR(&header);

    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(count * sizeof(int));
    memcpy(CMSG_DATA(part), fds, count * sizeof(int));
    if (sendmsg(3, &header, MSG_NOSIGNAL) < 0)
        _exit(10);
}

static void send_wrong(enum lie lie)
{
    int fds[2] = {make_wrong(lie), 0};

    if (fds[0] < 0)
        _exit(11);
    if (lie == NOTHING_SENT)
        return;
    if (lie == A_BYTE_ALONE)
        (void)!send(3, "o", 1, MSG_NOSIGNAL);
    else if (lie == WITH_A_WAKE_UP)
        send_with("w", fds, 1);
    else if (lie == BEFORE_A_WAKE_UP)
        send_with("ow", fds, 1);
    else
        send_with("o", fds, lie == TWO_AT_ONCE ? 2 : 1);
    for (int i = 0; lie == A_FLOOD && i < 200; i++)
        send_with("o", fds, 1);
}

/* The slot that this job is in. */
static struct channel_slot *own_slot(struct bight_job *job, struct channel **channel)
{
    char *cancel = (char *)(uintptr_t)job->cancel_flag;
    struct channel_slot *slot = container_of(cancel, struct channel_slot, cancel);

    *channel = worker_channel();
    return slot;
}

static int lie(struct bight_job *job)
{
    enum lie kind = *(enum lie *)job->input;
    struct channel *channel;
    struct channel_slot *slot = own_slot(job, &channel);

    send_wrong(kind);
    slot->code = 0;
    slot->verdict = VERDICT_RAN;
    slot->output_offset = OUTPUT_SENT;
    slot->output_bytes = kind == NOT_CLAIMED     ? 0
                         : kind == A_SMALL_CLAIM ? CHANNEL_LARGE_BYTES
                         : kind == A_HUGE_CLAIM  ? UINT32_MAX
                                                 : BYTES;
    atomic_store(&slot->state, SLOT_DONE);
    atomic_fetch_add(&channel->finished, 1);
    (void)bight__channel_wake(3);
    for (;;)
        pause();
    return 0;
}

static const struct bight_job_def lie_job = {.name = "lie", .fn = lie};

static int a_worker_that_sends_nonsense_is_killed(void *arg)
{
    struct bight_executor *executor = worker_open_count(1);
    int before = worker_open_fds();

    (void)arg;
    for (int kind = 0; kind < LIES; kind++) {
        struct bight_result result;
        int rc = bight_execute(executor, &lie_job, &kind, sizeof kind, &result);

        /* What is not claimed is found when the job has ended, and told the next one; so is what
         * follows the first of a flood, if the slot is looked at before. */
        CHECK(rc == BIGHT_EUNKNOWNOUTCOME || (rc == 0 && (kind == NOT_CLAIMED || kind == A_FLOOD)));
        CHECK(!result.output || (rc == 0 && kind == A_FLOOD));
        bight_result_free(&result);
        worker_await_died(executor, (uint64_t)kind + 1);
        CHECK_EQ(bight_execute(executor, &echo_job, NULL, 0, NULL), 0);
        CHECK_EQ(worker_open_fds(), before);
    }
    worker_close(executor);
    return 0;
}

static int send_and_die(struct bight_job *job)
{
    (void)job;
    send_wrong(LIES);
    return raise(SIGKILL);
}

static const struct bight_job_def send_and_die_job = {.name = "send and die", .fn = send_and_die};

static int a_descriptor_of_a_job_that_died_is_closed(void *arg)
{
    struct bight_executor *executor = worker_open_count(1);

    (void)arg;
    for (int i = 0; i < 20; i++) {
        int before = worker_open_fds();

        CHECK_EQ(bight_execute(executor, &send_and_die_job, NULL, 0, NULL), BIGHT_EWORKERDIED);
        CHECK_EQ(bight_execute(executor, &echo_job, NULL, 0, NULL), 0);
        CHECK_EQ(worker_open_fds(), before);
    }
    worker_close(executor);
    return 0;
}

/* A child of the worker sends, when no job runs any more. */
static int send_later(struct bight_job *job)
{
    (void)job;
    if (fork() == 0) {
        usleep(20000);
        send_wrong(LIES);
        _exit(0);
    }
    return 0;
}

static const struct bight_job_def send_later_job = {.name = "send later", .fn = send_later};

static int an_idle_worker_may_not_send(void *arg)
{
    struct bight_executor *executor = worker_open_count(1);

    (void)arg;
    CHECK_EQ(bight_execute(executor, &send_later_job, NULL, 0, NULL), 0);
    worker_await_died(executor, 1);
    CHECK_EQ(bight_execute(executor, &echo_job, NULL, 0, NULL), 0);
    worker_close(executor);
    return 0;
}

static const struct suite_case cases[] = {
    worker_case(a_worker_that_sends_nonsense_is_killed, 0),
    worker_case(a_descriptor_of_a_job_that_died_is_closed, 0),
    worker_case(an_idle_worker_may_not_send, 0),
};

worker_suite("workers_descriptors", cases);
