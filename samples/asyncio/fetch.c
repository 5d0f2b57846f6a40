/* Concurrent fetch: the lesson of `async def fetch_data`, `await` and `asyncio.gather`.
 *
 * To notice: a function that waits is an ordinary function. Called, it is an `await`; given to
 * bight_map, it runs once per element, all at the same time, and the whole takes as long as the
 * slowest. Results go into the elements, which lie on the caller's stack: bight_map returns
 * after the last call has ended, however it ended. */
#include <bight/errors.h>
#include <bight/gather.h>
#include <bight/runtime.h>
#include <bight/time.h>

#include <stdio.h>
#include <stdlib.h>

struct fetch {
    const char *url;
    char data[64];
};

static int fetch_data(void *arg)
{
    struct fetch *fetch = arg;
    int rc, length;

    printf("Fetching %s\n", fetch->url);
    rc = bight_sleep(1000); /* the other tasks run meanwhile */
    if (rc)
        return rc;
    length = snprintf(fetch->data, sizeof fetch->data, "Data from %s", fetch->url);
    return length < (int)sizeof fetch->data ? 0 : BIGHT_ERANGE;
}

static void print_data(const struct fetch *fetches, size_t count)
{
    for (size_t i = 0; i < count; i++)
        printf("%s'%s'", i == 0 ? "[" : ", ", fetches[i].data);
    printf("]\n");
}

static int lesson(void *arg)
{
    struct fetch one = {.url = "https://api.example.com"};
    struct fetch several[] = {{.url = "url1"}, {.url = "url2"}, {.url = "url3"}};
    const size_t count = sizeof several / sizeof several[0];
    int rc = fetch_data(&one);

    (void)arg;
    if (rc == 0)
        rc = bight_map(fetch_data, several, sizeof several[0], count, count, 0);
    if (rc == 0)
        print_data(several, count);
    return rc;
}

int main(void)
{
    int rc = bight_run(lesson, NULL);

    if (rc < 0)
        fprintf(stderr, "fetch: %s\n", bight_strerror(rc));
    return rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
