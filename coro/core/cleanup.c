/* What a task has until its end: handlers for that end (bight_defer), and task locals. Locals are a
 * list that children share with their parent by counting references; setting one writes in place
 * while nobody else shares the node. */
#include "coro/core/scope.h"

#include <string.h>

struct bight_defer {
    struct bight_defer *next;
    void (*fn)(void *arg);
    void *arg;
};

int bight_defer(void (*fn)(void *arg), void *arg)
{
    struct bight_sched *sched = bight__sched;
    struct bight_defer *defer;

    if (!fn)
        return BIGHT_EINVAL;
    if (!sched || !sched->current)
        return BIGHT_ENOTASK;
    defer = bight__alloc(&sched->seams, sizeof(*defer));
    if (!defer)
        return BIGHT_ENOMEM;
    defer->fn = fn;
    defer->arg = arg;
    sched->current->base.kind |= SCOPE_OWES;
    defer->next = sched->current->defers;
    sched->current->defers = defer;
    return 0;
}

/* A handler may add handlers: they run next. */
static int defers_body(void *arg)
{
    struct bight_task *task = arg;
    struct bight_defer *defer;

    while ((defer = task->defers)) {
        task->defers = defer->next;
        defer->fn(defer->arg);
        bight__free(defer);
    }
    return 0;
}

void bight__defers_run(struct bight_task *task)
{
    int64_t budget_ms = task->sched->options.cleanup_timeout_ms;
    int rc = bight_shield(budget_ms > 0 ? budget_ms : -1, defers_body, task);

    /* The handlers return nothing. Calls in them have seen it if the budget ran out. */
    (void)rc;
}

/* A value that is a copy. */
struct local_copy {
    size_t refs; /* nodes that have it */
    _Alignas(max_align_t) unsigned char bytes[];
};

struct bight_local_node {
    size_t refs; /* tasks and nodes that point here */
    struct bight_local_node *next;
    const struct bight_local *local;
    void *value;
    struct local_copy *copy; /* which the value points into; NULL: it is somebody else's */
};

static void copy_unref(struct local_copy *copy)
{
    if (copy && --copy->refs == 0)
        bight__free(copy);
}

void bight__locals_share(struct bight_task *child, const struct bight_task *parent)
{
    child->base.kind |= SCOPE_OWES;
    child->locals = parent->locals;
    child->locals->refs++;
}

void *bight__local_of(const struct bight_task *task, const struct bight_local *local)
{
    const struct bight_local_node *node = task ? task->locals : NULL;

    for (; node; node = node->next) {
        if (node->local == local)
            return node->value;
    }
    return local ? local->initial : NULL;
}

void *bight_local_get(const struct bight_local *local)
{
    return bight__local_of(bight_self(), local);
}

static struct bight_local_node *node_new(const struct bight_seams *seams,
                                         const struct bight_local *local, void *value,
                                         struct local_copy *copy)
{
    struct bight_local_node *node = bight__alloc(seams, sizeof(*node));

    if (node) {
        node->refs = 1;
        node->local = local;
        node->value = value;
        node->copy = copy;
        if (copy)
            copy->refs++;
        node->next = NULL;
    }
    return node;
}

static void list_unref(struct bight_local_node *node)
{
    while (node && --node->refs == 0) {
        struct bight_local_node *next = node->next;

        copy_unref(node->copy);
        bight__free(node);
        node = next;
    }
}

void bight__locals_drop(struct bight_task *task)
{
    list_unref(task->locals);
    task->locals = NULL;
}

/* A list like the task's, with a new node for `local`, that shares what was behind the old node: so
 * a list never has two nodes of a local, however often it is set. NULL: no memory. */
static struct bight_local_node *list_with(struct bight_task *task, const struct bight_local *local,
                                          void *value, struct local_copy *copy)
{
    const struct bight_seams *seams = &task->sched->seams;
    struct bight_local_node *first = node_new(seams, local, value, copy);
    struct bight_local_node *last = first;
    struct bight_local_node *old;

    for (old = task->locals; old && old->local != local; old = old->next)
        continue;
    if (first && !old) {
        first->next = task->locals;
        if (first->next)
            first->next->refs++;
        return first;
    }
    for (old = task->locals; first && old->local != local; old = old->next) {
        last->next = node_new(seams, old->local, old->value, old->copy);
        if (!last->next) {
            list_unref(first);
            return NULL;
        }
        last = last->next;
    }
    if (first && old->next) {
        last->next = old->next;
        old->next->refs++;
    }
    return first;
}

static int set(struct bight_task *task, const struct bight_local *local, void *value,
               struct local_copy *copy)
{
    struct bight_local_node *node;

    for (node = task->locals; node && node->refs == 1; node = node->next) {
        if (node->local == local) {
            copy_unref(node->copy);
            node->value = value;
            node->copy = copy;
            if (copy)
                copy->refs++;
            return 0;
        }
    }
    node = list_with(task, local, value, copy);
    if (!node)
        return BIGHT_ENOMEM;
    list_unref(task->locals);
    task->base.kind |= SCOPE_OWES;
    task->locals = node;
    return 0;
}

int bight_local_set(const struct bight_local *local, void *value)
{
    struct bight_task *task = bight_self();

    if (!local)
        return BIGHT_EINVAL;
    if (!task)
        return BIGHT_ENOTASK;
    return set(task, local, value, NULL);
}

int bight_local_set_copy(const struct bight_local *local, const void *data, size_t bytes)
{
    struct bight_task *task = bight_self();
    struct local_copy *copy;
    int rc;

    if (!local || (!data && bytes) || bytes > PTRDIFF_MAX - sizeof(*copy))
        return BIGHT_EINVAL;
    if (!task)
        return BIGHT_ENOTASK;
    copy = bight__alloc(&task->sched->seams, sizeof(*copy) + bytes);
    if (!copy)
        return BIGHT_ENOMEM;
    copy->refs = 1;
    if (bytes)
        memcpy(copy->bytes, data, bytes);
    rc = set(task, local, copy->bytes, copy);
    copy_unref(copy);
    return rc;
}
