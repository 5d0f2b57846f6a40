/* Text in pieces to a function that takes it: how bight writes where it does not know what for. */
#ifndef BIGHT_CORO_BASE_PRINT_H
#define BIGHT_CORO_BASE_PRINT_H

#include <stdarg.h>
#include <stddef.h>

/* Who takes the text. */
struct printer {
    void (*write)(void *arg, const char *text, size_t bytes);
    void *arg;
};

/* Print one piece, of 511 bytes at most; the rest is left out. It allocates nothing. */
__attribute__((format(printf, 2, 0))) void bight__print(const struct printer *printer,
                                                        const char *format, va_list args);

#endif
