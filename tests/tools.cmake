# Tests of the house itself: layers, generated pages, headers, installation. They look at sources and
# at what is installed, so one plain build is enough.
if(NOT BIGHT_SANITIZE STREQUAL "none")
  return()
endif()

function(tools_test name)
  add_test(NAME ${name} COMMAND ${ARGN} COMMAND_EXPAND_LISTS)
  set_tests_properties(${name} PROPERTIES LABELS tools TIMEOUT 300)
endfunction()

set(scripts "${PROJECT_SOURCE_DIR}/scripts")
set(expect "${CMAKE_CURRENT_SOURCE_DIR}/tools/expect.sh")
set(fixtures "${CMAKE_CURRENT_SOURCE_DIR}/tools/fixtures")

foreach(layer coro runtime net offload)
  get_property(targets DIRECTORY "${PROJECT_SOURCE_DIR}/${layer}" PROPERTY BUILDSYSTEM_TARGETS)
  list(TRANSFORM targets REPLACE "(.+)" "$<TARGET_OBJECTS:\\1>")
  list(APPEND objects ${targets})
endforeach()
# Names that only a part uses are in the table: without all parts, #include lines alone are looked at.
if(NOT bight_http OR NOT bight_json OR NOT bight_tls OR NOT bight_server OR NOT bight_websocket)
  set(objects "")
endif()
tools_test(layers "${scripts}/check-layers" "${PROJECT_SOURCE_DIR}" ${objects})
tools_test(layers_finds_includes "${expect}" 1 "${fixtures}/layers/expected"
           "${scripts}/check-layers" "${fixtures}/layers")
set(doors "${fixtures}/doors")
add_library(doors_fixture OBJECT
  "${doors}/coro/base/base.c" "${doors}/coro/core/core.c" "${doors}/coro/sync/sync.c"
  "${doors}/coro/queue/queue.c" "${doors}/coro/combine/combine.c" "${doors}/net/resolve/resolve.c")
target_include_directories(doors_fixture PRIVATE "${doors}")
tools_test(layers_finds_doors "${expect}" 1 "${doors}/expected"
           "${scripts}/check-layers" "${doors}" $<TARGET_OBJECTS:doors_fixture>)

tools_test(seams "${scripts}/check-seams" "${PROJECT_SOURCE_DIR}")
tools_test(seams_finds_calls "${expect}" 1 "${fixtures}/seams/expected"
           "${scripts}/check-seams" "${fixtures}/seams")

if(bight_http AND bight_json AND bight_tls AND bight_server AND bight_websocket)
  tools_test(symbols "${scripts}/check-symbols" "${PROJECT_SOURCE_DIR}" $<TARGET_FILE:bight>
             $<TARGET_FILE:bight_static> $<TARGET_FILE:bight_http> $<TARGET_FILE:bight_http_static>
             "http.h curl.h" $<TARGET_FILE:bight_json> $<TARGET_FILE:bight_json_static> http_json.h
             $<TARGET_FILE:bight_tls> $<TARGET_FILE:bight_tls_static> tls.h
             $<TARGET_FILE:bight_server> $<TARGET_FILE:bight_server_static>
             "server.h router.h form.h events.h access_log.h multipart.h server_testing.h static.h monitor_page.h"
             $<TARGET_FILE:bight_websocket> $<TARGET_FILE:bight_websocket_static> websocket.h)
endif()
add_library(symbols_fixture SHARED "${fixtures}/symbols/library.c")
add_library(symbols_fixture_static STATIC "${fixtures}/symbols/library.c")
add_library(symbols_fixture_part SHARED "${fixtures}/symbols/part.c")
target_link_libraries(symbols_fixture_part PRIVATE symbols_fixture)
add_library(symbols_fixture_part_static STATIC "${fixtures}/symbols/part.c")
tools_test(symbols_finds_all_kinds "${expect}" 1 "${fixtures}/symbols/expected"
           "${scripts}/check-symbols" "${fixtures}/symbols" $<TARGET_FILE:symbols_fixture>
           $<TARGET_FILE:symbols_fixture_static> $<TARGET_FILE:symbols_fixture_part>
           $<TARGET_FILE:symbols_fixture_part_static> part.h)

