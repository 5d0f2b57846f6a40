# Suites of coro/. The valgrind preset runs all of them.
bight_test(errors)
