#!/bin/sh
# Install into a temporary prefix and build a small program against it, as a user would: with
# pkg-config and with find_package, shared and static; then move the prefix and do it again.
# usage: install.sh CMAKE BUILD-DIR SOURCE-DIR CC GENERATOR
set -eu
cmake=$1 build=$2 source=$3 cc=$4 generator=$5
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
others=${PKG_CONFIG_PATH-}
unset DESTDIR CFLAGS LDFLAGS

consume() {
    prefix=$1
    pc=$(dirname "$(find "$prefix" -name bight.pc)")
    export PKG_CONFIG_PATH="$pc${others:+:$others}"
    lib=$(pkg-config --variable=libdir bight)

    "$cc" -std=c11 $(pkg-config --cflags bight) "$source/tests/tools/consumer/main.c" -o "$work/shared" \
        $(pkg-config --libs bight)
    LD_LIBRARY_PATH=$lib "$work/shared"
    "$cc" -std=c11 $(pkg-config --cflags bight) "$source/tests/tools/consumer/main.c" -o "$work/static" \
        "$lib/libbight.a" $(pkg-config --libs libuv libcurl) -pthread
    "$work/static"

    export PKG_CONFIG_PATH="$others"
    rm -rf "$work/build"
    "$cmake" -S "$source/tests/tools/consumer" -B "$work/build" -G "$generator" \
        -DCMAKE_C_COMPILER="$cc" -DCMAKE_PREFIX_PATH="$prefix"
    "$cmake" --build "$work/build"
    "$work/build/shared"
    "$work/build/static"
}

"$cmake" --install "$build" --prefix "$work/first"
consume "$work/first"
mv "$work/first" "$work/second"
consume "$work/second"
