/* Waiting for descriptors, for those who own the descriptor. */
#ifndef BIGHT_RUNTIME_STREAM_FD_H
#define BIGHT_RUNTIME_STREAM_FD_H

/* The descriptor was waited for and will not be any more, though its file stays open: the kernel
 * need not keep it. */
void bight__fd_forget(int fd);

#endif
