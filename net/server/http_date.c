/* HTTP dates (RFC 9110, 5.6.7): the form that is in use, and the two that are obsolete and have to
 * be understood. They are case-sensitive, and have one space where there is one. */
#include "net/server/http_date.h"

#include <string.h>
#include <time.h>

struct cursor {
    const char *at;
    bool good;
};

static const char *const days[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                   "Thursday", "Friday", "Saturday"};
static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

static void put_digits(char *at, int number, int count)
{
    for (; count > 0; number /= 10)
        at[--count] = (char)('0' + number % 10);
}

/* Digits take their places in a text whose other characters are always the same. */
void bight__date_format(int64_t seconds, char out[DATE_BYTES])
{
    time_t time = (time_t)seconds;
    struct tm tm;

    if (!gmtime_r(&time, &tm) || tm.tm_year < -1900 || tm.tm_year > 9999 - 1900)
        (void)gmtime_r(&(time_t){0}, &tm);
    memcpy(out, "Sun, 00 Jan 0000 00:00:00 GMT", DATE_BYTES);
    memcpy(out, days[tm.tm_wday], 3);
    put_digits(out + 5, tm.tm_mday, 2);
    memcpy(out + 8, months + (size_t)(3 * tm.tm_mon), 3);
    put_digits(out + 12, tm.tm_year + 1900, 4);
    put_digits(out + 17, tm.tm_hour, 2);
    put_digits(out + 20, tm.tm_min, 2);
    put_digits(out + 23, tm.tm_sec, 2);
}

static void take_text(struct cursor *cursor, const char *text)
{
    size_t bytes = strlen(text);

    cursor->good = cursor->good && strncmp(cursor->at, text, bytes) == 0;
    if (cursor->good)
        cursor->at += bytes;
}

/* So many digits. */
static int take_digits(struct cursor *cursor, int count)
{
    int number = 0;

    for (; cursor->good && count > 0; count--) {
        char c = *cursor->at;

        cursor->good = c >= '0' && c <= '9';
        if (cursor->good)
            number = number * 10 + (*cursor->at++ - '0');
    }
    return number;
}

static int take_month(struct cursor *cursor)
{
    for (int i = 0; cursor->good && i < 12; i++) {
        if (strncmp(cursor->at, months + (size_t)(3 * i), 3) == 0) {
            cursor->at += 3;
            return i;
        }
    }
    cursor->good = false;
    return 0;
}

/* The day of the week, in full or three letters of it. Which one it is says nothing. */
static void take_weekday(struct cursor *cursor, bool in_full)
{
    for (size_t i = 0; i < sizeof(days) / sizeof(*days); i++) {
        size_t bytes = in_full ? strlen(days[i]) : 3;

        if (strncmp(cursor->at, days[i], bytes) == 0) {
            cursor->at += bytes;
            return;
        }
    }
    cursor->good = false;
}

static void take_time(struct cursor *cursor, struct tm *tm)
{
    tm->tm_hour = take_digits(cursor, 2);
    take_text(cursor, ":");
    tm->tm_min = take_digits(cursor, 2);
    take_text(cursor, ":");
    tm->tm_sec = take_digits(cursor, 2);
}

/* "Sun, 06 Nov 1994 08:49:37 GMT" */
static void take_fixed(struct cursor *cursor, struct tm *tm)
{
    take_weekday(cursor, false);
    take_text(cursor, ", ");
    tm->tm_mday = take_digits(cursor, 2);
    take_text(cursor, " ");
    tm->tm_mon = take_month(cursor);
    take_text(cursor, " ");
    tm->tm_year = take_digits(cursor, 4) - 1900;
    take_text(cursor, " ");
    take_time(cursor, tm);
    take_text(cursor, " GMT");
}

/* A year that seems to be more than 50 years ahead is the one of a century before. */
static int year_of(int two_digits, int64_t now_s)
{
    time_t now = (time_t)now_s;
    struct tm tm;
    int year;

    if (!gmtime_r(&now, &tm))
        return two_digits;
    year = tm.tm_year - tm.tm_year % 100 + two_digits;
    if (year > tm.tm_year + 50)
        year -= 100;
    return year;
}

/* "Sunday, 06-Nov-94 08:49:37 GMT" */
static void take_rfc850(struct cursor *cursor, struct tm *tm, int64_t now_s)
{
    take_weekday(cursor, true);
    take_text(cursor, ", ");
    tm->tm_mday = take_digits(cursor, 2);
    take_text(cursor, "-");
    tm->tm_mon = take_month(cursor);
    take_text(cursor, "-");
    tm->tm_year = year_of(take_digits(cursor, 2), now_s);
    take_text(cursor, " ");
    take_time(cursor, tm);
    take_text(cursor, " GMT");
}

/* "Sun Nov  6 08:49:37 1994" */
static void take_asctime(struct cursor *cursor, struct tm *tm)
{
    take_weekday(cursor, false);
    take_text(cursor, " ");
    tm->tm_mon = take_month(cursor);
    take_text(cursor, " ");
    if (*cursor->at == ' ') {
        take_text(cursor, " ");
        tm->tm_mday = take_digits(cursor, 1);
    } else {
        tm->tm_mday = take_digits(cursor, 2);
    }
    take_text(cursor, " ");
    take_time(cursor, tm);
    take_text(cursor, " ");
    tm->tm_year = take_digits(cursor, 4) - 1900;
}

/* Seconds since 1970; a leap second is the one behind it. False for what no calendar and no clock
 * has: timegm would count on, to the next month. */
static bool count_seconds(struct tm *tm, int64_t *seconds)
{
    bool leap = tm->tm_sec == 60;
    struct tm asked;

    tm->tm_sec -= leap;
    if (tm->tm_hour > 23 || tm->tm_min > 59 || tm->tm_sec > 59)
        return false;
    asked = *tm;
    *seconds = timegm(tm) + leap;
    return tm->tm_mday == asked.tm_mday && tm->tm_mon == asked.tm_mon;
}

bool bight__date_parse(const char *text, int64_t now_s, int64_t *seconds)
{
    size_t name = strcspn(text, ", ");
    struct cursor cursor = {text, true};
    struct tm tm = {0};

    if (text[name] == ' ')
        take_asctime(&cursor, &tm);
    else if (name == 3)
        take_fixed(&cursor, &tm);
    else
        take_rfc850(&cursor, &tm, now_s);
    return cursor.good && !*cursor.at && count_seconds(&tm, seconds);
}
