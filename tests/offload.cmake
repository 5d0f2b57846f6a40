# Suites of offload/.
