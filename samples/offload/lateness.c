/* See lateness.h. */
#include "samples/offload/lateness.h"

#include "samples/offload/lesson.h"

#include <bight/group.h>
#include <bight/time.h>

static int tick(void *arg)
{
    double *worst_ms = arg;
    uint64_t next = bight_now_ns();
    int rc;

    for (;;) {
        double late_ms;

        next += LATENESS_TICK_MS * 1000000;
        rc = bight_sleep_until(next);
        if (rc)
            return rc;
        late_ms = ms_since(next);
        if (late_ms > *worst_ms)
            *worst_ms = late_ms;
    }
}

int lateness_during(int (*work)(void *arg), void *arg, double *worst_ms)
{
    struct bight_group group;
    int rc = bight_group_begin(&group, 0);

    if (rc)
        return rc;
    *worst_ms = 0;
    rc = bight_group_spawn(NULL, &group, NULL, tick, worst_ms);
    if (rc == 0)
        rc = work(arg);
    bight_scope_cancel(&group.scope); /* the ticker has no other end */
    return bight_group_end(&group, rc);
}
