#!/bin/sh
# Install into a temporary prefix and build small programs against it, as a user would: with pkg-config and with
# find_package, shared and static; then move the prefix and do it again.
# usage: install.sh CMAKE BUILD-DIR SOURCE-DIR CC GENERATOR [PART]...
set -eu
cmake=$1 build=$2 source=$3 cc=$4 generator=$5
shift 5
parts=$*
consumer=$source/tests/tools/consumer
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
others=${PKG_CONFIG_PATH-}
unset DESTDIR CFLAGS LDFLAGS LD_LIBRARY_PATH

fail() {
    echo "$*"
    exit 1
}

# compile SOURCE PROGRAM FLAG...
compile() {
    code=$1 program=$2
    shift 2
    "$cc" -std=c11 "$code" -o "$program" "$@"
}

# A library in somebody else's program: its workers are copies of the helper in this prefix.
with_plugin() {
    compile "$consumer/plugin.c" "$work/libplugin.so" -shared -fPIC $(pkg-config --cflags --libs bight)
    compile "$consumer/host.c" "$work/host" -L"$work" -lplugin -Wl,-rpath-link,"$lib"
    LD_LIBRARY_PATH=$lib:$work "$work/host" "$work/libplugin.so"
}

# The commands of README.md, "Using it".
with_pkg_config() {
    lib=$(pkg-config --variable=libdir bight)
    compile "$consumer/main.c" "$work/shared" $(pkg-config --cflags --libs bight)
    version=$(LD_LIBRARY_PATH=$lib "$work/shared")
    [ "$version" = "$(pkg-config --modversion bight)" ] || fail "the header says $version, bight.pc something else"
    [ -e "$lib/libbight.so.${version%.*}" ] || fail "version $version without libbight.so.${version%.*}"
    with_plugin
    for part in $parts; do
        compile "$consumer/$part.c" "$work/$part" $(pkg-config --cflags --libs "bight-$part")
        LD_LIBRARY_PATH=$lib "$work/$part"
    done
}

# In a prefix that has the archives only.
with_archives() {
    cp -R "$1" "$work/archives"
    find "$work/archives" -name 'libbight*.so*' -exec rm {} +
    use_pc "$work/archives"
    compile "$consumer/main.c" "$work/static" $(pkg-config --static --cflags --libs bight)
    "$work/static" >/dev/null
    for part in $parts; do
        others_of=$(pkg-config --print-requires "bight-$part" | sed -n 's/^\(bight-[a-z]*\).*/\1/p')
        compile "$consumer/$part.c" "$work/static" $(pkg-config --cflags --libs "bight-$part" \
            $(pkg-config --print-requires-private "bight-$part" $others_of) libuv) \
            $(pkg-config --variable=plain "bight-$part") -pthread -lm
        "$work/static"
    done
    rm -rf "$work/archives"
}

with_cmake() {
    export PKG_CONFIG_PATH="$others"
    rm -rf "$work/build"
    "$cmake" -S "$consumer" -B "$work/build" -G "$generator" -DCMAKE_C_COMPILER="$cc" \
        -DCMAKE_PREFIX_PATH="$1" -DPARTS="$(echo "$parts" | tr ' ' ';')"
    "$cmake" --build "$work/build"
    for program in shared static; do
        "$work/build/$program"
        for part in $parts; do
            "$work/build/${part}_$program"
        done
    done
}

use_pc() { # PREFIX
    pc=$(dirname "$(find "$1" -name bight.pc)")
    export PKG_CONFIG_PATH="$pc${others:+:$others}"
}

consume() {
    use_pc "$1"
    with_pkg_config
    with_archives "$1"
    with_cmake "$1"
}

# refused PREFIX WANTED TEXT [PKG-CONFIG-DIR]: find_package fails, and says so.
refused() {
    rm -rf "$work/refused"
    ! PKG_CONFIG_LIBDIR=${4-$(pkg-config --variable pc_path pkg-config)} "$cmake" -S "$consumer/refused" \
        -B "$work/refused" -DCMAKE_PREFIX_PATH="$1" -DWANTED="$2" >"$work/said" 2>&1 || fail "found: $2"
    tr -s ' \n' ' ' <"$work/said" | grep -qF "$3" || fail "no '$3' in: $(cat "$work/said")"
}

# A place where pkg-config finds libuv and nothing else.
only_libuv() {
    mkdir -p "$work/pc"
    cp "$(pkg-config --variable=pcfiledir libuv)/libuv.pc" "$work/pc/"
}

"$cmake" --install "$build" --prefix "$work/first"
consume "$work/first"
mv "$work/first" "$work/second"
consume "$work/second"

refused "$work/second" "0.1;REQUIRED" 'compatible with requested version "0.1"'
refused "$work/second" "REQUIRED;COMPONENTS;nowhere" "without a component 'nowhere'"
only_libuv
PKG_CONFIG_LIBDIR=$work/pc "$cmake" -S "$consumer/refused" -B "$work/found" -DCMAKE_PREFIX_PATH="$work/second" \
    -DWANTED="REQUIRED;OPTIONAL_COMPONENTS;nowhere"
[ -n "$parts" ] || exit 0

# libbight of another version, whose private names are versioned otherwise: the loader starts no program with it.
use_pc "$work/second"
lib=$(pkg-config --variable=libdir bight)
version=$(pkg-config --modversion bight)
mkdir "$work/other"
sed "s/BIGHT_PRIVATE_$version/BIGHT_PRIVATE_${version%.*}.x/" "$lib/libbight.so" >"$work/other/libbight.so.${version%.*}"
LD_LIBRARY_PATH=$work/other "$work/shared"
"$cmake" --install "$build" --prefix "$work/alone" --component bight
for part in $parts; do
    # One that needs no package of pkg-config's is there without.
    ! grep -q '^set(bight_packages "..*")' "$(find "$work/second" -name "bight-$part.cmake")" ||
        refused "$work/second" "REQUIRED;COMPONENTS;$part" "component $part needs" "$work/pc"
    ! LD_LIBRARY_PATH=$work/other:$lib "$work/$part" 2>"$work/said" || fail "$part ran with another libbight"
    grep -qF "version \`BIGHT_PRIVATE_$version' not found" "$work/said" || fail "$(cat "$work/said")"
    # Each component alone: a part has headers of its own.
    refused "$work/alone" "REQUIRED;COMPONENTS;$part" "without a component '$part'"
    [ ! -e "$work/alone/include/bight/$part.h" ] || fail "$part.h is installed with libbight"
done
