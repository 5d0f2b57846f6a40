#!/bin/sh
# Every name of ours that the documentation mentions is one: it occurs in the sources.
# usage: names.sh ROOT
set -eu
cd "$1"
known=$(mktemp)
trap 'rm -f "$known"' EXIT

names() { # file...
    sed 's/BIGHT_E\*//g' "$@" | grep -oE '\b(bight|BIGHT)_[A-Za-z0-9_]+' | LC_ALL=C sort -u
}

names $(find include coro runtime net offload cmake tests samples -name '*.[chS]' -o -name '*.cmake' -o \
    -name CMakeLists.txt) CMakeLists.txt >"$known"
# The enum of codes is made by a macro.
sed -n 's/^ *X(\(E[A-Z0-9]*\),.*/BIGHT_\1/p' include/bight/errors.h >>"$known"
LC_ALL=C sort -u -o "$known" "$known"

unknown=$(names README.md docs/*.md | LC_ALL=C comm -23 - "$known")
[ -z "$unknown" ] || { echo "documentation names what is not there:"; echo "$unknown"; exit 1; }
