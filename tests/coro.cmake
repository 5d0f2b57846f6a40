# Suites of coro/. The valgrind preset runs all of them.
bight_test(errors)

# Registers that a callee keeps are filled by assembly where we have it for the processor.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$" AND CMAKE_SIZEOF_VOID_P EQUAL 8)
  set(registers registers_x86_64.S)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$")
  set(registers registers_aarch64.S)
else()
  set(registers registers_none.c)
endif()
bight_test(context LABELS threads LIBS m SOURCES test_context.c switch_cases.c ${registers})
if(NOT BIGHT_SWITCH STREQUAL "ucontext")
  # The same on the fallback switch: a program that has one of its own takes none from the library.
  bight_test(context_ucontext LABELS threads LIBS m
    SOURCES test_context.c switch_cases.c ${registers} ../coro/stack/switch_ucontext.c)
  if(registers STREQUAL "registers_x86_64.S" AND BIGHT_SANITIZE STREQUAL "none")
    bight_test(switch_cfi LIBS m SOURCES test_switch_cfi.c switch_cases.c ${registers})
  endif()
endif()
bight_test(stack LABELS threads SOURCES test_stack.c stack_fixture.c)
bight_test(slab LABELS threads SOURCES test_slab.c stack_fixture.c)
bight_test(lives LABELS threads)
# One line per file of ways.
set(ways
  ways.c
  ways_combine.c
  ways_queue.c
  ways_select.c
  ways_sync.c
  ways_task.c
  ways_testing.c
  ways_threads.c
  ways_time.c
)
bight_test(waits LABELS threads SOURCES test_waits.c count_blocks.c ${ways} LIBS ${counting_libs} -Wl,--wrap=_mark_point
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
bight_test(model SOURCES test_model.c ${model_sources} model/explore.c model/catalogue.c TIMEOUT 120)
bight_test(lockstep SOURCES test_lockstep.c ${model_sources} model/generate.c model/lockstep.c
  model/interpret.c TIMEOUT 120)
add_test(NAME switch_aarch64
  COMMAND "${CMAKE_CURRENT_SOURCE_DIR}/switch_aarch64.sh" "${CMAKE_CURRENT_BINARY_DIR}/aarch64")
set_tests_properties(switch_aarch64 PROPERTIES LABELS "aarch64" SKIP_RETURN_CODE 77 TIMEOUT 120)

# Those that need no more than a world.
set(suites
  background
  broadcast
  barrier
  call
  cases
  completed
  cancel
  channel_ends
  condition
  deadline
  event
  future
  gather
  generator
  group
  group_start
  latest
  limiter
  mutex
  once
  park
  queue
  queue_many
  queue_store
  race
  rate
  rwlock
  scope
  select
  semaphore
  slow
  task
  tree
  wait_group
  wait
  wait_for
)
foreach(suite ${suites})
  bight_test(${suite} SOURCES test_${suite}.c world.c)
endforeach()
