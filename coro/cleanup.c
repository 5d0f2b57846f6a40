/* What a task carries with it: handlers for its end (bight_defer) and task locals. Locals are a list
 * that children share with their parent by counting references; setting one prepends, or writes in
 * place as long as nobody else sees the node. */
#include "coro/sched.h"

struct bight_defer {
    struct bight_defer *next;
    void (*fn)(void *arg);
    void *arg;
};

int bight_defer(void (*fn)(void *arg), void *arg)
{
    struct bight_sched *sched = bight__sched;
    struct bight_defer *defer;

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

    /* The handlers return nothing; a budget that ran out was seen by those it concerned. */
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

void bight__locals_drop(struct bight_task *task)
{
    struct bight_local_node *node = task->locals;

    task->locals = NULL;
    while (node && --node->refs == 0) {
        struct bight_local_node *next = node->next;

        bight__free(node);
        node = next;
    }
}

void *bight_local_get(const struct bight_local *local)
{
    struct bight_task *task = bight_self();
    const struct bight_local_node *node = task ? task->locals : NULL;

    for (; node; node = node->next) {
        if (node->local == local)
            return node->value;
    }
    return local->initial;
}

int bight_local_set(const struct bight_local *local, void *value)
{
    struct bight_task *task = bight_self();
    struct bight_local_node *node;

    if (!task)
        return BIGHT_ENOTASK;
    for (node = task->locals; node && node->refs == 1; node = node->next) {
        if (node->local == local) {
            node->value = value;
            return 0;
        }
    }
    node = bight__alloc(&task->sched->seams, sizeof(*node));
    if (!node)
        return BIGHT_ENOMEM;
    node->refs = 1;
    node->local = local;
    node->value = value;
    node->next = task->locals; /* the task's reference passes to the node */
    task->locals = node;
    return 0;
}
