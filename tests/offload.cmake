# Suites of offload/. Those of workers execute themselves once per case: see worker_cases.h.
add_library(bight_worker_cases STATIC worker_cases.c)
target_link_libraries(bight_worker_cases PUBLIC bight_test_support)

bight_test(channel)
bight_test(workers_jobs LIBS bight_worker_cases)
bight_test(workers_death LIBS bight_worker_cases)
bight_test(workers_cancel LIBS bight_worker_cases)
bight_test(workers_limits LIBS bight_worker_cases)
bight_test(workers_hostile LIBS bight_worker_cases)
bight_test(workers_host LIBS bight_worker_cases)
bight_test(workers_start LIBS bight_worker_cases)
bight_test(workers_alloc LIBS bight_worker_cases)
bight_test(offload LABELS threads)
