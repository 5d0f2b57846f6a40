/* All that a program can do in the model: every order of ready tasks, every moment for time to
 * pass, every moment at which somebody cancels a task. */
#ifndef TESTS_MODEL_EXPLORE_H
#define TESTS_MODEL_EXPLORE_H

#include "tests/model/model.h"

struct explorer;

struct explorer *explorer_new(void);
void explorer_free(struct explorer *x);

/* Look at all states of `program`, in which tasks may be cancelled from outside `cancels` times.
 * NULL when everything holds in all of them; else what does not, and explorer_explain shows the
 * way there. */
const char *explore(struct explorer *x, const struct program *program, unsigned cancels,
                    enum mutant mutant);

/* The program, and what happened until it went wrong. */
void explorer_explain(struct explorer *x, FILE *out);

/* States seen since it was made. */
unsigned long long explorer_states(const struct explorer *x);

#endif
