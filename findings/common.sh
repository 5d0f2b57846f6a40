# What the scripts of this folder share. Each sources it, and then has
#   $work   a temporary folder, removed when the script ends
#   $root   the folder in it where packages are unpacked, never installed
# and ends with 0: the behaviour is as written, 1: it is another, 2: it cannot be tried here.
# shellcheck shell=sh disable=SC2034
set -eu
export LC_ALL=C
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 2' HUP INT TERM
root=$work/root
mkdir "$root" "$work/packages"

unavailable() { # TEXT
    echo "cannot be tried here: $1"
    [ ! -s "$work/log" ] || cat "$work/log"
    exit 2
}

# Download packages of exactly these versions from the package sources of the machine, and unpack them.
unpack() { # NAME=VERSION...
    command -v apt-get dpkg-deb >"$work/log" || unavailable "no Debian system"
    for package; do
        (cd "$work/packages" && apt-get -q download "$package") >"$work/log" 2>&1 ||
            unavailable "the package sources do not have $package (any more)"
    done
    for file in "$work"/packages/*.deb; do
        dpkg-deb -x "$file" "$root"
    done
    echo "packages: $*"
}

# Compile the C program on standard input to $work/program. What is unpacked comes before what is installed.
build() { # FLAG...
    cat >"$work/program.c"
    libraries=$root/usr/lib/$(cc -print-multiarch)
    cc -std=gnu11 -Wall -Wextra -o "$work/program" "$work/program.c" -I"$work" \
        -I"$root/usr/include" -I"$root/usr/include/$(cc -print-multiarch)" -L"$libraries" -Wl,-rpath,"$libraries" "$@" \
        >"$work/log" 2>&1 || unavailable "the program cannot be built"
}

# For programs that are their own server: a socket that listens on the loopback, and its URL.
cat >"$work/loopback.h" <<'C'
#include <arpa/inet.h>
#include <stdio.h>
static inline int listen_on_loopback(char url[64]) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(fd, (struct sockaddr *)&at, bytes) || listen(fd, 8) || getsockname(fd, (struct sockaddr *)&at, &bytes))
        perror("the loopback");
    snprintf(url, 64, "http://127.0.0.1:%d/", ntohs(at.sin_port));
    return fd;
}
C

# Run a command and compare what it prints with standard input.
shows() { # COMMAND...
    cat >"$work/expected"
    timeout 60 "$@" >"$work/shown" 2>&1 || echo "status $?" >>"$work/shown"
    if cmp -s "$work/expected" "$work/shown"; then
        echo "as written:"
        sed 's/^/    /' "$work/shown"
        return
    fi
    echo "it has changed, from what is written (-) to what is shown (+):"
    diff -u "$work/expected" "$work/shown" | tail -n +3
    exit 1
}
