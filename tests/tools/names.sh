#!/bin/sh
# Every name of ours that the documentation mentions is one: it occurs in the sources. docs/changed.md is
# left out, since it is about names that are gone. docs/renamed.tsv is checked by itself: each new name is
# there, each old one is no longer declared in the public headers.
# usage: names.sh ROOT
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cd "$1"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0

names() { # file...
    sed 's/BIGHT_E\*//g' "$@" | grep -oE '\b(bight|BIGHT)_[A-Za-z0-9_]+' | LC_ALL=C sort -u
}

folders=$(ls -d include coro runtime net offload cmake tests samples 2>/dev/null || true)
names $(find $folders -name '*.[chS]' -o -name '*.cmake' -o -name CMakeLists.txt) CMakeLists.txt >"$work/known"
# The enum of codes is made by a macro.
sed -n 's/^ *X(\(E[A-Z0-9]*\),.*/BIGHT_\1/p' include/bight/*.h >>"$work/known"
LC_ALL=C sort -u -o "$work/known" "$work/known"

unknown=$(names README.md $(find docs -name '*.md' ! -name changed.md) |
    LC_ALL=C comm -23 - "$work/known")
[ -z "$unknown" ] || { echo "documentation names what is not there:"; echo "$unknown"; status=1; }

[ -e docs/renamed.tsv ] || exit "$status"

# Whether the public headers declare this name of this kind. A field is written with its struct.
declared() { # kind, name
    case $1 in
    function) grep -qE "(^|[^a-z0-9_])$2\(" "$work/code" ;;
    tag) grep -qE "(struct|union|enum) $2([^a-z0-9_]|$)" "$work/code" ;;
    constant) grep -qE "(^|[^A-Za-z0-9_])$2([^A-Za-z0-9_]|$)" "$work/code" ;;
    field)
        sed -n "/^\(struct\|union\) ${2%.*} {/,/^}/p" "$work/code" |
            grep -qE "(^|[^a-z0-9_])${2#*.}(\[[^]]*\])?[;,)]"
        ;;
    header) [ -e "include/$2" ] ;;
    *) echo "docs/renamed.tsv: unknown kind: $1"; return 2 ;;
    esac
}

awk -f "$here/code.awk" $(find include -name '*.h') >"$work/code"

grep -v '^#' docs/renamed.tsv >"$work/rows"
tab=$(printf '\t')
while IFS=$tab read -r old new kind; do
    rc=0
    declared "$kind" "$old" || rc=$?
    [ "$rc" -ne 0 ] || echo "docs/renamed.tsv: still declared: $kind $old"
    [ "$rc" -eq 1 ] || status=1
    for one in $new; do # a header may become several
        declared "$kind" "$one" || { echo "docs/renamed.tsv: not declared: $kind $one"; status=1; }
    done
done <"$work/rows"
exit "$status"
