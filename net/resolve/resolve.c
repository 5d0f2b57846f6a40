/* The resolver as tasks see it: literals, known names, and waiting for a lookup that may be shared.
 * Read net/resolve/resolve.h first. */
#include "net/resolve/resolve.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include <bight/time.h>
#include <bight/waiter.h>

#define DEFAULT_THREADS 4
#define DEFAULT_TTL_MS 60000
#define DEFAULT_FAILURE_TTL_MS 5000
#define DEFAULT_ENTRIES 1024

static uint64_t ttl_ns(int64_t option_ms, int64_t default_ms)
{
    int64_t ms = option_ms ? option_ms : default_ms;

    if (ms > (int64_t)(INT64_MAX / NS_PER_MS))
        return INT64_MAX; /* now plus this does not overflow */
    return ms < 0 ? 0 : (uint64_t)ms * NS_PER_MS;
}

int bight_resolver_new(struct bight_resolver **out, const struct bight_resolver_options *options)
{
    static const struct bight_resolver_options defaults;
    struct bight_sched *sched = bight__sched;
    struct bight_resolver *resolver;

    if (!out)
        return BIGHT_EINVAL;
    if (!sched)
        return BIGHT_ENORUNTIME;
    if (!options)
        options = &defaults;
    resolver = bight__alloc_zero(&sched->seams, sizeof(*resolver));
    if (!resolver)
        return BIGHT_ENOMEM;
    resolver->sched = sched;
    resolver->ttl_ns = ttl_ns(options->ttl_ms, DEFAULT_TTL_MS);
    resolver->failure_ttl_ns = ttl_ns(options->failure_ttl_ms, DEFAULT_FAILURE_TTL_MS);
    resolver->max_entries = options->max_entries ? options->max_entries : DEFAULT_ENTRIES;
    if (bight__resolve_cache_init(resolver))
        goto free_resolver;
    resolver->threads = bight__resolver_threads_new(
        &sched->seams, options->max_threads ? options->max_threads : DEFAULT_THREADS);
    if (!resolver->threads)
        goto free_cache;
    *out = resolver;
    return 0;

free_cache:
    bight__resolve_cache_fini(resolver);
free_resolver:
    bight__free(resolver);
    return BIGHT_ENOMEM;
}

void bight__resolver_set_lookup(struct bight_resolver *resolver, resolve_lookup lookup, void *arg)
{
    resolver->threads->lookup = lookup;
    resolver->threads->lookup_arg = arg;
}

/* Give what `entry` knows to one caller. */
static int answer(const struct resolve_answer *found, const struct resolve_waiter *waiter)
{
    struct bight_resolved *result = waiter->result;

    result->count = waiter->name ? 0 : found->count;
    if (waiter->name)
        snprintf(waiter->name, sizeof(found->name), "%s", found->gai_code ? "" : found->name);
    else
        memcpy(result->addresses, found->addresses, found->count * sizeof(*found->addresses));
    result->gai_code = found->gai_code;
    result->text = found->gai_code ? gai_strerror(found->gai_code) : "";
    return found->gai_code ? BIGHT_ERESOLVE : 0;
}

static void wake_all(struct resolve_entry *entry, int code)
{
    struct bight_link *link;

    while ((link = link_take(&entry->waiters))) {
        struct resolve_waiter *waiter = container_of(link, struct resolve_waiter, waiter.link);
        int rc = code ? code : answer(&entry->answer, waiter);
        waiter->fresh_until_ns = entry->fresh_until_ns;
        waiter->entry = NULL;
        bight_unpark(&waiter->waiter, rc);
    }
}

/* Whether a failure says that there is nothing to be found. */
static bool is_lasting(int gai_code)
{
#ifdef EAI_NODATA
    if (gai_code == EAI_NODATA)
        return true;
#endif
    return gai_code == EAI_NONAME || gai_code == EAI_SERVICE;
}

