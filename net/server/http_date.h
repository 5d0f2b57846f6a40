/* Dates as HTTP has them (RFC 9110, 5.6.7). */
#ifndef BIGHT_NET_SERVER_HTTP_DATE_H
#define BIGHT_NET_SERVER_HTTP_DATE_H

#include <bight/base.h>

#define DATE_BYTES 30

/* Parse a date in one of the three forms; `now_s` is for the one whose year has two digits. */
bool bight__date_parse(const char *text, int64_t now_s, int64_t *seconds);
/* Write it in the form that is in use. A time before the year 0 or after 9999 is 1970. */
void bight__date_format(int64_t seconds, char out[DATE_BYTES]);

#endif
