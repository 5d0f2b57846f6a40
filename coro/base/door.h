/* How one library of bight calls another beyond the public headers. libbight exports the functions
 * with this mark, but promises nothing: only the libraries that were built with it may call them,
 * and no public header names them. The declarations are in coro/base/seams.h, coro/base/hash.h,
 * runtime/door.h and net/resolve/door.h; scripts/check-symbols knows them by the mark. */
#ifndef BIGHT_CORO_BASE_DOOR_H
#define BIGHT_CORO_BASE_DOOR_H

#define BIGHT_INTERNAL_API __attribute__((visibility("default")))

#endif
