# For the other scripts, which source it from the top of the tree: configure and build a preset.

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
    run_quietly cmake --preset "$preset"
    cmake --build --preset "$preset" "$@" </dev/null >&2
}

# build_quietly PRESET [BUILD-OPTION ...]
build_quietly() {
    preset=$1
    shift
    run_quietly cmake --preset "$preset"
    run_quietly cmake --build --preset "$preset" "$@"
}
