/* How many CPUs there are for this process: what a container is given is often not a set of them
 * but a share of their time. */
#ifndef BIGHT_OFFLOAD_CPUS_H
#define BIGHT_OFFLOAD_CPUS_H

/* How many CPUs this process may use at a time: those that it may run on now, and no more than the
 * quota of its control groups allows, which is read once. At least 1. Any thread. */
unsigned bight__cpu_count(void);

/* The quota of the control groups of this process, in CPUs, rounded up; UINT_MAX: there is none.
 * `root` stands before each path, "" in earnest. */
unsigned bight__cgroup_cpus(const char *root);

#endif
