# For the other scripts, which source it from the top of the tree: configure and build a preset.

# run_quietly COMMAND...: no output on success; all of it on failure.
run_quietly() {
    log=$(mktemp)
    if "$@" >"$log" 2>&1 </dev/null; then
        rm -f "$log"
    else
        status=$?
        cat "$log" >&2
        rm -f "$log"
        return "$status"
    fi
}

# build PRESET [BUILD-OPTION ...]
build() {
    preset=$1
    shift
    run_quietly cmake --preset "$preset"
    cmake --build --preset "$preset" "$@" </dev/null >&2
}
