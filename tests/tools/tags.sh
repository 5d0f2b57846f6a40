#!/bin/sh
# No identifier of the public headers is a tag and a function: C++ lets the function hide the tag. Prints
# those that are both.
# usage: tags.sh ROOT
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cd "$1"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

awk -f "$here/code.awk" $(find include -name '*.h') >"$work/code"

grep -oE '\b(struct|union|enum) bight_[a-z0-9_]+' "$work/code" | sed 's/.* //' | LC_ALL=C sort -u >"$work/tags"
grep -oE '\bbight_[a-z0-9_]+\(' "$work/code" | sed 's/($//' | LC_ALL=C sort -u >"$work/functions"
[ -s "$work/tags" ] && [ -s "$work/functions" ] || { echo "no tags or no functions found"; exit 1; }

both=$(LC_ALL=C comm -12 "$work/tags" "$work/functions")
[ -z "$both" ] || { echo "both a tag and a function:"; echo "$both"; exit 1; }
