/* The directories of a watch, by the kernel's number and by place. */
#include "runtime/file/watch.h"

#include <errno.h>
#include <string.h>
#include <sys/inotify.h>

static uint32_t place_hash(const struct bight_watch *watch, const struct watch_node *parent,
                           const char *name, size_t name_bytes)
{
    uint64_t seed = watch->places.seed;

    if (parent)
        seed ^= (uint64_t)(uint32_t)parent->wd * 0x9e3779b97f4a7c15u;
    return hash_bytes(seed, name, name_bytes);
}

struct watch_node *bight__watch_by_wd(const struct bight_watch *watch, int wd)
{
    struct hash_node *at = hash_first(&watch->wds, (uint32_t)wd);

    return at ? container_of(at, struct watch_node, by_wd) : NULL;
}

static bool is_at(const struct watch_node *node, const struct watch_node *parent, const char *name,
                  size_t name_bytes)
{
    return node->parent == parent && node->name_bytes == name_bytes &&
           memcmp(node->name, name, name_bytes) == 0;
}

struct watch_node *bight__watch_by_place(const struct bight_watch *watch,
                                         const struct watch_node *parent, const char *name,
                                         size_t name_bytes, bool newest)
{
    uint32_t hash = place_hash(watch, parent, name, name_bytes);
    struct watch_node *found = NULL;

    for (struct hash_node *at = hash_first(&watch->places, hash); at;
         at = hash_along(at->chain, hash)) {
        struct watch_node *node = container_of(at, struct watch_node, by_place);

        if (is_at(node, parent, name, name_bytes) &&
            (!found || (node->number > found->number) == newest))
            found = node;
    }
    return found;
}

void bight__watch_unplace(struct bight_watch *watch, struct watch_node *node)
{
    if (node->placed)
        bight__hash_remove(&watch->places, &node->by_place);
    node->placed = false;
}

static struct watch_node *node_new(struct bight_watch *watch, int wd)
{
    struct watch_node *node = bight__alloc_zero(watch->seams, sizeof(*node));

    if (!node)
        return NULL;
    node->wd = wd;
    link_init(&node->link);
    link_init(&node->children);
    bight__hash_add(&watch->wds, watch->seams, &node->by_wd, (uint32_t)wd);
    return node;
}

/* What was seen may be newer than what the kernel has told: then a directory can turn up below what
 * is still known as being in it. */
static bool is_below(const struct watch_node *node, const struct watch_node *parent)
{
    while (parent && parent != node)
        parent = parent->parent;
    return parent;
}

int bight__watch_place(struct bight_watch *watch, int wd, struct watch_node *parent,
                       const char *name, size_t name_bytes, bool *fresh)
{
    struct watch_node *node = bight__watch_by_wd(watch, wd);
    char *copy;

    *fresh = !node;
    if (node && node->placed && is_at(node, parent, name, name_bytes)) {
        node->seen = watch->scan;
        return 0;
    }
    if (node && is_below(node, parent))
        return -ELOOP;
    copy = bight__alloc(watch->seams, name_bytes + 1);
    if (copy && !node)
        node = node_new(watch, wd);
    if (!copy || !node) {
        bight__free(copy);
        return BIGHT_ENOMEM;
    }
    memcpy(copy, name, name_bytes);
    copy[name_bytes] = '\0';
    bight__watch_unplace(watch, node);
    link_remove(&node->link);
    bight__free(node->name);
    node->name = copy;
    node->name_bytes = name_bytes;
    node->parent = parent;
    node->placed = true;
    node->number = ++watch->numbers;
    node->seen = watch->scan;
    if (parent)
        link_append(&parent->children, &node->link);
    bight__hash_add(&watch->places, watch->seams, &node->by_place,
                    place_hash(watch, parent, name, name_bytes));
    return 0;
}

static void node_free(struct watch_node *node)
{
    bight__free(node->name);
    bight__free(node);
}

