# Suites of samples/service: json-service, as Python's http.client and sqlite3, PostgreSQL and wrk see
# it. Those that need one that is not installed are skipped (scripts/deps peers).
if(NOT TARGET json-service)
  return()
endif()

# service_test(NAME SCRIPT [ARGS...])
function(service_test name script)
  set(launcher "${test_launcher}")
  if(BIGHT_SANITIZE STREQUAL "valgrind")
    set(launcher "") # memcheck is for programs of ours
  endif()
  math(EXPR timeout "120 * ${test_factor}")
  add_test(NAME sample_service_${name}
           COMMAND ${launcher} "${CMAKE_CURRENT_SOURCE_DIR}/samples/service/${script}"
                   $<TARGET_FILE:json-service> ${ARGN})
  set_tests_properties(sample_service_${name} PROPERTIES LABELS service TIMEOUT ${timeout}
    SKIP_RETURN_CODE 77 ENVIRONMENT "PYTHONDONTWRITEBYTECODE=1;${test_env}")
endfunction()

if(TARGET PkgConfig::SQLITE)
  service_test(sqlite api.py sqlite)
  service_test(sqlite_trouble trouble.py sqlite)
  service_test(workers trouble.py workers)
  service_test(sqlite_drain drain.py sqlite)
endif()
if(TARGET PkgConfig::LIBPQ)
  service_test(postgres api.py postgres)
  service_test(postgres_trouble trouble.py postgres)
  service_test(postgres_drain drain.py postgres)
endif()
