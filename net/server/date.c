/* The header Date, made once a second: RFC 9110 5.6.7 and 6.6.1. */
#include "net/server/server.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* strftime would write the names of another language. */
static void format(char *to, size_t bytes, time_t when)
{
    static const char days[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    struct tm tm;

    gmtime_r(&when, &tm);
    snprintf(to, bytes, "Date: %s, %02d %s %04d %02d:%02d:%02d GMT\r\n", days[tm.tm_wday],
             tm.tm_mday, months[tm.tm_mon], (tm.tm_year + 1900) % 10000, tm.tm_hour, tm.tm_min,
             tm.tm_sec);
}

const char *bight__date_line(struct http_server *server, size_t *bytes)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME_COARSE, &now);
    if (now.tv_sec != server->date_s || !*server->date) {
        server->date_s = now.tv_sec;
        format(server->date, sizeof(server->date), now.tv_sec);
    }
    *bytes = strlen(server->date);
    return server->date;
}
