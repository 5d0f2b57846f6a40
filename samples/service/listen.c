/* See listen.h. */
#include "samples/service/listen.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bight/tcp.h>

#define FIRST_FD 3

/* The variables are for the process of that number alone, not for those that it starts. */
int listen_inherited(void)
{
    const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
    bool ours = pid && count && atol(pid) == (long)getpid() && strcmp(count, "1") == 0;

    (void)unsetenv("LISTEN_PID");
    (void)unsetenv("LISTEN_FDS");
    (void)unsetenv("LISTEN_FDNAMES");
    return ours && fcntl(FIRST_FD, F_SETFD, FD_CLOEXEC) == 0 ? FIRST_FD : -1;
}

int listen_begin(struct bight_listener **out, int inherited, const char *host, uint16_t port)
{
    return inherited >= 0 ? bight_listener_from_fd(out, inherited)
                          : bight_tcp_listen(out, host, port, NULL);
}
