/* net/resolve/resolve.c, cache.c, threads.c, address.c: every way of waiting for a name, with
 * lookups that the test holds in its hand. Ends of resolvers are in test_resolve_close.c. */
#include <pthread.h>
#include <stdio.h>

#include "runtime/runtime.h"
#include "tests/net/resolve/resolve_held.h"

IN_TASK(literals_touch_no_thread)
{
    static const char *const names[] = {"127.0.0.1", "::1", "[::1]", "fe80::1%lo", "[2001:db8::7]"};
    struct bight_resolver_stats stats;
    struct bight_resolved result;
    char text[BIGHT_ADDRESS_TEXT_BYTES];

    make(NULL);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        EXPECT(bight_resolve(resolver, names[i], &result) == 0);
        EXPECT(result.count == 1 && result.cached);
    }
    EXPECT(!strcmp(bight_address_text(&result.addresses[0], text), "2001:db8::7"));
    result.addresses[0].port = 80;
    EXPECT(!strcmp(bight_address_text(&result.addresses[0], text), "[2001:db8::7]:80"));
    bight_resolver_get_stats(resolver, &stats);
    EXPECT(stats.threads == 0 && stats.lookups == 0 && stats.hits == 5);
    bight_resolver_free(resolver);
    return 0;
}

IN_TASK(what_is_no_host_name_is_refused)
{
    static const char *const names[] = {"", "a b", "a\r\nb", "a/b", "\xc3\xbc.test", "a:b", "[::1"};
    struct bight_resolved result;
    char longest[300];

    make(NULL);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        EXPECT(bight_resolve(resolver, names[i], &result) == BIGHT_EINVAL);
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    EXPECT(bight_resolve(resolver, longest, &result) == BIGHT_EINVAL);
    EXPECT(bight_self());
    bight_resolver_free(resolver);
    return 0;
}

static void resolving_outside_of_a_task_is_an_error(void)
{
    struct bight_resolved result;
    ck_assert_int_eq(bight_resolver_new(&resolver, NULL), BIGHT_ENORUNTIME);
    ck_assert_int_eq(bight_resolve(NULL, "localhost", &result), BIGHT_EINVAL);
    resolver = (struct bight_resolver *)&result; /* not looked at */
    ck_assert_int_eq(bight_resolve(resolver, "localhost", &result), BIGHT_ENOTASK);
}

IN_TASK(localhost_is_known_everywhere)
{
    struct bight_resolved result;

    EXPECT(bight_resolver_new(&resolver, NULL) == 0);
    EXPECT(bight_resolve(resolver, "LocalHost", &result) == 0);
    EXPECT(result.count >= 1 && !result.cached);
    EXPECT(bight_resolve(resolver, "localhost", &result) == 0);
    EXPECT(result.cached);
    bight_resolver_free(resolver);
    return 0;
}

IN_TASK(what_is_under_localhost_is_the_loopback)
{
    static const char *const names[] = {"localhost", "localhost.", "foo.localhost",
                                        "a.b.LocalHost."};
    static const struct bight_address v4 = {.family = 4, .bytes = {127, 0, 0, 1}};
    static const struct bight_address v6 = {.family = 6, .bytes = {[15] = 1}};
    struct bight_resolved result;

    EXPECT(bight_resolver_new(&resolver, NULL) == 0);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        EXPECT(bight_resolve(resolver, names[i], &result) == 0);
        ck_assert_uint_ge(result.count, 1);
        for (size_t k = 0; k < result.count; k++) {
            const struct bight_address *known = result.addresses[k].family == 4 ? &v4 : &v6;
            EXPECT(memcmp(result.addresses[k].bytes, known->bytes, sizeof(known->bytes)) == 0);
        }
    }
    bight_resolver_free(resolver);
    return 0;
}

IN_TASK(wake)
{
    struct call call;

    make(NULL);
    start(&call, "name.test");
    sem_post(&go);
    EXPECT(finish(&call) == 0);
    EXPECT(call.result.count == 2 && !call.result.cached && call.result.addresses[1].family == 6);
    bight_resolver_free(resolver);
    return 0;
}

IN_TASK(cancel_is_immediate_and_the_result_is_kept)
{
    struct bight_resolver_stats stats;
    struct call call, again;

    make(NULL);
    start(&call, "name.test");
    sem_wait(&begun);
    bight_task_cancel(call.task);
    EXPECT(bight_yield() == 0);
    EXPECT(bight_task_done(call.task));
    EXPECT(finish(&call) == BIGHT_ECANCELED);
    bight_resolver_get_stats(resolver, &stats);
    EXPECT(stats.busy == 1);    /* still counted */
    start(&again, "name.test"); /* joins the one on its way */
    sem_post(&go);
    EXPECT(finish(&again) == 0);
    EXPECT(atomic_load(&lookups) == 1);
    bight_resolver_free(resolver);
    return 0;
}