tools_test(waiting_table "${scripts}/waiting-table" --check)
tools_test(waiting_table_finds_trailers "${expect}" 1 "${fixtures}/waiting/expected"
           "${scripts}/waiting-table" --check "${fixtures}/waiting")
tools_test(waiting_table_finds_stale "${expect}" 1 "${fixtures}/waiting-stale/expected"
           "${scripts}/waiting-table" --check "${fixtures}/waiting-stale")

tools_test(suites_table "${CMAKE_CURRENT_SOURCE_DIR}/harness/suites-table" --check)

find_program(BIGHT_PYTHON python3)
if(BIGHT_PYTHON)
  tools_test(bench_page "${BIGHT_PYTHON}" "${scripts}/bench-page" --check)
  tools_test(bench_page_finds_stale "${expect}" 1 "${fixtures}/bench-page/expected"
             "${BIGHT_PYTHON}" "${scripts}/bench-page" --check "${fixtures}/bench-page")
endif()

# The shared library, as programs of others use it; the programs are README's first and one of our own.
add_executable(recycled_stacks tools/recycled_stacks.c)
target_link_libraries(recycled_stacks PRIVATE bight::bight Threads::Threads)
foreach(program readme_program recycled_stacks)
  tools_test(memcheck_${program} "${CMAKE_CURRENT_SOURCE_DIR}/tools/memcheck.sh"
             "$<BOOL:${BIGHT_HAVE_VALGRIND_H}>" $<TARGET_FILE:${program}>)
  set_tests_properties(memcheck_${program} PROPERTIES SKIP_RETURN_CODE 77)
endforeach()

find_program(BIGHT_CXX NAMES c++ g++ clang++)
tools_test(headers "${CMAKE_CURRENT_SOURCE_DIR}/tools/headers.sh" "${PROJECT_SOURCE_DIR}"
           "${CMAKE_C_COMPILER}" "$<$<BOOL:${BIGHT_CXX}>:${BIGHT_CXX}>" ${BIGHT_LIBUV_CFLAGS}
           ${BIGHT_LIBCURL_CFLAGS})
tools_test(headers_finds_casts "${CMAKE_CURRENT_SOURCE_DIR}/tools/headers.sh" "${fixtures}/headers"
           "${CMAKE_C_COMPILER}" "$<$<BOOL:${BIGHT_CXX}>:${BIGHT_CXX}>")
if(BIGHT_CXX)
  set_tests_properties(headers_finds_casts PROPERTIES PASS_REGULAR_EXPRESSION "old-style.cast")
endif()
tools_test(headers_must_check "${CMAKE_CURRENT_SOURCE_DIR}/tools/must_check.sh" "${PROJECT_SOURCE_DIR}"
           "${CMAKE_C_COMPILER}" "$<$<BOOL:${BIGHT_CXX}>:${BIGHT_CXX}>")
tools_test(headers_tags "${CMAKE_CURRENT_SOURCE_DIR}/tools/tags.sh" "${PROJECT_SOURCE_DIR}")
tools_test(headers_tags_finds_clashes "${expect}" 1 "${fixtures}/tags/expected"
           "${CMAKE_CURRENT_SOURCE_DIR}/tools/tags.sh" "${fixtures}/tags")
tools_test(columns "${scripts}/check-columns" "${PROJECT_SOURCE_DIR}")
tools_test(columns_finds_long_lines "${expect}" 1 "${fixtures}/columns/expected"
           "${scripts}/check-columns" "${fixtures}/columns")
