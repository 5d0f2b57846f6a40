#!/bin/sh
# The sample against files that are really rotated: every line comes once, in order, and as long as
# nobody hurries just what `tail -F` of coreutils prints. Skipped without that.
# usage: tail.sh PROGRAM
set -eu
tail --version 2>/dev/null | grep -q coreutils || { echo "no tail -F (package coreutils)"; exit 77; }
work=$(mktemp -d)
ours=
theirs=
finish() {
    for pid in $ours $theirs; do kill -INT "$pid" 2>/dev/null || :; done
    for pid in $ours $theirs; do kill "$pid" 2>/dev/null || :; done
    rm -rf "$work"
}
trap finish EXIT
fail() {
    echo "$*" >&2
    cat "$work/errors" >&2
    exit 1
}

# Until the line is there.
await() { # LINE FILE...
    line=$1
    shift
    for file; do
        tries=0
        until grep -qx "$line" "$file"; do
            tries=$((tries + 1))
            [ "$tries" -lt 600 ] || fail "no line $line in ${file##*/}"
            sleep 0.05
        done
    done
}

number=0
# One more line at the end of the file.
add() { # FILE
    number=$((number + 1))
    echo "$number" >>"$1"
}
seen() { await "$number" "$work/ours" "$work/theirs"; }

mkdir "$work/logs"
log=$work/logs/log
: >"$work/ours"
: >"$work/theirs"
"$1" -n 1000000 "$log" >"$work/ours" 2>"$work/errors" &
ours=$!
tail -n +1 -F "$log" >"$work/theirs" 2>/dev/null &
theirs=$!

# It appears later.
add "$log"
seen
add "$log"
seen
# Renamed, and made again.
for i in 1 2 3; do
    mv "$log" "$log.$i"
    add "$log"
    seen
done
# Copied and cut short. That is seen by its being shorter than before, so it is long before.
for i in 5 6; do
    for _ in 1 2 3 4; do add "$log"; done
    seen
    cp "$log" "$log.$i"
    : >"$log"
    add "$log"
    seen
done
# Removed, and there again.
rm "$log"
add "$log"
seen
# Another one takes its place.
number=$((number + 1))
echo "$number" >"$work/logs/new"
mv "$work/logs/new" "$log"
seen
kill "$theirs"
wait "$theirs" 2>/dev/null || :
theirs=
cmp "$work/ours" "$work/theirs" || fail "coreutils say something else"
seq "$number" | cmp - "$work/ours" || fail "lines are missing, or come twice"

# What coreutils do not do: who writes goes on with a file that has lost its name.
mv "$log" "$log.4"
add "$log.4"
await "$number" "$work/ours"
add "$log"
await "$number" "$work/ours"
# Rotations that nobody waits for lose nothing either.
i=7
while [ "$i" -lt 200 ]; do
    mv "$log" "$log.$i"
    add "$log"
    i=$((i + 1))
done
await "$number" "$work/ours"
# Away, and back: nothing comes twice.
mv "$log" "$log.away"
mv "$log.away" "$log"
add "$log"
await "$number" "$work/ours"
# Who writes does not notice for a while.
mv "$log" "$log.late"
add "$log"
await "$number" "$work/ours"
add "$log.late"
await "$number" "$work/ours"
# All of it goes, and comes again.
rm -r "$work/logs"
mkdir "$work/logs"
add "$log"
await "$number" "$work/ours"
seq "$number" >"$work/all"
sort -n "$work/ours" | cmp - "$work/all" || fail "lines are missing, or come twice, in a hurry"

kill -INT "$ours"
code=0
wait "$ours" || code=$?
ours=
[ "$code" -eq 0 ] || fail "it ended with $code"
# The last lines of what is there.
seq 100 >"$work/many"
"$1" -n 3 "$work/many" >"$work/last" 2>"$work/errors" &
ours=$!
await 100 "$work/last"
seq 98 100 | cmp - "$work/last" || fail "those are not the last lines"
echo "$number lines over 200 rotations, each once"
