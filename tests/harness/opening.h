/* What another task does while one is at the opening of a call. */
#ifndef TESTS_HARNESS_OPENING_H
#define TESTS_HARNESS_OPENING_H

/* Make `call(arg)` as the operation at which the running task has to let others run, with a task
 * that runs `rival(arg)` then, or when the call sleeps, and not before. Returns what the call
 * returned; fails the test when that was before the rival ran. In virtual time. */
int opening_race(int (*call)(void *arg), void (*rival)(void *arg), void *arg);

#endif