tools_test(null_rows "${CMAKE_CURRENT_SOURCE_DIR}/tools/nulls.sh" "${PROJECT_SOURCE_DIR}")
tools_test(initialisers "${CMAKE_CURRENT_SOURCE_DIR}/tools/initialisers.sh" "${PROJECT_SOURCE_DIR}"
           "${CMAKE_C_COMPILER}")
get_property(installed_parts GLOBAL PROPERTY BIGHT_PARTS)
tools_test(install "${CMAKE_CURRENT_SOURCE_DIR}/tools/install.sh" "${CMAKE_COMMAND}" "${PROJECT_BINARY_DIR}"
           "${PROJECT_SOURCE_DIR}" "${CMAKE_C_COMPILER}" "${CMAKE_GENERATOR}" ${installed_parts})
tools_test(library "${CMAKE_CURRENT_SOURCE_DIR}/tools/library.sh" "${CMAKE_COMMAND}" "${PROJECT_SOURCE_DIR}"
           "${CMAKE_C_COMPILER}" ${CMAKE_C_COMPILER_LAUNCHER})
foreach(way folder archive)
  tools_test(subproject_${way} "${CMAKE_CURRENT_SOURCE_DIR}/tools/subproject.sh" "${CMAKE_COMMAND}"
             "${PROJECT_SOURCE_DIR}" "${CMAKE_C_COMPILER}" "${CMAKE_GENERATOR}"
             ${way} ${CMAKE_C_COMPILER_LAUNCHER})
endforeach()
# They build with both cores; first, so that no long one is left alone at the end.
set_tests_properties(library subproject_archive PROPERTIES COST 1000 PROCESSORS 2
                     TIMEOUT 1200)
tools_test(skips "${CMAKE_CURRENT_SOURCE_DIR}/tools/skips.sh" "${PROJECT_SOURCE_DIR}")
tools_test(layers_svg "${PROJECT_SOURCE_DIR}/scripts/layers-svg" --check)

# Debug information and a switch that the script knows are what it needs.
if(CMAKE_BUILD_TYPE MATCHES "^(Debug|RelWithDebInfo)$" AND NOT BIGHT_SWITCH STREQUAL "ucontext")
  add_executable(gdb_subject tools/gdb_subject.c)
  target_link_libraries(gdb_subject PRIVATE bight::bight Threads::Threads)
  add_executable(gdb_subject_static tools/gdb_subject.c)
  target_compile_definitions(gdb_subject_static PRIVATE GDB_SUBJECT_STATIC)
  target_include_directories(gdb_subject_static PRIVATE "${PROJECT_SOURCE_DIR}")
  target_link_libraries(gdb_subject_static PRIVATE bight::bight_static PkgConfig::BIGHT_LIBUV
                        Threads::Threads)
  tools_test(gdb_process "${CMAKE_CURRENT_SOURCE_DIR}/tools/gdb.sh" $<TARGET_FILE:gdb_subject>
             "${PROJECT_BINARY_DIR}")
  tools_test(gdb_core "${CMAKE_CURRENT_SOURCE_DIR}/tools/gdb.sh" $<TARGET_FILE:gdb_subject_static>
             "${PROJECT_BINARY_DIR}" core)
  set_tests_properties(gdb_process gdb_core PROPERTIES SKIP_RETURN_CODE 77)
endif()

# Suites in a storm of signals: those that are in system calls most. scripts/signal-storm has all.
add_library(storm MODULE tools/storm.c)
target_link_libraries(storm PRIVATE Threads::Threads)
foreach(suite drive fd file file_stream mailbox process process_stdio signal stream_copy stream_kinds stream_read
        stream_write thread_event thread_queue tcp udp unix workers)
  if(TARGET test_${suite})
    tools_test(storm_${suite} "${CMAKE_CURRENT_SOURCE_DIR}/tools/storm.sh" $<TARGET_FILE:storm>
               "${CMAKE_CURRENT_BINARY_DIR}/storm" "${CMAKE_CURRENT_BINARY_DIR}" test_${suite})
  endif()
endforeach()
