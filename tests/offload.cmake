# Suites of offload/. Those of workers execute themselves once per case: see offload/worker_cases.h.
add_library(bight_worker_cases STATIC offload/worker_cases.c)
target_link_libraries(bight_worker_cases PUBLIC bight_test_support)

bight_test(offload/wire/channel)
bight_test(offload/pool/workers_jobs LIBS bight_worker_cases)
bight_test(offload/pool/workers_death LIBS bight_worker_cases)
bight_test(offload/pool/workers_cancel LIBS bight_worker_cases)
bight_test(offload/pool/workers_limits LIBS bight_worker_cases)
bight_test(offload/pool/workers_hostile LIBS bight_worker_cases)
bight_test(offload/pool/workers_host LIBS bight_worker_cases)
bight_test(offload/pool/workers_start LIBS bight_worker_cases)
bight_test(offload/pool/workers_alloc LIBS bight_worker_cases)
bight_test(offload/offload LABELS threads)
