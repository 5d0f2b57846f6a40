/* What a user's first program needs: a header and the library, and all that stands behind it. */
#include <bight.h>

static int start(void *arg)
{
    (void)arg;
    return bight_yield();
}

int main(void)
{
    return bight_run(start, NULL) != 0;
}
