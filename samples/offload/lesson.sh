#!/bin/sh
# A lesson of README.md prints what it says: the block of text under its heading, but for figures, which are what
# this machine did just now, or what changes with the sources: a number with its unit (ms, s, times, CPUs, ...) is
# compared as N.
# usage: lesson.sh README NAME PROGRAM [ARGUMENT...]
set -eu
readme=$1 name=$2
shift 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

figures() {
    sed -E 's/ *[0-9]+(\.[0-9]+)? +(ms|s|times|CPUs|lost|files|words|batches)([^a-z]|$)/ N \2\3/g'
}

awk -v heading="## $name" '
    /^## / { inside = $0 == heading }
    /^```$/ { copying = 0 }
    inside && copying
    inside && $0 == "```text" { copying = 1 }
' "$readme" | figures >"$work/expected"
status=0
"$@" >"$work/out" 2>&1 || status=$?
if [ "$status" != 0 ]; then
    cat "$work/out"
    exit "$status"
fi
figures <"$work/out" | diff -u "$work/expected" - && exit 0
cat "$work/out"
exit 1
