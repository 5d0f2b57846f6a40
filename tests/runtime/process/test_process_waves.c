/* A thousand subprocesses in waves, with pipes and kills: no byte, no descriptor and no zombie is
 * left over. */
#include "tests/runtime/process/children.h"

#include <signal.h>
#include <string.h>

#define WAVES 20
#define WAVE 50
#define MOST_BYTES 600000

static char input[MOST_BYTES];

/* Some are small, some larger than a pipe. */
static size_t bytes_of(int number)
{
    return (size_t)number * 7919 % (number % 8 ? 4000 : MOST_BYTES);
}

static int passes_on(int number)
{
    const char *const argv[] = {"cat", NULL};
    const struct bight_process_run_options how = {.input = input, .input_bytes = bytes_of(number)};
    struct bight_process_result result;

    ck_ok(bight_process_run(&result, &(struct bight_process_options){.argv = argv}, &how));
    ck_assert_uint_eq(result.output_bytes, how.input_bytes);
    ck_assert_int_eq(memcmp(result.output, input, how.input_bytes), 0);
    ck_assert_int_eq(result.status.state, BIGHT_PROCESS_EXITED);
    bight_process_result_free(&result);
    return 0;
}

static struct bight_process *cat(unsigned flags)
{
    const char *const argv[] = {"cat", NULL};
    const struct bight_process_options options = {.argv = argv,
                                                  .input.kind = BIGHT_PROCESS_PIPE,
                                                  .output.kind = BIGHT_PROCESS_PIPE,
                                                  .flags = flags};
    struct bight_process *process = NULL;

    ck_ok(bight_process_start(&process, &options));
    return process;
}

static int is_killed(int number)
{
    struct bight_process *process = cat(number & 4 ? BIGHT_PROCESS_NEW_GROUP : 0);

    ck_ok(bight_stream_write(bight_process_input(process), input, 1000));
    ck_ok(bight_process_kill(process));
    dies_by(process, SIGKILL);
    return 0;
}

/* In the midst of a write that nobody reads: what was taken is in the pipes. */
static int writes(void *process)
{
    return bight_stream_write(bight_process_input(process), input, sizeof(input));
}

static int is_ended(int number)
{
    struct bight_process *process = cat(0);

    ck_code(bight_timeout(number % 5, writes, process), BIGHT_ETIMEDOUT);
    ck_ok(bight_process_end(process, number % 3 ? 10000 : 0));
    return 0;
}

static int hangs(void *result)
{
    const char *const argv[] = {"sleep", "1000", NULL};

    return bight_process_run(result, &(struct bight_process_options){.argv = argv}, NULL);
}

static int is_cut_short(int number)
{
    struct bight_process_result result;

    ck_code(bight_timeout(number % 7, hangs, &result), BIGHT_ETIMEDOUT);
    bight_process_result_free(&result);
    return 0;
}

static int (*const fates[])(int number) = {passes_on, is_killed, is_ended, is_cut_short};

static int lives(void *arg)
{
    int number = *(const int *)arg;

    return fates[number % 4](number);
}

static int wave(struct bight_group *group, void *first)
{
    static int numbers[WAVE];

    for (int i = 0; i < WAVE; i++) {
        numbers[i] = *(const int *)first + i;
        ck_ok(bight_group_spawn(NULL, group, NULL, lives, &numbers[i]));
    }
    return 0;
}

static int waves(void *arg)
{
    (void)arg;
    for (size_t i = 0; i < sizeof(input); i++)
        input[i] = (char)(i * i >> 5);
    for (int first = 0; first < WAVES * WAVE; first += WAVE) {
        int fds = test_open_fds();

        ck_ok(bight_group_run(wave, &first));
        no_child_is_left();
        if (first)
            ck_assert_int_eq(test_open_fds(), fds);
    }
    return 0;
}

static const struct suite_case cases[] = {
    child_case(a_thousand_come_and_go, waves),
};

test_suite("process_waves", cases);
