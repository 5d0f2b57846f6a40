/* See thread_case.h. The source's lock guards its list; while a case is told it is in the mailbox's
 * list, under the mailbox's lock, which is taken second. */
#include "runtime/threads/thread_case.h"

#include <assert.h>

static_assert(sizeof(struct bight__thread_case) <=
                  sizeof(struct bight_case) - offsetof(struct bight_case, waiter),
              "a case has room for its notice");

static struct bight__thread_case *record_of(struct bight_waiter *waiter)
{
    return container_of(waiter, struct bight__thread_case, waiter);
}

static void look(struct bight_notice *notice)
{
    struct bight__thread_case *record = container_of(notice, struct bight__thread_case, notice);
    struct bight_case *of = bight_case_of(&record->waiter);

    record->told = true;
    (void)of->ops->arm(of);
}

void bight__thread_case_make(struct bight_case *to, const struct bight_case_ops *ops, void *source)
{
    struct bight__thread_case *record;

    if (!to)
        return;
    bight_case_custom(to, source ? ops : NULL, source);
    record = record_of(&to->waiter);
    link_init(&record->notice.link);
    record->notice.fn = look;
    record->told = false;
}

int bight__thread_case_arm(struct bight_case *of, int rc, struct bight_link *list, uv_mutex_t *lock)
{
    struct bight__thread_case *record = record_of(&of->waiter);
    bool again = record->told;

    record->told = false;
    if (rc == BIGHT_EAGAIN) {
        record->mailbox = bight__runtime()->mailbox;
        if (again)
            link_prepend(list, &of->waiter.link);
        else
            link_append(list, &of->waiter.link);
    }
    uv_mutex_unlock(lock);
    if (rc != BIGHT_EAGAIN)
        (void)bight_unpark(&of->waiter, rc); /* it lets go of others, maybe under the same lock */
    return 0;
}

int bight__thread_case_abort(struct bight_waiter *waiter, struct bight_link *list, uv_mutex_t *lock)
{
    uv_mutex_lock(lock);
    link_remove(&waiter->link);
    if (bight__notice_withdraw(bight__runtime()->mailbox, &record_of(waiter)->notice))
        bight__thread_case_tell(list);
    uv_mutex_unlock(lock);
    return 0;
}

/* Its task lives, so the mailbox is open. */
void bight__thread_case_tell_first(struct bight_link *list)
{
    struct bight_link *first = link_take(list);
    struct bight__thread_case *record = record_of(container_of(first, struct bight_waiter, link));

    bight__notice_post(record->mailbox, &record->notice);
}

void bight__thread_case_tell_all(struct bight_link *list)
{
    while (!link_empty(list))
        bight__thread_case_tell_first(list);
}
