/* See settings.h. */
#include "offload/child/settings.h"

#include <sched.h>
#include <sys/resource.h>

_Static_assert(RLIM_NLIMITS <= CHANNEL_LIMITS, "each resource has a place");

static void run_on(unsigned cpu)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    (void)sched_setaffinity(0, sizeof(set), &set);
}

static void limit(int resource, uint64_t soft, uint64_t hard)
{
    struct rlimit own, wanted = {soft, hard};

    if (prlimit(0, (__rlimit_resource_t)resource, &wanted, NULL) == 0 ||
        prlimit(0, (__rlimit_resource_t)resource, NULL, &own) < 0)
        return;
    if (own.rlim_max < wanted.rlim_max)
        wanted.rlim_max = own.rlim_max;
    if (own.rlim_max < wanted.rlim_cur)
        wanted.rlim_cur = own.rlim_max;
    (void)prlimit(0, (__rlimit_resource_t)resource, &wanted, NULL);
}

void bight__settings_take(const struct channel_settings *settings)
{
    if (settings->cpu)
        run_on(settings->cpu - 1);
    if (settings->nicer)
        (void)setpriority(PRIO_PROCESS, 0, settings->niceness);
    for (int resource = 0; resource < RLIM_NLIMITS; resource++) {
        if (settings->limits & (1u << resource))
            limit(resource, settings->limit[resource].soft, settings->limit[resource].hard);
    }
}
