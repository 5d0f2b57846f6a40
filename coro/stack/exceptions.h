/* What C++ knows of exceptions per thread. The Itanium C++ ABI says how it looks and which function
 * finds it; libstdc++ and libc++abi, which keep to that, are not linked for it. */
#ifndef BIGHT_CORO_STACK_EXCEPTIONS_H
#define BIGHT_CORO_STACK_EXCEPTIONS_H

/* __cxa_eh_globals. All zero: no exception is about. */
struct bight_exceptions {
    void *caught;          /* a list, the one handled last first */
    unsigned int uncaught; /* how many are on their way */
#ifdef __ARM_EABI__
    void *propagating; /* a list of those on their way, while destructors run */
#endif
};

/* Read, or set, those of the running thread. Nothing is read or set without a C++ runtime. */
void bight__exceptions_save(struct bight_exceptions *out);
void bight__exceptions_load(const struct bight_exceptions *in);

#endif
