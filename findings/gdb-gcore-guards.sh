#!/bin/sh
# gdb: a core file that it writes has zeros for a whole mapping when one page of it is a guard region.
#
# Expected: generate-core-file saves "a snapshot of the memory image and register status" of the process, says the
# manual. A page that cannot be read cannot be saved; the rest of its mapping can, and gdb reads it without ado in the
# living process.
# Found: gdb saves mapping by mapping, in steps of up to 1 MiB. A guard region (madvise MADV_GUARD_INSTALL, Linux 6.13)
# is no mapping of its own, as PROT_NONE makes one. A step that meets it fails as a whole, and with it what is left of
# the mapping: the core file has its place, and zeros in it. There is a warning, "Memory read failed for corefile
# section", as there is one for the vsyscall page of every process; "Saved corefile" and the exit status are as ever.
# Stacks of threads or coroutines with such guards are lost, each with what a backtrace would need.
# What helps: a core file that the kernel writes has the pages; or guards by mprotect(2) while one debugs.
# shellcheck source=findings/common.sh
. "$(dirname "$0")/common.sh"

unpack gdb=13.1-3
build -g <<'C'
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#define GUARD_INSTALL 102

char *region, *mapping;

static char *make(const char *text) {
    char *memory = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? NULL : strcpy(memory + 32768, text);
}

void ready(void) {}

int main(void) {
    region = make("behind a guard region");
    mapping = make("behind a page without access");
    /* One at its other end, too: the two would be one mapping. */
    if (!region || !mapping || mprotect(mapping - 32768, 4096, PROT_NONE) ||
        mprotect(mapping - 32768 + 61440, 4096, PROT_NONE) ||
        madvise(region - 32768, 4096, GUARD_INSTALL))
        return 2;
    ready();
    return 0;
}
C
cd "$work"
./program || unavailable "the kernel has no guard regions"
cat >script <<'GDB'
set pagination off
break ready
run
echo alive:\n
printf "<%s>\n", region
printf "<%s>\n", mapping
generate-core-file saved
kill
GDB
cat >both <<'SH'
"$1/usr/bin/gdb" -nx -batch -iex "set debuginfod enabled off" -x script ./program 2>log | sed -n '/^alive/p; /^</p; /^Saved/p'
[ -s saved ] || cat log
echo "in the core file:"
"$1/usr/bin/gdb" -nx -batch -iex "set debuginfod enabled off" -ex 'printf "<%s>\n", region' -ex 'printf "<%s>\n", mapping' \
    ./program saved 2>/dev/null | grep '^<'
SH
shows sh both "$root" <<'OUTPUT'
alive:
<behind a guard region>
<behind a page without access>
Saved corefile saved
in the core file:
<>
<behind a page without access>
OUTPUT
