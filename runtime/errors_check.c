/* Compile-time proof that bight's codes of the system range are libuv's. It generates no code. It
 * is here and not in coro/ because coro/ does not know libuv. */
#include <bight/errors.h>

#include <uv.h>

/* libuv has no name for these and passes -errno through. */
#define UV_EDEADLK (-EDEADLK)
#define UV_ENOTRECOVERABLE (-ENOTRECOVERABLE)
#define UV_EOWNERDEAD (-EOWNERDEAD)

#define EQUALS_LIBUV(name, value, text)                                                            \
    _Static_assert((int)BIGHT_##name == (int)UV_##name, "BIGHT_" #name " is not UV_" #name);
BIGHT_ERRORS_SYSTEM(EQUALS_LIBUV)

/* bight's own codes are outside of the range that libuv uses, with room for what libuv may add. */
#define CLEAR_OF_LIBUV(name, value, text)                                                          \
    _Static_assert((int)BIGHT_##name <= -5000 && (int)BIGHT_##name < (int)UV_ERRNO_MAX,            \
                   "BIGHT_" #name " is in libuv's range");
BIGHT_ERRORS_OWN(CLEAR_OF_LIBUV)
