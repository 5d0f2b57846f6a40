/* See sweep.h: what a run leaves behind. */
#include "tests/harness/sweep.h"

#include "tests/harness/support.h"

int sweep_maps(void)
{
#if defined(BIGHT_ASAN) || defined(BIGHT_TSAN)
    return 0;
#else
    return test_maps();
#endif
}
