/* See condition.h. */
#include "net/server/condition.h"

#include <string.h>
#include <strings.h>

#include "net/server/http_date.h"

void bight__conditions_init(struct conditions *conditions, const struct validators *validators)
{
    *conditions = (struct conditions){.validators = validators};
}

/* Past an entity tag: W/ and a string in quotes, which knows no escapes (RFC 9110, 8.8.3). NULL: it
 * is none. */
static const char *skip_tag(const char *at)
{
    if (at[0] == 'W' && at[1] == '/')
        at += 2;
    if (*at++ != '"')
        return NULL;
    while (*at && *at != '"' && (unsigned char)*at > ' ' && *at != 0x7f)
        at++;
    return *at == '"' ? at + 1 : NULL;
}

static bool is_weak(const char *tag)
{
    return *tag == 'W';
}

/* Two tags that are the same but for W/, of which the strong comparison allows none (RFC 9110,
 * 8.8.3.2). */
static bool tags_match(const char *tag, size_t bytes, const char *own, bool strongly)
{
    if (strongly && (is_weak(tag) || is_weak(own)))
        return false;
    if (is_weak(tag)) {
        tag += 2;
        bytes -= 2;
    }
    if (is_weak(own))
        own += 2;
    return bytes == strlen(own) && memcmp(tag, own, bytes) == 0;
}

/* Whether `list`, of If-Match or If-None-Match, has the file's tag, or is "*", which stands for any
 * file that is there. What follows a malformed tag is not looked at. */
static bool has_tag(const char *list, const char *own, bool strongly)
{
    const char *end;

    if (strcmp(list, "*") == 0)
        return true;
    for (const char *at = list; *(at += strspn(at, " \t,")); at = end) {
        end = skip_tag(at);
        if (!end || !strchr(" \t,", *end))
            return false;
        if (tags_match(at, (size_t)(end - at), own, strongly))
            return true;
    }
    return false;
}

/* One that comes twice cannot be understood, nor can a list of dates. */
static void take_once(const char **place, const char *value)
{
    *place = *place ? "" : value;
}

void bight__conditions_take(struct conditions *conditions, const char *name, const char *value)
{
    const char *own = conditions->validators->etag;

    if (strcasecmp(name, "range") == 0) {
        take_once(&conditions->range, value);
    } else if (strncasecmp(name, "if-", 3) != 0) {
        return;
    } else if (strcasecmp(name, "if-none-match") == 0) {
        conditions->has_none_match = true;
        conditions->none_match_found |= has_tag(value, own, false);
    } else if (strcasecmp(name, "if-modified-since") == 0) {
        take_once(&conditions->modified_since, value);
    } else if (strcasecmp(name, "if-range") == 0) {
        take_once(&conditions->if_range, value);
    } else if (strcasecmp(name, "if-match") == 0) {
        conditions->has_match = true;
        conditions->matches |= has_tag(value, own, true);
    } else if (strcasecmp(name, "if-unmodified-since") == 0) {
        take_once(&conditions->unmodified_since, value);
    }
}

/* Whether the file is newer than `date`; `otherwise` where that is no date, which is then to be
 * ignored. */
static bool is_newer(const struct conditions *conditions, const char *date, int64_t now_s,
                     bool otherwise)
{
    int64_t date_s;

    if (!date || !bight__date_parse(date, now_s, &date_s))
        return otherwise;
    return conditions->validators->modified_s > date_s;
}

enum condition bight__conditions_say(const struct conditions *conditions, int64_t now_s)
{
    if (conditions->has_match) {
        if (!conditions->matches)
            return CONDITION_FAILED;
    } else if (is_newer(conditions, conditions->unmodified_since, now_s, false)) {
        return CONDITION_FAILED;
    }
    if (conditions->has_none_match)
        return conditions->none_match_found ? CONDITION_NOT_MODIFIED : CONDITION_HOLDS;
    return is_newer(conditions, conditions->modified_since, now_s, true) ? CONDITION_HOLDS
                                                                         : CONDITION_NOT_MODIFIED;
}

/* Whether the client has a part of this very version: a tag or a date, both compared strongly
 * (RFC 9110, 13.1.5). */
static bool is_same(const struct conditions *conditions, int64_t now_s)
{
    const struct validators *validators = conditions->validators;
    const char *value = conditions->if_range, *end;
    int64_t date_s;

    if (*value == '"' || *value == 'W') {
        end = skip_tag(value);
        if (end)
            return !*end && tags_match(value, (size_t)(end - value), validators->etag, true);
    }
    return validators->date_is_strong && bight__date_parse(value, now_s, &date_s) &&
           date_s == validators->modified_s;
}

const char *bight__conditions_range(const struct conditions *conditions, int64_t now_s)
{
    if (!conditions->range || (conditions->if_range && !is_same(conditions, now_s)))
        return NULL;
    return conditions->range;
}
