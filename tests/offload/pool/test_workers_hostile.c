/* Workers that write over what they share with their parent: they are killed, the parent believes
 * nothing of it, and the next job finds a worker. */
#include "tests/offload/worker_cases.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "offload/wire/channel.h"

/* Finds the channel's socket as the only one that is open. */
static int scribble_socket(struct bight_job *job)
{
    (void)job;
    (void)!send(3, "garbage of some length", 22, MSG_NOSIGNAL);
    pause();
    return 0;
}

/* The channel's memory: what bight-channel is mapped at. */
static struct channel *channel_of_this_worker(void)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[512];
    unsigned long low = 0;

    while (fgets(line, sizeof line, maps)) {
        if (strstr(line, "bight-channel"))
            low = strtoul(line, NULL, 16);
    }
    fclose(maps);
    return (struct channel *)low;
}

/* What the second, later slots hold is nonsense afterwards; this job's own says so at its end. */
static int scribble_memory(struct bight_job *job)
{
    struct channel *channel = channel_of_this_worker();

    memset((void *)channel->slots, *(int *)job->input, sizeof channel->slots);
    return 0;
}

/* Claims an output that lies elsewhere. */
static int lie_about_output(struct bight_job *job)
{
    struct channel *channel = channel_of_this_worker();
    int kind = *(int *)job->input;

    for (unsigned i = 0; i < CHANNEL_SLOTS; i++) {
        struct channel_slot *slot = &channel->slots[i];

        if (atomic_load(&slot->state) != SLOT_TAKEN)
            continue;
        slot->code = 0;
        slot->verdict = kind == 3 ? 99 : VERDICT_RAN;
        slot->serial += kind == 4;
        slot->output_offset = kind == 1 ? (uint32_t)channel->map_bytes + 4096 : UINT32_MAX - 8;
        slot->output_bytes = kind == 2 ? UINT32_MAX : 4096;
        if (kind == 5) {
            slot->output_offset = (uint32_t)(channel->output_arena + channel->arena_bytes - 4);
            slot->output_bytes = 64;
        }
        if (kind == 6)
            slot->verdict = VERDICT_PASSED_OVER;
        atomic_store(&slot->state, kind == 7 ? 12345 : SLOT_DONE);
    }
    (void)bight__channel_wake(3);
    pause();
    return 0;
}

static const struct bight_job_def scribble_socket_job = {"scribble socket", scribble_socket, 0};
static const struct bight_job_def scribble_memory_job = {"scribble memory", scribble_memory, 0};
static const struct bight_job_def lying_job = {"lying", lie_about_output, 0};

static int a_scribbling_worker_is_killed(void *arg)
{
    struct bight_executor *executor = worker_open_count(1);
    struct bight_result result;

    (void)arg;
    CHECK_EQ(bight_execute(executor, &scribble_socket_job, NULL, 0, &result),
             BIGHT_EUNKNOWNOUTCOME);
    CHECK_EQ(bight_execute(executor, &echo_job, NULL, 0, NULL), 0);
    for (int byte = 0; byte < 256; byte += 85) {
        int rc = bight_execute(executor, &scribble_memory_job, &byte, sizeof byte, &result);

        CHECK_EQ(rc, BIGHT_EUNKNOWNOUTCOME);
        CHECK_EQ(bight_execute(executor, &echo_job, NULL, 0, NULL), 0);
    }
    for (int kind = 1; kind <= 7; kind++) {
        CHECK_EQ(bight_execute(executor, &lying_job, &kind, sizeof kind, &result),
                 BIGHT_EUNKNOWNOUTCOME);
        CHECK_EQ(result.output_bytes, 0);
        CHECK_EQ(bight_execute(executor, &echo_job, NULL, 0, NULL), 0);
    }
    CHECK_EQ(worker_stats(executor).died, 1 + 4 + 7);
    worker_close(executor);
    return 0;
}

static int close_channel(struct bight_job *job)
{
    (void)job;
    close(3);
    pause();
    return 0;
}

static const struct bight_job_def close_channel_job = {"close channel", close_channel, 0};

static int a_job_that_closes_its_channel_is_killed(void *arg)
{
    struct bight_executor *executor = worker_open_count(1);
    struct bight_result result;

    (void)arg;
    CHECK_EQ(bight_execute(executor, &close_channel_job, NULL, 0, &result), BIGHT_EWORKERDIED);
    CHECK_EQ(result.exit_signal, SIGKILL);
    CHECK_EQ(bight_execute(executor, &echo_job, NULL, 0, NULL), 0);
    worker_close(executor);
    return 0;
}

static const struct suite_case cases[] = {
    worker_case(a_scribbling_worker_is_killed, 0),
    worker_case(a_job_that_closes_its_channel_is_killed, 0),
};

worker_suite("workers_hostile", cases);
