# Streams in memory, until there is an interface of streams.
bight_test(harness/stream)

# The harness itself: a suite whose cases have to fail, and what is said of them.
add_executable(failing_suite harness/selftest/failing.c)
target_link_libraries(failing_suite PRIVATE bight_test_support)

# harness_test(NAME EXPECTED [VARIABLE=VALUE ...])
function(harness_test name expected)
  add_test(NAME ${name} COMMAND "${CMAKE_CURRENT_SOURCE_DIR}/tools/expect.sh" 1
    "${CMAKE_CURRENT_SOURCE_DIR}/harness/selftest/${expected}" ${test_launcher}
    $<TARGET_FILE:failing_suite>)
  set_tests_properties(${name} PROPERTIES LABELS harness TIMEOUT 60
    ENVIRONMENT "${ARGN};CK_VERBOSITY=normal;${test_env}")
endfunction()

harness_test(harness expected)
harness_test(harness_exit_in_its_process expected-exit CK_FORK=no CK_RUN_CASE=leaves_by_exit)
harness_test(harness_unknown_case expected-unknown CK_RUN_CASE=no_such_case)
