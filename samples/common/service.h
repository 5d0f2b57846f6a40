/* The life of a service: it says where it listens, and a signal ends it. */
#ifndef SAMPLES_COMMON_SERVICE_H
#define SAMPLES_COMMON_SERVICE_H

#include <bight/listener.h>

/* Say where `listener` listens, and call `serve(arg)`, which has bight_serve or bight_http_serve
 * serve it: SIGINT and SIGTERM close it, whereupon those let the handlers finish, and return. From
 * then on both are blocked in this thread, so that a second one does not disturb the end of the
 * process. Returns what `serve` did, or why it could not begin. bight_service_run is for services
 * in which a second signal is to hurry, and that tell a manager how they are. */
BIGHT_MUST_CHECK int service_until_signal(struct bight_listener *listener, int (*serve)(void *arg),
                                          void *arg);

/* Each connection needs a descriptor, and one that is handed on a second; the usual soft limit of
 * 1,024 is there for programs that use select. Failure shows where it matters: in clients that wait
 * until others have gone. */
void service_raise_descriptor_limit(void);

#endif
