# What the documentation shows as code is code: it is taken from there, compiled, run, compared.
if(NOT BIGHT_SANITIZE STREQUAL "none")
  return()
endif()

# The first program of README.md becomes a target of its own.
set(readme_program "${CMAKE_CURRENT_BINARY_DIR}/readme_program.c")
set_property(DIRECTORY "${PROJECT_SOURCE_DIR}" APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
             "${PROJECT_SOURCE_DIR}/README.md")
file(READ "${PROJECT_SOURCE_DIR}/README.md" readme)
string(REGEX MATCH "```c\n([^`]*)```" found "${readme}")
if(NOT found)
  message(FATAL_ERROR "README.md has no program between ```c and ```")
endif()
file(CONFIGURE OUTPUT "${readme_program}" CONTENT "${CMAKE_MATCH_1}" @ONLY)
add_executable(readme_program "${readme_program}")
target_link_libraries(readme_program PRIVATE bight::bight)
add_test(NAME readme_program COMMAND readme_program)
set_tests_properties(readme_program PROPERTIES LABELS docs TIMEOUT 20
                     PASS_REGULAR_EXPRESSION "hello, rope.*hello, loop")

add_test(NAME docs_quotes COMMAND "${CMAKE_CURRENT_SOURCE_DIR}/tools/quotes.sh" "${PROJECT_SOURCE_DIR}")
set_tests_properties(docs_quotes PROPERTIES LABELS docs TIMEOUT 20)
add_test(NAME docs_names COMMAND "${CMAKE_CURRENT_SOURCE_DIR}/tools/names.sh" "${PROJECT_SOURCE_DIR}")
set_tests_properties(docs_names PROPERTIES LABELS docs TIMEOUT 20)
add_test(NAME docs_names_finds_all_kinds
         COMMAND "${CMAKE_CURRENT_SOURCE_DIR}/tools/expect.sh" 1
                 "${CMAKE_CURRENT_SOURCE_DIR}/tools/fixtures/names/expected"
                 "${CMAKE_CURRENT_SOURCE_DIR}/tools/names.sh"
                 "${CMAKE_CURRENT_SOURCE_DIR}/tools/fixtures/names")
set_tests_properties(docs_names_finds_all_kinds PROPERTIES LABELS docs TIMEOUT 20)
add_test(NAME docs_links COMMAND "${CMAKE_CURRENT_SOURCE_DIR}/tools/links.sh" "${PROJECT_SOURCE_DIR}")
set_tests_properties(docs_links PROPERTIES LABELS docs TIMEOUT 20)