/* Runs on the loop's thread, after a thread has filled in the job. */
static void on_looked_up(struct bight_post *post)
{
    struct resolve_job *job = (struct resolve_job *)post;
    struct resolve_entry *entry = job->entry;

    if (entry) {
        bool failed = job->answer.gai_code != 0;
        uint64_t now_ns = bight_now_ns();

        entry->job = NULL;
        bight__resolve_job_unref(job);
        entry->answer = job->answer;
        if (failed)
            entry->answer.count = 0;
        entry->fresh_until_ns = now_ns + (failed ? 0 : entry->resolver->ttl_ns);
        wake_all(entry, 0);
        if (failed && !is_lasting(job->answer.gai_code))
            bight__resolve_drop(entry);
        else
            bight__resolve_keep(entry, now_ns);
    }
    bight__resolve_job_unref(job);
}

/* Nobody waits for the lookup any more: forget it if no thread has begun it. */
static void let_go(struct resolve_waiter *waiter)
{
    struct resolve_entry *entry = waiter->entry;

    waiter->entry = NULL;
    link_remove(&waiter->waiter.link);
    if (!link_empty(&entry->waiters) ||
        !bight__resolver_threads_withdraw(entry->resolver->threads, entry->job))
        return;
    bight__resolve_job_unref(entry->job);
    bight__resolve_drop(entry);
}

static int abort_wait(struct bight_waiter *waiter)
{
    let_go(container_of(waiter, struct resolve_waiter, waiter));
    return 0;
}

static void describe_wait(const struct bight_waiter *waiter, char *text, size_t bytes)
{
    const struct resolve_waiter *self = container_of(waiter, struct resolve_waiter, waiter);
    size_t length;

    if (!self->entry || !bytes)
        return;
    length = strnlen(self->entry->host, bytes - 1);
    memcpy(text, self->entry->host, length);
    text[length] = '\0';
}

static const struct bight_waiter_ops wait_ops = {
    .name = "name lookup",
    .abort = abort_wait,
    .describe = describe_wait,
    .flags = BIGHT_WAITER_OUTSIDE,
};

void bight__resolve_interrupt(struct resolve_waiter *waiter, int code)
{
    if (!waiter->entry)
        return;
    let_go(waiter);
    bight_unpark(&waiter->waiter, code);
}

/* Start a lookup: 0 and the entry, or an error. */
static int begin(struct bight_resolver *resolver, const struct resolve_question *question,
                 struct resolve_entry **out)
{
    size_t bytes = strlen(question->key);
    struct resolve_entry *entry = bight__resolve_add(resolver, question->key);
    struct resolve_job *job = NULL;
    int rc = BIGHT_ENOMEM;

    if (!entry)
        return BIGHT_ENOMEM;
    job = bight__alloc_zero(&resolver->sched->seams, sizeof(*job) + bytes + 1);
    if (!job)
        goto drop;
    atomic_init(&job->refs, 1);
    rc = bight_mailbox_get(&job->mailbox);
    if (rc)
        goto drop;
    memcpy(job->host, question->key, bytes + 1);
    job->kind = question->kind;
    if (question->address)
        job->answer.addresses[0] = *question->address;
    job->post.fn = on_looked_up;
    job->entry = entry;
    link_init(&job->link);
    rc = bight__resolver_threads_submit(resolver->threads, job);
    if (rc)
        goto drop;
    entry->job = job;
    resolver->stats.lookups++;
    *out = entry;
    return 0;

drop:
    if (job)
        bight__resolve_job_unref(job);
    bight__resolve_drop(entry);
    return rc;
}

int bight__resolve_host_name(const char *host, char *copy)
{
    size_t i;

    for (i = 0; host[i]; i++) {
        char c = host[i];
        if (i == RESOLVE_HOST_BYTES - 1)
            return BIGHT_EINVAL;
        if (c >= 'A' && c <= 'Z')
            c = (char)(c + ('a' - 'A'));
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.'))
            return BIGHT_EINVAL;
        copy[i] = c;
    }
    copy[i] = '\0';
    return i ? 0 : BIGHT_EINVAL;
}

