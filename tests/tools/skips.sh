#!/bin/sh
# scripts/build.sh: what was skipped is said with its reason, and is a failure where BIGHT_NO_SKIP is set.
# usage: skips.sh ROOT
set -eu
cd "$1"
. scripts/build.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/CTestTestfile.cmake" <<'END'
add_test(passes true)
add_test(lacks_a_peer sh -c "echo 'skipped: needs a peer (scripts/deps peers)'; exit 77")
add_test(says_nothing sh -c "exit 77")
set_tests_properties(lacks_a_peer says_nothing PROPERTIES SKIP_RETURN_CODE 77)
END

expect() { # status, text, ctest option...
    want=$1 text=$2
    shift 2
    got=0
    suites --test-dir "$work" "$@" >"$work/out" 2>&1 || got=$?
    if [ "$got" != "$want" ] || ! grep -qxF -- "$text" "$work/out"; then
        cat "$work/out"
        echo "status $got instead of $want, or no line: $text"
        exit 1
    fi
}

unset BIGHT_NO_SKIP
expect 0 "    lacks_a_peer: needs a peer (scripts/deps peers)"
expect 0 "    says_nothing: it does not say why"
BIGHT_NO_SKIP=1
expect 1 "nothing but what .ci/skips names may be skipped here: lacks_a_peer says_nothing"
expect 0 "100% tests passed, 0 tests failed out of 1" -R passes
