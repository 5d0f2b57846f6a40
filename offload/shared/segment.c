/* See segment.h. The list of segments is the one thing here that belongs to the process and not to
 * a runtime: whoever has an object's address, on any thread, finds its segment there. */
#include "offload/shared/base.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAKER 1u
#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)
/* How many bells are heard at a time: whoever rings without end must not stop the loop. */
#define BELLS_MAX 16

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static struct bight_link segments = {&segments, &segments};

static struct bight_shared *segment_of(struct bight_link *link)
{
    return container_of(link, struct bight_shared, link);
}

struct bight_shared *bight__shared_find(const void *at, size_t bytes)
{
    struct bight_shared *found = NULL;

    if (!at)
        return NULL;
    pthread_rwlock_rdlock(&lock);
    for (struct bight_link *link = segments.next; link != &segments; link = link->next) {
        const struct bight_shared *segment = segment_of(link);
        uintptr_t offset = (uintptr_t)at - (uintptr_t)segment->data;

        if (offset <= segment->room && bytes <= segment->room - offset) {
            found = segment_of(link);
            break;
        }
    }
    pthread_rwlock_unlock(&lock);
    return found;
}

static void enlist(struct bight_shared *segment)
{
    pthread_rwlock_wrlock(&lock);
    link_append(&segments, &segment->link);
    pthread_rwlock_unlock(&lock);
}

static void unlist(struct bight_shared *segment)
{
    pthread_rwlock_wrlock(&lock);
    link_remove(&segment->link);
    pthread_rwlock_unlock(&lock);
}

void bight__shared_forget(void)
{
    pthread_rwlock_init(&lock, NULL); /* the zygote has one thread, which does not hold it */
    link_init(&segments);
}

/* Map the file, and learn where its parts are. */
static int map(struct bight_shared *segment, int memory)
{
    struct stat about;
    void *at;

    if (fstat(memory, &about) < 0)
        return -errno;
    if (about.st_size < (off_t)sizeof(struct shared_tail))
        return BIGHT_EINVAL;
    segment->map_bytes = (size_t)about.st_size;
    at = mmap(NULL, segment->map_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
    if (at == MAP_FAILED)
        return -errno;
    segment->data = at;
    segment->room = segment->map_bytes - sizeof(struct shared_tail);
    segment->tail = (struct shared_tail *)(void *)(segment->data + segment->room);
    return 0;
}

int bight__shared_take(struct bight_shared **out, int memory, int bell, uint32_t member)
{
    struct bight_shared *segment = bight__alloc_zero(NULL, sizeof(*segment));
    int rc = segment ? map(segment, memory) : BIGHT_ENOMEM;

    close(memory);
    if (rc) {
        close(bell);
        bight__free(segment);
        return rc;
    }
    segment->member = member;
    segment->bell = bell;
    segment->bytes = segment->tail->bytes < segment->room ? segment->tail->bytes : segment->room;
    enlist(segment);
    *out = segment;
    return 0;
}

void bight__shared_drop(struct bight_shared *segment)
{
    unlist(segment);
    munmap(segment->data, segment->map_bytes);
    close(segment->bell);
    bight__free(segment);
}

static void rung(void *arg)
{
    struct bight_shared *segment = arg;
    char byte;

    for (int i = 0; i < BELLS_MAX; i++) {
        if (recv(bight__watch_fd(segment->watch), &byte, 1, MSG_DONTWAIT) < 0)
            break;
    }
    bight__shared_wake_tasks(segment, false);
}

/* Make the pair of sockets. Datagrams, so that no worker can end the connection; and flags of a
 * socket belong to one end only, so none can make this process wait. */
static int make_bell(struct bight_shared *segment)
{
    const struct bight_seams *seams = &segment->runtime->sched.seams;
    int pair[2], rc;

    if (bight__call_fails(seams, "socketpair") ||
        socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair) < 0)
        return -errno;
    rc = bight__watch_new(&segment->watch, segment->runtime, pair[0], rung, segment);
    if (rc) {
        close(pair[0]);
        close(pair[1]);
        return rc;
    }
    segment->bell = pair[1];
    return 0;
}

/* Seals keep the workers from shrinking it under our feet. A child of this process does not get it:
 * it would not be told of deaths. */
static int make_memory(struct bight_shared *segment)
{
    const struct bight_seams *seams = &segment->runtime->sched.seams;
    uint64_t room = (segment->bytes + 63) & ~UINT64_C(63);
    struct rlimit limit;
    int rc;

    room += sizeof(struct shared_tail);
    /* Beyond this limit ftruncate raises SIGXFSZ, which would end this process. */
    if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur < room)
        return BIGHT_EFBIG;
    if (!bight__may_map(seams, __builtin_return_address(0)))
        return BIGHT_ENOMEM;
    if (bight__call_fails(seams, "memfd_create"))
        return -errno;
    segment->memory = memfd_create("bight-shared", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (segment->memory < 0)
        return -errno;
    if (ftruncate(segment->memory, (off_t)room) < 0 ||
        fcntl(segment->memory, F_ADD_SEALS, SEALS) < 0)
        return -errno;
    rc = map(segment, segment->memory);
    if (rc)
        return rc;
    (void)madvise(segment->data, segment->map_bytes, MADV_DONTFORK);
    segment->tail->bytes = segment->bytes;
    return 0;
}

