/* The scenarios of <bight/service.h>. See scenarios.h. */
#include "tests/sweeps/scenarios.h"

#include <bight.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int works(void *arg)
{
    scenario_balance--;
    return bight_sleep(*(int64_t *)arg);
}

/* Work in a group, and a wait for more until it is stopped. */
static int serves(void *arg)
{
    int64_t work_ms = 5;
    struct bight_group group;
    struct bight_scope scope;
    int rc = bight_group_begin(&group, 0);

    (void)arg;
    if (rc)
        return rc;
    rc = scenario_spawn(&group, NULL, "work", works, &work_ms);
    if (rc == 0)
        rc = bight_scope_begin(&scope, -1, BIGHT_SCOPE_STOPPABLE);
    if (rc == 0) {
        raise(SIGUSR2);
        rc = bight_scope_end(&scope, bight_sleep(-1));
    }
    return bight_group_end(&group, rc);
}

int scenario_service(void *arg)
{
    const struct bight_service_options options = {.stop_signals = {SIGUSR2}};

    (void)arg;
    return bight_service_run(serves, NULL, &options, NULL);
}

static int tell(int fd)
{
    int rc = bight_service_ready();

    if (rc == 0)
        rc = bight_service_status("fine");
    return rc ? rc : bight_service_store_fds("itself", &fd, 1);
}

int scenario_manager(void *arg)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char name[sizeof address.sun_path] = "@";
    socklen_t bytes = sizeof address;
    int rc, fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    (void)arg;
    /* The system chooses the name: five digits. */
    EXPECT(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(sa_family_t)) == 0);
    EXPECT(getsockname(fd, (struct sockaddr *)&address, &bytes) == 0);
    memcpy(name + 1, address.sun_path + 1, bytes - offsetof(struct sockaddr_un, sun_path) - 1);
    EXPECT(setenv("NOTIFY_SOCKET", name, 1) == 0);
    rc = tell(fd);
    close(fd);
    bight_service_forget();
    return rc;
}
