/* Jobs in processes of their own, as process objects: life, ends, children of children. */
#include "tests/conformance/conf_process.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

/* Jobs. */

static int sleep_on(struct bight_job *job)
{
    while (job)
        pause();
    return 0;
}

static int exit_with(struct bight_job *job)
{
    exit(*(const int *)job->input);
}

static int fail_with_text(struct bight_job *job)
{
    return bight_job_output_append(job, job->input, job->input_bytes) ? -1 : -7;
}

static int sleep_10_ms(struct bight_job *job)
{
    (void)job;
    return usleep(10000);
}

/* Returns how many descriptors it has, while five are there. */
static int count_descriptors(struct bight_job *job)
{
    DIR *directory = opendir("/proc/self/fd");
    int count = 0;

    (void)job;
    if (!directory)
        return -1;
    atomic_fetch_add(&worker_shared->running, 1);
    while (atomic_load(&worker_shared->running) < 5)
        usleep(200);
    while (readdir(directory))
        count++;
    closedir(directory);
    return count;
}

struct told {
    int pid;
    char name[16];
    char input[8];
};

static int tell_of_itself(struct bight_job *job)
{
    struct told told = {.pid = getpid()};
    FILE *file = fopen("/proc/self/comm", "re");

    if (!file || !fgets(told.name, sizeof(told.name), file))
        return -1;
    fclose(file);
    told.name[strcspn(told.name, "\n")] = '\0';
    memcpy(told.input, job->input, job->input_bytes);
    atomic_fetch_add(&worker_shared->running, 1);
    while (!atomic_load(&worker_shared->released))
        usleep(200);
    return bight_job_output_append(job, &told, sizeof(told)) ? -1 : 0;
}

static const struct bight_job_def sleep_job = {.name = "sleep", .fn = sleep_on};
static const struct bight_job_def exit_job = {.name = "exit", .fn = exit_with};
static const struct bight_job_def fail_job = {.name = "fail", .fn = fail_with_text};
static const struct bight_job_def short_job = {.name = "short", .fn = sleep_10_ms};
static const struct bight_job_def count_job = {.name = "count", .fn = count_descriptors};
static const struct bight_job_def tell_job = {.name = "tell", .fn = tell_of_itself};

/* An object is there from the start of its process on: there is nothing to ask before. */
static int mproc_01_a_process_is_alive_until_its_job_has_returned(void *arg)
{
    struct bight_job_process_options options = {.name = "apprentice"};
    const struct bight_result *result = NULL;
    struct bight_job_process *process;
    struct told told;
    int pid;

    (void)arg;
    CHECK_EQ(bight_job_process_start(&process, &tell_job, "gift", 5, &options), 0);
    pid = bight_job_process_pid(process);
    worker_await(&worker_shared->running, 1);
    CHECK(bight_job_process_alive(process));
    CHECK_EQ(kill(pid, 0), 0);
    CHECK_EQ(bight_job_process_result(process, &result), BIGHT_EBUSY);
    CHECK(!result);
    atomic_store(&worker_shared->released, 1);
    result = process_join(process, 0);
    CHECK(!bight_job_process_alive(process));
    CHECK_EQ(kill(pid, 0), -1);
    CHECK_EQ(errno, ESRCH);
    CHECK_EQ(result->code, 0);
    CHECK_EQ(result->exit_status, 0);
    CHECK_EQ(result->exit_signal, 0);
    CHECK_EQ(result->output_bytes, sizeof(told));
    memcpy(&told, result->output, sizeof(told));
    CHECK_EQ(told.pid, pid);
    CHECK_EQ(strcmp(told.name, "apprentice"), 0);
    CHECK_EQ(strcmp(told.input, "gift"), 0);
    CHECK_EQ(bight_job_process_free(process), 0);
    return 0;
}

static int mproc_02_a_job_gets_its_input_as_it_was(void *arg)
{
    static const size_t sizes[] = {0, 1, 7, 4096, 1 << 20};
    unsigned char *bytes = malloc(1 << 20);

    (void)arg;
    CHECK(bytes);
    for (size_t i = 0; i < 1 << 20; i++)
        bytes[i] = (unsigned char)(i * 7 + i / 256);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        struct bight_job_process *process = process_start(&echo_job, bytes, sizes[i], NULL);
        const struct bight_result *result = process_join(process, 0);

        CHECK_EQ(result->output_bytes, sizes[i]);
        CHECK(!sizes[i] || memcmp(result->output, bytes, sizes[i]) == 0);
        CHECK_EQ(bight_job_process_free(process), 0);
    }
    free(bytes);
    return 0;
}

