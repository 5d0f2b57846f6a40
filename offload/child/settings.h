/* What an executor wants its workers to be like, beyond what they have of their host: see
 * identity.h for that. */
#ifndef BIGHT_OFFLOAD_CHILD_SETTINGS_H
#define BIGHT_OFFLOAD_CHILD_SETTINGS_H

#include "offload/wire/channel.h"

/* For a worker, before its first job. What the kernel refuses is left as it is. */
void bight__settings_take(const struct channel_settings *settings);

/* Whether this process has more than that of memory of its own that is resident. */
bool bight__has_more_memory(uint64_t bytes);

#endif
