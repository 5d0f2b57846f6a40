#!/bin/sh
# jansson: json_dumpfd() makes a system call per token; on a full non-blocking socket it fails with a part sent.
#
# Expected: the page of json_dumpfd() says that it writes the JSON text to a stream descriptor and returns 0, or -1 on
# error. jansson builds text in a buffer of its own for json_dumps(), and fprintf() and dprintf() buffer too: one would
# expect a call per document or per few kilobytes, or at least what was not sent to be known.
# Found: each bracket, quote, key, colon and number is a write(2) of its own; 24 for the small document below, and on
# TCP as many packets with TCP_NODELAY, which is what event loops set. A descriptor that a loop owns is non-blocking:
# when it is full, the answer is -1 and errno EAGAIN as from a call that did nothing, but what went before is at the
# peer. How much, nothing tells; to try again sends the beginning twice.
# What helps: json_dumps() or json_dumpb() into memory, and that to the loop.
# shellcheck source=findings/common.sh
. "$(dirname "$0")/common.sh"

unpack libjansson4=2.14-2 libjansson-dev=2.14-2
build -ljansson <<'C'
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static int writes;
static int traced = -1;

/* Stands before the one of libc, for the library too. */
ssize_t write(int fd, const void *data, size_t bytes) {
    if (fd == traced) {
        writes++;
        printf("%.*s|", (int)bytes, (const char *)data);
    }
    return syscall(SYS_write, fd, data, bytes);
}

int main(void) {
    static char filling[4096], start[3];
    int pair[2];
    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair);
    json_t *document = json_pack("{s:[i,i,b],s:s}", "a", 1, 2, 1, "b", "text");
    traced = pair[0];
    int rc = json_dumpfd(document, pair[0], 0);
    traced = -1;
    printf("\njson_dumpfd: %d after %d writes\n", rc, writes);
    json_decref(document);

    /* Now a document that is longer than the room that is left: fill the socket, then have the peer read a little. */
    while (read(pair[1], filling, sizeof(filling)) > 0)
        ;
    size_t filled = 0;
    for (ssize_t sent; (sent = write(pair[0], filling, sizeof(filling))) > 0;)
        filled += (size_t)sent;
    filled -= (size_t)read(pair[1], filling, sizeof(filling));
    document = json_array();
    for (int i = 0; i < 10000; i++)
        json_array_append_new(document, json_integer(i));
    rc = json_dumpfd(document, pair[0], JSON_COMPACT);
    printf("json_dumpfd: %d, %s\n", rc, rc ? strerror(errno) : "");
    while (filled)
        filled -= (size_t)read(pair[1], filling, filled < sizeof(filling) ? filled : sizeof(filling));
    while (strlen(start) < 2 && read(pair[1], start + strlen(start), 2 - strlen(start)) > 0)
        ;
    printf("the peer has: %s...\n", start);
    json_decref(document);
    return 0;
}
C
shows "$work/program" <<'OUTPUT'
{|"|a|"|: |[|1|,| |2|,| |true|]|,| |"|b|"|: |"|text|"|}|
json_dumpfd: 0 after 24 writes
json_dumpfd: -1, Resource temporarily unavailable
the peer has: [0...
OUTPUT
