/* What other rooms have of files beyond <bight/file.h>. */
#ifndef BIGHT_RUNTIME_FILE_DOOR_H
#define BIGHT_RUNTIME_FILE_DOOR_H

#include <bight/file.h>

#include "coro/base/seams.h"

/* bight_file_replace of what `write` writes to the file; if that fails, so does this, and nothing
 * has changed. */
BIGHT_INTERNAL_API int bight__file_replace_by(const char *path,
                                              int (*write)(void *arg, struct bight_file *file),
                                              void *arg,
                                              const struct bight_file_replace_options *options);

#endif
