/* Bytes and messages between two processes, and waiting for several of them. */
#include "tests/conformance/conf_process.h"

#include <stdlib.h>

/* A pipe to a job and one back, and the same of queues; storage follows. */
struct line {
    struct bight_shared_pipe there;
    struct bight_shared_pipe back;
    struct bight_shared_queue asked;
    struct bight_shared_queue answered;
    uint64_t storage[4][4096];
};

static struct bight_shared *segment;

static struct line *begin(void)
{
    struct line *line;

    CHECK_EQ(bight_shared_new(&segment, sizeof(*line)), 0);
    line = bight_shared_data(segment);
    CHECK_EQ(bight_shared_pipe_init(&line->there, line->storage[0], sizeof(line->storage[0])), 0);
    CHECK_EQ(bight_shared_pipe_init(&line->back, line->storage[1], sizeof(line->storage[1])), 0);
    CHECK_EQ(bight_shared_queue_init(&line->asked, line->storage[2], 16, 128), 0);
    CHECK_EQ(bight_shared_queue_init(&line->answered, line->storage[3], 16, 128), 0);
    return line;
}

static int end(void)
{
    CHECK_EQ(bight_shared_free(segment), 0);
    return 0;
}

static struct line *find(struct bight_job *job)
{
    void *line = NULL;

    CHECK_EQ(bight_job_shared(job, 0, &line, NULL), 0);
    return line;
}

static int echo_bytes(struct bight_job *job)
{
    struct line *line = find(job);
    static char bytes[4096];
    int64_t count;

    while ((count = bight_shared_pipe_read(&line->there, bytes, sizeof(bytes), -1)) > 0)
        CHECK_EQ(bight_shared_pipe_write(&line->back, bytes, (size_t)count, -1), count);
    CHECK_EQ(bight_shared_pipe_close_write(&line->back), 0);
    return (int)count;
}

/* An empty one too. */
static int echo_messages(struct bight_job *job)
{
    struct line *line = find(job);
    char message[128];
    int bytes;

    while ((bytes = bight_shared_queue_get(&line->asked, message, sizeof(message), -1)) >= 0)
        CHECK_EQ(bight_shared_queue_put(&line->answered, message, (size_t)bytes, -1), 0);
    CHECK_EQ(bight_shared_queue_close(&line->answered), 0);
    return bytes == BIGHT_ECLOSED ? 0 : bytes;
}
static const struct bight_job_def bytes_job = {.name = "echo bytes", .fn = echo_bytes};
static const struct bight_job_def messages_job = {.name = "echo messages", .fn = echo_messages};

struct sending {
    struct line *line;
    const unsigned char *bytes;
    size_t count;
};

static int send_all(void *arg)
{
    struct sending *sending = arg;

    CHECK_EQ(bight_shared_pipe_write(&sending->line->there, sending->bytes, sending->count, -1),
             (long)sending->count);
    return 0;
}

/* Send so much, and insist that it comes back. */
static void exchange(struct line *line, const unsigned char *bytes, unsigned char *back,
                     size_t count)
{
    struct sending sending = {line, bytes, count};
    struct bight_task *sender;

    CHECK_EQ(bight_spawn(&sender, send_all, &sending), 0);
    for (size_t got = 0; got < count;) {
        int64_t more = bight_shared_pipe_read(&line->back, back + got, count - got, -1);

        CHECK(more > 0);
        got += (size_t)more;
    }
    CHECK_EQ(bight_join(sender, NULL), 0);
    CHECK(memcmp(bytes, back, count) == 0);
}

static int mpipe_01_bytes_go_in_both_directions(void *arg)
{
    static const size_t sizes[] = {1, 40, 16 << 20};
    struct line *line = begin();
    struct bight_job_process *process = process_start(&bytes_job, NULL, 0, segment);
    unsigned char *bytes = malloc(16 << 20), *back = malloc(16 << 20);

    (void)arg;
    CHECK(bytes && back);
    for (size_t i = 0; i < 16 << 20; i++)
        bytes[i] = (unsigned char)(i * 13 + i / 4099);
    for (int i = 0; i < 3; i++)
        exchange(line, bytes, back, sizes[i]);
    CHECK_EQ(bight_shared_pipe_close_write(&line->there), 0);
    CHECK_EQ(bight_shared_pipe_read(&line->back, back, 1, -1), 0); /* the end */
    process_end(process, 0);
    free(bytes);
    free(back);
    return end();
}

/* One that is too long for where it should go stays for another get. */
static int mpipe_02_a_message_goes_into_a_buffer(void *arg)
{
    static const int numbers[4] = {3, 1, 4, 1};
    struct line *line = begin();
    struct bight_job_process *process = process_start(&messages_job, NULL, 0, segment);
    char text[110], got[128];

    (void)arg;
    for (int at = 0; at <= 3; at += 3) {
        int into[10] = {0};

        CHECK_EQ(bight_shared_queue_put(&line->asked, numbers, sizeof(numbers), -1), 0);
        CHECK_EQ(bight_shared_queue_get(&line->answered, into + at,
                                        sizeof(into) - (size_t)at * sizeof(int), -1),
                 sizeof(numbers));
        for (int i = 0; i < 10; i++)
            CHECK_EQ(into[i], i >= at && i < at + 4 ? numbers[i - at] : 0);
    }
    memset(text, 't', sizeof(text));
    CHECK_EQ(bight_shared_queue_put(&line->asked, text, sizeof(text), -1), 0);
    CHECK_EQ(bight_shared_queue_get(&line->answered, got, 40, -1), BIGHT_EMSGSIZE);
    CHECK_EQ(bight_shared_queue_get(&line->answered, got, sizeof(got), -1), sizeof(text));
    CHECK(memcmp(got, text, sizeof(text)) == 0);
    CHECK_EQ(bight_shared_queue_close(&line->asked), 0);
    CHECK_EQ(bight_shared_queue_get(&line->answered, got, sizeof(got), -1), BIGHT_ECLOSED);
    process_end(process, 0);
    return end();
}

