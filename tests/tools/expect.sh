#!/bin/sh
# Run a command and insist on its exit status and its exact standard output.
# usage: expect.sh STATUS FILE COMMAND...
set -u
want=$1 file=$2
shift 2
out=$("$@" 2>&1)
got=$?
if [ "$got" -ne "$want" ]; then
    printf '%s\nexit status %s instead of %s\n' "$out" "$got" "$want"
    exit 1
fi
printf '%s\n' "$out" | diff -u "$file" -
