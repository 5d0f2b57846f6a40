#!/bin/sh
# The sample says of a tree what sha256sum and du say of it. Skipped where these are missing.
# usage: check.sh PROGRAM DIR
set -eu
for tool in sha256sum du find; do
    command -v "$tool" >/dev/null || { echo "no $tool (package coreutils, findutils)"; exit 77; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$1" "$2" 6 >"$work/said"
sed '$d' "$work/said" >"$work/sums"
find "$2" \( -name .git -o -name build \) -prune -o -type f -print | wc -l >"$work/files"
[ "$(wc -l <"$work/sums")" -eq "$(cat "$work/files")" ] || { echo "not all files, or too many" >&2; exit 1; }
sha256sum --check --quiet "$work/sums"
du -sB1 --exclude=.git --exclude=build "$2" >"$work/du"
sed -n '$p' "$work/said" | diff - "$work/du"
echo "$(cat "$work/files") files, and all sums are right"
