#!/bin/sh
# pkgconf: --whole-archive around a library holds while one package is asked for, and goes to another if two are.
#
# Expected: a static library whose objects register themselves (codecs, jobs, plug-ins) is named in its .pc file
# between -Wl,--whole-archive and -Wl,--no-whole-archive, or the linker drops the objects. pc(5) calls the field Libs:
# the flags needed to link with the package; so the flags of two packages would be those of one and those of the other.
# Found: for two such packages pkgconf keeps the last of equal -Wl, flags, as it may with -l. The first library has lost
# its pair and is linked like any other. Everything links, exit status 0, and the program has a registry with a gap.
# What helps: one argument that cannot be taken apart, -Wl,--whole-archive,-lNAME,--no-whole-archive; or no registry
# that lives on constructors.
# shellcheck source=findings/common.sh
. "$(dirname "$0")/common.sh"

unpack pkgconf=1.8.1-1 pkgconf-bin=1.8.1-1 libpkgconf3=1.8.1-1
libraries=$root/usr/lib/$(cc -print-multiarch)

# A library whose constructor enters it, and two packages of it: one with the pair, one with one argument.
library() { # NAME
    printf '%s\n' '#include <stdio.h>' \
        "__attribute__((constructor)) static void enter(void) { puts(\"    $1 is registered\"); }" >"$work/$1.c"
    cc -c -o "$work/$1.o" "$work/$1.c"
    ar rc "$work/lib$1.a" "$work/$1.o"
    package "$1" "-Wl,--whole-archive -l$1 -Wl,--no-whole-archive"
    package "$1-joined" "-Wl,--whole-archive,-l$1,--no-whole-archive"
}

package() { # NAME LIBS
    printf '%s\n' "Name: $1" "Description: $1" 'Version: 1' "Libs: -L\${pcfiledir} $2" >"$work/$1.pc"
}

link_with() { # PACKAGE...
    echo "pkgconf --libs $*"
    flags=$(LD_LIBRARY_PATH=$libraries PKG_CONFIG_PATH=$work "$root/usr/bin/pkgconf" --libs "$@")
    printf '   '
    for flag in $flags; do
        [ "$flag" = "-L$work" ] || printf ' %s' "$flag"
    done
    echo
    # shellcheck disable=SC2086
    cc -o "$work/program" "$work/main.c" $flags
    "$work/program" | sort
}

library first
library second
echo 'int main(void) { return 0; }' >"$work/main.c"
{
    link_with first
    link_with second
    link_with first second
    link_with first-joined second-joined
} >"$work/links"
shows cat "$work/links" <<'OUTPUT'
pkgconf --libs first
    -Wl,--whole-archive -lfirst -Wl,--no-whole-archive
    first is registered
pkgconf --libs second
    -Wl,--whole-archive -lsecond -Wl,--no-whole-archive
    second is registered
pkgconf --libs first second
    -lfirst -Wl,--whole-archive -lsecond -Wl,--no-whole-archive
    second is registered
pkgconf --libs first-joined second-joined
    -Wl,--whole-archive,-lfirst,--no-whole-archive -Wl,--whole-archive,-lsecond,--no-whole-archive
    first is registered
    second is registered
OUTPUT
