/* Worker processes in a storm: jobs that are checked, others that exit, overflow their stack,
 * use up their memory or write over their ring, while workers, zygotes and keepers are killed
 * and stopped and descriptors run out. Every job ends once, idempotent ones with their result,
 * and in the end nothing is left. KILLSTORM_JOBS and KILLSTORM_KILLS in the environment say how
 * much of it; 2,000 and 60. scripts/killstorm runs it at full length. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "offload/wire/channel.h"
#include "tests/offload/worker_cases.h"

#define CALLERS 100
#define WORKERS 4
#define LONE_WORKERS 2
#define PAYLOAD_MOST 40000u
/* So many kills one by one are timed at the end. */
#define TIMED_KILLS 50

struct input {
    uint64_t number;
    uint32_t bytes;
    uint32_t seed;
};

struct output {
    uint64_t number;
    uint64_t sum;
};

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void fill(unsigned char *at, const struct input *input)
{
    uint64_t state = input->seed + 1;

    for (uint32_t i = 0; i < input->bytes; i++)
        at[i] = (unsigned char)next_random(&state);
}

static uint64_t sum_of(const unsigned char *at, uint32_t bytes)
{
    uint64_t sum = 14695981039346656037u;

    for (uint32_t i = 0; i < bytes; i++)
        sum = (sum ^ at[i]) * 1099511628211u;
    return sum;
}

/* Sum up what comes behind the head of the input, and send it back behind that of the output. */
static int check(struct bight_job *job)
{
    const struct input *input = job->input;
    struct output output = {input->number, 0};
    const unsigned char *data = (const unsigned char *)(input + 1);

    if (job->input_bytes != sizeof *input + input->bytes)
        return -1;
    output.sum = sum_of(data, input->bytes);
    if (bight_job_output_append(job, &output, sizeof output))
        return -2;
    return bight_job_output_append(job, data, input->bytes) ? -3 : 0;
}

static int exit_early(struct bight_job *job)
{
    (void)job;
    _exit(7);
}

/* Far deeper than any stack, and not to be made a loop of. */
__attribute__((noinline)) static int go_deeper(const volatile char *above, int depth)
{
    volatile char here[4096];

    here[0] = *above;
    return depth ? go_deeper(here, depth - 1) + here[0] : 0;
}

static int overflow(struct bight_job *job)
{
    volatile char first = 1;
    struct rlimit none = {0, 0};

    (void)job;
    (void)setrlimit(RLIMIT_CORE, &none);
    return go_deeper(&first, 1 << 20);
}

static int use_up_memory(struct bight_job *job)
{
    struct rlimit limit = {(rlim_t)256 << 20, (rlim_t)256 << 20}, none = {0, 0};

    (void)job;
    (void)setrlimit(RLIMIT_CORE, &none);
    (void)setrlimit(RLIMIT_AS, &limit);
    while (malloc((size_t)1 << 20))
        ;
    abort();
}

/* Alone in its ring. */
static int scribble(struct bight_job *job)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    uint64_t state = *(const uint64_t *)job->input + 1;
    struct channel *channel = NULL;
    char line[512];

    while (maps && fgets(line, sizeof line, maps)) {
        if (strstr(line, "bight-channel"))
            channel = (struct channel *)strtoul(line, NULL, 16);
    }
    if (maps)
        fclose(maps);
    for (int i = 0; channel && i < 64; i++) {
        uint32_t *words = (uint32_t *)channel->slots;

        words[next_random(&state) % (channel->settings.slots * CHANNEL_SLOT_BYTES / 4)] =
            (uint32_t)next_random(&state);
    }
    return 0;
}

static const struct bight_job_def check_job = {
    .name = "check", .fn = check, .flags = BIGHT_JOB_IDEMPOTENT};
static const struct bight_job_def exit_job = {.name = "exit", .fn = exit_early};
static const struct bight_job_def overflow_job = {.name = "overflow", .fn = overflow};
static const struct bight_job_def memory_job = {.name = "memory", .fn = use_up_memory};
static const struct bight_job_def scribble_job = {.name = "scribble", .fn = scribble};

struct storm {
    struct bight_executor *many;
    struct bight_executor *lone; /* one job in a ring at a time */
    struct bight_group *group;
    uint64_t jobs, kills_wanted;
    uint64_t begun, ended, deaths;
    uint64_t strikes, kills, stops, zygotes, keepers, shortages;
    uint64_t random;
    bool short_of_descriptors;
};

static uint64_t setting(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text ? strtoull(text, NULL, 10) : otherwise;
}

/* 0 when it has gone. */
static int parent_of(int pid)
{
    char path[64], line[256];
    int parent = 0;
    FILE *status;

    snprintf(path, sizeof path, "/proc/%d/status", pid);
    status = fopen(path, "re");
    while (status && fgets(line, sizeof line, status)) {
        if (strncmp(line, "PPid:", 5) == 0)
            parent = (int)strtol(line + 5, NULL, 10);
    }
    if (status)
        fclose(status);
    return parent;
}

