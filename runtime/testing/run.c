/* Runs in test mode, and what a program may ask about the present one. See testing.h. */
#include "runtime/testing/testing.h"
#include "coro/core/task.h"

#include <stdio.h>
#include <string.h>

struct bight__test *bight__test(void)
{
    const struct bight_sched *sched = bight__sched;

    return sched && sched->seams.idle == bight__test_idle ? sched->seams.ctx : NULL;
}

static void say(const struct bight__test *test, const char *what)
{
    char line[BIGHT_TEST_LINE_BYTES];

    (void)bight__test_line(&test->options, test->name, what, line, sizeof line);
    if (test->options.say)
        test->options.say(test->options.say_arg, line);
    else
        fprintf(stderr, "%s\n", line);
}

/* Whether the run failed by what it returned. */
static bool is_failure(const struct bight__test *test, int status)
{
    if (status < 0 && bight__test_is_expected(test, status))
        return false;
    return test->options.expected ? status != test->options.expected : status < 0;
}

static void say_status(const struct bight__test *test, int status)
{
    const char *name = bight_error_name(status < 0 ? status : 0);
    char text[64];

    if (!test->options.expected) {
        say(test, name);
        return;
    }
    snprintf(text, sizeof text, "%s, not %s", name, bight_error_name(test->options.expected));
    say(test, text);
}

/* Take the options from the environment, if they are meant for this run. */
static int take_environment(struct bight__test *test)
{
    const char *text = getenv("BIGHT_TEST");
    struct bight_test_options replayed = test->options;
    char name[TEST_NAME_BYTES];

    if (!text || !*text)
        return 0;
    int rc = bight__test_parse(text, &replayed, name);
    if (rc)
        return rc;
    if (!*name || strcmp(name, test->name) == 0)
        test->options = replayed;
    return 0;
}

static int fresh_seed(uint64_t *seed)
{
    int rc = uv_random(NULL, NULL, seed, sizeof *seed, 0, NULL);

    *seed |= rc == 0 && *seed == 0; /* 0 means no seed */
    return rc;
}

static int set_up(struct bight__test *test, const struct bight_test_options *options,
                  struct bight_seams *seams)
{
    int rc;

    bight__test_time(test, seams);
    if (options)
        test->options = *options;
    if (test->options.expected > 0)
        return BIGHT_EINVAL;
    if (test->options.name) {
        if (!bight__test_is_name(test->options.name))
            return BIGHT_EINVAL;
        strcpy(test->name, test->options.name);
    }
    if (test->options.fresh_seed) {
        rc = fresh_seed(&test->options.seed);
        if (rc)
            return rc;
    }
    rc = take_environment(test);
    if (rc)
        return rc;
    if (test->options.clock) {
        test->clock = test->options.clock;
        test->begin_ns = bight_test_clock_now_ns(test->clock);
    }
    if (test->options.manual || test->options.clock)
        test->paced = false;
    if (test->options.manual && !test->options.clock)
        bight_test_clock_set_autojump(test->clock, -1);
    bight__test_faults(test, seams);
    seams->probed = test->options.skip_probe;
    return 0;
}

static void counts(struct bight__test *test, int status, struct bight_test_result *result)
{
    *result = (struct bight_test_result){
        .status = status,
        .seed = test->options.seed,
        .allocs = test->allocs,
        .suspends = test->suspends,
        .calls = test->calls,
        .faults = test->faults,
        .jumps = test->jumps,
        .elapsed_ns = bight__test_now(test) - test->begin_ns,
        .turns = test->turns,
        .failed = test->failed,
    };
    (void)bight__test_line(&test->options, test->name, NULL, result->line, sizeof result->line);
}

int bight_test_run(const struct bight_test_options *options, int (*fn)(void *arg), void *arg,
                   struct bight_test_result *result)
{
    struct bight_seams seams = {0};
    struct bight__test test;
    int status;

    if (!fn)
        return BIGHT_EINVAL;
    if (bight__sched)
        return BIGHT_EALREADY;
    status = set_up(&test, options, &seams);
    if (status)
        return status;
    status = bight__run_with_seams(test.options.runtime, &seams, fn, arg);
    if (!test.failed && is_failure(&test, status)) {
        test.failed = true;
        say_status(&test, status);
    }
    if (result)
        counts(&test, status, result);
    return status;
}

int bight_test_progress(struct bight_test_result *result)
{
    struct bight__test *test = bight__test();

    if (!result)
        return BIGHT_EINVAL;
    if (!test)
        return BIGHT_ENOTSUP;
    counts(test, 0, result);
    return 0;
}

int bight_test_line(char *line, size_t line_bytes)
{
    const struct bight__test *test = bight__test();

    if (!line)
        return BIGHT_EINVAL;
    if (!test)
        return BIGHT_ENOTSUP;
    return bight__test_line(&test->options, test->name, NULL, line, line_bytes) < line_bytes
               ? 0
               : BIGHT_ERANGE;
}

int bight_test_fail(const char *what)
{
    struct bight__test *test = bight__test();

    if (!what)
        return BIGHT_EINVAL;
    if (!test)
        return BIGHT_ENOTSUP;
    test->failed = true;
    say(test, what);
    return 0;
}

uint64_t bight_test_random(void)
{
    struct bight__test *test = bight__test();

    return test ? bight__test_draw(&test->values) : 0;
}

int bight_test_get_passes(struct bight_test_passes *passes)
{
    const struct bight_sched *sched = bight__sched;

    if (!passes)
        return BIGHT_EINVAL;
    if (!bight__test())
        return BIGHT_ENOTSUP;
    if (!sched->current)
        return BIGHT_ENOTASK;
    passes->checks = sched->current->checks;
    passes->turns = sched->current->turns;
    return 0;
}

bool bight_test_passed(const struct bight_test_passes *before)
{
    struct bight_test_passes now;

    return before && bight_test_get_passes(&now) == 0 && now.checks != before->checks &&
           now.turns != before->turns;
}

bool bight_test_passed_none(const struct bight_test_passes *before)
{
    struct bight_test_passes now;

    return before && bight_test_get_passes(&now) == 0 && now.checks == before->checks &&
           now.turns == before->turns;
}
