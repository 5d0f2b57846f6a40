/* How one library of bight calls another beyond the public headers. What is marked so libbight
 * exports without a promise: only the libraries that were built with it may call it, and no name of
 * it is in a public header. The declarations are in coro/base/seams.h, coro/base/hash.h,
 * runtime/door.h and net/resolve/door.h; scripts/check-symbols knows them by the mark. */
#ifndef BIGHT_CORO_BASE_DOOR_H
#define BIGHT_CORO_BASE_DOOR_H

#define BIGHT_INTERNAL_API __attribute__((visibility("default")))

#endif
