#!/bin/sh
# What <bight/base.h> says of results that have to be looked at: dropping one is a warning, the two ways of
# passing one over are none, in C and C++, by every compiler that is there.
# usage: must_check.sh ROOT CC CXX     CXX may be empty
set -u
root=$1 cc=$2 cxx=$3
status=0
unit=$(mktemp)
trap 'rm -f "$unit"' EXIT

compiles() { # statement, compiler, language
    printf '#include <bight/time.h>\nvoid look(void);\nvoid look(void)\n{\n    %s\n}\n' "$1" >"$unit"
    "$2" -x "$3" -Wall -Wextra -Werror -O2 -I"$root/include" -c "$unit" -o /dev/null 2>/dev/null
}

try() { # compiler, language
    compiles 'if (bight_sleep(10)) {}' "$1" "$2" || { echo "$1 ($2) warns of a test"; status=1; }
    compiles 'int rc = bight_sleep(10); (void)rc;' "$1" "$2" ||
        { echo "$1 ($2) warns of a variable"; status=1; }
    ! compiles 'bight_sleep(10);' "$1" "$2" || { echo "$1 ($2) does not warn"; status=1; }
}

for one in "$cc" gcc clang; do
    ! command -v "$one" >/dev/null || try "$one" c
done
for one in "$cxx" g++ clang++; do
    [ -z "$one" ] || ! command -v "$one" >/dev/null || try "$one" c++
done
exit "$status"
