/* A stack of ordinary size for a process that was forked on a task's stack. */
#ifndef BIGHT_OFFLOAD_CHILD_FRESH_STACK_H
#define BIGHT_OFFLOAD_CHILD_FRESH_STACK_H

/* Leave the running stack for good and call fn(arg), which must not return, on a new one, as large
 * as the soft limit allows a main thread's. Ends the process when there is no memory. */
_Noreturn void bight__on_fresh_stack(void (*fn)(void *arg), void *arg);

#endif
