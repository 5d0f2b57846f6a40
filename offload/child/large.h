/* An output that is too large to be copied: it lies in a file in memory of its own, whose
 * descriptor goes to the host. */
#ifndef BIGHT_OFFLOAD_CHILD_LARGE_H
#define BIGHT_OFFLOAD_CHILD_LARGE_H

#include <sys/stat.h>

#include <bight/base.h>

struct large_output {
    int fd; /* -1: there is none */
    dev_t device;
    ino_t inode;
    unsigned char *at; /* NULL: not mapped */
    size_t bytes;
};

/* Make room for `bytes`; the output so far, `used` bytes at `output`, is moved there. False when
 * there are no descriptors, no memory, or the limit of file sizes is lower: nothing has changed. */
bool bight__large_grow(struct large_output *large, size_t bytes, const void *output, size_t used);

/* Send the first `bytes` over `socket`, waiting for room in it. 0, or -errno: they are at large->at
 * then, or NULL is. */
int bight__large_send(struct large_output *large, size_t bytes, int socket);

void bight__large_drop(struct large_output *large);

#endif
