/* Programs to explore, by topic: for each task all scripts of one or two fragments of a list. */
#ifndef TESTS_MODEL_CATALOGUE_H
#define TESTS_MODEL_CATALOGUE_H

#include "tests/model/program.h"

#define TOPIC_TASKS_MAX 3

struct topic {
    const char *name;
    unsigned begun; /* of the tasks; the others are spawned */
    unsigned cancels;
    uint8_t capacity[QUEUES];
    const char *const *fragments[TOPIC_TASKS_MAX]; /* by task; each list ends with NULL */
};

extern const struct topic topics[];
extern const int topic_count;

/* How many programs of `tasks` tasks, up to TOPIC_TASKS_MAX, the topic has. */
size_t topic_programs(const struct topic *topic, unsigned tasks);

/* Make the `index`th of them. False: it is another one with its tasks in another order. */
bool topic_program(const struct topic *topic, unsigned tasks, size_t index,
                   struct program *program);

#endif
