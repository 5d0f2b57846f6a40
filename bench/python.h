/* CPython's pools, as peers of rows: bench/pools.py in a process of its own. */
#ifndef BIGHT_BENCH_PYTHON_H
#define BIGHT_BENCH_PYTHON_H

#include <stdint.h>

/* What `row` of pools.py takes for each of `operations`, at most `most` of which are done. */
double bench_python(const char *row, uint64_t operations, uint64_t most);

/* PYTHON_PEER(name, row, most): `name`, a sample function; PYTHON(name): the peer, where CPython
 * was found. */
#ifdef BIGHT_BENCH_PYTHON
#define PYTHON_PEER(function, row, most)                                                           \
    static double function(void *arg, uint64_t operations)                                         \
    {                                                                                              \
        (void)arg;                                                                                 \
        return bench_python(row, operations, most);                                                \
    }
#define PYTHON(function)                                                                           \
    {                                                                                              \
        "CPython", function                                                                        \
    }
#else
#define PYTHON_PEER(function, row, most)
#define PYTHON(function)                                                                           \
    {                                                                                              \
        NULL, NULL                                                                                 \
    }
#endif

#endif
