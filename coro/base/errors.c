/* Names and texts of error codes, made from the two lists of <bight/errors.h>. New codes are added
 * there. runtime/ checks that they are equal to libuv's. */
#include <bight/errors.h>

#include <limits.h>
#include <string.h>

/* What the C library calls a code that neither list has, or NULL. strerror() is no use here: its
 * answer is translated, and for an unknown code the next call overwrites it. */
static const char *system_name(int code)
{
#ifdef BIGHT_HAVE_STRERRORNAME_NP
    if (code < 0 && code > INT_MIN)
        return strerrorname_np(-code);
#endif
    (void)code;
    return NULL;
}

static const char *system_text(int code)
{
#ifdef BIGHT_HAVE_STRERRORNAME_NP
    if (code <= 0 && code > INT_MIN)
        return strerrordesc_np(-code);
#endif
    (void)code;
    return NULL;
}

const char *bight_error_name(int code)
{
    switch (code) {
    case 0:
        return "OK";
#define ERROR_NAME(name, value, text)                                                              \
    case BIGHT_##name:                                                                             \
        return #name;
        BIGHT_ERRORS_SYSTEM(ERROR_NAME)
        BIGHT_ERRORS_OWN(ERROR_NAME)
    default:
        break;
    }
    const char *name = system_name(code);
    return name ? name : "EUNKNOWN";
}

const char *bight_strerror(int code)
{
    switch (code) {
#define ERROR_TEXT(name, value, text)                                                              \
    case BIGHT_##name:                                                                             \
        return text;
        BIGHT_ERRORS_SYSTEM(ERROR_TEXT)
        BIGHT_ERRORS_OWN(ERROR_TEXT)
    default:
        break;
    }
    const char *text = system_text(code);
    return text ? text : "unknown error";
}
