/* What a user's first program needs: a header and the library, and all that stands behind it.
 * Prints the version that it was compiled with. */
#include <bight.h>
#include <stdio.h>

static int start(void *arg)
{
    (void)arg;
    return bight_yield();
}

int main(void)
{
    printf("%d.%d.%d\n", BIGHT_VERSION_MAJOR, BIGHT_VERSION_MINOR, BIGHT_VERSION_PATCH);
    return bight_run(start, NULL) != 0;
}
