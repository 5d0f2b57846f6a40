/* Attributes and version. Every public header includes this one and nothing of libuv or libcurl.
 * C11 and C++; needs only the freestanding headers. */
#ifndef BIGHT_BASE_H
#define BIGHT_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BIGHT_VERSION_MAJOR 0
#define BIGHT_VERSION_MINOR 1
#define BIGHT_VERSION_PATCH 0

#ifdef __cplusplus
#define BIGHT_BEGIN_DECLS extern "C" {
#define BIGHT_END_DECLS }
#else
#define BIGHT_BEGIN_DECLS
#define BIGHT_END_DECLS
#endif

/* Exported from the shared library; everything else is hidden. */
#define BIGHT_API __attribute__((visibility("default")))

/* The result says whether the call did its work: dropping it is a mistake the compiler reports. */
#define BIGHT_MUST_CHECK __attribute__((warn_unused_result))

#endif