/* Let go of what has been made of it. */
static void release(struct bight_shared *segment)
{
    if (segment->tail)
        shared_store(segment->tail->dropped, 1); /* first: workers that look are woken then */
    while (!link_empty(&segment->holders)) {
        struct shared_holder *holder =
            container_of(segment->holders.next, struct shared_holder, link);

        holder->leave(holder);
    }
    unlist(segment);
    bight__watch_close(segment->watch);
    if (segment->data)
        munmap(segment->data, segment->map_bytes);
    if (segment->memory >= 0)
        close(segment->memory);
    if (segment->bell >= 0)
        close(segment->bell);
    bight__free(segment->objects);
    bight__free(segment);
}

static void end_with_runtime(struct bight_plugin *plugin)
{
    struct bight_shared *segment = container_of(plugin, struct bight_shared, plugin);

    bight__opened_left(segment->runtime, segment, "a shared segment");
    release(segment);
}

/* noinline: its return address is the site that bight__may_map asks about. */
__attribute__((noinline)) static int fill_in(struct bight_shared *segment)
{
    int rc = make_memory(segment);

    return rc ? rc : make_bell(segment);
}

int bight_shared_new(struct bight_shared **out, size_t bytes)
{
    struct bight_runtime *runtime;
    struct bight_shared *segment;
    int rc;

    if (!out || !bytes || bytes > SIZE_MAX / 4)
        return BIGHT_EINVAL;
    rc = bight__runtime_get(&runtime);
    if (rc)
        return rc;
    segment = bight__alloc_zero(&runtime->sched.seams, sizeof(*segment));
    if (!segment)
        return BIGHT_ENOMEM;
    segment->runtime = runtime;
    segment->bytes = bytes;
    segment->member = MAKER;
    segment->memory = segment->bell = -1;
    segment->plugin.end = end_with_runtime;
    link_init(&segment->link);
    link_init(&segment->waits);
    link_init(&segment->holders);
    rc = fill_in(segment);
    if (rc) {
        release(segment);
        return rc;
    }
    enlist(segment);
    bight__plugin_add(runtime, &segment->plugin);
    bight__opened_note(runtime, segment);
    *out = segment;
    return 0;
}

int bight_shared_free(struct bight_shared *segment)
{
    if (!segment)
        return BIGHT_EINVAL;
    if (segment->runtime != bight__runtime())
        return BIGHT_EPERM;
    if (segment->inside)
        return BIGHT_EBUSY;
    link_remove(&segment->plugin.link);
    bight__opened_forget(segment->runtime, segment);
    release(segment);
    return 0;
}

void *bight_shared_data(const struct bight_shared *segment)
{
    return segment ? segment->data : NULL;
}

size_t bight_shared_bytes(const struct bight_shared *segment)
{
    return segment ? segment->bytes : 0;
}

/* Where the object at `at` is in the list, or has to be put. */
static size_t place_of(const struct bight_shared *segment, uint64_t at)
{
    size_t low = 0, high = segment->object_count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (segment->objects[middle].at < at)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int make_place(struct bight_shared *segment, size_t place)
{
    if (segment->object_count == segment->object_room) {
        size_t room = segment->object_room ? segment->object_room * 2 : 16;
        struct shared_object *objects =
            bight__alloc(bight__sched ? &bight__sched->seams : NULL, room * sizeof(*objects));

        if (!objects)
            return BIGHT_ENOMEM;
        if (segment->object_count)
            memcpy(objects, segment->objects, segment->object_count * sizeof(*objects));
        bight__free(segment->objects);
        segment->objects = objects;
        segment->object_room = room;
    }
    memmove(segment->objects + place + 1, segment->objects + place,
            (segment->object_count - place) * sizeof(*segment->objects));
    segment->object_count++;
    return 0;
}

int bight__shared_enter(struct bight__shared_base *base, size_t bytes, uint32_t kind)
{
    struct bight_shared *segment = bight__shared_find(base, bytes);
    uint64_t at;
    size_t place;
    int rc = 0;

    if (!segment || (uintptr_t)base % sizeof(uint64_t))
        return BIGHT_EINVAL;
    if (segment->member != MAKER || !segment->runtime)
        return BIGHT_EPERM;
    at = (uint64_t)((unsigned char *)base - segment->data);
    pthread_rwlock_wrlock(&lock);
    place = place_of(segment, at);
    if (place == segment->object_count || segment->objects[place].at != at)
        rc = make_place(segment, place);
    if (!rc)
        segment->objects[place] = (struct shared_object){at, kind};
    pthread_rwlock_unlock(&lock);
    if (!rc)
        memset(base, 0, bytes);
    return rc;
}

/* What it held is free now: a mutex in disorder, queue and pipe as they are. */
static void bury(struct bight__shared_base *base, uint32_t kind, uint32_t member)
{
    uint64_t *held = (uint64_t *)(void *)(base + 1);
    uint64_t owner = shared_load(*held);

    if ((kind == SHARED_MUTEX || kind == SHARED_QUEUE || kind == SHARED_PIPE) &&
        owner >> 32 == member)
        (void)!shared_swap(*held, &owner, kind == SHARED_MUTEX ? OWNER_DIED : 0);
}

void bight__shared_death(struct bight_shared *segment, uint32_t member)
{
    pthread_rwlock_rdlock(&lock);
    for (size_t i = 0; i < segment->object_count; i++) {
        struct shared_object *object = &segment->objects[i];
        struct bight__shared_base *base = (void *)(segment->data + object->at);

        bury(base, object->kind, member);
        bight__shared_stir(base);
    }
    pthread_rwlock_unlock(&lock);
    bight__shared_wake_tasks(segment, true);
}
