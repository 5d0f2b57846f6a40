/* The rooms of libbight. */
#include "tests/nulls/rows.h"

void walk_library(void)
{
    walk_core();
    walk_sync();
    walk_queue();
    walk_combine();
    walk_runtime();
    walk_stream();
    walk_testing();
    walk_file();
    walk_net();
    walk_offload();
}