static int some_worker(struct storm *storm)
{
    struct bight_executor *executor = next_random(&storm->random) % 3 ? storm->many : storm->lone;
    int pids[WORKERS];
    int count = bight_workers_pids(executor, pids, WORKERS);

    return count > 0 ? pids[next_random(&storm->random) % (uint64_t)count] : 0;
}

static int go_on_later(void *arg)
{
    int pid = (int)(intptr_t)arg;

    CHECK_EQ(bight_sleep(20), 0);
    (void)kill(pid, SIGCONT);
    return 0;
}

static void stop(struct storm *storm, int pid)
{
    if (kill(pid, SIGSTOP) < 0)
        return;
    CHECK_EQ(bight_group_spawn(NULL, storm->group, NULL, go_on_later, (void *)(intptr_t)pid), 0);
    storm->stops++;
}

static int be_short_for_a_while(void *arg)
{
    struct storm *storm = arg;
    struct rlimit before, now;
    int next = dup(0);

    if (next < 0)
        return 0;
    close(next);
    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
    now = before;
    now.rlim_cur = (rlim_t)next;
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &now), 0);
    CHECK_EQ(bight_sleep(30), 0);
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
    storm->short_of_descriptors = false;
    return 0;
}

/* One evil deed. Each kind comes in turn, between more kills. */
static void strike(struct storm *storm)
{
    int worker = some_worker(storm), zygote = worker_stats(storm->many).zygote_pid, keeper;
    uint64_t turn = storm->strikes++ % 20;

    if (turn == 3 && zygote) {
        storm->zygotes += kill(zygote, SIGKILL) == 0;
    } else if (turn == 7 && zygote && (keeper = parent_of(zygote)) > 1 && keeper != getpid()) {
        storm->keepers += kill(keeper, SIGKILL) == 0;
    } else if (turn == 11 && zygote) {
        stop(storm, zygote);
    } else if ((turn == 13 || turn == 17) && worker) {
        stop(storm, worker);
    } else if (turn == 19 && !storm->short_of_descriptors) {
        storm->short_of_descriptors = true;
        storm->shortages++;
        CHECK_EQ(bight_group_spawn(NULL, storm->group, NULL, be_short_for_a_while, storm), 0);
    } else if (worker) {
        storm->kills += kill(worker, SIGKILL) == 0;
    }
}

static void check_result(const struct input *input, const struct bight_result *result)
{
    const struct output *output = result->output;
    const unsigned char *data = (const unsigned char *)(input + 1);

    CHECK_EQ(result->output_bytes, sizeof *output + input->bytes);
    CHECK_EQ(output->number, input->number);
    CHECK_EQ(output->sum, sum_of(data, input->bytes));
    CHECK(memcmp(output + 1, data, input->bytes) == 0);
}

/* A job that must come back right, whatever happens to its workers. */
static void run_checked(struct storm *storm, struct bight_executor *executor, uint64_t number)
{
    uint64_t length = next_random(&storm->random);
    struct input head = {number, (uint32_t)(length % (length % 16 ? 900 : PAYLOAD_MOST)),
                         (uint32_t)number};
    struct input *input = malloc(sizeof head + head.bytes);
    struct bight_result result;

    CHECK(input);
    *input = head;
    fill((unsigned char *)(input + 1), input);
    CHECK_EQ(bight_execute(executor, &check_job, input, sizeof head + head.bytes, &result), 0);
    check_result(input, &result);
    bight_result_free(&result);
    free(input);
}

/* A job that ends its worker. */
static void run_deadly(struct storm *storm, const struct bight_job_def *def)
{
    struct bight_result result;

    CHECK_EQ(bight_execute(storm->many, def, NULL, 0, &result), BIGHT_EWORKERDIED);
    CHECK_EQ(result.attempts, 1);
    storm->deaths++;
}

/* A job that harms nobody but itself, if it does so at all. */
static void run_scribbler(struct storm *storm, uint64_t number)
{
    int rc = bight_execute(storm->lone, &scribble_job, &number, sizeof number, NULL);

    CHECK(rc == 0 || rc == BIGHT_EWORKERDIED || rc == BIGHT_EUNKNOWNOUTCOME ||
          rc == BIGHT_EJOBFAILED || rc == BIGHT_EUNKNOWNJOB || rc == BIGHT_ETOOBIG);
}

static int calls(void *arg)
{
    struct storm *storm = arg;

    while (storm->begun < storm->jobs) {
        uint64_t number = storm->begun++;
        unsigned die = (unsigned)(next_random(&storm->random) % 400);

        if (die < 3)
            run_deadly(storm, (const struct bight_job_def *[]){&exit_job, &overflow_job,
                                                               &memory_job}[die]);
        else if (die < 6)
            run_scribbler(storm, number);
        else
            run_checked(storm, die < 100 ? storm->lone : storm->many, number);
        storm->ended++;
        if (storm->ended * storm->kills_wanted / storm->jobs >
            (storm->ended - 1) * storm->kills_wanted / storm->jobs)
            strike(storm);
    }
    return 0;
}

