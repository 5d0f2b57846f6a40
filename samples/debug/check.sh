#!/bin/sh
# A stop of the tour prints what the page says: the block of text under the heading that has its name in brackets. Of
# places only the functions are compared, those of the program; of times and sizes, that there are some.
# usage: check.sh PAGE STOP PROGRAM
set -eu
page=$1 stop=$2 program=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

others() { # on a busy machine any turn may be slow
    awk '/^bight: / { skipped = /: slow turn: / && !/ summary: / } !skipped'
}

places() { # of the C library, the loader and libbight: where they are is their affair
    sed -E -e '/^    (at|opened at|spawned at) (.* \()?(libbight|libc|ld-|\[vdso|_start|__libc|main\+)/d' \
        -e 's/^(    (at|opened at|spawned at) [a-z_]+)\+0x[0-9a-f]+ \(debug_tour\+0x[0-9a-f]+\)/\1/' \
        -e 's/spawned at .*\((overflow)\+0x[0-9a-f]+\) ?\[0x[0-9a-f]+\]/spawned at \1/' \
        -e 's/[0-9]+ (ms|bytes)/N \1/g' -e 's/[0-9]+ would do/N would do/'
}

awk -v stop="(\`$stop\`)" '
    /^## / { inside = index($0, stop) }
    /^```$/ { copying = 0 }
    inside && copying
    inside && $0 == "```text" { copying = 1 }
' "$page" | places >"$work/expected"
[ -s "$work/expected" ] || { echo "$page says nothing of $stop" >&2; exit 1; }
status=0
ulimit -c 0
"$program" "$stop" >"$work/out" 2>"$work/errors" || status=$?
expected=0
[ "$stop" != overflow ] || expected=139
if [ "$status" != "$expected" ] || ! others <"$work/out" | places | diff -u "$work/expected" -; then
    echo "exit status $status, and it printed:"
    cat "$work/out" "$work/errors"
    exit 1
fi
