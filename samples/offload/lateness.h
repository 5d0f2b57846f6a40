/* How late a loop is for what it has to do. */
#ifndef SAMPLES_OFFLOAD_LATENESS_H
#define SAMPLES_OFFLOAD_LATENESS_H

#include <bight/base.h>

/* How often the ticker looks. */
#define LATENESS_TICK_MS 2

/* Call `work(arg)` with a ticker beside it, and say by how much its latest tick was late. Suspends;
 * returns what `work` returns, or BIGHT_ENOMEM; on cancel what `work` returns. */
BIGHT_MUST_CHECK int lateness_during(int (*work)(void *arg), void *arg, double *worst_ms);

#endif
