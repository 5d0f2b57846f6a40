/* bight-zygote: the program that a keeper executes where the host's own program cannot become a
 * zygote, because its main is somebody else's. See <bight/workers.h>. */
#include <stdio.h>

#include <bight/errors.h>
#include <bight/workers.h>

int main(int argc, char **argv)
{
    /* As a zygote this does not return. */
    int rc = bight_workers_prepare(argc, argv);

    fprintf(stderr, "bight-zygote: started by bight_workers_prepare_with only%s%s\n",
            rc ? ": " : "", rc ? bight_strerror(rc) : "");
    return 2;
}
