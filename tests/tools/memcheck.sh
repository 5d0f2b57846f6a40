#!/bin/sh
# A program that uses the library as it is installed runs under memcheck without an error or a leak. Exit
# status 77, with a word on why, where valgrind is missing or was when the library was built.
# usage: memcheck.sh HEADER-FOUND PROGRAM...
set -u
header=$1
shift

if ! command -v valgrind >/dev/null; then
    echo "skipped: needs valgrind (scripts/deps bench)"
    exit 77
elif [ "$header" != 1 ]; then
    echo "skipped: the library was built without valgrind's header"
    exit 77
fi
exec valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite "$@"
