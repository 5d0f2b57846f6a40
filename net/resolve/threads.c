/* The threads in which getaddrinfo runs. They are detached, because nobody may have to wait for one
 * that is stuck: what they touch is counted by reference, and the last one to leave frees it. */
#include "net/resolve/resolve.h"
#include "runtime/address.h"

#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

/* How long a thread stays without work. */
#define IDLE_SECONDS 2

/* RFC 6761, 6.3: "localhost" and what is under it is the loopback, whatever hosts files and name
 * servers say. `host` is in small letters. */
static bool is_localhost(const char *host)
{
    static const char name[] = "localhost";
    size_t bytes = strlen(host), name_bytes = sizeof(name) - 1;

    if (bytes && host[bytes - 1] == '.')
        bytes--;
    return bytes >= name_bytes && memcmp(host + bytes - name_bytes, name, name_bytes) == 0 &&
           (bytes == name_bytes || host[bytes - name_bytes - 1] == '.');
}

static int loopback(struct bight_address *addresses, size_t *count)
{
    addresses[0] = (struct bight_address){.family = 6, .bytes = {[15] = 1}};
    addresses[1] = (struct bight_address){.family = 4, .bytes = {127, 0, 0, 1}};
    *count = 2;
    return 0;
}

static int system_lookup(void *arg, const char *host, struct bight_address *addresses,
                         size_t *count)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *list;
    int rc;

    (void)arg;
    if (is_localhost(host))
        return loopback(addresses, count);
    rc = getaddrinfo(host, NULL, &hints, &list);
    if (rc)
        return rc;
    *count = 0;
    for (const struct addrinfo *at = list; at && *count < BIGHT_RESOLVE_ADDRESSES; at = at->ai_next)
        if (bight__address_from_sockaddr(at->ai_addr, &addresses[*count]) == 0)
            (*count)++;
    freeaddrinfo(list);
    return 0;
}

/* The key of a service is its protocol, ':' and its name. */
static int system_service(const char *key, struct resolve_answer *answer)
{
    struct addrinfo hints = {.ai_family = AF_INET};
    struct addrinfo *list;
    int rc;

    hints.ai_socktype = strncmp(key, "udp:", 4) == 0 ? SOCK_DGRAM : SOCK_STREAM;
    rc = getaddrinfo(NULL, key + 4, &hints, &list);
    if (rc)
        return rc;
    rc = bight__address_from_sockaddr(list->ai_addr, &answer->addresses[0]) ? EAI_SERVICE : 0;
    answer->count = 1;
    freeaddrinfo(list);
    return rc;
}

static int system_name(struct resolve_answer *answer)
{
    struct sockaddr_storage address;
    socklen_t bytes = bight__address_to_sockaddr(&answer->addresses[0], &address);

    answer->count = 1;
    return getnameinfo((const struct sockaddr *)&address, bytes, answer->name, sizeof(answer->name),
                       NULL, 0, NI_NAMEREQD);
}

static int look_up(const struct resolver_threads *threads, struct resolve_job *job)
{
    struct resolve_answer *answer = &job->answer;
    int rc;

    if (job->kind == RESOLVE_SERVICE)
        return system_service(job->host, answer);
    if (job->kind == RESOLVE_ADDRESS)
        return system_name(answer);
    rc = threads->lookup(threads->lookup_arg, job->host, answer->addresses, &answer->count);
    return rc || answer->count ? rc : EAI_NONAME;
}

struct resolver_threads *bight__resolver_threads_new(const struct bight_seams *seams,
                                                     unsigned max_threads)
{
    struct resolver_threads *threads = bight__alloc_zero(seams, sizeof(*threads));
    pthread_condattr_t attr;

    if (!threads)
        return NULL;
    /* None of these can fail on Linux: they only fill memory. */
    pthread_mutex_init(&threads->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&threads->wake, &attr);
    pthread_condattr_destroy(&attr);
    link_init(&threads->queue);
    threads->refs = 1;
    threads->max_threads = max_threads;
    threads->lookup = system_lookup;
    return threads;
}

