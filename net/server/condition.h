/* Whether a client wants a file at all, or has it already: the headers If-Match, If-None-Match,
 * If-Modified-Since, If-Unmodified-Since and If-Range (RFC 9110, 13). */
#ifndef BIGHT_NET_SERVER_CONDITION_H
#define BIGHT_NET_SERVER_CONDITION_H

#include <bight/base.h>

/* What tells this version of a file from others. */
struct validators {
    const char *etag; /* with its quotes, and W/ if it is weak */
    int64_t modified_s;
    /* The file was not written again in the second of `modified_s` (RFC 9110, 8.8.2.2). */
    bool date_is_strong;
};

/* The conditions of a request, taken from its headers one by one. */
struct conditions {
    const struct validators *validators;
    /* NULL: there is none. One that comes twice is "", which is malformed. */
    const char *modified_since;
    const char *unmodified_since;
    const char *if_range;
    const char *range;
    bool has_match;
    bool matches;
    bool has_none_match;
    bool none_match_found; /* one of its tags is the file's */
};

enum condition {
    CONDITION_HOLDS,
    CONDITION_NOT_MODIFIED, /* 304 */
    CONDITION_FAILED,       /* 412 */
};

/* None; `validators` stay the caller's. */
void bight__conditions_init(struct conditions *conditions, const struct validators *validators);
/* Take the header if it is a condition or the header Range. Keeps value. */
void bight__conditions_take(struct conditions *conditions, const char *name, const char *value);
/* What all of them say to a GET or HEAD at the time `now_s` (RFC 9110, 13.2.2). */
enum condition bight__conditions_say(const struct conditions *conditions, int64_t now_s);
/* The value of Range, if a GET is to be answered with a part; NULL: with the whole file. */
const char *bight__conditions_range(const struct conditions *conditions, int64_t now_s);

#endif
