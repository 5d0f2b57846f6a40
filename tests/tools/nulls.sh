#!/bin/sh
# Every exported function has a row in the walk over NULL (tests/nulls), or stands in its list of exempt ones
# with the reason; and no name there is stale.
# usage: nulls.sh ROOT
set -eu
cd "$1"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

scripts/waiting-table --list | LC_ALL=C sort -u >"$work/exported"
sed -nE 's/^ +(says_einval|does_nothing|is_false|is_zero|is_null)\((bight_[a-z0-9_]+),.*/\2/p
    s/^ +gives\([A-Z0-9_]+, (bight_[a-z0-9_]+),.*/\1/p' tests/nulls/*.c | LC_ALL=C sort -u >"$work/rows"
grep -E '^bight_[a-z0-9_]+ (hot|none)$' tests/nulls/exempt | cut -d' ' -f1 | LC_ALL=C sort -u >"$work/exempt"
LC_ALL=C sort -u "$work/rows" "$work/exempt" >"$work/known"

failed=0
complain() { # what names
    [ -z "$2" ] || { echo "$1:"; echo "$2"; failed=1; }
}
complain "without a row in tests/nulls" "$(LC_ALL=C comm -23 "$work/exported" "$work/known")"
complain "in tests/nulls, and not exported" "$(LC_ALL=C comm -13 "$work/exported" "$work/known")"
complain "with a row, and exempt" "$(LC_ALL=C comm -12 "$work/rows" "$work/exempt")"
exit $failed
