/* net/server/range.c, codings.c, condition.c, http_date.c, types.c and static_name.c: what a
 * request for a file says. The input is the value of each header that they know, and a path:
 * whatever it is, ranges lie within the file and take no more than it has, and no path leads up. */
#include "net/server/codings.h"
#include "net/server/condition.h"
#include "net/server/http_date.h"
#include "net/server/range.h"
#include "net/server/static.h"
#include "net/server/types.h"
#include "tests/fuzz/fuzz.h"

static const char *const names[] = {"If-Match",          "If-None-Match",       "If-Range",
                                    "If-Modified-Since", "If-Unmodified-Since", "Range"};

static void try_ranges(const char *value, int64_t size)
{
    struct byte_range ranges[RANGES_MAX];
    int count = bight__ranges_parse(value, size, ranges);
    int64_t all = 0;

    FUZZ_CHECK(count >= RANGES_UNSATISFIABLE && count <= RANGES_MAX);
    for (int i = 0; i < count; i++) {
        FUZZ_CHECK(ranges[i].first >= 0 && ranges[i].first < size);
        FUZZ_CHECK(ranges[i].bytes > 0 && ranges[i].bytes <= size - ranges[i].first);
        FUZZ_CHECK(ranges[i].bytes <= size - all);
        all += ranges[i].bytes;
    }
}

static void try_codings(const char *value)
{
    enum coding order[CODINGS_COUNT];
    struct accepted accepted;
    unsigned seen = 0;

    bight__accepted_init(&accepted);
    bight__accepted_take(&accepted, value);
    int count = bight__accepted_order(&accepted, order);
    FUZZ_CHECK(count >= 0 && count < CODINGS_COUNT);
    for (int i = 0; i < count; i++) {
        FUZZ_CHECK(order[i] < CODING_IDENTITY && !(seen & 1u << order[i]));
        seen |= 1u << order[i];
    }
}

static void try_conditions(const char *value)
{
    const struct validators validators = {"\"a\"", 784111777, true};

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        struct conditions conditions;

        bight__conditions_init(&conditions, &validators);
        bight__conditions_take(&conditions, names[i], value);
        (void)bight__conditions_say(&conditions, 1700000000);
        const char *range = bight__conditions_range(&conditions, 1700000000);
        FUZZ_CHECK(!range || range == value);
    }
}

static void try_date(const char *value)
{
    char text[DATE_BYTES];
    int64_t seconds, again;

    if (!bight__date_parse(value, 1700000000, &seconds))
        return;
    bight__date_format(seconds, text);
    FUZZ_CHECK(bight__date_parse(text, 1700000000, &again));
    FUZZ_CHECK(again == seconds || seconds >= INT64_C(253402300800)); /* the year 10000 */
}

static void try_path(const char *value)
{
    size_t bytes = strlen(value);
    char *out = malloc(bytes + 1), *location = malloc(3 * bytes + 1);

    FUZZ_CHECK(out && location);
    if (bight__static_path(value, true, out) != STATIC_PATH_REFUSED) {
        FUZZ_CHECK(strlen(out) <= bytes && out[0] != '/' && !strstr(out, "//"));
        for (const char *part = out; *part; part += strspn(part, "/")) {
            size_t length = strcspn(part, "/");

            FUZZ_CHECK(!(length == 1 && part[0] == '.') &&
                       !(length == 2 && !memcmp(part, "..", 2)));
            part += length;
        }
    }
    FUZZ_CHECK((size_t)(bight__static_encode(value, location) - location) == strlen(location));
    FUZZ_CHECK(!strpbrk(location, " \r\n\\?#\""));
    const char *type = bight__type_of(value, NULL, 0);
    FUZZ_CHECK(!type || strchr(type, '/'));
    free(location);
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int64_t sizes[] = {0, 1, 100, INT64_MAX};
    char *text = fuzz_text(data, size);

    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
        try_ranges(text, sizes[i]);
    try_codings(text);
    try_conditions(text);
    try_date(text);
    try_path(text);
    free(text);
    return 0;
}
