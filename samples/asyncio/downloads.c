/* One after the other, and all at the same time: the lesson that opens every course on concurrency,
 * three downloads and a clock.
 *
 * To notice: `download_file` is the same function both times and does not know how it is called.
 * In a loop the pauses add up; bight_map lets them pass together. Whoever wants fewer at a time
 * gives bight_map a smaller limit. The clock is the runtime's, so that a test can put a virtual
 * one in its place. */
#include <bight/errors.h>
#include <bight/gather.h>
#include <bight/runtime.h>
#include <bight/time.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define FILES 3

static int download_file(void *arg)
{
    const char *const *name = arg;
    int rc;

    printf("Downloading %s...\n", *name);
    rc = bight_sleep(1000); /* stands for the network */
    if (rc == 0)
        printf("Finished %s\n", *name);
    return rc;
}

static void print_seconds(const char *how, uint64_t start_ns)
{
    uint64_t elapsed_ms = (bight_now_ns() - start_ns) / 1000000;

    printf("%s: %" PRIu64 " seconds\n", how, (elapsed_ms + 500) / 1000);
}

static int one_by_one(const char *names[FILES])
{
    uint64_t start_ns = bight_now_ns();
    int rc = 0;

    for (int i = 0; i < FILES && rc == 0; i++)
        rc = download_file(&names[i]);
    if (rc == 0)
        print_seconds("One after the other", start_ns);
    return rc;
}

static int together(const char *names[FILES])
{
    uint64_t start_ns = bight_now_ns();
    int rc = bight_map(download_file, names, sizeof names[0], FILES, FILES, 0);

    if (rc == 0)
        print_seconds("All at the same time", start_ns);
    return rc;
}

static int lesson(void *arg)
{
    const char *names[FILES] = {"file1.zip", "file2.zip", "file3.zip"};
    int rc = one_by_one(names);

    (void)arg;
    return rc ? rc : together(names);
}

int main(void)
{
    int rc = bight_run(lesson, NULL);

    if (rc < 0)
        fprintf(stderr, "downloads: %s\n", bight_strerror(rc));
    return rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