IN_TASK(woken_then_cancelled_is_woken)
{
    struct call first, second;

    make(NULL);
    start(&first, "name.test");
    start(&second, "name.test");
    sem_post(&go);
    EXPECT(finish(&first) == 0);
    /* Both were woken by the same completion: `second` is ready, or has ended. */
    bight_task_cancel(second.task);
    EXPECT(finish(&second) == 0);
    bight_resolver_free(resolver);
    return 0;
}

IN_TASK(cancelled_then_woken_wakes_the_others_only)
{
    struct call first, second;

    make(NULL);
    start(&first, "name.test");
    start(&second, "name.test");
    bight_task_cancel(first.task);
    sem_post(&go);
    EXPECT(finish(&first) == BIGHT_ECANCELED);
    EXPECT(finish(&second) == 0);
    bight_resolver_free(resolver);
    return 0;
}

static int timed_main(void *arg)
{
    return bight_resolve(resolver, "slow.test", arg);
}

IN_TASK(deadline)
{
    struct bight_resolved result;

    make(NULL);
    EXPECT(bight_timeout(20, timed_main, &result) == BIGHT_ETIMEDOUT);
    close_quietly();
    return 0;
}

/* Fails the k-th allocation. */
struct failing {
    int left;
    bool on;
};

static bool fail_alloc(void *ctx, const void *site)
{
    struct failing *failing = ctx;

    (void)site;
    return failing->on && failing->left-- == 0;
}

static int failing_main(void *arg)
{
    struct failing *failing = arg;
    struct bight_resolved result;
    int rc;

    failing->on = true;
    rc = bight_resolver_new(&resolver, NULL);
    if (rc == 0) {
        bight__resolver_set_lookup(resolver, held_lookup, NULL);
        sem_post(&go);
        rc = bight_resolve(resolver, "name.test", &result);
        failing->on = false;
        bight_resolver_free(resolver);
    }
    failing->on = false;
    EXPECT(rc == 0 || rc == BIGHT_ENOMEM);
    return rc;
}

static void each_allocation_may_fail(void)
{
    struct failing failing;
    struct bight_seams seams = {.ctx = &failing, .fail_alloc = fail_alloc};
    int failed = 0;

    for (int k = 0;; k++) {
        failing = (struct failing){.left = k};
        int rc = bight__run_with_seams(NULL, &seams, failing_main, &failing);
        if (rc == 0)
            break;
        ck_assert_int_eq(rc, BIGHT_ENOMEM);
        failed++;
    }
    ck_assert_int_ge(failed, 4); /* resolver, cache, threads, entry, job */
}

IN_TASK(equal_lookups_are_merged)
{
    struct bight_resolver_stats stats;
    static struct call calls[50];

    make(NULL);
    for (int i = 0; i < 50; i++)
        start(&calls[i], i % 2 ? "Name.test" : "name.TEST");
    sem_post(&go);
    for (int i = 0; i < 50; i++)
        EXPECT(finish(&calls[i]) == 0);
    bight_resolver_get_stats(resolver, &stats);
    EXPECT(stats.lookups == 1 && stats.merged == 49 && atomic_load(&lookups) == 1);
    bight_resolver_free(resolver);
    return 0;
}

IN_TASK(abandoned_lookups_count_against_the_cap)
{
    struct bight_resolver_options options = {.max_threads = 2};
    struct bight_resolver_stats stats;
    struct call stuck[2], next;

    make(&options);
    start(&stuck[0], "one.test");
    start(&stuck[1], "two.test");
    sem_wait(&begun);
    sem_wait(&begun);
    for (int i = 0; i < 2; i++) {
        bight_task_cancel(stuck[i].task);
        EXPECT(finish(&stuck[i]) == BIGHT_ECANCELED);
    }
    start(&next, "three.test");
    bight_resolver_get_stats(resolver, &stats);
    EXPECT(stats.queued == 1 && stats.threads == 2 && stats.busy == 2);
    for (int i = 0; i < 3; i++)
        sem_post(&go);
    EXPECT(finish(&next) == 0);
    EXPECT(atomic_load(&most_running) == 2);
    bight_resolver_free(resolver);
    return 0;
}

IN_TASK(a_cancelled_lookup_that_no_thread_has_is_taken_back)
{
    struct bight_resolver_options options = {.max_threads = 1};
    struct bight_resolver_stats stats;
    struct call busy, queued;

    make(&options);
    start(&busy, "one.test");
    sem_wait(&begun);
    start(&queued, "two.test");
    bight_task_cancel(queued.task);
    EXPECT(finish(&queued) == BIGHT_ECANCELED);
    bight_resolver_get_stats(resolver, &stats);
    EXPECT(stats.queued == 0 && stats.entries == 1);
    sem_post(&go);
    EXPECT(finish(&busy) == 0);
    EXPECT(atomic_load(&lookups) == 1);
    bight_resolver_free(resolver);
    return 0;
}

