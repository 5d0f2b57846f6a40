/* See print.h. */
#include "coro/base/print.h"

#include <stdio.h>

void bight__print(const struct printer *printer, const char *format, va_list args)
{
    char text[512];
    int bytes = vsnprintf(text, sizeof(text), format, args);

    if (bytes > 0)
        printer->write(printer->arg, text,
                       (size_t)bytes < sizeof(text) ? (size_t)bytes : sizeof(text) - 1);
}
