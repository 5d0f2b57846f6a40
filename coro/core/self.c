/* Which runtime this thread has, and which task it runs. */
#include "coro/core/sched.h"

_Thread_local struct bight_sched *bight__sched __attribute__((tls_model("initial-exec")));

struct bight_task *bight_self(void)
{
    return bight__sched ? bight__sched->current : NULL;
}