IN_TASK(no_such_name_is_kept_but_a_passing_failure_is_not)
{
    struct bight_resolved result;

    make(NULL);
    for (int i = 0; i < 4; i++)
        sem_post(&go);
    EXPECT(bight_resolve(resolver, "bad.test", &result) == BIGHT_ERESOLVE);
    EXPECT(result.gai_code == EAI_NONAME && *result.text && !result.cached);
    EXPECT(bight_resolve(resolver, "bad.test", &result) == BIGHT_ERESOLVE);
    EXPECT(result.cached && atomic_load(&lookups) == 1);
    EXPECT(bight_resolve(resolver, "bad-now.test", &result) == BIGHT_ERESOLVE);
    EXPECT(bight_resolve(resolver, "bad-now.test", &result) == BIGHT_ERESOLVE);
    EXPECT(result.gai_code == EAI_AGAIN && atomic_load(&lookups) == 3);
    bight_resolver_free(resolver);
    return 0;
}

IN_TASK(results_age_and_the_least_used_go_first)
{
    struct bight_resolver_options options = {.ttl_ms = 60000, .max_entries = 2};
    struct bight_resolved result;

    make(&options);
    for (int i = 0; i < 5; i++)
        sem_post(&go);
    EXPECT(bight_resolve(resolver, "a.test", &result) == 0);
    EXPECT(bight_resolve(resolver, "b.test", &result) == 0);
    EXPECT(bight_resolve(resolver, "a.test", &result) == 0); /* used again */
    EXPECT(bight_resolve(resolver, "c.test", &result) == 0); /* b goes */
    EXPECT(atomic_load(&lookups) == 3);
    EXPECT(bight_resolve(resolver, "a.test", &result) == 0);
    EXPECT(atomic_load(&lookups) == 3);
    EXPECT(bight_resolve(resolver, "b.test", &result) == 0);
    EXPECT(atomic_load(&lookups) == 4);
    bight_resolver_free(resolver);

    options.ttl_ms = -1;
    make(&options);
    sem_post(&go);
    EXPECT(bight_resolve(resolver, "a.test", &result) == 0);
    EXPECT(bight_resolve(resolver, "a.test", &result) == 0);
    EXPECT(atomic_load(&lookups) == 6);
    bight_resolver_free(resolver);
    return 0;
}

#define NAMES 400

IN_TASK(many_names_at_once)
{
    static char names[NAMES][24];
    static struct call calls[NAMES];

    make(NULL);
    for (int i = 0; i < NAMES; i++) {
        snprintf(names[i], sizeof names[i], "host%d.test", i);
        sem_post(&go);
        start(&calls[i], names[i]);
    }
    for (int i = 0; i < NAMES; i++)
        EXPECT(finish(&calls[i]) == 0);
    EXPECT(atomic_load(&lookups) == NAMES && atomic_load(&most_running) <= 4);
    bight_resolver_free(resolver);
    return 0;
}

static int foreign_main(void *arg)
{
    struct bight_resolved result;

    EXPECT(bight_resolve(arg, "127.0.0.1", &result) == BIGHT_EPERM);
    EXPECT(bight_resolve(arg, "held.test", &result) == BIGHT_EPERM);
    return 0;
}

static void *foreign_thread(void *arg)
{
    EXPECT(bight_run(foreign_main, arg) == 0);
    return NULL;
}

IN_TASK(a_resolver_of_another_thread_is_refused)
{
    struct bight_resolver_stats stats;
    pthread_t thread;

    make(NULL);
    EXPECT(pthread_create(&thread, NULL, foreign_thread, resolver) == 0);
    EXPECT(pthread_join(thread, NULL) == 0);
    bight_resolver_get_stats(resolver, &stats);
    EXPECT(stats.lookups == 0 && stats.hits == 0 && stats.entries == 0);
    bight_resolver_free(resolver);
    return 0;
}

static const struct suite_case cases[] = {
    plain_case(literals_touch_no_thread),
    plain_case(what_is_no_host_name_is_refused),
    plain_case(resolving_outside_of_a_task_is_an_error),
    plain_case(localhost_is_known_everywhere),
    plain_case(what_is_under_localhost_is_the_loopback),
    plain_case(wake),
    plain_case(cancel_is_immediate_and_the_result_is_kept),
    plain_case(woken_then_cancelled_is_woken),
    plain_case(cancelled_then_woken_wakes_the_others_only),
    plain_case(deadline),
    plain_case(each_allocation_may_fail),
    plain_case(equal_lookups_are_merged),
    plain_case(abandoned_lookups_count_against_the_cap),
    plain_case(a_cancelled_lookup_that_no_thread_has_is_taken_back),
    plain_case(no_such_name_is_kept_but_a_passing_failure_is_not),
    plain_case(results_age_and_the_least_used_go_first),
    plain_case(many_names_at_once),
    plain_case(a_resolver_of_another_thread_is_refused),
};

test_suite("resolve", cases, .setup = prepare);
