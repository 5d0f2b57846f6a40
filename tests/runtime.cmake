# Suites of runtime/.
