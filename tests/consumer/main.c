/* What a user's first program needs: a header and the library. */
#include <bight/errors.h>

#include <string.h>

int main(void)
{
    return strcmp(bight_error_name(BIGHT_ECANCELED), "ECANCELED") != 0;
}
