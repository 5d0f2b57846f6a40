#!/bin/sh
# samples/process/supervisor.c over a repository of three commits by two authors, and over none.
# usage: supervisor.sh PROGRAM
set -eu
command -v git >/dev/null || { echo "skipped: needs git"; exit 77; }
program=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE
export HOME="$work" GIT_CONFIG_NOSYSTEM=1 GIT_CEILING_DIRECTORIES="$work"

git init -q "$work/tree"
for author in Roper Bowline Roper; do
    git -C "$work/tree" -c user.name="$author" -c user.email=nobody@example.org commit -q --allow-empty -m "by $author"
done

cat >"$work/expected" <<'END'
authors:
  Bowline
  Roper
sleep 3600: out of time, ended by signal 15
service, start 1: exit code 70
service, start 2: exit code 70
service, start 3: exit code 0
END
"$program" "$work/tree" >"$work/said"
diff "$work/expected" "$work/said"

mkdir "$work/nothing"
if "$program" "$work/nothing" >"$work/said" 2>"$work/complained"; then
    echo "what is no repository was taken for one"
    exit 1
fi
grep -q '^git: exit code 128' "$work/complained"
