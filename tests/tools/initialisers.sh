#!/bin/sh
# The static initialisers compile without a warning as C11 and as C++, with every compiler that is there: as
# static objects, as fields of one, and in a function.
# usage: initialisers.sh ROOT CC
set -eu
source=$1/tests/tools/fixtures/initialisers/initialisers.c
strict='-Wall -Wextra -Wmissing-field-initializers -pedantic -Werror -fsyntax-only'
ran=0
for compiler in "$2" gcc clang; do
    command -v "$compiler" >/dev/null || continue
    "$compiler" -std=c11 $strict -I"$1/include" "$source"
    ran=$((ran + 1))
done
for compiler in g++ clang++; do
    command -v "$compiler" >/dev/null || continue
    for standard in 11 17 20; do
        "$compiler" -std=c++$standard $strict -x c++ -I"$1/include" "$source"
    done
    ran=$((ran + 1))
done
[ "$ran" -gt 0 ] || { echo "no compiler"; exit 1; }
