/* A storm of signals, to be preloaded: a thousand a second, whose handler does nothing and restarts
 * no system call. In a program that is ready for EINTR it changes nothing.
 * scripts/signal-storm runs suites in it. */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PERIOD_NS 1000000

/* Only suites call it, and as if no signal ever ended it. */
__attribute__((visibility("default"))) int sem_wait(sem_t *sem)
{
    const struct timespec never = {.tv_sec = INT32_MAX};

    while (sem_timedwait(sem, &never)) {
        if (errno != EINTR)
            return -1;
    }
    return 0;
}

static void on_signal(int signum)
{
    (void)signum;
}

/* Also in a child of fork(2), which inherits no timers. */
static void begin(void)
{
    const struct itimerspec when = {.it_interval.tv_nsec = PERIOD_NS,
                                    .it_value.tv_nsec = PERIOD_NS};
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMAX - 1};
    timer_t timer;

    if (timer_create(CLOCK_MONOTONIC, &event, &timer) || timer_settime(timer, 0, &when, NULL))
        abort();
}

/* In suites, and in their worker processes, which are the same program. What else they execute may
 * be looked at for the signals that it catches. */
__attribute__((constructor)) static void storm(void)
{
    struct sigaction action = {.sa_handler = on_signal};

    if (strncmp(program_invocation_short_name, "test_", 5) != 0)
        return;
    if (sigaction(SIGRTMAX - 1, &action, NULL) || pthread_atfork(NULL, NULL, begin))
        abort();
    begin();
}
