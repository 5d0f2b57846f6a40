/* net/resolve/ask.c, cache.c: one family, services, names of addresses, answers without waiting,
 * and what is forgotten. */
#include <pthread.h>
#include <stdio.h>

#include "tests/harness/world.h"
#include "tests/net/resolve/resolve_held.h"

static struct bight_resolver_stats stats_now(void)
{
    struct bight_resolver_stats stats;

    bight_resolver_get_stats(resolver, &stats);
    return stats;
}

/* Have the answer for a name kept. */
static void keep(const char *host)
{
    struct bight_resolved result;

    sem_post(&go);
    ck_ok(bight_resolve(resolver, host, &result));
    ck_assert(!result.cached);
}

IN_TASK(one_family_is_what_is_left_of_both)
{
    const struct bight_resolve_options four = {.family = 4}, six = {.family = 6, .service = "53"};
    struct bight_resolved result;

    make(NULL);
    sem_post(&go);
    ck_ok(bight_resolve_with(resolver, "name.test", &six, &result));
    ck_assert_uint_eq(result.count, 1);
    ck_assert_uint_eq(result.addresses[0].family, 6);
    ck_assert_uint_eq(result.addresses[0].port, 53);
    ck_ok(bight_resolve_with(resolver, "name.test", &four, &result));
    ck_assert(result.cached);
    ck_assert_uint_eq(result.count, 1);
    ck_assert_uint_eq(result.addresses[0].family, 4);
    ck_assert_uint_eq(result.addresses[0].port, 0);
    ck_ok(bight_resolve_with(resolver, "name.test", NULL, &result));
    ck_assert_uint_eq(result.count, 2);
    ck_assert_int_eq(atomic_load(&lookups), 1);
    bight_resolver_free(resolver);
    return 0;
}

IN_TASK(a_family_without_an_address_is_an_error)
{
    const struct bight_resolve_options four = {.family = 4}, six = {.family = 6},
                                       five = {.family = 5};
    struct bight_resolved result;

    make(NULL);
    ck_code(bight_resolve_with(resolver, "::1", &four, &result), BIGHT_ERESOLVE);
    ck_assert_int_eq(result.gai_code, EAI_NONAME);
    ck_assert_ptr_nonnull(strstr(result.text, "family"));
    ck_code(bight_try_resolve(resolver, "127.0.0.1", &six, &result), BIGHT_ERESOLVE);
    ck_assert_uint_eq(result.count, 0);
    ck_code(bight_resolve_with(resolver, "::1", &five, &result), BIGHT_EINVAL);
    ck_code(bight_try_resolve(resolver, "::1", &five, &result), BIGHT_EINVAL);
    bight_resolver_free(resolver);
    return 0;
}

static bool has_services(void)
{
    return getservbyname("http", "tcp") != NULL;
}

IN_TASK(services_have_ports)
{
    struct bight_resolve_options options = {.service = "https"};
    struct bight_resolved result;
    uint16_t port = 1;

    make(NULL);
    ck_ok(bight_resolve_service(resolver, "8080", false, &port));
    ck_assert_uint_eq(port, 8080);
    ck_ok(bight_resolve_service(resolver, "0", false, &port));
    ck_assert_uint_eq(port, 0);
    ck_ok(bight_resolve_service(resolver, "65535", true, &port));
    ck_assert_uint_eq(port, 65535);
    ck_assert_uint_eq(stats_now().lookups, 0);
    if (!has_services()) { /* a system without the list of services */
        bight_resolver_free(resolver);
        return 0;
    }
    ck_ok(bight_resolve_service(resolver, "http", false, &port));
    ck_assert_uint_eq(port, 80);
    ck_ok(bight_resolve_service(resolver, "ntp", true, &port));
    ck_assert_uint_eq(port, 123);
    ck_ok(bight_resolve_with(resolver, "::1", &options, &result));
    ck_assert_uint_eq(result.addresses[0].port, 443);
    ck_assert(!result.cached); /* the service was not known */
    ck_ok(bight_try_resolve(resolver, "127.0.0.1", &options, &result));
    ck_assert_uint_eq(result.addresses[0].port, 443);
    ck_assert(result.cached);
    ck_assert_uint_eq(stats_now().lookups, 3);
    bight_resolver_free(resolver);
    return 0;
}

