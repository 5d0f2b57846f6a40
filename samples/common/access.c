/* See access.h. */
#include "samples/common/access.h"

#include <stdio.h>

#include <bight/access_log.h>

static void print(const struct bight_exchange *exchange, enum bight_access_log_format format)
{
    static char line[BIGHT_ACCESS_LOG_BYTES];

    if (bight_access_log_line(exchange, format, line, sizeof line) <= 0)
        return;
    (void)fputs(line, stdout);
    (void)fflush(stdout);
}

void access_print_combined(void *arg, const struct bight_exchange *exchange)
{
    (void)arg;
    print(exchange, BIGHT_ACCESS_LOG_COMBINED);
}

void access_print_json(void *arg, const struct bight_exchange *exchange)
{
    (void)arg;
    print(exchange, BIGHT_ACCESS_LOG_JSON);
}
