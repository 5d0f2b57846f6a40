# Suites of net/.
