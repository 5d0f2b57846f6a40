/* Random programs, run by the runtime and by the reference model in step: every code, every item,
 * every virtual time and what is left in the end are the same, with ready tasks in order and
 * shuffled.
 *
 * BIGHT_SEEDS=N in the environment tries N seeds per block instead of 250; the blocks are 8.
 * "test_lockstep SEED [ORDER]" shows the program of a seed and what both make of it,
 * "test_lockstep SCRIPT..." those of tasks with these scripts. */
#include "tests/model/lockstep.h"
#include "tests/harness/suite.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLOCKS 8
#define HANG_S 30 /* for what takes a fraction of a ms */

static unsigned long seeds_per_block(void)
{
    const char *text = getenv("BIGHT_SEEDS");

    return text ? strtoul(text, NULL, 10) : 250;
}

/* What runs at the moment. */
static const struct program *running;

static void hangs(int signal)
{
    (void)signal;
    fprintf(stderr, "the runtime hangs with ");
    program_print(stderr, running);
    _exit(EXIT_FAILURE);
}

static void run(struct trace *trace, const struct program *program, uint64_t order)
{
    running = program;
    signal(SIGALRM, hangs);
    alarm(HANG_S);
    trace_of_runtime(trace, program, order);
    alarm(0);
}

/* False: they differ, and both are printed. */
static bool program_in_step(const struct program *program, uint64_t order, bool show)
{
    static struct trace model, runtime;
    bool same;

    trace_of_model(&model, program, order, MUTANT_NONE);
    runtime.count = 0;
    if (!model.broken) /* else it may never end */
        run(&runtime, program, order);
    same = trace_equal(&model, &runtime) && !model.broken && !runtime.broken;
    if (same && !show)
        return true;
    fprintf(stderr, "order %llu, ", (unsigned long long)order);
    trace_print(stderr, program, &model, &runtime);
    return same;
}

static bool in_step(uint64_t seed, uint64_t order)
{
    static struct program program;

    program_generate(&program, seed);
    return program_in_step(&program, order, false);
}

static void runtime_does_as_the_model(int block)
{
    unsigned long seeds = seeds_per_block();

    for (unsigned long i = 1; i <= seeds; i++) {
        uint64_t seed = (unsigned long)block * seeds + i;

        ck_assert_msg(in_step(seed, 0), "seed %llu", (unsigned long long)seed);
        ck_assert_msg(in_step(seed, seed), "seed %llu, shuffled", (unsigned long long)seed);
    }
}

/* A notified waiter that is cancelled before it has the mutex, and another one: rare at random. */
static const char *const notified_too_late[] = {
    "lock 0; scope 2; wait_notified 0; end; unlock 0",
    "lock 0; wait_notified 0; unlock 0",
    "sleep 1; lock 0; notify 0 1; sleep 2; unlock 0",
};

static void program_write(struct program *program, const char *const *scripts, size_t count)
{
    memset(program, 0, sizeof *program);
    program->tasks = program->begun = (uint8_t)count;
    memset(program->capacity, 1, sizeof program->capacity);
    for (size_t task = 0; task < count && task < TASKS_MAX; task++)
        script_parse(&program->scripts[task], scripts[task]);
}

static bool differs(const struct program *program, uint64_t order, enum mutant mutant)
{
    static struct trace model, runtime;

    trace_of_model(&model, program, order, mutant);
    run(&runtime, program, order);
    return !trace_equal(&model, &runtime);
}

static void runtime_differs_from_a_wrong_model(int i)
{
    static struct program program;
    bool found;

    program_write(&program, notified_too_late, 3);
    found = differs(&program, 0, (enum mutant)i);
    for (uint64_t seed = 1; seed <= 3000 && !found; seed++) {
        program_generate(&program, seed);
        found = differs(&program, seed, (enum mutant)i);
    }
    ck_assert(found);
}

static int show(int argc, char **argv)
{
    static struct program program;
    uint64_t seed = strtoull(argv[1], NULL, 10);
    uint64_t order = seed && argc > 2 ? strtoull(argv[2], NULL, 10) : 0;

    if (seed) {
        program_generate(&program, seed);
    } else {
        program_write(&program, (const char *const *)argv + 1, (size_t)argc - 1);
    }
    return program_in_step(&program, order, true) ? EXIT_SUCCESS : EXIT_FAILURE;
}

static void begin(int argc, char **argv)
{
    if (argc > 1)
        exit(show(argc, argv));
}

static const struct suite_case cases[] = {
    each_case(runtime_does_as_the_model, BLOCKS),
    each_case(runtime_differs_from_a_wrong_model, MUTANTS, .first = 1),
};

/* As long as BIGHT_SEEDS makes it take. */
test_suite("lockstep", cases, .timeout_s = -1, .begin = begin);
