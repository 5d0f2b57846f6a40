/* net/server/condition.c: conditions of a request together. Input: a byte, of which the lowest bits
 * say whether the file's tag is weak and whether its date is strong, and then lines of NAME: VALUE.
 * Their order does not matter, tags go before dates, what matches strongly matches weakly, and a
 * part is sent only of the version that the client has. */
#include "net/server/condition.h"

#include <strings.h>

#include "net/server/http_date.h"
#include "tests/fuzz/fuzz.h"

#define LINES_MAX 16u
#define MODIFIED_S INT64_C(784111777) /* Sun, 06 Nov 1994 08:49:37 GMT */
#define NOW_S INT64_C(1700000000)

struct line {
    const char *name, *value;
};

struct request {
    struct validators validators;
    size_t count;
    struct line lines[LINES_MAX];
};

/* What the lines say, but for those called `without`; *range, which may be NULL: of Range. */
static enum condition say(const struct request *request, bool backwards, const char *without,
                          const char **range)
{
    struct conditions conditions;

    bight__conditions_init(&conditions, &request->validators);
    for (size_t i = 0; i < request->count; i++) {
        const struct line *line = &request->lines[backwards ? request->count - 1 - i : i];

        if (!without || strcasecmp(line->name, without) != 0)
            bight__conditions_take(&conditions, line->name, line->value);
    }
    if (range)
        *range = bight__conditions_range(&conditions, NOW_S);
    return bight__conditions_say(&conditions, NOW_S);
}

static bool has(const struct request *request, const char *name)
{
    for (size_t i = 0; i < request->count; i++) {
        if (strcasecmp(request->lines[i].name, name) == 0)
            return true;
    }
    return false;
}

static void try_together(const struct request *request)
{
    const char *range, *range_backwards;
    enum condition said = say(request, false, NULL, &range);

    FUZZ_CHECK(said == say(request, true, NULL, &range_backwards));
    FUZZ_CHECK(!range == !range_backwards && (!range || strcmp(range, range_backwards) == 0));
    if (has(request, "If-Match"))
        FUZZ_CHECK(said == say(request, false, "If-Unmodified-Since", NULL));
    else
        FUZZ_CHECK(has(request, "If-Unmodified-Since") || said != CONDITION_FAILED);
    if (has(request, "If-None-Match"))
        FUZZ_CHECK(said == say(request, false, "If-Modified-Since", NULL));
    else
        FUZZ_CHECK(has(request, "If-Modified-Since") || said != CONDITION_NOT_MODIFIED);
    FUZZ_CHECK(has(request, "Range") || !range);
}

/* What one header says. */
static enum condition say_one(const struct validators *validators, const char *name,
                              const char *value)
{
    const struct request request = {*validators, 1, {{name, value}}};

    return say(&request, false, NULL, NULL);
}

/* The same value in each of the headers. */
static void try_value(const struct validators *validators, const char *value)
{
    const struct request part = {*validators, 2, {{"If-Range", value}, {"Range", "bytes=0-"}}};
    enum condition match = say_one(validators, "If-Match", value);
    enum condition none_match = say_one(validators, "If-None-Match", value);
    enum condition since = say_one(validators, "If-Modified-Since", value);
    enum condition not_since = say_one(validators, "If-Unmodified-Since", value);
    int64_t date_s;
    bool is_date = bight__date_parse(value, NOW_S, &date_s);
    const char *range;

    FUZZ_CHECK(match != CONDITION_NOT_MODIFIED && none_match != CONDITION_FAILED);
    if (match == CONDITION_HOLDS) {
        FUZZ_CHECK(none_match == CONDITION_NOT_MODIFIED);
        FUZZ_CHECK(strcmp(value, "*") == 0 || strstr(value, validators->etag));
        FUZZ_CHECK(strcmp(value, "*") == 0 || *validators->etag == '"');
    }
    FUZZ_CHECK((since == CONDITION_NOT_MODIFIED) == (is_date && MODIFIED_S <= date_s));
    FUZZ_CHECK((not_since == CONDITION_FAILED) == (is_date && MODIFIED_S > date_s));
    (void)say(&part, false, NULL, &range);
    if (range && is_date)
        FUZZ_CHECK(date_s == MODIFIED_S && validators->date_is_strong);
    else if (range)
        FUZZ_CHECK(strcmp(value, validators->etag) == 0 && match == CONDITION_HOLDS);
    else
        FUZZ_CHECK(strcmp(value, validators->etag) != 0 || *validators->etag == 'W');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct request request = {.count = 0};

    if (!size)
        return 0;
    request.validators = (struct validators){.etag = data[0] & 1 ? "W/\"a-1\"" : "\"a-1\"",
                                             .modified_s = MODIFIED_S,
                                             .date_is_strong = data[0] & 2};
    char *text = fuzz_text(data + 1, size - 1);
    for (char *line = strtok(text, "\n"); line && request.count < LINES_MAX;
         line = strtok(NULL, "\n")) {
        char *colon = strchr(line, ':');

        if (!colon)
            continue;
        *colon++ = '\0';
        colon += strspn(colon, " \t");
        request.lines[request.count++] = (struct line){line, colon};
        try_value(&request.validators, colon);
    }
    try_together(&request);
    free(text);
    return 0;
}
