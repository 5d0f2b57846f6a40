# The behaviour catalogue: suites whose tests are named after its cases. See conformance/README.md.
set(conformance_suites "")

# conformance(NAME [LABELS ...] [SOURCES ...]): the suite of tests/conformance/test_conf_NAME.c.
function(conformance name)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "" "TIMEOUT" "LABELS;SOURCES;LIBS")
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 60)
  endif()
  bight_test(conf_${name} LABELS ${ARG_LABELS} TIMEOUT ${ARG_TIMEOUT} LIBS ${ARG_LIBS}
    SOURCES conformance/test_conf_${name}.c conformance/conf.c world.c ${ARG_SOURCES})
  list(APPEND conformance_suites "$<TARGET_FILE:test_conf_${name}>")
  set(conformance_suites "${conformance_suites}" PARENT_SCOPE)
endfunction()

conformance(loop SOURCES conformance/host.c)
conformance(loop_calls LABELS threads SOURCES conformance/host.c)
conformance(loop_datagrams SOURCES conformance/datagram.c)
conformance(loop_io LABELS threads)
conformance(loop_runner LABELS threads)
conformance(tasks)
conformance(tasks_cancel)
conformance(tasks_futures)
conformance(tasks_locals)
conformance(taskgroups)
conformance(taskgroups_moments)
conformance(timeouts)
conformance(timeouts_wait_for)
conformance(trio_cancel_deadlines)
conformance(trio_cancel_groups)
conformance(trio_cancel_scopes)
conformance(trio_cancel_start)
conformance(trio_channels)
conformance(trio_generators)
conformance(trio_sync)
conformance(trio_limiter)
conformance(trio_calls LABELS threads)
conformance(trio_clock)

# What scripts/conformance runs.
list(JOIN conformance_suites "\n" conformance_list)
file(GENERATE OUTPUT "${CMAKE_CURRENT_BINARY_DIR}/conformance-suites" CONTENT "${conformance_list}\n")

if(BIGHT_SANITIZE STREQUAL "none")
  add_test(NAME conformance_table
    COMMAND "${CMAKE_CURRENT_SOURCE_DIR}/conformance/check" "${PROJECT_SOURCE_DIR}")
  set_tests_properties(conformance_table PROPERTIES LABELS conformance TIMEOUT 20)
endif()
