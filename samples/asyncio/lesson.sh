#!/bin/sh
# A lesson of README.md prints what it says: its block of text is the one that the C program is compared
# with, and its Python, if it has any, prints the same. Exit status 77 where there is no PYTHON to run it.
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
[ -n "$program" ] || exit 0
if [ -z "$python" ]; then
    echo "skipped: needs python3 3.11 or newer (scripts/deps test)"
    exit 77
fi
printf '%s\n' "$program" | "$python" - | diff -u "$expected" -
