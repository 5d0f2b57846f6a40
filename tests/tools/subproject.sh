#!/bin/sh
# Build bight as part of another project, which keeps its own variables, flags and installation. The folder is only
# configured, for what is built is the same as from the archive.
# Not optimised and without debug information, which takes half of the time.
# usage: subproject.sh CMAKE SOURCE-DIR CC GENERATOR folder|archive [LAUNCHER]
set -eu
cmake=$1 source=$2 cc=$3 generator=$4 way=$5 launcher=${6:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset DESTDIR CFLAGS LDFLAGS

from=$source
if [ "$way" = archive ]; then
    mkdir "$work/pack"
    for part in CMakeLists.txt cmake include coro runtime net offload; do
        cp -R "$source/$part" "$work/pack/"
    done
    tar -C "$work/pack" -czf "$work/bight.tar.gz" .
    from=file://$work/bight.tar.gz
fi
"$cmake" -S "$source/tests/tools/subproject" -B "$work/build" -G "$generator" -DCMAKE_C_COMPILER="$cc" \
    -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_FLAGS_DEBUG= -DCMAKE_C_COMPILER_LAUNCHER="$launcher" -DFROM="$from"

# New are bight's own options, and what CMake's modules remember of what they looked for (prefix_result too is
# FindPkgConfig's, __cmake_ FetchContent's).
own='(bight|BIGHT|FETCHCONTENT)_'
modules='(__pkg_config_[a-z]+_BIGHT|pkgcfg_lib_BIGHT|PKG_CONFIG|FIND_PACKAGE_MESSAGE_DETAILS|CMAKE_ASM|__cmake)_'
modules="$modules|(CMAKE_HAVE_LIBC_PTHREAD|prefix_result)="
changed=$(diff "$work/build/before.txt" "$work/build/after.txt" | grep '^[<>]' | grep -vE "^> ($own|$modules)") || true
[ -z "$changed" ] || { echo "the parent's variables have changed:"; echo "$changed"; exit 1; }

[ "$way" = archive ] || exit 0
"$cmake" --build "$work/build" --target app app_static
"$work/build/app"
"$work/build/app_static"
"$cmake" --install "$work/build" --prefix "$work/prefix"
installed=$(cd "$work/prefix" && find . -type f)
[ "$installed" = ./bin/app ] || { echo "installed beside the program:"; echo "$installed"; exit 1; }
