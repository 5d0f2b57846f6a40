/* What a task has until its end: handlers for that end (bight_defer), and task locals. Locals are a
 * list that children share with their parent by counting references; setting one writes in place
 * while nobody else shares the node. */
#include "coro/core/task.h"

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

struct bight_local_node {
    size_t refs; /* tasks and nodes that point here */
    struct bight_local_node *next;
    const struct bight_local *local;
    void *value;
};

void bight__locals_share(struct bight_task *child, const struct bight_task *parent)
{
    child->locals = parent->locals;
    child->locals->refs++;
}

void *bight_local_get(const struct bight_local *local)
{
    struct bight_task *task = bight_self();
    const struct bight_local_node *node = task ? task->locals : NULL;

    for (; node; node = node->next) {
        if (node->local == local)
            return node->value;
    }
    return local ? local->initial : NULL;
}

static struct bight_local_node *node_new(const struct bight_seams *seams,
                                         const struct bight_local *local, void *value)
{
    struct bight_local_node *node = bight__alloc(seams, sizeof(*node));

    if (node) {
        node->refs = 1;
        node->local = local;
        node->value = value;
        node->next = NULL;
    }
    return node;
}

static void list_unref(struct bight_local_node *node)
{
    while (node && --node->refs == 0) {
        struct bight_local_node *next = node->next;

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
                                          void *value)
{
    const struct bight_seams *seams = &task->sched->seams;
    struct bight_local_node *first = node_new(seams, local, value);
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
        last->next = node_new(seams, old->local, old->value);
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

int bight_local_set(const struct bight_local *local, void *value)
{
    struct bight_task *task = bight_self();
    struct bight_local_node *node;

    if (!local)
        return BIGHT_EINVAL;
    if (!task)
        return BIGHT_ENOTASK;
    for (node = task->locals; node && node->refs == 1; node = node->next) {
        if (node->local == local) {
            node->value = value;
            return 0;
        }
    }
    node = list_with(task, local, value);
    if (!node)
        return BIGHT_ENOMEM;
    list_unref(task->locals);
    task->locals = node;
    return 0;
}
