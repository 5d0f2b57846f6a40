/* samples/scraper/robots.c: the rules of any text answer for any path. Input: the path up to the
 * first line feed, then the robots.txt. */
#include "samples/scraper/robots.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *feed = size ? memchr(data, '\n', size) : NULL;
    struct robots *robots;
    char url[1024];

    if (!feed)
        return 0;
    char *path = fuzz_text(data, (size_t)(feed - data));
    (void)snprintf(url, sizeof url, "http://host.example/%s", path);
    size_t bytes = size - (size_t)(feed + 1 - data);
    FUZZ_CHECK(robots_parse(&robots, (const char *)feed + 1, bytes, "bight-scrape/0.1") == 0);
    bool allowed = robots_allows(robots, url);
    FUZZ_CHECK(allowed == robots_allows(robots, url));
    FUZZ_CHECK(robots_allows(robots, "http://host.example/robots.txt"));
    robots_free(robots);
    free(path);
    return 0;
}