IN_TASK(what_is_no_service_is_refused)
{
    static const char *const names[] = {"", "65536", "99999999999999999999", "a b", "-\n", "a:b"};
    const struct bight_resolve_options unknown = {.service = "no-such-service"};
    struct bight_resolved result;
    char longest[100];
    uint16_t port = 7;

    make(NULL);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        ck_code(bight_resolve_service(resolver, names[i], false, &port), BIGHT_EINVAL);
    memset(longest, 'a', sizeof(longest));
    longest[64] = '\0';
    ck_code(bight_resolve_service(resolver, longest, false, &port), BIGHT_EINVAL);
    longest[63] = '\0';
    ck_code(bight_resolve_service(resolver, longest, false, &port), BIGHT_ERESOLVE);
    ck_code(bight_resolve_with(resolver, "::1", &unknown, &result), BIGHT_ERESOLVE);
    ck_assert_int_eq(result.gai_code, EAI_SERVICE);
    ck_code(bight_try_resolve(resolver, "::1", &unknown, &result), BIGHT_ERESOLVE); /* it is kept */
    ck_assert_uint_eq(port, 7);
    bight_resolver_free(resolver);
    return 0;
}

IN_TASK(without_waiting_only_what_is_known)
{
    const struct bight_resolve_options fresh = {.fresh = true}, http = {.service = "http"};
    struct bight_resolved result;
    struct call call;

    make(NULL);
    ck_ok(bight_try_resolve(resolver, "192.0.2.7", NULL, &result));
    ck_ok(bight_try_resolve(resolver, "192.0.2.7", &fresh, &result));
    ck_code(bight_try_resolve(resolver, "192.0.2.7", &http, &result), BIGHT_EAGAIN);
    ck_code(bight_try_resolve(resolver, "not a name", NULL, &result), BIGHT_EINVAL);
    ck_code(bight_try_resolve(resolver, "name.test", NULL, &result), BIGHT_EAGAIN);
    start(&call, "name.test");
    ck_code(bight_try_resolve(resolver, "name.test", NULL, &result), BIGHT_EAGAIN);
    sem_post(&go);
    ck_ok(finish(&call));
    ck_ok(bight_try_resolve(resolver, "Name.Test", NULL, &result));
    ck_assert(result.cached);
    ck_assert_uint_eq(result.count, 2);
    ck_code(bight_try_resolve(resolver, "name.test", &fresh, &result), BIGHT_EAGAIN);
    ck_ok(bight_try_resolve(resolver, "name.test", NULL, &result)); /* it was not forgotten */
    bight_resolver_free(resolver);
    return 0;
}

IN_TASK(a_fresh_answer_replaces_the_one_that_is_kept)
{
    const struct bight_resolve_options fresh = {.fresh = true};
    struct bight_resolved result;

    make(NULL);
    keep("name.test");
    sem_post(&go);
    ck_ok(bight_resolve_with(resolver, "name.test", &fresh, &result));
    ck_assert(!result.cached);
    ck_assert_int_eq(atomic_load(&lookups), 2);
    ck_ok(bight_resolve(resolver, "name.test", &result));
    ck_assert(result.cached);
    ck_assert_uint_eq(stats_now().entries, 1);
    bight_resolver_free(resolver);
    return 0;
}

IN_TASK(one_name_is_forgotten)
{
    struct bight_resolved result;

    make(NULL);
    keep("one.test");
    keep("two.test");
    ck_code(bight_resolver_forget(resolver, "not a name"), BIGHT_EINVAL);
    ck_code(bight_resolver_forget(resolver, "three.test"), BIGHT_ENOENT);
    ck_ok(bight_resolver_forget(resolver, "ONE.test"));
    ck_code(bight_resolver_forget(resolver, "one.test"), BIGHT_ENOENT);
    ck_code(bight_try_resolve(resolver, "one.test", NULL, &result), BIGHT_EAGAIN);
    ck_ok(bight_try_resolve(resolver, "two.test", NULL, &result));
    ck_assert_uint_eq(stats_now().entries, 1);
    bight_resolver_free(resolver);
    return 0;
}

/* A lookup that was on its way may have the old answer. */
IN_TASK(what_is_flushed_is_asked_again_even_while_it_is_asked)
{
    struct bight_resolved result;
    struct call before, after, again;

    make(NULL);
    keep("kept.test");
    start(&before, "name.test");
    sem_wait(&begun); /* that of the kept one */
    sem_wait(&begun);
    bight_resolver_flush(resolver);
    ck_code(bight_try_resolve(resolver, "kept.test", NULL, &result), BIGHT_EAGAIN);
    start(&after, "name.test");
    start(&again, "name.test"); /* joins the second one */
    sem_wait(&begun);
    ck_assert_int_eq(atomic_load(&lookups), 3);
    sem_post(&go);
    sem_post(&go);
    ck_ok(finish(&before));
    ck_ok(finish(&after));
    ck_ok(finish(&again));
    ck_assert_uint_eq(stats_now().merged, 1);
    ck_assert_uint_eq(stats_now().entries, 1);
    ck_ok(bight_try_resolve(resolver, "name.test", NULL, &result));
    bight_resolver_flush(resolver);
    ck_assert_uint_eq(stats_now().entries, 0);
    bight_resolver_free(resolver);
    return 0;
}

