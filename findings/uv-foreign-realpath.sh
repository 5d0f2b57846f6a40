#!/bin/sh
# libuv: after uv_replace_allocator() the replacement's free function is given memory that it has not allocated.
#
# Expected: uv_replace_allocator() overrides malloc, calloc, realloc and free of the standard library for libuv, says
# the page "Miscellaneous utilities" of its documentation. So what the free function gets was allocated by the other
# three, as it is where libuv gives uv_fs_scandir() and uv_fs_readlink() their memory, and a pool or an arena can stand
# behind them.
# Found: the answer of uv_fs_realpath() is memory of realpath(3), which the C library has allocated, and
# uv_fs_req_cleanup() hands it to the replacement. Malloc with a header in front, a pool, or a count of bytes in use
# reads in front of a block that is not its own.
# What helps: no uv_fs_realpath() in programs that replace the allocator; realpath(3) on a thread by uv_queue_work().
# shellcheck source=findings/common.sh
. "$(dirname "$0")/common.sh"

unpack libuv1=1.44.2-1+deb12u1 libuv1-dev=1.44.2-1+deb12u1
build -luv <<'C'
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

/* Those that are in use; a block that is in none of the places was not allocated here. */
static void *blocks[1000];
static int foreign;

static void note(void *from, void *to) {
    for (int i = 0; i < 1000; i++)
        if (blocks[i] == from) {
            blocks[i] = to;
            return;
        }
    foreign++;
}

static void *our_malloc(size_t bytes) {
    void *block = malloc(bytes);
    note(NULL, block);
    return block;
}

static void *our_calloc(size_t count, size_t bytes) {
    void *block = calloc(count, bytes);
    note(NULL, block);
    return block;
}

static void *our_realloc(void *block, size_t bytes) {
    void *moved = NULL;
    note(block, NULL);
    moved = realloc(block, bytes);
    note(NULL, moved);
    return moved;
}

static void our_free(void *block) {
    if (block)
        note(block, NULL);
    free(block);
}

static void tell(const char *call, int rc, uv_fs_t *request) {
    foreign = 0;
    uv_fs_req_cleanup(request);
    printf("%s: %s, freed without having been allocated: %d\n", call, rc < 0 ? uv_strerror(rc) : "done", foreign);
}

int main(void) {
    uv_fs_t request;
    uv_replace_allocator(our_malloc, our_realloc, our_calloc, our_free);
    int rc = uv_fs_readlink(NULL, &request, "link", NULL);
    tell("uv_fs_readlink", rc, &request);
    rc = uv_fs_scandir(NULL, &request, ".", 0, NULL);
    tell("uv_fs_scandir", rc, &request);
    rc = uv_fs_realpath(NULL, &request, "link", NULL);
    tell("uv_fs_realpath", rc, &request);
    return 0;
}
C
cd "$work"
touch file
ln -s file link
shows ./program <<'OUTPUT'
uv_fs_readlink: done, freed without having been allocated: 0
uv_fs_scandir: done, freed without having been allocated: 0
uv_fs_realpath: done, freed without having been allocated: 1
OUTPUT
