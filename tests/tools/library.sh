#!/bin/sh
# The libraries alone, where there is nothing but libuv, a compiler, CMake and make: no Check, no Ninja, no libcurl, no OpenSSL.
# Not optimised and without debug information, which takes half of the time.
# usage: library.sh CMAKE SOURCE-DIR CC [LAUNCHER]
set -eu
cmake=$1 source=$2 cc=$3 launcher=${4-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset DESTDIR CFLAGS LDFLAGS LD_LIBRARY_PATH

fail() {
    echo "$*"
    exit 1
}

mkdir "$work/pc"
cp "$(pkg-config --variable=pcfiledir libuv)/libuv.pc" "$work/pc/"
configure() { # OPTION...
    (cd "$source" && PKG_CONFIG_PATH='' PKG_CONFIG_LIBDIR=$work/pc "$cmake" --preset library -B "$work/build" \
        -G "Unix Makefiles" -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_FLAGS_DEBUG= -DCMAKE_C_COMPILER="$cc" -DCMAKE_C_COMPILER_LAUNCHER="$launcher" "$@" 2>&1)
}

configure >"$work/said" || fail "$(cat "$work/said")"
for what in "http is left out: it needs libcurl" "tls is left out: it needs openssl"; do
    grep -q "libbight-$what" "$work/said" || fail "not said: libbight-$what"
done
"$cmake" --build "$work/build" -j 2 >"$work/said" 2>&1 || fail "$(cat "$work/said")"
"$cmake" --install "$work/build" --prefix "$work/prefix" >/dev/null
[ -z "$(find "$work/prefix" -name '*http*' -o -name 'curl.h' -o -name '*tls*')" ] || fail "something of a part is installed"

pc=$(dirname "$(find "$work/prefix" -name bight.pc)")
export PKG_CONFIG_LIBDIR="$pc:$work/pc"
"$cc" "$source/tests/tools/consumer/main.c" -o "$work/program" $(pkg-config --cflags --libs bight) \
    "-Wl,-rpath,$(pkg-config --variable=libdir bight)"
"$work/program"

! configure -DBIGHT_HTTP=ON >"$work/said" || fail "BIGHT_HTTP=ON without libcurl"
grep -q "libcurl>=7.88" "$work/said" || fail "$(cat "$work/said")"
