# What the documentation shows as code is code: it is taken from there, compiled, run, compared.
if(NOT BIGHT_SANITIZE STREQUAL "none")
  return()
endif()

# docs_program(NAME PAGE OUTPUT): the first program of a page becomes a target of its own, and a test.
function(docs_program name page output)
  set(program "${CMAKE_CURRENT_BINARY_DIR}/${name}.c")
  set_property(DIRECTORY "${PROJECT_SOURCE_DIR}" APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
               "${PROJECT_SOURCE_DIR}/${page}")
  file(READ "${PROJECT_SOURCE_DIR}/${page}" text)
  string(REGEX MATCH "```c\n([^`]*)```" found "${text}")
  if(NOT found)
    message(FATAL_ERROR "${page} has no program between ```c and ```")
  endif()
  file(CONFIGURE OUTPUT "${program}" CONTENT "${CMAKE_MATCH_1}" @ONLY)
  add_executable(${name} "${program}")
  target_link_libraries(${name} PRIVATE bight::bight)
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS docs TIMEOUT 120 PASS_REGULAR_EXPRESSION "${output}")
endfunction()
docs_program(readme_program README.md "hello, rope.*hello, loop")
docs_program(executors_program docs/executors.md "^9592 primes")
docs_program(service_program docs/service.md "round 3\nit came to 0 by signal 15")
docs_program(cores_program docs/cores.md "^20 answers from 3 loops\nit came to 0 by signal 15")
docs_program(files_program docs/files.md "^14 bytes: a rope.a loop.walked over 14 bytes")
docs_program(watching_program docs/watching.md "^there is a new file\nand it is written\n$")
docs_program(embedding_program docs/embedding.md
             "^the callback returns\nthe task is done\ndetached\n$")
target_link_libraries(embedding_program PRIVATE PkgConfig::BIGHT_LIBUV)
docs_program(threads_program docs/threads.md "^/etc/passwd: [1-9][0-9]* lines")
docs_program(workers_program docs/workers.md "^2 lines")
docs_program(process_program docs/process.md "^bight\nloop\n, exit code 0")
docs_program(seeing_program docs/seeing.md "2 wait: sleep.*longest turn: computes.*waits for sleep")
docs_program(shared_program docs/shared.md "^10 words, 26 letters")
if(bight_http AND bight_server)
  docs_program(http_program docs/http.md "^orders.to=R%C3%B6deby%20%26%20sons\nanna: 3 of rope to R..deby & sons\n$")
  target_link_libraries(http_program PRIVATE bight::http bight::server)
endif()

add_test(NAME docs_quotes COMMAND "${CMAKE_CURRENT_SOURCE_DIR}/tools/quotes.sh" "${PROJECT_SOURCE_DIR}")
set_tests_properties(docs_quotes PROPERTIES LABELS docs TIMEOUT 120)
add_test(NAME docs_names COMMAND "${CMAKE_CURRENT_SOURCE_DIR}/tools/names.sh" "${PROJECT_SOURCE_DIR}")
set_tests_properties(docs_names PROPERTIES LABELS docs TIMEOUT 120)
add_test(NAME docs_names_finds_all_kinds
         COMMAND "${CMAKE_CURRENT_SOURCE_DIR}/tools/expect.sh" 1
                 "${CMAKE_CURRENT_SOURCE_DIR}/tools/fixtures/names/expected"
                 "${CMAKE_CURRENT_SOURCE_DIR}/tools/names.sh"
                 "${CMAKE_CURRENT_SOURCE_DIR}/tools/fixtures/names")
set_tests_properties(docs_names_finds_all_kinds PROPERTIES LABELS docs TIMEOUT 120)
add_test(NAME docs_links COMMAND "${CMAKE_CURRENT_SOURCE_DIR}/tools/links.sh" "${PROJECT_SOURCE_DIR}")
set_tests_properties(docs_links PROPERTIES LABELS docs TIMEOUT 120)
