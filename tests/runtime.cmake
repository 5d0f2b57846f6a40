# Suites of runtime/.
bight_test(wheel)
bight_test(probe)
bight_test(mailbox LABELS threads)
bight_test(mailbox_end LABELS threads)
bight_test(thread_queue LABELS threads SOURCES test_thread_queue.c world.c)
bight_test(thread_event LABELS threads SOURCES test_thread_event.c world.c)
bight_test(submission LABELS threads SOURCES test_submission.c world.c)
bight_test(ticker SOURCES test_ticker.c world.c)
bight_test(hook SOURCES test_hook.c world.c)
bight_test(runner SOURCES test_runner.c world.c)
bight_test(interrupt LABELS threads SOURCES test_interrupt.c world.c)
bight_test(runtimes LABELS threads SOURCES test_runtimes.c world.c)
bight_test(report SOURCES test_report.c world.c)
bight_test(signal)
bight_test(uvreq)
bight_test(uvreq_cancel LABELS threads)
bight_test(combined)
bight_test(retry SOURCES test_retry.c world.c)
bight_test(virtual_time SOURCES test_virtual_time.c)
foreach(suite testing testing_clock testing_idle testing_line testing_sequencer testing_stream)
  bight_test(${suite} SOURCES test_${suite}.c world.c)
endforeach()

# The sweeps count blocks of memory by standing between the layers and libc.
set(sweep_sources
  scenarios.c
  scenarios_combine.c
  scenarios_outside.c
  scenarios_queue.c
  scenarios_sync.c
  scenarios_task.c
  scenarios_testing.c
  count_blocks.c
  sweep.c
  sweep_sites.c
)
# All of the library, so that a site which no scenario comes near is found too.
set(whole_library -Wl,--whole-archive $<TARGET_FILE:bight_static> -Wl,--no-whole-archive
    PkgConfig::LIBCURL m)
bight_test(alloc_sweep SOURCES test_alloc_sweep.c ${sweep_sources} LIBS ${counting_libs} ${whole_library})
bight_test(call_sweep SOURCES test_call_sweep.c ${sweep_sources} LIBS ${counting_libs} ${whole_library})
bight_test(cancel_sweep SOURCES test_cancel_sweep.c ${sweep_sources} LIBS ${counting_libs} ${whole_library}
  TIMEOUT 120)
bight_test(drive LABELS threads SOURCES test_drive.c world.c)
if(BIGHT_SANITIZE STREQUAL "none") # a sanitizer has the handler
  bight_test(overflow SOURCES test_overflow.c world.c)
endif()
