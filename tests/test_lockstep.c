/* Random programs, run by the runtime and by the reference model in step: every code, every item, every
 * virtual time and what is left in the end are the same, with ready tasks in order and shuffled.
 *
 * BIGHT_SEEDS=N in the environment tries N seeds per block instead of 250; the blocks are 8.
 * "test_lockstep SEED [ORDER]" shows the program of a seed and what both make of it,
 * "test_lockstep SCRIPT..." those of tasks with these scripts. */
#include "tests/model/lockstep.h"
#include "tests/support.h"

#include <stdlib.h>
#include <string.h>

#define BLOCKS 8

static unsigned long seeds_per_block(void)
{
    const char *text = getenv("BIGHT_SEEDS");

    return text ? strtoul(text, NULL, 10) : 250;
}

/* False: they differ, and both are printed. */
static bool program_in_step(const struct program *program, uint64_t order, bool show)
{
    static struct trace model, runtime;
    bool same;

    trace_of_model(&model, program, order, MUTANT_NONE);
    trace_of_runtime(&runtime, program, order);
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

START_TEST(runtime_does_as_the_model)
{
    unsigned long seeds = seeds_per_block();

    for (unsigned long i = 1; i <= seeds; i++) {
        uint64_t seed = (unsigned long)_i * seeds + i;

        ck_assert_msg(in_step(seed, 0), "seed %llu", (unsigned long long)seed);
        ck_assert_msg(in_step(seed, seed), "seed %llu, shuffled", (unsigned long long)seed);
    }
}
END_TEST

START_TEST(runtime_differs_from_a_wrong_model)
{
    static struct program program;
    static struct trace model, runtime;
    bool differs = _i == MUTANT_SELECT_TWICE; /* random programs have none */

    for (uint64_t seed = 1; seed <= 3000 && !differs; seed++) {
        program_generate(&program, seed);
        trace_of_runtime(&runtime, &program, seed);
        trace_of_model(&model, &program, seed, (enum mutant)_i);
        differs = !trace_equal(&model, &runtime);
    }
    ck_assert(differs);
}
END_TEST

static int show(int argc, char **argv)
{
    static struct program program;
    uint64_t seed = strtoull(argv[1], NULL, 10);
    uint64_t order = seed && argc > 2 ? strtoull(argv[2], NULL, 10) : 0;

    if (seed) {
        program_generate(&program, seed);
    } else {
        program.tasks = program.begun = (uint8_t)(argc - 1);
        memset(program.capacity, 1, sizeof program.capacity);
        for (int task = 1; task < argc && task <= TASKS_MAX; task++)
            script_parse(&program.scripts[task - 1], argv[task]);
    }
    return program_in_step(&program, order, true) ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    Suite *suite = suite_create("lockstep");
    TCase *blocks = tcase_create("blocks");
    TCase *mutants = tcase_create("mutants");

    if (argc > 1)
        return show(argc, argv);
    tcase_set_timeout(blocks, getenv("BIGHT_SEEDS") ? 0 : 60);
    tcase_set_timeout(mutants, 60);
    tcase_add_loop_test(blocks, runtime_does_as_the_model, 0, BLOCKS);
    tcase_add_loop_test(mutants, runtime_differs_from_a_wrong_model, 1, MUTANTS);
    suite_add_tcase(suite, blocks);
    suite_add_tcase(suite, mutants);
    return test_run(suite);
}
