/* What a thread has once and a task may have to itself. */
#ifndef BIGHT_CORO_CORE_OWN_H
#define BIGHT_CORO_CORE_OWN_H

#include "coro/stack/exceptions.h"
#include "coro/stack/stack.h"

struct bight_task;

struct bight_own {
    struct bight_float_control float_control;
    struct bight_exceptions exceptions;
};

/* For tasks with one of TASK_OWNS. */
/* Set up a new task's: the caller's floating-point control, no exceptions. */
void bight__own_init(struct bight_task *task);
/* The task begins or goes on: keep what the thread has, and load what the task has. */
void bight__own_enter(struct bight_task *task);
/* The task stops or ends: the reverse. */
void bight__own_leave(struct bight_task *task);

#endif
