/* Shared by the parts of bench.h, and not for the bench programs. */
#ifndef BIGHT_BENCH_ROWS_H
#define BIGHT_BENCH_ROWS_H

#include "bench/bench.h"

/* From now on this is a counting run. */
void bench_count(void);

/* Instructions per operation of the row's value: two runs of this program under callgrind. */
double bench_count_instructions(const struct bench_row *row);

#endif
