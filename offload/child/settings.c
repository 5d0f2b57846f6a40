/* See settings.h. */
#include "offload/child/settings.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

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
    if (settings->name[0])
        (void)prctl(PR_SET_NAME, settings->name);
    if (settings->cpu)
        run_on(settings->cpu - 1);
    if (settings->nicer)
        (void)setpriority(PRIO_PROCESS, 0, settings->niceness);
    for (int resource = 0; resource < RLIM_NLIMITS; resource++) {
        if (settings->limits & (1u << resource))
            limit(resource, settings->limit[resource].soft, settings->limit[resource].hard);
    }
}

/* The second and third number of /proc/self/statm are pages: resident, and of them shared. */
static bool read_pages(uint64_t *pages)
{
    char text[128];
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    uint64_t numbers[3] = {0};
    int at = 0;

    if (fd >= 0)
        close(fd);
    for (ssize_t i = 0; i < got && at < 3; i++) {
        if (text[i] >= '0' && text[i] <= '9')
            numbers[at] = numbers[at] * 10 + (uint64_t)(text[i] - '0');
        else
            at++;
    }
    *pages = numbers[1] - numbers[2];
    return at == 3;
}

bool bight__has_more_memory(uint64_t bytes)
{
    struct rusage usage;
    uint64_t pages;

    /* It never had so much at any time: this costs a tenth of what the file does. */
    if (getrusage(RUSAGE_SELF, &usage) == 0 && (uint64_t)usage.ru_maxrss * 1024 <= bytes)
        return false;
    return read_pages(&pages) && pages * (uint64_t)sysconf(_SC_PAGESIZE) > bytes;
}
