/* Compile-time proof that bight's codes of the system range are libuv's. Makes no code.
 * Here and not in coro/, because coro/ knows no libuv. */
#include <bight/errors.h>

#include <uv.h>

/* libuv has no name for this one and passes -errno through. */
#define UV_EDEADLK (-EDEADLK)

#define EQUALS_LIBUV(name, value, text)                                                            \
    _Static_assert((int)BIGHT_##name == (int)UV_##name, "BIGHT_" #name " is not UV_" #name);
BIGHT_ERRORS_SYSTEM(EQUALS_LIBUV)

/* Own codes stand clear of everything libuv has or may get. */
#define CLEAR_OF_LIBUV(name, value, text)                                                          \
    _Static_assert((int)BIGHT_##name <= -5000 && (int)BIGHT_##name < (int)UV_ERRNO_MAX,            \
                   "BIGHT_" #name " is in libuv's range");
BIGHT_ERRORS_OWN(CLEAR_OF_LIBUV)
