# Suites of runtime/.
bight_test(runtime/wheel)
bight_test(runtime/probe)
bight_test(runtime/mailbox LABELS threads)
bight_test(runtime/mailbox_end LABELS threads)
bight_test(runtime/threads/thread_queue LABELS threads)
bight_test(runtime/threads/many LABELS threads LIBS
  -Wl,--wrap=calloc -Wl,--wrap=pthread_create -Wl,--wrap=sched_setaffinity -Wl,--wrap=uv_loop_init)
bight_test(runtime/threads/thread_event LABELS threads)
bight_test(runtime/threads/submission LABELS threads)
bight_test(runtime/threads/submission_case)
bight_test(runtime/threads/thread_case LABELS threads)
bight_test(runtime/threads/thread_case_many LABELS threads)
bight_test(runtime/time/ticker)
bight_test(runtime/time/pause)
bight_test(runtime/hook)
bight_test(runtime/opening SOURCES harness/opening.c)
bight_test(runtime/left_open LABELS threads)
bight_test(runtime/errand)
bight_test(runtime/standard_fds)
bight_test(runtime/runner)
bight_test(runtime/interrupt LABELS threads)
bight_test(runtime/foreign SOURCES runtime/foreign_other.c LABELS threads)
bight_test(runtime/runtimes LABELS threads)
bight_test(runtime/log)
bight_test(runtime/report)
# ThreadSanitizer puts signals off, and valgrind cannot extend the loop's stack for one once tasks have run.
if(BIGHT_SANITIZE MATCHES "^(none|address)$")
  bight_test(runtime/sampler)
  set_source_files_properties(runtime/test_sampler.c PROPERTIES COMPILE_OPTIONS -fno-omit-frame-pointer)
endif()
bight_test(runtime/service/service)
bight_test(runtime/service/service_manager)
bight_test(runtime/stats LABELS threads)
bight_test(runtime/stacks)
bight_test(runtime/trace)
bight_test(runtime/trace_context)
bight_test(runtime/uv/signal)
bight_test(runtime/uv/signal_many LABELS threads)
bight_test(runtime/process/process SOURCES runtime/process/children.c)
bight_test(runtime/process/process_stdio SOURCES runtime/process/children.c)
bight_test(runtime/process/process_end SOURCES runtime/process/children.c)
bight_test(runtime/process/process_terminal SOURCES runtime/process/children.c)
bight_test(runtime/process/process_kernel SOURCES runtime/process/children.c)
bight_test(runtime/process/process_waves SOURCES runtime/process/children.c)
bight_test(runtime/process/process_run SOURCES runtime/process/children.c LABELS threads)
bight_test(runtime/uv/uvreq)
bight_test(runtime/uv/uvreq_cancel LABELS threads)
bight_test(runtime/combined)
bight_test(runtime/time/retry)
bight_test(runtime/testing/virtual_time)
foreach(suite testing testing_clock testing_idle testing_line testing_sequencer)
  bight_test(runtime/testing/${suite})
endforeach()

# Every public function of every room, with NULL: a row each. Those of parts are in net.cmake.
bight_test(nulls/nulls SOURCES nulls/rooms.c nulls/core.c nulls/sync.c nulls/queue.c nulls/combine.c
  nulls/runtime.c nulls/stream.c nulls/testing.c nulls/net.c nulls/file.c
  nulls/offload.c)

# The sweeps count blocks of memory by standing between the layers and libc.
set(sweep_sources
  sweeps/frame.c
  sweeps/scenarios.c
  sweeps/scenarios_combine.c
  sweeps/scenarios_file.c
  sweeps/scenarios_seeing.c
  sweeps/scenarios_net.c
  sweeps/scenarios_outside.c
  sweeps/scenarios_service.c
  sweeps/scenarios_process.c
  sweeps/scenarios_shared.c
  sweeps/scenarios_queue.c
  sweeps/scenarios_stream.c
  sweeps/scenarios_sync.c
  sweeps/scenarios_task.c
  sweeps/scenarios_testing.c
  sweeps/scenarios_udp.c
  harness/count_blocks.c
  harness/sweep.c
  harness/sweep_sites.c
)
# All of the library, so that a site which no scenario comes near is found too.
set(whole_library -Wl,--whole-archive $<TARGET_FILE:bight_static> -Wl,--no-whole-archive m)
bight_test(sweeps/alloc_sweep SOURCES ${sweep_sources} LIBS ${counting_libs} ${whole_library}
  TIMEOUT 240)
bight_test(sweeps/call_sweep SOURCES ${sweep_sources} LIBS ${counting_libs} ${whole_library}
  TIMEOUT 240)
bight_test(sweeps/cancel_sweep SOURCES ${sweep_sources} LIBS ${counting_libs} ${whole_library}
  TIMEOUT 240)
# Files and directories.
foreach(suite directory file file_path file_stream file_whole walk)
  bight_test(runtime/file/${suite} SOURCES runtime/file/place.c)
endforeach()
foreach(suite watch watch_tree watch_wait)
  bight_test(runtime/file/${suite} SOURCES runtime/file/place.c runtime/file/watched.c)
endforeach()
# Streams and descriptors.
bight_test(runtime/stream/stream_read LABELS threads SOURCES runtime/stream/ends.c LIBS util)
foreach(suite asked copy end kinds pair scan select write turns)
  bight_test(runtime/stream/stream_${suite} SOURCES runtime/stream/ends.c LIBS util)
endforeach()
bight_test(runtime/stream/fd)
bight_test(runtime/drive LABELS threads)
bight_test(runtime/embedding LABELS threads)
pkg_check_modules(BIGHT_GLIB IMPORTED_TARGET glib-2.0)
if(BIGHT_GLIB_FOUND)
  bight_test(runtime/embedding_glib LABELS threads LIBS PkgConfig::BIGHT_GLIB)
else()
  message(STATUS "test_embedding_glib is left out: it needs glib-2.0 (Debian: libglib2.0-dev)")
endif()
bight_test(runtime/fairness SOURCES runtime/work.c)
bight_test(runtime/fairness_calls SOURCES runtime/crowd.c)
bight_test(runtime/fairness_host SOURCES runtime/work.c)
bight_test(runtime/fairness_order SOURCES runtime/crowd.c)
bight_test(runtime/fairness_real)
if(BIGHT_SANITIZE STREQUAL "none") # a sanitizer has the handler
  bight_test(runtime/overflow)
endif()
