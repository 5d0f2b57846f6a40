/* An asynchronous range: the lesson of `__aiter__`, `__anext__` and `async for`.
 *
 * To notice: the range is a loop and no object with a state: a generator runs on a stack of its
 * own, and not before it is asked. So a value may lie in its frame; the consumer has it until it
 * asks again. The consumer may stop at any time: closing tells the yield BIGHT_ECLOSED and waits
 * until the producer has returned. */
#include <bight/errors.h>
#include <bight/generator.h>
#include <bight/runtime.h>
#include <bight/time.h>

#include <stdio.h>
#include <stdlib.h>

struct range {
    int start, end;
};

static int produce_range(struct bight_generator *generator, void *arg)
{
    const struct range *range = arg;
    int rc = 0;

    for (int i = range->start; i < range->end && rc == 0; i++) {
        rc = bight_sleep(10); /* in place of work that waits */
        if (rc == 0)
            rc = bight_generator_yield(generator, &i);
    }
    return rc == BIGHT_ECLOSED ? 0 : rc;
}

static int lesson(void *arg)
{
    struct range range = {.start = 0, .end = 5};
    struct bight_generator *generator;
    int rc = bight_generator_new(&generator, produce_range, &range);
    int closed, freed;
    void *value;

    (void)arg;
    if (rc)
        return rc;
    while ((rc = bight_generator_next(generator, &value)) == 0)
        printf("%d\n", *(const int *)value);
    closed = bight_generator_end(generator);
    freed = bight_generator_free(generator);
    if (rc != BIGHT_ECLOSED)
        return rc;
    return closed ? closed : freed;
}

int main(void)
{
    int rc = bight_run(lesson, NULL);

    if (rc < 0)
        fprintf(stderr, "range: %s\n", bight_strerror(rc));
    return rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