/* Called with the lock held; releases it. */
static void unref_and_unlock(struct resolver_threads *threads)
{
    bool last = --threads->refs == 0;

    pthread_mutex_unlock(&threads->lock);
    if (!last)
        return;
    pthread_cond_destroy(&threads->wake);
    pthread_mutex_destroy(&threads->lock);
    bight__free(threads);
}

void bight__resolve_job_unref(struct resolve_job *job)
{
    if (atomic_fetch_sub(&job->refs, 1) > 1)
        return;
    bight_mailbox_unref(job->mailbox);
    bight__free(job);
}

/* The next job, or NULL when none comes for a while. Called with the lock held. */
static struct resolve_job *take_job(struct resolver_threads *threads)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += IDLE_SECONDS;
    while (link_empty(&threads->queue)) {
        if (threads->closed)
            return NULL;
        threads->idle++;
        int rc = pthread_cond_timedwait(&threads->wake, &threads->lock, &until);
        threads->idle--;
        if (rc == ETIMEDOUT && link_empty(&threads->queue))
            return NULL;
    }
    struct resolve_job *job = container_of(link_take(&threads->queue), struct resolve_job, link);
    job->queued = false;
    threads->queued--;
    return job;
}

/* Give the job back to the loop. Once it is posted it may be gone. */
static void deliver(struct resolve_job *job)
{
    struct bight_mailbox *mailbox = bight_mailbox_ref(job->mailbox);

    if (bight_post_record(mailbox, &job->post))
        bight__resolve_job_unref(job); /* the runtime has ended, though perhaps not its resolver */
    bight_mailbox_unref(mailbox);
}

static void *thread_main(void *arg)
{
    struct resolver_threads *threads = arg;
    struct resolve_job *job;

    pthread_mutex_lock(&threads->lock);
    while ((job = take_job(threads))) {
        pthread_mutex_unlock(&threads->lock);
        job->answer.gai_code = look_up(threads, job);
        deliver(job);
        pthread_mutex_lock(&threads->lock);
    }
    threads->threads--;
    unref_and_unlock(threads);
    return NULL;
}

/* Called with the lock held. Signals are the host's business: the thread blocks them all. */
static int start_thread(struct resolver_threads *threads)
{
    pthread_attr_t attr;
    pthread_t thread;
    sigset_t all, before;

    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&thread, &attr, thread_main, threads);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    if (rc == 0) {
        threads->threads++;
        threads->refs++;
    }
    return -rc;
}

int bight__resolver_threads_submit(struct resolver_threads *threads, struct resolve_job *job)
{
    int rc = 0;

    pthread_mutex_lock(&threads->lock);
    job->queued = true;
    link_append(&threads->queue, &job->link);
    if (++threads->queued > threads->idle && threads->threads < threads->max_threads)
        rc = start_thread(threads);
    if (rc && threads->threads == 0) {
        /* No thread would ever take it. */
        job->queued = false;
        threads->queued--;
        link_remove(&job->link);
    } else {
        rc = 0;
        atomic_fetch_add(&job->refs, 1);
        pthread_cond_signal(&threads->wake);
    }
    pthread_mutex_unlock(&threads->lock);
    return rc;
}

bool bight__resolver_threads_withdraw(struct resolver_threads *threads, struct resolve_job *job)
{
    pthread_mutex_lock(&threads->lock);
    bool queued = job->queued;
    if (queued) {
        job->queued = false;
        threads->queued--;
        link_remove(&job->link);
    }
    pthread_mutex_unlock(&threads->lock);
    if (queued)
        bight__resolve_job_unref(job);
    return queued;
}

void bight__resolver_threads_close(struct resolver_threads *threads)
{
    pthread_mutex_lock(&threads->lock);
    threads->closed = true;
    pthread_cond_broadcast(&threads->wake);
    unref_and_unlock(threads);
}
