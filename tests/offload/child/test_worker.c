/* A worker process on a channel that this test fills by hand, so that it can stop the host's side
 * between any two of its writes. */
#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "offload/child/worker.h"
#include "offload/wire/channel.h"
#include "tests/harness/suite.h"
#include "tests/harness/support.h"

#define SLOTS 32u

struct bench {
    struct channel *channel;
    int memory;
    int socket;
    pid_t pid;
};

static void start(struct bench *bench)
{
    int pair[2];

    bench->memory = memfd_create("channel", MFD_CLOEXEC);
    ck_assert_int_ge(bench->memory, 0);
    ck_assert_int_eq(ftruncate(bench->memory, sizeof *bench->channel), 0);
    bench->channel =
        mmap(NULL, sizeof *bench->channel, PROT_READ | PROT_WRITE, MAP_SHARED, bench->memory, 0);
    ck_assert(bench->channel != MAP_FAILED);
    bench->channel->settings.slots = SLOTS;
    for (unsigned i = 0; i < SLOTS; i++)
        atomic_init(&bench->channel->slots[i].state, SLOT_FREE);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    bench->pid = fork();
    ck_assert_int_ge(bench->pid, 0);
    if (bench->pid == 0) /* its descriptor becomes number 3, so it must not have that yet */
        bight__worker_main(fcntl(pair[1], F_DUPFD, 10), bench->memory);
    close(pair[1]);
    bench->socket = pair[0];
}

/* Wait until the worker sleeps; it has sent nothing but wake-ups until then. */
static void until_asleep(struct bench *bench)
{
    char byte;

    while (atomic_load(&bench->channel->sleeping) != SLEEPS_FOR_JOB) {
        ssize_t got = recv(bench->socket, &byte, 1, MSG_DONTWAIT);

        ck_assert_msg(got < 0 || (got == 1 && byte == CHANNEL_WAKE), "the worker gave up");
        (void)sched_yield();
    }
}

/* Fill the next slot with a job that was withdrawn, which needs no definition. */
static void fill(struct bench *bench, uint64_t position)
{
    atomic_store(&channel_slot(bench->channel, SLOTS, position)->state, SLOT_REVOKED);
}

static void wake(struct bench *bench)
{
    atomic_store(&bench->channel->sleeping, 0);
    ck_assert_int_eq(bight__channel_wake(bench->socket), 0);
}

static void stop(struct bench *bench, int expected)
{
    int status;

    ck_assert_int_eq(shutdown(bench->socket, SHUT_WR), 0);
    ck_assert_int_eq(test_waitpid(bench->pid, &status, 0), bench->pid);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), expected);
    close(bench->socket);
    close(bench->memory);
    munmap(bench->channel, sizeof *bench->channel);
}

/* The host fills a slot, and counts it later: the job may have been done by then. */
static void a_count_that_lags_behind_the_slots_is_no_fault(void)
{
    struct bench bench;

    start(&bench);
    for (uint64_t position = 0; position < 8 * SLOTS; position++) {
        until_asleep(&bench);
        ck_assert_uint_eq(atomic_load(&bench.channel->finished), position);
        fill(&bench, position);
        wake(&bench);
        until_asleep(&bench);
        ck_assert_uint_eq(atomic_load(&bench.channel->finished), position + 1);
        atomic_store(&bench.channel->posted, position + 1);
    }
    stop(&bench, 0);
}

static void a_slot_that_was_counted_and_is_not_filled_is_one(void)
{
    struct bench bench;
    char byte = 0;

    start(&bench);
    until_asleep(&bench);
    atomic_store(&bench.channel->posted, 1);
    wake(&bench);
    while (byte != CHANNEL_BROKEN)
        ck_assert_int_eq(test_read(bench.socket, &byte, 1), 1);
    stop(&bench, 1);
}

static const struct suite_case cases[] = {
    plain_case(a_count_that_lags_behind_the_slots_is_no_fault),
    plain_case(a_slot_that_was_counted_and_is_not_filled_is_one),
};

test_suite("worker process", cases);
