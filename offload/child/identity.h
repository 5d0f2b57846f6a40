/* Who a process is to the kernel: its ids, groups, capabilities, and what else is inherited by what
 * it starts. The zygote is a copy of its host's first moments; by the time workers are wanted, the
 * host may have given up privileges or moved to another directory. So the keeper, the zygote and
 * thereby the workers take on what the host is now. They ask the kernel about it, and not the
 * host: a host that was taken over after it had given up its privileges must not get them back
 * here.
 *
 * All calls are async-signal-safe. */
#ifndef BIGHT_OFFLOAD_CHILD_IDENTITY_H
#define BIGHT_OFFLOAD_CHILD_IDENTITY_H

#include <sys/types.h>

#include <bight/base.h>

struct identity;

/* Memory for the calls below; NULL when there is none. It lives as long as the process. */
struct identity *bight__identity_new(void);

/* Whether `host` has other privileges than this process. 1, 0, or -errno when it cannot be told and
 * this process has some to lose. `host_fd`, unless negative, is its pidfd, by which it is known to
 * live still; when it does not, this process ends. */
int bight__identity_differs(struct identity *identity, pid_t host, int host_fd);

/* Take on, for good, the ids, groups, capabilities and no_new_privs which the last call of
 * bight__identity_differs found, and add `securebits`, which the kernel does not tell of others: an
 * addition takes privileges, and gives none. 0 or -errno; it may then have been done in part.
 * The kernel takes PR_SET_PDEATHSIG back where this changes something. */
int bight__identity_take(struct identity *identity, int securebits);

/* Be, for good, whoever executed this program, where that gains privileges by being executed. 0 or
 * -errno. */
int bight__identity_renounce(void);

/* Have the umask that the last call of bight__identity_differs found. */
void bight__identity_take_umask(const struct identity *identity);

/* For a worker, while it is forked: have the resource limits that `host` has now, as far as it is
 * allowed. */
void bight__identity_limit(pid_t host);

/* For the zygote, before it gives up privileges: allow itself and its workers the hard limits that
 * `host` has now, where they are higher. */
void bight__identity_raise_limits(pid_t host);

#endif