static int mproc_05_a_process_is_terminated_or_killed(void *arg)
{
    (void)arg;
    for (int round = 0; round < 2; round++) {
        struct bight_job_process *process = process_start(&sleep_job, NULL, 0, NULL);
        const struct bight_result *result;

        CHECK_EQ(worker_join_within(process, 0), BIGHT_ETIMEDOUT);
        CHECK(bight_job_process_alive(process));
        CHECK_EQ(round ? bight_job_process_kill(process) : bight_job_process_terminate(process), 0);
        result = process_join(process, BIGHT_EWORKERDIED);
        CHECK_EQ(result->exit_signal, round ? SIGKILL : SIGTERM);
        CHECK(!bight_job_process_alive(process));
        process_end(process, BIGHT_EWORKERDIED); /* joined again */
    }
    return 0;
}

/* A text does not go to the error output: it is the output of a job that has failed. */
static int mproc_06_a_process_ends_with_the_status_that_it_exits_with(void *arg)
{
    static const int statuses[] = {true, false, 8, EXIT_SUCCESS, EXIT_FAILURE};
    struct bight_job_process *process;
    const struct bight_result *result;

    (void)arg;
    for (size_t i = 0; i < sizeof(statuses) / sizeof(*statuses); i++) {
        process = process_start(&exit_job, &statuses[i], sizeof(int), NULL);
        result = process_join(process, BIGHT_EWORKERDIED);
        CHECK_EQ(result->exit_status, statuses[i]);
        CHECK_EQ(result->exit_signal, 0);
        CHECK_EQ(bight_job_process_free(process), 0);
    }
    process = process_start(&fail_job, "no paper", 9, NULL);
    result = process_join(process, BIGHT_EJOBFAILED);
    CHECK_EQ(result->code, -7);
    CHECK_EQ(result->exit_status, 0);
    CHECK_EQ(strcmp(result->output, "no paper"), 0);
    CHECK_EQ(bight_job_process_free(process), 0);
    return 0;
}

static int set_event(struct bight_job *job)
{
    struct order order;
    struct board *board = find_board(job, &order);

    for (int fd = 0; order.id && fd < 3; fd++)
        close(fd);
    return bight_shared_event_set(&board->event);
}
static const struct bight_job_def set_job = {.name = "set", .fn = set_event};

/* Run one; it closes its streams itself if `id` says so. */
static void run_set(struct bight_shared *segment, int id)
{
    struct board *board = bight_shared_data(segment);
    struct order order = {.id = id};
    struct bight_job_process *process;
    const struct bight_result *result;

    CHECK_EQ(bight_shared_event_clear(&board->event), 0);
    process = process_start(&set_job, &order, sizeof(order), segment);
    CHECK_EQ(bight_shared_event_wait(&board->event, -1), 0);
    result = process_join(process, 0);
    CHECK_EQ(result->exit_status, 0);
    CHECK_EQ(result->exit_signal, 0);
    CHECK_EQ(bight_job_process_free(process), 0);
}

static int mproc_08_broken_standard_streams_do_not_matter(void *arg)
{
    struct bight_shared *segment;
    struct board *board;

    (void)arg;
    CHECK_EQ(bight_shared_new(&segment, sizeof(*board)), 0);
    board = bight_shared_data(segment);
    CHECK_EQ(bight_shared_event_init(&board->event), 0);
    run_set(segment, 1); /* also: whatever the first one opens for good is there */
    for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++) {
        int kept = fcntl(fd, F_DUPFD_CLOEXEC, 100);

        CHECK(kept >= 100);
        CHECK_EQ(close(fd), 0);
        run_set(segment, 0);
        CHECK_EQ(dup2(kept, fd), fd);
        CHECK_EQ(close(kept), 0);
    }
    CHECK_EQ(bight_shared_free(segment), 0);
    return 0;
}

/* Each says where it is in the tree, as a number that begins with 1, and starts two below. */
static int branch(struct bight_job *job);
static const struct bight_job_def branch_job = {.name = "branch", .fn = branch};

static int start_below(void *arg)
{
    for (int which = 0; which < 2; which++) {
        int place = *(int *)arg * 10 + which;

        process_end(process_start(&branch_job, &place, sizeof(place), NULL), 0);
    }
    return 0;
}

static int branch(struct bight_job *job)
{
    int *place = job->input;

    atomic_store(&worker_shared->flags[atomic_fetch_add(&worker_shared->counter, 1)], *place);
    return *place < 100 ? bight_run(start_below, place) : 0;
}