IN_TASK(a_flushed_lookup_can_be_cancelled_and_its_resolver_freed)
{
    const struct bight_resolver_options options = {.max_threads = 1};
    struct call first, second, third;

    make(&options);
    start(&first, "one.test");
    sem_wait(&begun);
    start(&second, "two.test"); /* no thread has it */
    start(&third, "three.test");
    bight_resolver_flush(resolver);
    bight_task_cancel(second.task);
    ck_code(finish(&second), BIGHT_ECANCELED);
    ck_assert_uint_eq(stats_now().entries, 2);
    close_quietly();
    ck_code(finish(&first), BIGHT_ECLOSED);
    ck_code(finish(&third), BIGHT_ECLOSED);
    return 0;
}

/* Names of addresses: most machines know their loopback. */

static bool has_names(void)
{
    const struct sockaddr_in loopback = {.sin_family = AF_INET,
                                         .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char name[NI_MAXHOST];

    return getnameinfo((const struct sockaddr *)&loopback, sizeof(loopback), name, sizeof(name),
                       NULL, 0, NI_NAMEREQD) == 0;
}

IN_TASK(an_address_has_a_name)
{
    struct bight_address address = {.family = 4, .bytes = {127, 0, 0, 1}, .port = 80};
    struct bight_resolved_name result;
    struct bight_resolved forward;

    make(NULL);
    if (!has_names()) { /* a system without a list of hosts */
        ck_code(bight_resolve_name(resolver, &address, &result), BIGHT_ERESOLVE);
        ck_assert_int_ne(result.gai_code, 0);
        bight_resolver_free(resolver);
        return 0;
    }
    ck_ok(bight_resolve_name(resolver, &address, &result));
    ck_assert(!result.cached);
    ck_assert_int_eq(result.gai_code, 0);
    ck_assert_uint_gt(strlen(result.name), 0);
    address.port = 81; /* does not count */
    ck_ok(bight_resolve_name(resolver, &address, &result));
    ck_assert(result.cached);
    ck_assert_uint_gt(strlen(result.name), 0);
    ck_assert_uint_eq(stats_now().lookups, 1);
    address.family = 5;
    ck_code(bight_resolve_name(resolver, &address, &result), BIGHT_EINVAL);
    bight_resolver_flush(resolver);
    ck_assert_uint_eq(stats_now().entries, 0);
    ck_code(bight_try_resolve(resolver, "name.test", NULL, &forward), BIGHT_EAGAIN);
    bight_resolver_free(resolver);
    return 0;
}

struct name_call {
    struct bight_address address;
    struct bight_resolved_name result;
};

static int name_main(void *arg)
{
    struct name_call *call = arg;

    return bight_resolve_name(resolver, &call->address, &call->result);
}

static int service_main(void *arg)
{
    return bight_resolve_service(resolver, "http", false, arg);
}

/* With the only thread held by another lookup. */
IN_TASK(waits_for_names_and_services_end_when_cancelled)
{
    const struct bight_resolver_options options = {.max_threads = 1};
    struct name_call call = {.address = {.family = 6, .bytes = {[15] = 1}}};
    struct bight_task *name, *service;
    struct call holds;
    uint16_t port = 7;
    int status;

    make(&options);
    start(&holds, "name.test");
    sem_wait(&begun);
    ck_ok(bight_spawn(&name, name_main, &call));
    ck_ok(bight_spawn(&service, service_main, &port));
    ck_ok(bight_yield());
    ck_assert_uint_eq(stats_now().queued, 2);
    bight_task_cancel(name);
    bight_task_cancel(service);
    ck_ok(bight_join(name, &status));
    ck_code(status, BIGHT_ECANCELED);
    ck_ok(bight_join(service, &status));
    ck_code(status, BIGHT_ECANCELED);
    ck_assert_uint_eq(port, 7);
    ck_assert_uint_eq(stats_now().queued, 0);
    sem_post(&go);
    ck_ok(finish(&holds));
    ck_ok(bight_spawn(&service, service_main, &port));
    ck_ok(bight_join(service, &status));
    ck_code(status, has_services() ? 0 : BIGHT_ERESOLVE);
    ck_assert_uint_eq(port, has_services() ? 80 : 7);
    bight_resolver_free(resolver);
    return 0;
}

static int two_steps(void *arg)
{
    const struct bight_resolve_options http = {.service = "http"};

    return bight_resolve_with(resolver, "name.test", &http, arg);
}

/* Freed between the lookup of the service and that of the host. */
IN_TASK(a_resolver_is_freed_between_two_lookups_of_a_call)
{
    struct bight_resolved result;
    struct bight_task *task;
    int status;

    make(NULL);
    ck_ok(bight_spawn(&task, two_steps, &result));
    ck_ok(bight_yield());
    ck_assert_uint_eq(stats_now().lookups, 1);
    bight_resolver_free(resolver);
    ck_ok(bight_join(task, &status));
    ck_code(status, BIGHT_ECLOSED);
    return 0;
}

static int foreign_main(void *other)
{
    const struct bight_address address = {.family = 4, .bytes = {127, 0, 0, 1}};
    struct bight_resolved_name named;
    struct bight_resolved result;
    uint16_t port;

    EXPECT(bight_resolve_with(other, "127.0.0.1", NULL, &result) == BIGHT_EPERM);
    EXPECT(bight_try_resolve(other, "127.0.0.1", NULL, &result) == BIGHT_EPERM);
    EXPECT(bight_try_resolve(other, "name.test", NULL, &result) == BIGHT_EPERM);
    EXPECT(bight_resolve_service(other, "80", false, &port) == BIGHT_EPERM);
    EXPECT(bight_resolve_name(other, &address, &named) == BIGHT_EPERM);
    EXPECT(bight_resolver_forget(other, "name.test") == BIGHT_EPERM);
    bight_resolver_flush(other);
    return 0;
}

static void *foreign_thread(void *other)
{
    EXPECT(bight_run(foreign_main, other) == 0);
    return NULL;
}

IN_TASK(a_resolver_of_another_thread_is_refused)
{
    struct bight_resolved result;
    pthread_t thread;

    make(NULL);
    keep("name.test");
    ck_assert_int_eq(pthread_create(&thread, NULL, foreign_thread, resolver), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_ok(bight_try_resolve(resolver, "name.test", NULL, &result)); /* nothing was forgotten */
    bight_resolver_free(resolver);
    return 0;
}

IN_TASK(a_runtime_has_a_resolver)
{
    struct bight_resolver *other;
    struct bight_resolved result;

    ck_ok(bight_resolver_default(&resolver));
    ck_ok(bight_resolver_default(&other));
    ck_assert_ptr_eq(resolver, other);
    ck_ok(bight_resolve(resolver, "localhost", &result));
    bight_resolver_flush(resolver);
    ck_assert_uint_eq(stats_now().entries, 0);
    return 0;
}

static void asking_outside_of_a_task_is_an_error(void)
{
    const struct bight_address address = {.family = 4};
    struct bight_resolved_name name;
    uint16_t port;

    ck_code(bight_resolver_default(&resolver), BIGHT_ENORUNTIME);
    resolver = (struct bight_resolver *)&name; /* not looked at */
    ck_code(bight_resolve_service(resolver, "80", false, &port), BIGHT_ENOTASK);
    ck_code(bight_resolve_name(resolver, &address, &name), BIGHT_ENOTASK);
}

static const struct suite_case cases[] = {
    plain_case(one_family_is_what_is_left_of_both),
    plain_case(a_family_without_an_address_is_an_error),
    plain_case(services_have_ports),
    plain_case(what_is_no_service_is_refused),
    plain_case(without_waiting_only_what_is_known),
    plain_case(a_fresh_answer_replaces_the_one_that_is_kept),
    plain_case(one_name_is_forgotten),
    plain_case(what_is_flushed_is_asked_again_even_while_it_is_asked),
    plain_case(a_flushed_lookup_can_be_cancelled_and_its_resolver_freed),
    plain_case(an_address_has_a_name),
    plain_case(waits_for_names_and_services_end_when_cancelled),
    plain_case(a_resolver_is_freed_between_two_lookups_of_a_call),
    plain_case(a_resolver_of_another_thread_is_refused),
    plain_case(a_runtime_has_a_resolver),
    plain_case(asking_outside_of_a_task_is_an_error),
};

test_suite("resolve_ask", cases, .setup = prepare);
