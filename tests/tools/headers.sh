#!/bin/sh
# Each public header compiles alone, twice in one unit, as strict C11 and as C++17, without a warning.
# usage: headers.sh ROOT CC CXX [CFLAG...]     CXX may be empty, the flags are those of libuv and libcurl
set -u
root=$1 cc=$2 cxx=$3
shift 3
status=0
unit=$(mktemp)
trap 'rm -f "$unit"' EXIT

compile() { # compiler, language, standard, header, flags...
    printf '#include <%s>\n#include <%s>\nextern int not_empty;\n' "$4" "$4" >"$unit"
    compiler=$1 language=$2 standard=$3 header=$4
    shift 4
    "$compiler" -x "$language" -std="$standard" -Wall -Wextra -pedantic -Werror -fsyntax-only \
        -I"$root/include" "$@" "$unit" || { echo "$header: not self-sufficient as $standard"; status=1; }
}

for path in "$root"/include/bight.h "$root"/include/bight/*.h; do
    [ -e "$path" ] || continue
    header=${path#"$root"/include/}
    # libuv's own header asks for POSIX threads, which strict C11 hides.
    case $header in bight/uv.h | bight/curl.h) foreign=-D_GNU_SOURCE ;; *) foreign= ;; esac
    compile "$cc" c c11 "$header" $foreign "$@"
    [ -z "$cxx" ] || compile "$cxx" c++ c++17 "$header" "$@"
done
[ -n "$cxx" ] || echo "no C++ compiler: C++17 not tried"
exit "$status"
