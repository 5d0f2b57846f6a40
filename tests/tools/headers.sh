#!/bin/sh
# Each public header compiles alone, twice in one unit, as strict C11 and as C++17, without a warning. All
# of them together, and what their macros expand to, compile as C++11, C++17 and C++20 by every compiler
# that is there, also without a cast in the style of C.
# usage: headers.sh ROOT CC CXX [CFLAG...]     CXX may be empty, the flags are those of libuv and libcurl
set -u
root=$1 cc=$2 cxx=$3
shift 3
status=0
unit=$(mktemp)
trap 'rm -f "$unit"' EXIT

compile() { # compiler, language, standard, what, flags...
    compiler=$1 language=$2 standard=$3 what=$4
    shift 4
    "$compiler" -x "$language" -std="$standard" -Wall -Wextra -pedantic -Werror -fsyntax-only \
        -I"$root/include" "$@" "$unit" ||
        { echo "$what: not clean as $standard with $compiler"; status=1; }
}

has_libcurl() { # flags...
    echo '#include <curl/curl.h>' | "$cc" -E "$@" - >/dev/null 2>&1
}

for path in "$root"/include/bight.h "$root"/include/bight/*.h; do
    [ -e "$path" ] || continue
    header=${path#"$root"/include/}
    [ "$header" != bight/curl.h ] || has_libcurl "$@" || { echo "no libcurl: $header not tried"; continue; }
    # libuv's own header asks for POSIX threads, which strict C11 hides.
    case $header in bight/uv.h | bight/curl.h) foreign=-D_GNU_SOURCE ;; *) foreign= ;; esac
    printf '#include <%s>\n#include <%s>\nextern int not_empty;\n' "$header" "$header" >"$unit"
    compile "$cc" c c11 "$header" $foreign "$@"
    [ -z "$cxx" ] || compile "$cxx" c++ c++17 "$header" "$@"
done

# Constants are passed to a function, whatever their type; initialisers and codes of the lists are left out.
{
    for path in "$root"/include/bight.h "$root"/include/bight/*.h; do
        [ ! -e "$path" ] || echo "#include <${path#"$root"/include/}>"
    done
    echo 'template <class T> void use(T) {}'
    echo 'struct around { int first; bight_link link; };'
    echo 'void use_all(bight_link *link);'
    echo 'void use_all(bight_link *link) {'
    echo '    use(bight_container_of(link, around, link));'
    sed -n 's/^#define \(BIGHT_[A-Z0-9_]*\) [-(A-Z0-9][^{]*$/    use(\1);/p' "$root"/include/bight/*.h
    echo '}'
} >"$unit"
compilers=
for one in "$cxx" g++ clang++; do
    [ -z "$one" ] || ! command -v "$one" >/dev/null || compilers="$compilers $(command -v "$one")"
done
for one in $(for one in $compilers; do readlink -f "$one"; done | sort -u); do
    for standard in c++11 c++17 c++20; do
        compile "$one" c++ "$standard" "all headers" -Wold-style-cast "$@"
    done
done
[ -n "$compilers" ] || echo "no C++ compiler: C++ not tried"
exit "$status"