static int mproc_09_children_can_have_children(void *arg)
{
    static const int places[] = {1, 10, 100, 101, 11, 110, 111};

    (void)arg;
    process_end(process_start(&branch_job, &places[0], sizeof(int), NULL), 0);
    CHECK_EQ(atomic_load(&worker_shared->counter), 7);
    for (int i = 0; i < 7; i++)
        CHECK_EQ(atomic_load(&worker_shared->flags[i]), places[i]);
    return 0;
}

static int mproc_10_a_future_is_done_when_the_process_has_ended(void *arg)
{
    struct bight_job_process *process = process_start(&hold_job, NULL, 0, NULL);
    struct bight_case ended;

    (void)arg;
    CHECK(!bight_job_process_future(NULL)); /* of a process that was not started */
    bight_case_future(&ended, bight_job_process_future(process));
    CHECK_EQ(bight_select(&ended, 1, BIGHT_SELECT_TRY), BIGHT_EAGAIN);
    atomic_store(&worker_shared->released, 1);
    CHECK_EQ(bight_job_process_join(process), 0);
    CHECK_EQ(bight_select(&ended, 1, BIGHT_SELECT_TRY), 0);
    CHECK_EQ(ended.status, 0);
    CHECK(ended.value == process);
    process_end(process, 0);
    return 0;
}

#define MANY 100

static int mproc_12_there_may_be_very_many_processes(void *arg)
{
    struct bight_job_process *processes[MANY];

    (void)arg;
    for (int i = 0; i < MANY; i++)
        processes[i] = process_start(&short_job, NULL, 0, NULL);
    for (int i = 0; i < MANY; i++)
        process_end(processes[i], 0);
    for (int i = 0; i < MANY; i++) {
        processes[i] = process_start(&sleep_job, NULL, 0, NULL);
        CHECK_EQ(bight_job_process_terminate(processes[i]), 0);
    }
    for (int i = 0; i < MANY; i++) {
        CHECK_EQ(process_join(processes[i], BIGHT_EWORKERDIED)->exit_signal, SIGTERM);
        CHECK_EQ(bight_job_process_free(processes[i]), 0);
    }
    return 0;
}

static int mproc_14_each_process_has_as_many_descriptors_as_the_first(void *arg)
{
    struct bight_job_process *processes[5];
    int count = 0;

    (void)arg;
    for (int i = 0; i < 5; i++)
        processes[i] = process_start(&count_job, NULL, 0, NULL);
    for (int i = 0; i < 5; i++) {
        int code = process_join(processes[i], 0)->code;

        count = i ? count : code;
        CHECK_EQ(code, count);
        CHECK_EQ(bight_job_process_free(processes[i]), 0);
    }
    return 0;
}

/* What the helper has started ends with it. */
static int mproc_15_the_process_that_starts_others_may_die(void *arg)
{
    struct bight_executor *executor = worker_open_count(1);

    (void)arg;
    for (int round = 0; round < 2; round++) {
        struct bight_job_process *first = process_start(&sleep_job, NULL, 0, NULL);

        CHECK_EQ(kill(worker_stats(executor).zygote_pid, round ? SIGKILL : SIGINT), 0);
        if (round == 0 && worker_join_within(first, 50) == BIGHT_ETIMEDOUT)
            (void)bight_job_process_kill(first); /* the helper does not mind the signal */
        CHECK_EQ(process_join(first, BIGHT_EWORKERDIED)->exit_signal, SIGKILL);
        CHECK_EQ(bight_job_process_free(first), 0);
        process_end(process_start(&echo_job, "x", 1, NULL), 0);
    }
    worker_close(executor);
    return 0;
}

static int mproc_19_workers_are_as_many_as_processors(void *arg)
{
    struct bight_executor *executor = worker_open(NULL);

    (void)arg;
    CHECK(worker_stats(executor).workers >= 1);
    worker_close(executor);
    return 0;
}

/* Answers in capitals, until nothing more comes. */
static int shout(struct bight_job *job)
{
    struct order order;
    struct board *board = find_board(job, &order);
    char word[8];
    int bytes;

    while ((bytes = bight_shared_queue_get(&board->queue, word, sizeof(word), -1)) >= 0) {
        for (int i = 0; i < bytes; i++)
            word[i] = (char)toupper((unsigned char)word[i]);
        CHECK_EQ(bight_shared_pipe_write(&board->pipe, word, (size_t)bytes, -1), bytes);
    }
    return bytes == BIGHT_ECLOSED ? 0 : bytes;
}
static const struct bight_job_def shout_job = {.name = "shout", .fn = shout};

