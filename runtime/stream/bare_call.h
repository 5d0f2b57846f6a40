/* recv and send without the C library's wrappers. Those are points where a thread may be cancelled,
 * which costs 30 instructions a call once the process has ever had two threads, and nobody cancels
 * the loop's. Even syscall(2) costs 16, for a call of any number and any arguments; where its few
 * instructions are known they are made in place. Checkers that look over the C library's shoulder
 * get what they look for.
 *
 * Outcomes are as the kernel has them: how many bytes, or a negative code. */
#ifndef BIGHT_RUNTIME_STREAM_BARE_CALL_H
#define BIGHT_RUNTIME_STREAM_BARE_CALL_H

#include <errno.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "coro/base/likely.h"

/* Of a call of the C library. */
static inline int64_t bight__outcome(ssize_t count)
{
    return likely(count >= 0) ? count : -errno;
}

#if defined(BIGHT_ASAN) || defined(BIGHT_TSAN) || !defined(SYS_recvfrom) || !defined(SYS_sendto)

static inline int64_t bight__recv(int fd, void *buffer, size_t bytes)
{
    return bight__outcome(recv(fd, buffer, bytes, 0));
}

static inline int64_t bight__send(int fd, const void *data, size_t bytes)
{
    return bight__outcome(send(fd, data, bytes, MSG_NOSIGNAL));
}

#else

/* recvfrom and sendto without an address. */
static inline int64_t bight__transfer_call(long number, int fd, const void *memory, size_t bytes,
                                           int flags)
{
#if defined(__x86_64__) && defined(__LP64__)
    register long flags_of __asm__("r10") = flags;
    register long address __asm__("r8") = 0;
    register long address_bytes __asm__("r9") = 0;

    __asm__ volatile("syscall"
                     : "+a"(number)
                     : "D"((long)fd), "S"(memory), "d"(bytes), "r"(flags_of), "r"(address),
                       "r"(address_bytes)
                     : "rcx", "r11", "memory");
    return number;
#else
    return bight__outcome(syscall(number, fd, memory, bytes, flags, NULL, 0));
#endif
}

static inline int64_t bight__recv(int fd, void *buffer, size_t bytes)
{
    return bight__transfer_call(SYS_recvfrom, fd, buffer, bytes, 0);
}

static inline int64_t bight__send(int fd, const void *data, size_t bytes)
{
    return bight__transfer_call(SYS_sendto, fd, data, bytes, MSG_NOSIGNAL);
}

#endif

#endif
