# Suites of coro/. The valgrind preset runs all of them.
bight_test(coro/base/errors)
bight_test(coro/base/hash)
bight_test(coro/zero)
bight_test(coro/zero_refused)

# Registers that a callee keeps are filled by assembly where we have it for the processor.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$" AND CMAKE_SIZEOF_VOID_P EQUAL 8)
  set(registers coro/stack/registers_x86_64.S)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$")
  set(registers coro/stack/registers_aarch64.S)
else()
  set(registers coro/stack/registers_none.c)
endif()
bight_test(coro/stack/context LABELS threads LIBS m SOURCES coro/stack/switch_cases.c ${registers})
if(NOT BIGHT_SWITCH STREQUAL "ucontext")
  # The same on the fallback switch: a program that has one of its own takes none from the library.
  bight_test(coro/stack/context_ucontext SUITE test_context.c LABELS threads LIBS m
    SOURCES coro/stack/switch_cases.c ${registers} ../coro/stack/switch_ucontext.c)
  if(registers STREQUAL "coro/stack/registers_x86_64.S" AND BIGHT_SANITIZE STREQUAL "none")
    bight_test(coro/stack/switch_cfi LIBS m SOURCES coro/stack/switch_cases.c ${registers})
  endif()
endif()
bight_test(coro/stack/stack LABELS threads SOURCES coro/stack/stack_fixture.c)
bight_test(coro/stack/slab LABELS threads SOURCES coro/stack/stack_fixture.c)
bight_test(coro/stack/trim LABELS threads SOURCES coro/stack/stack_fixture.c coro/stack/trim_fixture.c)
bight_test(coro/stack/advice LABELS threads SOURCES coro/stack/stack_fixture.c coro/stack/trim_fixture.c)
bight_test(coro/stack/lives LABELS threads)
# One line per file of ways.
set(ways
  ways/ways.c
  ways/ways_combine.c
  ways/ways_net.c
  ways/ways_file.c
  ways/ways_offload.c
  ways/ways_pass.c
  ways/ways_process.c
  ways/ways_queue.c
  ways/ways_select.c
  ways/ways_service.c
  ways/ways_shared.c
  ways/ways_stream.c
  ways/ways_sync.c
  ways/ways_task.c
  ways/ways_testing.c
  ways/ways_threads.c
  ways/ways_time.c
  ways/ways_udp.c
)
bight_test(ways/waits LABELS threads TIMEOUT 240 SOURCES harness/count_blocks.c ${ways}
  LIBS ${counting_libs}
  ARGS "${PROJECT_SOURCE_DIR}/docs/waiting.md")
# Programs under seeds: scripts/simulate, and a short form of it.
add_executable(simulate simulate/main.c simulate/simulate.c simulate/combine.c simulate/exchange.c
  simulate/locks.c simulate/queues.c simulate/random.c simulate/sync.c simulate/tasks.c)
target_link_libraries(simulate PRIVATE bight_test_support)
# Instrumented runs are slower, and their leaks and races show with fewer seeds.
set(simulation_seeds 2000)
if(BIGHT_SANITIZE STREQUAL "valgrind")
  set(simulation_seeds 10)
elseif(NOT BIGHT_SANITIZE STREQUAL "none")
  set(simulation_seeds 100)
endif()
add_test(NAME simulation COMMAND ${test_launcher} $<TARGET_FILE:simulate> ${simulation_seeds})
set_tests_properties(simulation PROPERTIES LABELS coro TIMEOUT 300 ENVIRONMENT "${test_env}")
add_dependencies(suites_coro simulate)
set(model_sources model/program.c model/model.c model/scopes.c model/locks.c model/queues.c
  model/checks.c)
# The model alone has nothing of the library: AddressSanitizer sees as much of it as memcheck would.
if(NOT BIGHT_SANITIZE STREQUAL "valgrind")
  bight_test(model/model SOURCES ${model_sources} model/explore.c model/catalogue.c TIMEOUT 240)
endif()
bight_test(model/lockstep SOURCES ${model_sources} model/generate.c model/lockstep.c
  model/interpret.c TIMEOUT 240)
add_test(NAME switch_aarch64
  COMMAND "${CMAKE_CURRENT_SOURCE_DIR}/coro/stack/switch_aarch64.sh" "${CMAKE_CURRENT_BINARY_DIR}/aarch64")
set_tests_properties(switch_aarch64 PROPERTIES LABELS "aarch64" SKIP_RETURN_CODE 77 TIMEOUT 120)

# The library finds the C++ runtime by a weak reference, in whatever way either is linked.
if(bight_cxx)
  foreach(way shared static shared_runtime static_runtime)
    add_executable(cxx_exceptions_${way} coro/core/cxx_exceptions.cpp)
    set_target_properties(cxx_exceptions_${way} PROPERTIES
      CXX_STANDARD 17 CXX_STANDARD_REQUIRED ON CXX_EXTENSIONS OFF)
    target_compile_options(cxx_exceptions_${way} PRIVATE -Wall -Wextra -Wconversion)
    add_test(NAME cxx_exceptions_${way}
      COMMAND ${test_launcher} $<TARGET_FILE:cxx_exceptions_${way}>)
    set_tests_properties(cxx_exceptions_${way} PROPERTIES LABELS coro TIMEOUT 300
      ENVIRONMENT "${test_env}")
    add_dependencies(suites_coro cxx_exceptions_${way})
  endforeach()
  target_link_libraries(cxx_exceptions_shared PRIVATE bight::bight)
  target_link_libraries(cxx_exceptions_static PRIVATE bight::bight_static)
  target_link_libraries(cxx_exceptions_shared_runtime PRIVATE bight::bight -static-libstdc++)
  target_link_libraries(cxx_exceptions_static_runtime PRIVATE bight::bight_static -static-libstdc++)
endif()

# Those that need nothing more.
foreach(suite call cancel checks cycle deadline drain due group group_start mutex park reuse scope
    slow task task_info tree)
  bight_test(coro/core/${suite})
endforeach()
foreach(suite barrier condition event limiter once rate_limiter rwlock
    semaphore wait_group)
  bight_test(coro/sync/${suite})
endforeach()
foreach(suite broadcast channel_ends generator latest queue queue_many queue_store)
  bight_test(coro/queue/${suite})
endforeach()
foreach(suite background cases cases_channel completed false_cancel future future_waits gather race select wait
    wait_for)
  bight_test(coro/combine/${suite})
endforeach()
