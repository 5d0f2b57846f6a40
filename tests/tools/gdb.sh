#!/bin/sh
# What `bight tasks` and `bight bt` show of a process that gdb runs, and of the core file that gdb has
# written of it. gdb finds the commands by itself in what it debugs.
# usage: gdb.sh PROGRAM FOLDER [core]     FOLDER: where the program and the library are. core: look at one too
set -eu
program=$1
folder=$2
command -v gdb >/dev/null || { echo "skipped: needs gdb (scripts/deps peers)"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

look() { # OUTPUT ARGUMENTS-OF-GDB...: look at what gdb has when it has done that
    output=$1
    shift
    gdb -nx -batch -iex "set auto-load safe-path $folder" -iex "set debuginfod enabled off" \
        -ex "set width 0" "$@" -ex "bight tasks" -ex "bight bt all" -ex "bight bt full 2" \
        -ex "bight bt 77" -ex "bight bt" -ex "echo then:" -ex "frame" \
        "$program" $core >"$output" 2>&1 || { cat "$output"; exit 1; }
}

failed=0
expect() { # OUTPUT: lines of patterns on standard input, each of which stands behind the one before
    awk -v output="$1" '
        { wanted[NR] = $0 }
        END {
            at = 1
            while ((getline line < output) > 0)
                if (at in wanted && line ~ wanted[at]) at++
            if (!(at in wanted)) exit 0
            print output ": not found, or not behind what is before it: " wanted[at]
            while ((getline line < output) > 0);
            exit 1
        }' || { failed=1; cat "$1"; }
}

compare() {
    expect "$1" <<'PATTERNS'
^runtime of thread 1: 6 tasks, 1 ready$
^  #1 main: running$
^  #2 waits: waits for event, spawned at .*gdb_subject.c:[0-9]+$
^  #3 locks: waits for mutex, spawned at .*gdb_subject.c:[0-9]+$
^  #4 groups: waits for end of group, spawned at .*gdb_subject.c:[0-9]+$
^    #5 child: waits for sleep, spawned at .*gdb_subject.c:[0-9]+$
^  #6 fresh: not started, spawned at .*gdb_subject.c:[0-9]+$
^runtime of thread 2: 1 tasks, 0 ready$
^  #1 main: waits for sleep$
^#1 main: running, [0-9.]+ of 10[0-9][0-9] KiB of stack$
^#[0-9]+ .* crashes 
^#[0-9]+ .* start 
^#2 waits: waits for event, [0-9.]+ of 2[0-9][0-9] KiB of stack$
^#0 
^#[0-9]+ .* bight_event_wait 
^#[0-9]+ .* waits_inside .depth.*=7.* at .*gdb_subject.c:[0-9]+$
^#[0-9]+ .* waits .*gdb_subject.c:[0-9]+$
^#[0-9]+ .* task_entry 
^#[0-9]+ .* trampoline 
^#3 locks: waits for mutex,
^#[0-9]+ .* locks .*gdb_subject.c:[0-9]+$
^#4 groups: waits for end of group,
^#[0-9]+ .* spawns_in_group .*gdb_subject.c:[0-9]+$
^#5 child: waits for sleep,
^#[0-9]+ .* sleeps .*gdb_subject.c:[0-9]+$
^#6 fresh: not started,
^will call sleeps \(arg=0x0\)$
^#1 main: waits for sleep,
^#[0-9]+ .* elsewhere .*gdb_subject.c:[0-9]+$
^#2 waits: waits for event,
^#[0-9]+ .* waits_inside .*gdb_subject.c:[0-9]+$
^bight: no task has number 77$
^usage: bight bt 
^then:#0 
PATTERNS
}

core=
if [ "${3-}" = core ]; then
    look "$work/live" -ex run -ex "generate-core-file $work/core"
    core=$work/core
    look "$work/dead"
    compare "$work/dead"
else
    look "$work/live" -ex run
fi
compare "$work/live"
exit $failed