static const char *const messages[] = {"reef", "", "x", "y", "", "end", "", "eye"};
#define MESSAGES (sizeof(messages) / sizeof(*messages))

/* Slowly, if it is told so. */
static int send_messages(struct bight_job *job)
{
    struct line *line = find(job);

    for (size_t i = 0; i < MESSAGES; i++) {
        CHECK_EQ(bight_shared_queue_put(&line->answered, messages[i], strlen(messages[i]), -1), 0);
        if (*(int *)job->input)
            usleep(2000);
    }
    return 0;
}

/* Takes the first of what it finds. */
static int take_first(struct bight_job *job)
{
    struct line *line = find(job);
    char message[128];

    while (bight_shared_queue_length(&line->answered) < 2)
        usleep(200);
    return bight_shared_queue_try_get(&line->answered, message, sizeof(message));
}
static const struct bight_job_def send_job = {.name = "send", .fn = send_messages};
static const struct bight_job_def take_job = {.name = "take", .fn = take_first};

static int mpipe_04_messages_are_never_merged_or_split(void *arg)
{
    struct line *line = begin();
    struct bight_job_process *taker;
    char got[128];

    (void)arg;
    for (int slowly = 0; slowly < 2; slowly++) {
        struct bight_job_process *process =
            process_start(&send_job, &slowly, sizeof(slowly), segment);

        for (size_t i = 0; i < MESSAGES; i++) {
            size_t bytes = strlen(messages[i]);

            CHECK_EQ(bight_shared_queue_get(&line->answered, got, sizeof(got), -1), bytes);
            CHECK(memcmp(got, messages[i], bytes) == 0);
        }
        process_end(process, 0);
    }
    taker = process_start(&take_job, NULL, 0, segment);
    CHECK_EQ(bight_shared_queue_put(&line->answered, "first", 5, -1), 0);
    CHECK_EQ(bight_shared_queue_put(&line->answered, "second", 6, -1), 0);
    CHECK_EQ(process_join(taker, 0)->code, 5);
    CHECK_EQ(bight_job_process_free(taker), 0);
    CHECK_EQ(bight_shared_queue_try_get(&line->answered, got, sizeof(got)), 6);
    CHECK(memcmp(got, "second", 6) == 0);
    return end();
}

static int mpipe_11_nothing_goes_after_both_ends_are_closed(void *arg)
{
    struct line *line = begin();
    struct bight_job_process *process = process_start(&bytes_job, NULL, 0, segment);
    unsigned char back[4];

    (void)arg;
    exchange(line, (const unsigned char *)"both", back, 4);
    CHECK_EQ(bight_shared_pipe_close_write(&line->there), 0);
    process_end(process, 0);
    CHECK_EQ(bight_shared_pipe_close_read(&line->there), 0);
    CHECK_EQ(bight_shared_pipe_write(&line->there, "x", 1, -1), BIGHT_EPIPE);
    CHECK_EQ(bight_shared_pipe_read(&line->there, back, 1, -1), BIGHT_EPIPE);
    return end();
}

struct reading {
    struct bight_shared_pipe *pipe;
    int64_t bytes;
    char byte;
};

static int read_one(void *arg)
{
    struct reading *reading = arg;

    reading->bytes = bight_shared_pipe_read(reading->pipe, &reading->byte, 1, -1);
    return reading->bytes < 0 ? (int)reading->bytes : 0;
}

/* What is waited for are tasks that read. */
static int mwait_02_a_wait_for_several_may_be_limited(void *arg)
{
    struct line *line = begin();
    struct bight_job_process *process = process_start(&bytes_job, NULL, 0, segment);
    struct reading reading[2] = {{.pipe = &line->back}, {.pipe = &line->back}};
    struct bight_wait_item items[2] = {{0}};
    uint64_t begun_ns = bight_now_ns();

    (void)arg;
    for (int i = 0; i < 2; i++)
        CHECK_EQ(bight_spawn(&items[i].task, read_one, &reading[i]), 0);
    CHECK_EQ(bight_wait(items, 2, BIGHT_WAIT_FIRST_COMPLETED, 100), 0);
    CHECK(bight_now_ns() - begun_ns >= 100000000);
    CHECK_EQ(bight_wait(items, 2, BIGHT_WAIT_FIRST_COMPLETED, 0), 0);
    CHECK_EQ(bight_shared_pipe_write(&line->there, "k", 1, -1), 1);
    CHECK_EQ(bight_wait(items, 2, BIGHT_WAIT_FIRST_COMPLETED, 20000), 1);
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(items[i].done, reading[i].bytes == 1);
        CHECK_EQ(reading[i].byte, items[i].done ? 'k' : 0);
    }
    CHECK_EQ(bight_shared_pipe_close_write(&line->there), 0);
    for (int i = 0; i < 2; i++)
        CHECK_EQ(bight_join(items[i].task, NULL), 0);
    process_end(process, 0);
    return end();
}

static const struct suite_case cases[] = {
    worker_case(mpipe_01_bytes_go_in_both_directions, 0),
    worker_case(mpipe_02_a_message_goes_into_a_buffer, 0),
    worker_case(mpipe_04_messages_are_never_merged_or_split, 0),
    worker_case(mpipe_11_nothing_goes_after_both_ends_are_closed, 0),
    worker_case(mwait_02_a_wait_for_several_may_be_limited, 0),
};

worker_suite("multiprocessing, pipes", cases);
