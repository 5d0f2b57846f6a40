#!/bin/sh
# Blocks of code that docs/waiting.md quotes, in the section with the worked example, stand in the
# program that it names, word for word.
# usage: quotes.sh ROOT
set -eu
cd "$1"
LC_ALL=C awk '
    function compare() {
        if (block == "") return
        blocks++
        if (!index(program, block)) { print FILENAME ": not in " source ":\n" block; failed = 1 }
        block = ""
    }
    BEGIN {
        source = "tests/spots/foreign_callback.c"
        while ((getline line < source) > 0) program = program line "\n"
    }
    /^## / { compare(); inside = /^## A bridge/ }
    !inside { next }
    /^    / { block = block empty substr($0, 5) "\n"; empty = ""; next }
    /^$/ { if (block != "") empty = empty "\n"; next }
    { compare(); empty = "" }
    END { compare(); if (blocks != 3) { print FILENAME ": " blocks + 0 " blocks, not 3"; failed = 1 }; exit failed }
' docs/waiting.md
