/* The header Date, made once a second: RFC 9110 5.6.7 and 6.6.1. */
#include "net/server/server.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "net/server/http_date.h"

const char *bight__date_line(struct http_server *server, size_t *bytes)
{
    char date[DATE_BYTES];
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME_COARSE, &now);
    if (now.tv_sec != server->date_s || !*server->date) {
        server->date_s = now.tv_sec;
        bight__date_format(now.tv_sec, date);
        snprintf(server->date, sizeof(server->date), "Date: %s\r\n", date);
    }
    *bytes = strlen(server->date);
    return server->date;
}