int bight__resolve_ask(struct bight_resolver *resolver, const struct resolve_question *question,
                       bool tries, struct resolve_waiter *waiter)
{
    struct resolve_entry *entry = bight__resolve_find(resolver, question->key, bight_now_ns());
    int rc;

    waiter->entry = NULL;
    waiter->result->cached = true;
    if (entry && !entry->job && question->fresh) {
        if (tries)
            return BIGHT_EAGAIN;
        bight__resolve_forget(entry);
        entry = NULL;
    }
    if (entry && !entry->job) {
        resolver->stats.hits++;
        waiter->fresh_until_ns = entry->fresh_until_ns;
        return answer(&entry->answer, waiter);
    }
    if (tries)
        return BIGHT_EAGAIN;
    rc = bight_waiter_init(&waiter->waiter, &wait_ops);
    if (rc)
        return rc;
    if (entry)
        resolver->stats.merged++;
    else if ((rc = begin(resolver, question, &entry)))
        return rc;
    waiter->result->cached = false;
    waiter->entry = entry;
    link_append(&entry->waiters, &waiter->waiter.link);
    return bight_park(&waiter->waiter);
}

int bight__resolve_host(struct bight_resolver *resolver, const char *host, bool fresh, bool tries,
                        struct resolve_waiter *waiter)
{
    struct bight_resolved *result = waiter->result;
    struct resolve_question question = {.kind = RESOLVE_HOST, .fresh = fresh};
    char name[RESOLVE_HOST_BYTES];
    int rc;

    if (resolver->sched != bight__sched)
        return BIGHT_EPERM;
    waiter->entry = NULL;
    waiter->name = NULL;
    waiter->fresh_until_ns = UINT64_MAX;
    result->cached = true;
    if (bight_address_parse(host, &result->addresses[0]) == 0) {
        result->count = 1;
        result->gai_code = 0;
        result->text = "";
        resolver->stats.hits++;
        return 0;
    }
    rc = bight__resolve_host_name(host, name);
    question.key = name;
    return rc ? rc : bight__resolve_ask(resolver, &question, tries, waiter);
}

int bight__resolve(struct bight_resolver *resolver, const char *host, struct bight_resolved *result,
                   struct resolve_waiter *waiter)
{
    waiter->result = result;
    return bight__resolve_host(resolver, host, false, false, waiter);
}

void bight__resolver_leave(struct bight_resolver *resolver)
{
    if (--resolver->calls == 0 && resolver->closed)
        bight__free(resolver);
}

int bight__resolver_enter(struct bight_resolver *resolver)
{
    int rc;

    if (!bight_self())
        return BIGHT_ENOTASK;
    if (resolver->sched != bight__sched)
        return BIGHT_EPERM;
    resolver->calls++;
    rc = bight_checkpoint(); /* may yield to a task that closes the resolver */
    if (rc == 0 && resolver->closed)
        rc = BIGHT_ECLOSED;
    if (rc)
        bight__resolver_leave(resolver);
    return rc;
}

void bight_resolver_free(struct bight_resolver *resolver)
{
    if (!resolver)
        return;
    for (size_t i = 0; i < resolver->table.bucket_count; i++) {
        for (struct hash_node *node = resolver->table.buckets[i]; node; node = node->chain) {
            struct resolve_entry *entry = container_of(node, struct resolve_entry, place);

            wake_all(entry, BIGHT_ECLOSED);
            if (!entry->job)
                continue;
            if (!bight__resolver_threads_withdraw(resolver->threads, entry->job))
                entry->job->entry = NULL;
            bight__resolve_job_unref(entry->job);
        }
    }
    bight__resolve_cache_fini(resolver);
    bight__resolver_threads_close(resolver->threads);
    resolver->closed = true;
    if (!resolver->calls)
        bight__free(resolver);
}

void bight_resolver_get_stats(struct bight_resolver *resolver, struct bight_resolver_stats *stats)
{
    struct resolver_threads *threads;

    if (!resolver || !stats)
        return;
    threads = resolver->threads;
    *stats = resolver->stats;
    stats->entries = resolver->table.count;
    pthread_mutex_lock(&threads->lock);
    stats->threads = threads->threads;
    stats->busy = threads->threads - threads->idle;
    stats->queued = threads->queued;
    pthread_mutex_unlock(&threads->lock);
}