static int mproc_24_a_process_serves_until_it_is_told_to_stop(void *arg)
{
    static const char *const words[] = {"rope", "loop"};
    struct bight_job_process *process;
    struct bight_shared *segment;
    struct order order = {0};
    struct board *board;

    (void)arg;
    CHECK_EQ(bight_shared_new(&segment, sizeof(*board)), 0);
    board = bight_shared_data(segment);
    CHECK_EQ(bight_shared_queue_init(&board->queue, board->storage, 4, 8), 0);
    CHECK_EQ(bight_shared_pipe_init(&board->pipe, board->storage + 100, 100), 0);
    process = process_start(&shout_job, &order, sizeof(order), segment);
    for (int i = 0; i < 2; i++) {
        char answer[5] = "";

        CHECK_EQ(bight_shared_queue_put(&board->queue, words[i], 4, -1), 0);
        CHECK_EQ(bight_shared_pipe_read(&board->pipe, answer, 4, -1), 4);
        CHECK_EQ(strcmp(answer, i ? "LOOP" : "ROPE"), 0);
    }
    CHECK_EQ(bight_shared_queue_close(&board->queue), 0);
    process_end(process, 0);
    CHECK_EQ(bight_shared_free(segment), 0);
    return 0;
}

static int put_one(struct bight_job *job)
{
    struct order order;
    struct board *board = find_board(job, &order);

    return bight_shared_queue_put(&board->queue, &order.id, sizeof(order.id), -1);
}
static const struct bight_job_def put_job = {.name = "put", .fn = put_one};

static int own_queue_and_pool(void *arg)
{
    struct shop shop = shop_begin(4);
    struct bight_job_map_row rows[8] = {{0}};
    struct bight_job_process *process;
    struct order order = {.id = 5};
    int got = 0;

    CHECK_EQ(bight_shared_queue_init(&shop.board->queue, shop.board->storage, 2, 8), 0);
    process = process_start(&put_job, &order, sizeof(order), shop.segment);
    CHECK_EQ(bight_shared_queue_get(&shop.board->queue, &got, sizeof(got), -1), sizeof(got));
    CHECK_EQ(got, 5);
    process_end(process, 0);
    for (int i = 0; i < 8; i++)
        rows[i] = (struct bight_job_map_row){.input = &got, .input_bytes = sizeof(got)};
    CHECK_EQ(bight_job_map_all(shop.executor, &echo_job, rows, 8, NULL), 0);
    for (int i = 0; i < 8; i++) {
        CHECK_EQ(*(int *)rows[i].result.output, got);
        bight_result_free(&rows[i].result);
    }
    return shop_end(&shop) + (arg != NULL);
}

static int be_a_program(struct bight_job *job)
{
    (void)job;
    fclose(stdin);
    return bight_run(own_queue_and_pool, NULL);
}
static const struct bight_job_def program_job = {.name = "program", .fn = be_a_program};

static int mproc_26_a_job_may_have_queues_and_workers_of_its_own(void *arg)
{
    struct bight_job_process *process = process_start(&program_job, NULL, 0, NULL);

    (void)arg;
    CHECK_EQ(process_join(process, 0)->code, 0);
    process_end(process, 0);
    return 0;
}

static const struct suite_case cases[] = {
    worker_case(mproc_01_a_process_is_alive_until_its_job_has_returned, 0),
    worker_case(mproc_02_a_job_gets_its_input_as_it_was, 0),
    worker_case(mproc_05_a_process_is_terminated_or_killed, 0),
    worker_case(mproc_06_a_process_ends_with_the_status_that_it_exits_with, 0),
    worker_case(mproc_08_broken_standard_streams_do_not_matter, 0),
    worker_case(mproc_09_children_can_have_children, 0),
    worker_case(mproc_10_a_future_is_done_when_the_process_has_ended, 0),
    worker_case(mproc_12_there_may_be_very_many_processes, 0),
    worker_case(mproc_14_each_process_has_as_many_descriptors_as_the_first, 0),
    worker_case(mproc_15_the_process_that_starts_others_may_die, 0),
    worker_case(mproc_19_workers_are_as_many_as_processors, 0),
    worker_case(mproc_24_a_process_serves_until_it_is_told_to_stop, 0),
    worker_case(mproc_26_a_job_may_have_queues_and_workers_of_its_own, 0),
};

worker_suite("multiprocessing, processes", cases);
