#!/bin/sh
# Run one suite in a storm of signals; 77 of a suite, a skip, is no failure.
# usage: storm.sh LIBRARY LOGS BUILD SUITE
set -eu
library=$1 logs=$2 build=$3 suite=$4
[ -x "$build/$suite" ] || exit 0 # one that is run by a script, or with arguments
mkdir -p "$logs"
status=0
LD_PRELOAD=$library CK_TIMEOUT_MULTIPLIER=3 "$build/$suite" >"$logs/$suite.log" 2>&1 || status=$?
[ "$status" = 0 ] || [ "$status" = 77 ] || {
    echo "$suite: $status"
    tail -n 20 "$logs/$suite.log"
    : >"$logs/$suite.failed"
    exit 1
}
