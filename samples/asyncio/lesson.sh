#!/bin/sh
# A lesson of README.md prints what it says: its block of text is the one that the C program is compared
# with, and its Python, if it has any and there is a PYTHON to run it, prints the same.
# usage: lesson.sh README EXPECTED [PYTHON]
set -eu
readme=$1 expected=$2 python=${3-}
name=$(basename "$expected" .txt)

block() { # language
    awk -v heading="## $name" -v fence="\`\`\`$1" '
        /^## / { inside = $0 == heading }
        /^```$/ { copying = 0 }
        inside && copying
        inside && $0 == fence { copying = 1 }
    ' "$readme"
}

block text | diff -u "$expected" -
program=$(block python)
if [ -n "$program" ] && [ -n "$python" ]; then
    printf '%s\n' "$program" | "$python" - | diff -u "$expected" -
fi
