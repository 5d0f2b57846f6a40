#!/bin/sh
# GNU Pth: a yield from one of its threads to the other is seven system calls, whatever they do.
#
# Expected: threads in user space that are scheduled without preemption switch without the kernel; pth(3) says that
# this makes their switches faster and cheaper. A yield of Boost.Fiber makes no system call, and setjmp(3) and
# longjmp(3), which Pth builds on, keep no signal mask by themselves.
# Found: each pth_yield() saves and restores the signal mask with its context (four rt_sigprocmask), and goes through the
# event manager, which asks for pending signals (rt_sigpending), empties its pipe (a read that finds nothing) and looks at
# the descriptors (a pselect6 with no time to wait), although no thread waits for a signal or a descriptor.
# What helps: nothing that Pth offers; do more work per turn, or take another library.
# shellcheck source=findings/common.sh
. "$(dirname "$0")/common.sh"

unpack libpth-dev=2.0.7-22 libpth20=2.0.7-22 strace=6.1-0.1
build -lpth <<'C'
#include <pth.h>
#include <stdlib.h>

static void *yields(void *arg) {
    for (int i = 0; i < *(int *)arg; i++)
        pth_yield(NULL);
    return NULL;
}

int main(int argc, char **argv) {
    int count = argc > 1 ? atoi(argv[1]) : 0;
    pth_t threads[2];
    if (!pth_init())
        return 1;
    for (int i = 0; i < 2; i++)
        threads[i] = pth_spawn(PTH_ATTR_DEFAULT, yields, &count);
    for (int i = 0; i < 2; i++)
        pth_join(threads[i], NULL);
    return 0;
}
C

# What 2,000 yields more, a thousand in each thread, add to the calls of the program.
"$root/usr/bin/strace" -c -o "$work/1000" "$work/program" 1000 || unavailable "strace does not work here"
"$root/usr/bin/strace" -c -o "$work/2000" "$work/program" 2000
shows awk '
    # The count is the fourth column; a column of errors may follow it.
    $1 + 0 == $1 && $NF != "total" { calls[FILENAME, $NF] = $4; names[$NF] }
    END {
        for (name in names) {
            each = int((calls[ARGV[2], name] - calls[ARGV[1], name]) / 2000 + 0.5)
            if (each)
                print each, name | "sort -k2"
        }
    }
' "$work/1000" "$work/2000" <<'OUTPUT'
1 pselect6
1 read
1 rt_sigpending
4 rt_sigprocmask
OUTPUT
