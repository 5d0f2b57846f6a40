/* Try again: exponential backoff with jitter, inside a deadline. */
#ifndef BIGHT_RETRY_H
#define BIGHT_RETRY_H

#include <bight/base.h>
#include <bight/errors.h>

BIGHT_BEGIN_DECLS

/* How much of a pause is random, so that callers that failed together do not try again together. */
enum bight_jitter {
    BIGHT_JITTER_FULL,  /* from 0 to the whole pause */
    BIGHT_JITTER_EQUAL, /* from half of it to the whole */
    BIGHT_JITTER_NONE,
};

/* Zero is the default for every field. */
struct bight_retry_options {
    /* The most calls; 0: without a limit. */
    unsigned attempts;
    enum bight_jitter jitter;
    /* The pause after the first failure, before jitter; 0: 100, negative: none. */
    int64_t delay_ms;
    /* The longest pause; 0: 30,000, negative: there is none. */
    int64_t max_delay_ms;
    /* Each pause is the one before times this, at least 1; 0: 2. */
    double factor;
    /* Whether a failure is worth another try; NULL: each is. Not asked about BIGHT_ECANCELED. */
    bool (*again)(void *arg, int code);
};

/** Call `fn(arg)` until it succeeds, with growing pauses in between. Gives up, with the last
 *  failure, when the attempts are used up, `again` says no, or the pause would not end before the
 *  earliest deadline around: it does not sleep until that. For a limit on all of it, run it in
 *  bight_timeout. A call that is cancelled is never repeated.
 *
 *  @return what the last call of fn returned; BIGHT_ECANCELED when cancelled during a pause;
 *          BIGHT_EINVAL for an invalid policy; BIGHT_ENOTASK.
 *  Suspends: yes.  Cancellable: yes, in a pause and inside fn.
 *  On cancel: BIGHT_ECANCELED, or what fn returns.  Allocates: no.  Thread: the loop's.
 *  Ownership: borrows policy, NULL for the defaults, and arg.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_retry_run(const struct bight_retry_options *policy,
                                               int (*fn)(void *arg), void *arg);

BIGHT_END_DECLS

#endif
