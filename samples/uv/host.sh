#!/bin/sh
# The sample answers what it is asked, each when it is done, and on SIGINT at once.
# usage: host.sh PROGRAM
set -eu
work=$(mktemp -d)
host=
finish() {
    [ -z "$host" ] || kill "$host" 2>/dev/null || :
    rm -rf "$work"
}
trap finish EXIT

mkdir -p "$work/tree/a/b"
printf 12345 >"$work/tree/a/b/f"
printf 123 >"$work/tree/g"
printf 'wait 300\nwait 1\nsize %s\nsing\nsize %s/none\n' "$work/tree" "$work" | "$1" | cat >"$work/answers"
grep waited "$work/answers" | tr '\n' , >"$work/order"
[ "$(cat "$work/order")" = "2: waited,1: waited," ] || { echo "the shorter wait is not the first" >&2; exit 1; }
cat >"$work/expected" <<'END'
1: waited
2: waited
3: 8 bytes
4: invalid argument
5: no such file or directory
END
sort "$work/answers" | diff "$work/expected" -

# It writes to pipes, so its answers go through one.
mkfifo "$work/in" "$work/out"
"$1" <"$work/in" >"$work/out" &
host=$!
exec 3>"$work/in" 4<"$work/out"
printf 'wait 1\nwait 1000000\n' >&3
read -r line <&4
[ "$line" = "1: waited" ] || { echo "it says $line" >&2; exit 1; }
kill -INT "$host"
read -r line <&4
[ "$line" = "2: a scope around the call was cancelled" ] || { echo "it says $line" >&2; exit 1; }
code=0
wait "$host" || code=$?
host=
[ "$code" -eq 0 ] || { echo "it ended with $code" >&2; exit 1; }
echo "five answers in time, and one at once"
