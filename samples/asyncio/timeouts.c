/* Time limits: the lesson of `wait_for`, `asyncio.timeout` and `reschedule`.
 *
 * To notice: no call has a parameter for a time limit, any function can be given one by
 * bight_timeout. When it passes, the waits inside return BIGHT_ECANCELED, and that becomes
 * BIGHT_ETIMEDOUT at the end of the limit that has passed and of no other: a function whose
 * caller is out of time does not mistake that for its own. A limit that moves is a scope with a
 * begin and an end, through which every code goes. */
#include <bight/errors.h>
#include <bight/runtime.h>
#include <bight/scope.h>
#include <bight/time.h>

#include <stdio.h>
#include <stdlib.h>

#define CHUNKS 4

struct question {
    int64_t takes_ms;
    int answer;
};

static int ask(void *arg)
{
    struct question *question = arg;
    int rc = bight_sleep(question->takes_ms);

    if (rc == 0)
        question->answer = 42;
    return rc;
}

static int in_time(void)
{
    struct question question = {.takes_ms = 100};
    int rc = bight_timeout(2000, ask, &question);

    if (rc == 0)
        printf("Answer: %d\n", question.answer);
    return rc;
}

static int too_late(void)
{
    struct question question = {.takes_ms = 10000};
    int rc = bight_timeout(100, ask, &question);

    if (rc != BIGHT_ETIMEDOUT)
        return rc;
    printf("No answer in time\n");
    return 0;
}

static int ask_patiently(void *question)
{
    int rc = bight_timeout(5000, ask, question);

    if (rc == BIGHT_ETIMEDOUT)
        printf("The inner limit has passed\n");
    return rc;
}

/* The earlier of two limits holds, even if it is the outer one. */
static int nested(void)
{
    struct question question = {.takes_ms = 10000};
    int rc = bight_timeout(100, ask_patiently, &question);

    if (rc != BIGHT_ETIMEDOUT)
        return rc;
    printf("The outer limit has passed\n");
    return 0;
}

/* Count chunks while they keep coming, however long; a second without one is too long. */
static int receive(int *chunks)
{
    static const int64_t pauses_ms[CHUNKS] = {100, 100, 100, 10000};
    struct bight_scope idle;
    int rc = bight_scope_begin(&idle, 1000, 0);

    if (rc)
        return rc;
    for (; *chunks < CHUNKS; ++*chunks) {
        rc = bight_sleep(pauses_ms[*chunks]);
        if (rc == 0)
            rc = bight_scope_set_timeout(&idle, 1000);
        if (rc)
            break;
    }
    return bight_scope_end(&idle, rc);
}

static int stalled(void)
{
    int chunks = 0;
    int rc = receive(&chunks);

    if (rc != BIGHT_ETIMEDOUT)
        return rc;
    printf("Stalled after %d chunks\n", chunks);
    return 0;
}

static int lesson(void *arg)
{
    int rc = in_time();

    (void)arg;
    if (rc == 0)
        rc = too_late();
    if (rc == 0)
        rc = nested();
    return rc ? rc : stalled();
}

int main(void)
{
    int rc = bight_run(lesson, NULL);

    if (rc < 0)
        fprintf(stderr, "timeouts: %s\n", bight_strerror(rc));
    return rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