static void take_out(struct bight_watch *watch, struct watch_node *node)
{
    bight__watch_unplace(watch, node);
    bight__hash_remove(&watch->wds, &node->by_wd);
    link_remove(&node->link);
}

void bight__watch_drop(struct bight_watch *watch, struct watch_node *node)
{
    struct bight_link work;
    struct bight_link *link;

    link_init(&work);
    take_out(watch, node);
    link_append(&work, &node->link);
    while ((link = link_take(&work))) {
        node = container_of(link, struct watch_node, link);
        while (!link_empty(&node->children)) {
            struct watch_node *child = container_of(node->children.next, struct watch_node, link);

            take_out(watch, child);
            link_append(&work, &child->link);
        }
        link_append(&watch->dropped, link);
    }
}

void bight__watch_forget(struct bight_watch *watch, struct watch_node *node)
{
    while (!link_empty(&node->children))
        bight__watch_drop(watch, container_of(node->children.next, struct watch_node, link));
    take_out(watch, node);
    if (watch->root == node)
        watch->root = NULL;
    node_free(node);
}

/* The next node in an order in which parents come before their children; NULL: the end. */
static struct watch_node *next_of(struct watch_node *node, bool deeper)
{
    if (deeper && !link_empty(&node->children))
        return container_of(node->children.next, struct watch_node, link);
    while (node->parent && node->link.next == &node->parent->children)
        node = node->parent;
    return node->parent ? container_of(node->link.next, struct watch_node, link) : NULL;
}

void bight__watch_drop_unseen(struct bight_watch *watch)
{
    struct watch_node *node = watch->root, *next;

    for (; node; node = next) {
        bool stays = node->seen == watch->scan || node == watch->root;

        next = next_of(node, stays);
        if (!stays)
            bight__watch_drop(watch, node);
    }
}

static int text_reserve(const struct bight_watch *watch, struct watch_text *text, size_t bytes)
{
    size_t room = text->room ? text->room : 256;
    char *data;

    if (bytes <= text->room)
        return 0;
    while (room < bytes)
        room *= 2;
    data = bight__alloc(watch->seams, room);
    if (!data)
        return BIGHT_ENOMEM;
    bight__free(text->data);
    text->data = data;
    text->room = room;
    return 0;
}

/* Only the root's name may end in a slash, or be empty. */
static size_t with_slash(const struct watch_node *node)
{
    bool ends = node->name_bytes && node->name[node->name_bytes - 1] == '/';

    return node->name_bytes + !ends;
}

int bight__watch_path(const struct bight_watch *watch, struct watch_text *text,
                      const struct watch_node *node, const char *name)
{
    size_t name_bytes = name ? strlen(name) : node->name_bytes, bytes = name_bytes;
    const struct watch_node *first = name ? node : node->parent;
    int rc;

    for (const struct watch_node *at = first; at; at = at->parent)
        bytes += with_slash(at);
    rc = text_reserve(watch, text, bytes + 1);
    if (rc)
        return rc;
    text->data[bytes] = '\0';
    bytes -= name_bytes;
    memcpy(text->data + bytes, name ? name : node->name, name_bytes);
    for (const struct watch_node *at = first; at; at = at->parent) {
        text->data[bytes - 1] = '/';
        bytes -= with_slash(at);
        memcpy(text->data + bytes, at->name, at->name_bytes);
    }
    return 0;
}

void bight__watch_let_go(struct bight_watch *watch)
{
    struct watch_node *node = container_of(link_take(&watch->dropped), struct watch_node, link);

    (void)inotify_rm_watch(watch->fd, node->wd); /* it may have gone by itself */
    node_free(node);
}

void bight__watch_tree_free(struct bight_watch *watch)
{
    struct bight_link *link;

    if (watch->root)
        bight__watch_drop(watch, watch->root);
    watch->root = NULL;
    while ((link = link_take(&watch->dropped)))
        node_free(container_of(link, struct watch_node, link));
    bight__hash_fini(&watch->wds);
    bight__hash_fini(&watch->places);
}
