/* See service.h. */
#include "samples/common/service.h"

#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>

#include <bight/address.h>
#include <bight/background.h>
#include <bight/errors.h>
#include <bight/signal.h>

struct stop {
    struct bight_listener *listener;
    struct bight_signal *signal;
};

static int wait_and_close(void *arg)
{
    const struct stop *stop = arg;
    int rc = bight_signal_wait(stop->signal);

    if (rc < 0)
        return rc;
    rc = bight_listener_close(stop->listener);
    return rc == BIGHT_EALREADY ? 0 : rc;
}

/* From here on the signal is ours. The runtime ends it, for other threads do not hold theirs. */
static int stop_at(struct bight_background *background, struct stop *stop, int signum)
{
    int rc = bight_signal_open(&stop->signal, signum);

    return rc ? rc : bight_background_spawn(NULL, background, NULL, wait_and_close, stop);
}

/* Whoever reads the line may connect, and send a signal. */
static int announce(const struct bight_listener *listener)
{
    struct bight_address address;
    char text[BIGHT_ADDRESS_TEXT_BYTES];
    int rc = bight_listener_address(listener, &address);

    if (rc && rc != BIGHT_ENOTSUP)
        return rc;
    (void)printf("listening on %s\n", rc ? "a Unix socket" : bight_address_text(&address, text));
    (void)fflush(stdout);
    return 0;
}

/* What still comes waits for the end of the process. Catching it would not do: the runtime gives
 * signals their default back early in its end. */
static void hold_signals(void)
{
    sigset_t both;

    sigemptyset(&both);
    sigaddset(&both, SIGINT);
    sigaddset(&both, SIGTERM);
    (void)pthread_sigmask(SIG_BLOCK, &both, NULL);
}

int service_until_signal(struct bight_listener *listener, int (*serve)(void *arg), void *arg)
{
    struct stop stops[] = {{.listener = listener}, {.listener = listener}};
    struct bight_background *background;
    int ended, rc = bight_background_new(&background, NULL, NULL);

    if (rc)
        return rc;
    rc = stop_at(background, &stops[0], SIGINT);
    if (rc == 0)
        rc = stop_at(background, &stops[1], SIGTERM);
    if (rc == 0)
        rc = announce(listener);
    if (rc == 0)
        rc = serve(arg);
    hold_signals();
    ended = bight_background_end(background);
    return rc ? rc : ended;
}

void service_raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}
