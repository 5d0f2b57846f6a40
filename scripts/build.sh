# For the other scripts, which source it from the top of the tree: configure and build a preset, run suites.

# run_quietly COMMAND...: no output on success; all of it on failure.
run_quietly() {
    quiet_log=$(mktemp)
    quiet_status=0
    "$@" >"$quiet_log" 2>&1 </dev/null || quiet_status=$?
    [ "$quiet_status" = 0 ] || cat "$quiet_log" >&2
    rm -f "$quiet_log"
    return "$quiet_status"
}

# build PRESET [BUILD-OPTION ...]
build() {
    preset=$1
    shift
    one_at_a_time "$preset" run_quietly cmake --preset "$preset"
    one_at_a_time "$preset" cmake --build --preset "$preset" "$@" </dev/null >&2
}

# build_quietly PRESET [BUILD-OPTION ...]
build_quietly() {
    preset=$1
    shift
    one_at_a_time "$preset" run_quietly cmake --preset "$preset"
    one_at_a_time "$preset" run_quietly cmake --build --preset "$preset" "$@"
}

# one_at_a_time PRESET COMMAND...: while no other script is at that build.
one_at_a_time() {
    mkdir -p build
    (
        flock 9
        shift
        "$@" 9>&-
    ) 9>"build/$1.lock"
}

# The tests that were skipped in a report of ctest's: a line each, `NAME: why`.
skipped() {
    LC_ALL=C awk '
        /<testcase / { name = $0; sub(/.*<testcase name="/, "", name); sub(/".*/, "", name); skip = 0; why = "" }
        /<skipped / { skip = 1 }
        # In its output a suite says what it misses.
        /skipped: / && why == "" { why = $0; sub(/.*skipped: /, "", why); sub(/<.*/, "", why) }
        /<\/testcase>/ && skip { print name ": " (why == "" ? "it does not say why" : why) }
    ' "$1"
}

# suites CTEST-OPTION...: run ctest, and say at the end what was skipped and why. Where BIGHT_NO_SKIP is set, as
# .ci/run does, a skip is a failure unless .ci/skips names it.
suites() {
    suites_report=$(mktemp)
    suites_status=0
    ctest "$@" --output-junit "$suites_report" </dev/null || suites_status=$?
    skipped "$suites_report" >"$suites_report.skipped"
    if [ -s "$suites_report.skipped" ]; then
        echo "skipped:"
        sed 's/^/    /' "$suites_report.skipped"
    fi
    if [ -n "${BIGHT_NO_SKIP-}" ] && sed 's/:.*//' "$suites_report.skipped" |
        grep -vxF -e "$(sed '/^#/d; s/:.*//' .ci/skips)" >"$suites_report"; then
        echo "nothing but what .ci/skips names may be skipped here:" $(cat "$suites_report")
        suites_status=1
    fi
    rm -f "$suites_report" "$suites_report.skipped"
    return "$suites_status"
}
