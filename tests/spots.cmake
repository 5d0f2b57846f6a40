# The hard spots: ten small programs that use public headers and the shared library only, as a user
# would, and check their own outcome. One with the label `threads` also runs under the tsan preset.

# Until the layers that they need are there, they are only compiled.
set(spots_runnable early_return cancel_cleanup sibling_mutex join_status queue_deadlines late_attach
    foreign_callback post_after_end)

# bight_spot(NAME [LABELS ...])
function(bight_spot name)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "" "" "LABELS")
  if(NOT name IN_LIST spots_runnable)
    add_library(spot_${name} OBJECT spots/${name}.c)
    target_include_directories(spot_${name} PRIVATE "${PROJECT_SOURCE_DIR}/include"
                               ${LIBUV_INCLUDE_DIRS})
    return()
  endif()
  add_executable(spot_${name} spots/${name}.c)
  target_link_libraries(spot_${name} PRIVATE bight::bight PkgConfig::LIBUV Threads::Threads)
  target_compile_options(spot_${name} PRIVATE ${bight_frame_warning})
  add_test(NAME spot_${name} COMMAND ${test_launcher} $<TARGET_FILE:spot_${name}>)
  math(EXPR timeout "20 * ${test_factor}")
  set_tests_properties(spot_${name} PROPERTIES TIMEOUT ${timeout} LABELS "spots;${ARG_LABELS}"
                       ENVIRONMENT "${test_env}")
  foreach(label spots ${ARG_LABELS})
    if(NOT TARGET suites_${label})
      add_custom_target(suites_${label})
    endif()
    add_dependencies(suites_${label} spot_${name})
  endforeach()
endfunction()

bight_spot(early_return)
bight_spot(cancel_cleanup)
bight_spot(sibling_mutex)
bight_spot(join_status)
bight_spot(queue_deadlines)
bight_spot(late_attach)
bight_spot(foreign_callback)
bight_spot(job_cancelled LABELS threads)
bight_spot(post_after_end LABELS threads)
bight_spot(worker_job)