static int all_call(struct bight_group *group, void *arg)
{
    struct storm *storm = arg;

    storm->group = group;
    for (int i = 0; i < CALLERS; i++)
        CHECK_EQ(bight_group_spawn(NULL, group, NULL, calls, storm), 0);
    return 0;
}

static int compare(const void *one, const void *other)
{
    uint64_t a = *(const uint64_t *)one, b = *(const uint64_t *)other;

    return (a > b) - (a < b);
}

/* ns until a fork has answered on a socketpair: the median. */
static uint64_t time_fork(void)
{
    uint64_t times[TIMED_KILLS];

    for (int i = 0; i < TIMED_KILLS; i++) {
        uint64_t begin = bight_now_ns();
        int pair[2];
        char byte = 0;
        pid_t pid;

        CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
        pid = fork();
        if (pid == 0)
            _exit(write(pair[1], &byte, 1) != 1);
        CHECK_EQ(read(pair[0], &byte, 1), 1);
        CHECK_EQ(bight_yield(), 0); /* the clock of a slice stands still */
        times[i] = bight_now_ns() - begin;
        CHECK_EQ(waitpid(pid, NULL, 0), pid);
        close(pair[0]);
        close(pair[1]);
    }
    qsort(times, TIMED_KILLS, sizeof *times, compare);
    return times[TIMED_KILLS / 2];
}

/* ns from a kill to the replacement: the median and the one that 99 of 100 are below. */
static void time_replacements(struct bight_executor *executor, uint64_t *median, uint64_t *p99)
{
    uint64_t times[TIMED_KILLS];

    for (int i = 0; i < TIMED_KILLS; i++) {
        uint64_t started = worker_stats(executor).started;
        int pids[WORKERS];
        uint64_t begin;

        while (worker_stats(executor).ready < WORKERS)
            CHECK_EQ(bight_sleep(1), 0);
        CHECK_EQ(bight_workers_pids(executor, pids, WORKERS), WORKERS);
        CHECK_EQ(bight_yield(), 0);
        begin = bight_now_ns();
        CHECK_EQ(kill(pids[i % WORKERS], SIGKILL), 0);
        while (worker_stats(executor).started == started || worker_stats(executor).ready < WORKERS)
            CHECK_EQ(bight_yield(), 0);
        times[i] = bight_now_ns() - begin;
    }
    qsort(times, TIMED_KILLS, sizeof *times, compare);
    *median = times[TIMED_KILLS / 2];
    *p99 = times[TIMED_KILLS * 99 / 100];
}

static void report(struct storm *storm)
{
    uint64_t fork_ns = time_fork(), median_ns, p99_ns;

    time_replacements(storm->many, &median_ns, &p99_ns);
    printf("killstorm: %lu jobs, %lu kills, %lu stops, %lu zygotes, %lu keepers, %lu shortages, "
           "%lu deadly jobs\n",
           (unsigned long)storm->ended, (unsigned long)storm->kills, (unsigned long)storm->stops,
           (unsigned long)storm->zygotes, (unsigned long)storm->keepers,
           (unsigned long)storm->shortages, (unsigned long)storm->deaths);
    printf("replacement: median %lu us, p99 %lu us, fork %lu us\n", (unsigned long)median_ns / 1000,
           (unsigned long)p99_ns / 1000, (unsigned long)fork_ns / 1000);
}

static int every_job_ends_once(void *arg)
{
    struct bight_workers_options options = {
        .workers = WORKERS, .attempts_max = 16, .payload_max_bytes = 1 << 20};
    struct bight_workers_options lone = {.workers = LONE_WORKERS,
                                         .attempts_max = 16,
                                         .payload_max_bytes = 1 << 20,
                                         .ahead = 1,
                                         .jobs_max = 20};
    struct storm storm = {.jobs = setting("KILLSTORM_JOBS", 2000),
                          .kills_wanted = setting("KILLSTORM_KILLS", 60),
                          .random = 88172645463325252u};

    (void)arg;
    storm.many = worker_open(&options);
    storm.lone = worker_open(&lone);
    CHECK_EQ(bight_group_run(all_call, &storm), 0);
    CHECK_EQ(storm.ended, storm.jobs);
    CHECK_EQ(worker_stats(storm.many).jobs + worker_stats(storm.lone).jobs, 0);
    CHECK_EQ(worker_stats(storm.many).ended + worker_stats(storm.lone).ended, storm.jobs);
    report(&storm);
    worker_close(storm.lone);
    worker_close(storm.many);
    return 0;
}

static const struct suite_case cases[] = {
    worker_case(every_job_ends_once, 0),
};

worker_suite("killstorm", cases);
