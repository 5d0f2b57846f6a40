/* See python.h. */
#include "bench/python.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/bench.h"

#ifdef BIGHT_BENCH_PYTHON
double bench_python(const char *row, uint64_t operations, uint64_t most)
{
    char count[32];
    const char *const arguments[] = {BIGHT_BENCH_POOLS, row, count, NULL};
    struct bench_again python = {.program = BIGHT_BENCH_PYTHON, .arguments = arguments, .cpu = -1};
    char *printed, *end;
    double value;

    if (getenv("BENCH_NO_PYTHON")) /* rows are only tried */
        return 0;
    snprintf(count, sizeof count, "%" PRIu64, operations < most ? operations : most);
    printed = bench_again(&python);
    value = strtod(printed, &end);
    bench_check(end == printed ? -1 : 0, row);
    free(printed);
    return value;
}
#endif
