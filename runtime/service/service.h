/* What the files of this room share. */
#ifndef BIGHT_RUNTIME_SERVICE_SERVICE_H
#define BIGHT_RUNTIME_SERVICE_SERVICE_H

#include "coro/core/task.h"
#include "runtime/runtime.h"

#include <bight/service.h>

#endif
