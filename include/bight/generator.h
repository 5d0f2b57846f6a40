/* Generators: a task that yields values to a consumer, which asks for them one by one. The producer
 * runs only when it is asked for a value. Either side may stop: the producer by returning, the
 * consumer with bight_generator_end. */
#ifndef BIGHT_GENERATOR_H
#define BIGHT_GENERATOR_H

#include <bight/base.h>
#include <bight/errors.h>

BIGHT_BEGIN_DECLS

struct bight_generator;
struct bight_group;
struct bight_spawn_options;

/** Make a generator: `fn(generator, arg)` is its producer, a task of the root group that waits to
 *  be asked. A negative return is a failure, which the consumer gets, but for BIGHT_ECANCELED of a
 *  producer that was cancelled.
 *
 *  @return 0; BIGHT_ENOMEM; BIGHT_EINVAL without fn; BIGHT_ECLOSED when the runtime is ending;
 *          BIGHT_ENORUNTIME.
 *  Ownership: keeps arg until the producer has ended; gives *out, to be ended with
 *  bight_generator_end and freed with bight_generator_free.
 */
BIGHT_API BIGHT_MUST_CHECK int
bight_generator_new(struct bight_generator **out,
                    int (*fn)(struct bight_generator *generator, void *arg), void *arg);

/** bight_generator_new with a producer in `group`, NULL for the root, whose cancellation reaches
 *  it, and with options of its task, of which `drop` must be NULL. A failure does not cancel the
 *  group: it is the consumer's.
 *
 *  @return as bight_generator_new; BIGHT_EINVAL for invalid options; BIGHT_ECLOSED when the group
 *          has ended.
 *  Ownership: keeps arg until the producer has ended; gives *out as bight_generator_new does.
 */
BIGHT_API BIGHT_MUST_CHECK int
bight_generator_new_in(struct bight_generator **out, struct bight_group *group,
                       const struct bight_spawn_options *options,
                       int (*fn)(struct bight_generator *generator, void *arg), void *arg);

/** Give `value` to the consumer and sleep until it asks for the next one. Called by the producer,
 *  or a task that it has spawned; by one at a time.
 *
 *  @return 0; BIGHT_ECLOSED: no more values are wanted, clean up and return; BIGHT_ECANCELED: a
 *          scope around the call was cancelled, a value that was not taken yet is withdrawn;
 *          BIGHT_EALREADY: another task yields; BIGHT_ENOTASK.
 *  Suspends: yes.  Cancellable: yes.
 *  On cancel: BIGHT_ECANCELED, a value that was not taken yet is withdrawn.  Allocates: no.
 *  Thread: the loop's.
 *  Ownership: keeps value until it returns: it may point into the caller's frame.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_generator_yield(struct bight_generator *generator,
                                                     void *value);

/** Ask for the next value and sleep until it is there. A value that comes after the call was
 *  cancelled is kept for the next call.
 *
 *  @return 0; BIGHT_ECLOSED: the producer has returned, or the generator was ended; the code the
 *          producer failed with, once; BIGHT_ECANCELED; BIGHT_EALREADY: another task asks;
 *          BIGHT_EDEADLK: the caller is the producer, or the producer waits for it; BIGHT_ENOTASK.
 *  Suspends: yes.  Cancellable: yes.  On cancel: BIGHT_ECANCELED, no value is lost.  Allocates: no.
 *  Thread: the loop's.
 *  Ownership: the value stays the producer's; it is valid until the caller asks again or ends the
 *  generator. A producer that is cancelled meanwhile may take it away when the caller suspends.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_generator_next(struct bight_generator *generator,
                                                    void **value);

/** End the producer and wait for that, deferred handlers included. A producer that sleeps in a
 *  yield gets BIGHT_ECLOSED, and its cleanup may take its time; one that works for a cancelled call
 *  of next is cancelled; one that was never asked does not run. A task that waits in next gets
 *  BIGHT_ECLOSED. May be called again.
 *
 *  @return 0, or the code the producer failed with if no call of next had it; BIGHT_EALREADY:
 *          another task is ending it; BIGHT_EDEADLK: the producer is the caller or waits for it;
 *          BIGHT_ENOTASK.
 *  Suspends: yes.  Cancellable: no; a cancellation is passed on to the producer, which is awaited.
 *  On cancel: the same result, once the producer has ended.  Allocates: no.  Thread: the loop's.
 *  Ownership: borrows generator.
 */
BIGHT_API int bight_generator_end(struct bight_generator *generator);

/** Free a generator that has ended.
 *
 *  @return 0; BIGHT_EBUSY: it has not ended, or a task still waits in next; nothing was freed.
 *  Ownership: takes generator; NULL does nothing.
 */
BIGHT_API int bight_generator_free(struct bight_generator *generator);

BIGHT_END_DECLS

#endif
