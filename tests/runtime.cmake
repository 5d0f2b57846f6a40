# Suites of runtime/.
bight_test(wheel)
bight_test(probe)
bight_test(mailbox LABELS threads)
bight_test(signal)
bight_test(uvreq)
bight_test(uvreq_cancel)
bight_test(virtual_time SOURCES test_virtual_time.c virtual_clock.c)
