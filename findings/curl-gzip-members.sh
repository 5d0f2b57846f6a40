#!/bin/sh
# libcurl: a gzip body of two members fails, in the middle, with the code of a write callback; of zstd, two frames work.
#
# Expected: RFC 1952, 2.2: a gzip stream is a series of members, one after the other, and RFC 9110, 8.4.1.3, makes
# that the coding of HTTP. A server may join files that were compressed beforehand, or start a member per flush; gzip
# and zlib's gzread() read on. A decoder that did not would be thought to stop there, or to report
# CURLE_BAD_CONTENT_ENCODING.
# Found: with CURLOPT_ACCEPT_ENCODING the first member is handed to the write callback, then the transfer fails with
# CURLE_WRITE_ERROR, "failed writing received data", although the callback took every byte. The same text as two
# frames of zstd (RFC 8878, 3.1) is decoded whole.
# What helps: do not look for the fault in the own callback; ask for identity or zstd, or leave the option off, inflate
# the body with zlib, and call inflateReset() at each Z_STREAM_END that is followed by more.
# shellcheck source=findings/common.sh
. "$(dirname "$0")/common.sh"

unpack libcurl4=7.88.1-10+deb12u15 libcurl4-openssl-dev=7.88.1-10+deb12u15
build -lcurl -pthread <<'C'
#include "loopback.h"
#include <curl/curl.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

/* Answer one request with the head and the body that are on the standard input of the program. */
static void *serve(void *arg) {
    char text[4096];
    size_t bytes = 0;
    int fd = accept(*(int *)arg, NULL, NULL);
    do {
        ssize_t got = read(fd, text + bytes, sizeof(text) - bytes - 1);
        if (got <= 0)
            return NULL;
        text[bytes += (size_t)got] = '\0';
    } while (!strstr(text, "\r\n\r\n"));
    bytes = fread(text, 1, sizeof(text), stdin);
    if (write(fd, text, bytes) < 0)
        perror("write");
    close(fd);
    return NULL;
}

static size_t take(char *data, size_t size, size_t count, void *arg) {
    (void)arg;
    printf("the callback takes %.*s\n", (int)(size * count), data);
    return size * count;
}

int main(void) {
    char url[64];
    int listener = listen_on_loopback(url);
    pthread_t server;
    pthread_create(&server, NULL, serve, &listener);
    CURL *curl = curl_easy_init();
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    printf("code %d\n", curl_easy_perform(curl));
    curl_easy_cleanup(curl);
    pthread_join(server, NULL);
    return 0;
}
C

answer() { # CODING: with the body of standard input
    cat >"$work/body"
    printf 'HTTP/1.1 200 OK\r\nContent-Encoding: %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n' \
        "$1" "$(wc -c <"$work/body")"
    cat "$work/body"
}
# A frame of zstd, written out: magic, one segment of 3 bytes, one raw block that is the last.
frame() { printf '\050\265\057\375\040\003\031\000\000%s' "$1"; }
{ printf one | gzip; printf two | gzip; } | answer gzip >"$work/gzip"
{ frame one; frame two; } | answer zstd >"$work/zstd"

# shellcheck disable=SC2016
shows sh -c '"$0/program" <"$0/gzip"; "$0/program" <"$0/zstd"' "$work" <<'OUTPUT'
the callback takes one
code 23
the callback takes one
the callback takes two
code 0
OUTPUT
