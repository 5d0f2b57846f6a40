/* Simulations: small programs with an invariant each, played under many seeds. A seed decides
 * the order of ready tasks, what the program does, and whether a suspension is cancelled or an
 * allocation fails in it. So a scenario has to be right for every way its tasks may end:
 * whatever fails is passed on, what was begun is ended, and nobody is left to wait for somebody
 * who is gone. */
#ifndef TESTS_SIMULATE_SIMULATE_H
#define TESTS_SIMULATE_SIMULATE_H

#include <bight.h>

struct sim_scenario {
    const char *name;
    /* For the main task. What it returns is judged as bight_test_run does. */
    int (*fn)(void *arg);
};

/* One table per file, ending with a name of NULL. */
extern const struct sim_scenario sim_combine[];
extern const struct sim_scenario sim_exchange[];
extern const struct sim_scenario sim_locks[];
extern const struct sim_scenario sim_queues[];
extern const struct sim_scenario sim_random[];
extern const struct sim_scenario sim_sync[];
extern const struct sim_scenario sim_tasks[];

/* From the seed: a number below `limit`; true `percent` times out of a hundred. */
unsigned sim_below(unsigned limit);
bool sim_chance(unsigned percent);

/* What may lie between two steps of a program: nothing, a yield, or a sleep of up to 4 ms. */
int sim_pause(void);

/* Count a failure of the run, and say the line that replays it. The program goes on. */
#define insist(condition) sim_insist(condition, __FILE__, __LINE__, #condition)
void sim_insist(bool condition, const char *file, int line, const char *text);

/* A scope that is there for the sake of its deadline, or cancels at chance. */
int sim_begin(struct bight_scope *scope);
/* 0 also when the scope was what ended it; *done tells whether `rc` was 0. */
int sim_end(struct bight_scope *scope, int rc, bool *done);

#define SIM_ACTORS 12

/* One of several tasks that do the same. */
struct sim_actor {
    void *shared;
    int index;
    int count;
    int (*fn)(struct sim_actor *actor);
    void (*leave)(struct sim_actor *actor);
    int rc; /* for leave: what fn returned, BIGHT_ECANCELED when it was not called */
};

/* Run `fn` in `count` tasks of a group and wait for all. `leave`, which may be NULL, is called
 * once for each that was to begin, when it has ended or it is clear that it never begins; it
 * must not suspend. */
int sim_crowd(void *shared, int count, int (*fn)(struct sim_actor *actor),
              void (*leave)(struct sim_actor *actor));

/* Nothing is left of a scenario: tasks, timers. To be called at the end of each. */
int sim_over(int rc);

#endif
