/* Bight's warnings are not this program's: one of them would end its build. */
#include <bight.h>

static int start(void *unused)
{
    return bight_yield();
}

int main(void)
{
    return bight_run(start, NULL) != 0;
}
