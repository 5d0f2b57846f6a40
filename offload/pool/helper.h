/* Where the program is that becomes a zygote when the host's own cannot. */
#ifndef BIGHT_OFFLOAD_POOL_HELPER_H
#define BIGHT_OFFLOAD_POOL_HELPER_H

/* The path of the helper, to be freed: `given`, or if that is NULL the bight-zygote that was
 * installed with this library. NULL and errno when there is none that can be executed. */
char *bight__helper_path(const char *given);

#endif
