# Suites of runtime/.
bight_test(wheel)
