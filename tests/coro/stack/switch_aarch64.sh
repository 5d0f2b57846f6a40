#!/bin/sh
# Cross-compile the aarch64 switch and its cases, and run them under qemu-user. Exit status 77, with a
# word on why, where the machine has not what that takes (.ci/run installs it).
# usage: switch_aarch64.sh FOLDER-FOR-OUTPUT
set -eu
cd "$(dirname "$0")/../../.."
out=$1
cross=aarch64-linux-gnu-gcc
mkdir -p "$out"

for tool in $cross qemu-aarch64; do
    if ! command -v $tool >/dev/null; then
        echo "skipped: needs gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user (scripts/deps ci)"
        exit 77
    fi
done

flags="-std=gnu11 -O2 -g -Wall -Wextra -Wshadow -Werror -D_GNU_SOURCE -I. -Iinclude -static"
$cross $flags -o "$out/switch_main" tests/coro/stack/switch_main.c tests/coro/stack/switch_cases.c \
    tests/coro/stack/registers_aarch64.S coro/stack/switch_aarch64.S coro/stack/stack.c coro/stack/slab.c coro/stack/trim.c coro/base/alloc.c -lm
qemu-aarch64 "$out/switch_main"

# Branch target identification is enforced on a program only when all of it declares it, so this one
# has no C library. The first run must pass; in the second a jump without landing pad must be caught,
# or the first has shown nothing.
$cross $flags -mbranch-protection=bti -nostdlib -ffreestanding -Wl,-z,force-bti \
    -o "$out/bti" tests/coro/stack/bti_aarch64.c coro/stack/switch_aarch64.S
qemu-aarch64 -cpu max "$out/bti"
$cross $flags -mbranch-protection=bti -nostdlib -ffreestanding -Wl,-z,force-bti -DBREAK_BTI \
    -o "$out/bti_broken" tests/coro/stack/bti_aarch64.c coro/stack/switch_aarch64.S
if qemu-aarch64 -cpu max "$out/bti_broken" 2>/dev/null; then
    echo "the emulator does not enforce branch targets: nothing shown"
    exit 1
fi
echo "branch target identification: enforced, and the switch passes"
