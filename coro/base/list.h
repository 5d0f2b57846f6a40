/* Lists: one intrusive two-word node (struct bight_link of <bight/waiter.h>), circular, with the
 * list head being a node too. A node outside of any list points at itself, so that unlinking is
 * idempotent.
 *
 * A list in a record that a user places may also be all zero, which means empty; the same is true
 * of a node. The list_* functions allow that, at the cost of one more branch than the link_* ones,
 * which need an initialised list. */
#ifndef BIGHT_CORO_BASE_LIST_H
#define BIGHT_CORO_BASE_LIST_H

#include <bight/waiter.h>

#define container_of(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

static inline void link_init(struct bight_link *link)
{
    link->next = link;
    link->prev = link;
}

static inline bool link_empty(const struct bight_link *head)
{
    return head->next == head;
}

static inline void link_append(struct bight_link *head, struct bight_link *link)
{
    link->next = head;
    link->prev = head->prev;
    head->prev->next = link;
    head->prev = link;
}

static inline void link_prepend(struct bight_link *head, struct bight_link *link)
{
    link_append(head->next, link);
}

/* Unlink a node that is about to be freed or linked elsewhere: its own pointers do not change. */
static inline void link_cut(struct bight_link *link)
{
    link->next->prev = link->prev;
    link->prev->next = link->next;
}

static inline void link_remove(struct bight_link *link)
{
    link_cut(link);
    link_init(link);
}

/* Unlink and return the first node; NULL when the list is empty. */
static inline struct bight_link *link_take(struct bight_link *head)
{
    struct bight_link *first = head->next;

    if (first == head)
        return NULL;
    link_remove(first);
    return first;
}

/* Move all nodes of `from` to the end of `to`. */
static inline void link_splice(struct bight_link *to, struct bight_link *from)
{
    if (link_empty(from))
        return;
    from->next->prev = to->prev;
    to->prev->next = from->next;
    from->prev->next = to;
    to->prev = from->prev;
    link_init(from);
}

/* Whether a list is empty, or a node outside of any list. */
static inline bool list_empty(const struct bight_link *head)
{
    return !head->next || link_empty(head);
}

static inline void list_append(struct bight_link *head, struct bight_link *link)
{
    if (!head->next)
        link_init(head);
    link_append(head, link);
}

static inline void list_prepend(struct bight_link *head, struct bight_link *link)
{
    if (!head->next)
        link_init(head);
    link_prepend(head, link);
}

static inline struct bight_link *list_take(struct bight_link *head)
{
    if (!head->next)
        link_init(head);
    return link_take(head);
}

/* Walks the list. */
static inline size_t list_count(const struct bight_link *head)
{
    const struct bight_link *link;
    size_t count = 0;

    for (link = head->next; link && link != head; link = link->next)
        count++;
    return count;
}

#endif
