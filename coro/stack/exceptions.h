/* What C++ knows about exceptions per thread. The Itanium C++ ABI defines its layout and the
 * function that finds it. libstdc++ and libc++abi follow it; neither is linked for it. */
#ifndef BIGHT_CORO_STACK_EXCEPTIONS_H
#define BIGHT_CORO_STACK_EXCEPTIONS_H

/* __cxa_eh_globals. All zero: no exception is in flight. */
struct bight_exceptions {
    void *caught;          /* a list, the most recently handled first */
    unsigned int uncaught; /* how many are in flight */
#ifdef __ARM_EABI__
    void *propagating; /* a list of those in flight while destructors run */
#endif
};

/* Read, or set, those of the running thread. Without a C++ runtime nothing is read or set. */
void bight__exceptions_save(struct bight_exceptions *out);
void bight__exceptions_load(const struct bight_exceptions *in);

#endif
