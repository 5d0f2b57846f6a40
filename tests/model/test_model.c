/* The reference model, explored: in every state that the programs of the catalogue can reach
 * nothing is lost, doubled or forgotten, and each of the model's mutants is told from it.
 *
 * Of the programs of two tasks and of three, BIGHT_SEEDS per topic are tried (default 200), evenly
 * spread; a number beyond all of them tries all, which takes hours. "test_model show" tells how
 * many states there were, and in which program each mutant was found out. */
#include "tests/model/catalogue.h"
#include "tests/model/explore.h"
#include "tests/harness/suite.h"

#include <stdlib.h>
#include <string.h>

static bool show;

static size_t samples(void)
{
    const char *text = getenv("BIGHT_SEEDS");

    return text ? strtoul(text, NULL, 10) : 200;
}

/* Explore programs of the topic until something does not hold. False: everything does. */
static bool find_broken(struct explorer *explorer, const struct topic *topic, unsigned tasks,
                        size_t limit, enum mutant mutant)
{
    size_t programs = topic_programs(topic, tasks);
    size_t stride = programs > limit ? programs / limit : 1;
    struct program program;

    for (size_t i = 0; i < programs; i += stride) {
        /* Anywhere in the stride, so that all fragments meet. */
        size_t index = i + i / stride * 7919 % stride;

        if (index < programs && topic_program(topic, tasks, index, &program) &&
            explore(explorer, &program, topic->cancels, mutant))
            return true;
    }
    return false;
}

static void explain(struct explorer *explorer)
{
    explorer_explain(explorer, stderr);
    fflush(stderr);
}

static void nothing_is_lost_in_any_state(int i)
{
    const struct topic *topic = &topics[i];
    struct explorer *explorer = explorer_new();
    bool broken = false;

    for (unsigned tasks = 1; tasks <= TOPIC_TASKS_MAX && !broken; tasks++)
        broken = find_broken(explorer, topic, tasks, samples(), MUTANT_NONE);
    if (broken)
        explain(explorer);
    else if (show)
        fprintf(stderr, "%s: %llu states\n", topic->name, explorer_states(explorer));
    explorer_free(explorer);
    ck_assert_msg(!broken, "%s", topic->name);
}

static const char *const mutant_names[MUTANTS] = {
    [MUTANT_BARGING] = "barging",
    [MUTANT_WAKE_LOST] = "wake lost",
    [MUTANT_WAKE_OVERRIDDEN] = "wake overridden",
    [MUTANT_SELECT_TWICE] = "select commits twice",
    [MUTANT_SHIELD_LEAKS] = "shield leaks",
    [MUTANT_EDGE] = "cancellation delivered once",
    [MUTANT_SLEEPS_ON] = "cancellation reaches no sleeper",
    [MUTANT_LATE_CHECK] = "cancellation observed late",
    [MUTANT_PUT_UNSEEN] = "put unseen",
    [MUTANT_PLACE_UNSEEN] = "free place unseen",
    [MUTANT_CLOSE_UNSEEN] = "close unseen",
    [MUTANT_SET_WAKES_ONE] = "set wakes one",
    [MUTANT_END_UNSEEN] = "end of a task unseen",
    [MUTANT_GROUP_HASTY] = "group ends early",
    [MUTANT_FAILS_ALONE] = "failure stays alone",
    [MUTANT_NOTIFICATION_LOST] = "notification lost",
    [MUTANT_GROUP_DEAF] = "tasks of a cancelled group go on",
};

static void mutant_is_caught(int number)
{
    struct explorer *explorer = explorer_new();
    bool caught = false;

    for (int i = 0; i < topic_count && !caught; i++)
        caught = find_broken(explorer, &topics[i], 2, 4 * samples(), (enum mutant)number) ||
                 find_broken(explorer, &topics[i], 3, samples(), (enum mutant)number);
    if (show && caught) {
        fprintf(stderr, "%s: ", mutant_names[number]);
        explain(explorer);
    }
    explorer_free(explorer);
    ck_assert_msg(caught, "%s", mutant_names[number]);
}

static void begin(int argc, char **argv)
{
    show = argc > 1 && !strcmp(argv[1], "show");
}

static const struct suite_case cases[] = {
    each_counted(nothing_is_lost_in_any_state, topic_count),
    each_case(mutant_is_caught, MUTANTS, .first = 1),
};

/* As long as BIGHT_SEEDS makes it take. */
test_suite("model", cases, .timeout_s = -1, .begin = begin);
