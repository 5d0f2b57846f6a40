/* ps and pstree: task by task, as bight_tasks visits them, parents before their children. */
#include "net/monitor/answer.h"

#include <inttypes.h>

#include <bight/runtime.h>

/* Where in the walk an answer is. */
struct walk {
    struct bight_answer *answer;
    void (*show)(struct walk *walk, const struct bight_task_info *info, unsigned depth);
    bool text; /* for people, whose terminal must not take a name for a command */
    size_t shown;
    unsigned depth; /* of the one shown last */
};

const char *bight__state_name(enum bight_task_state state)
{
    static const char *const names[] = {"new", "ready", "running", "waiting", "ended"};

    return names[state];
}

static unsigned depth_of(const struct bight_task *task)
{
    unsigned depth = 1;

    while ((task = bight_task_parent(task)))
        depth++;
    return depth;
}

static void clean(char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            *text = '?';
    }
}

static bool visit(void *arg, struct bight_task *task)
{
    struct walk *walk = arg;
    struct bight_task_info info;
    unsigned depth = depth_of(task);

    if (walk->shown >= walk->answer->tasks_max || bight_task_get_info(task, &info))
        return false;
    if (walk->text) {
        clean(info.name);
        clean(info.waits_for);
    }
    walk->show(walk, &info, depth);
    walk->shown++;
    walk->depth = depth;
    return true;
}

static size_t live(void)
{
    struct bight_runtime_stats stats = {0};

    (void)bight_runtime_get_stats(&stats); /* a task runs, so there is a runtime */
    return stats.live;
}

static struct walk walk_tasks(struct bight_answer *answer, bool text,
                              void (*show)(struct walk *walk, const struct bight_task_info *info,
                                           unsigned depth))
{
    struct walk walk = {.answer = answer, .show = show, .text = text};

    bight_tasks(visit, &walk);
    return walk;
}

static void tell_rest(const struct walk *walk)
{
    if (walk->shown < live())
        bight__reply_add(walk->answer, "and %zu more\n", live() - walk->shown);
}

/* Text */

static const char *name_of(const struct bight_task_info *info)
{
    return info->name[0] ? info->name : "-";
}

static void show_row(struct walk *walk, const struct bight_task_info *info, unsigned depth)
{
    (void)depth;
    bight__reply_add(walk->answer, "%8" PRIu64 " %8" PRIu64 " %-8s%c %7zu %-24s %s\n", info->id,
                     info->parent_id, bight__state_name(info->state), info->cancelled ? 'C' : ' ',
                     info->stack_used, name_of(info), info->waits_for);
}

void bight__reply_ps(struct bight_answer *answer)
{
    struct walk walk;

    bight__reply_add(answer, "%8s %8s %-9s %7s %-24s %s\n", "ID", "PARENT", "STATE", "STACK",
                     "NAME", "WAITS FOR");
    walk = walk_tasks(answer, true, show_row);
    tell_rest(&walk);
}

static void show_branch(struct walk *walk, const struct bight_task_info *info, unsigned depth)
{
    struct bight_answer *answer = walk->answer;

    bight__reply_add(answer, "%*s#%" PRIu64 " %s: ", (int)(2 * (depth - 1)), "", info->id,
                     name_of(info));
    if (info->state == BIGHT_TASK_WAITING)
        bight__reply_add(answer, "waits for %s", info->waits_for);
    else
        bight__reply_add(answer, "%s", bight__state_name(info->state));
    if (info->cancelled)
        bight__reply_add(answer, ", cancelled");
    if (info->deadline_ms >= 0)
        bight__reply_add(answer, ", deadline in %" PRId64 " ms", info->deadline_ms);
    bight__reply_add(answer, "\n");
}

void bight__reply_pstree(struct bight_answer *answer)
{
    struct walk walk = walk_tasks(answer, true, show_branch);

    tell_rest(&walk);
}

/* JSON */

static void add_members(struct bight_answer *answer, const struct bight_task_info *info)
{
    bight__reply_add(answer, "{\"id\": %" PRIu64 ", \"parent\": %" PRIu64 ", \"name\": ", info->id,
                     info->parent_id);
    bight__reply_add_string(answer, info->name);
    bight__reply_add(answer,
                     ", \"state\": \"%s\", \"waits_for\": ", bight__state_name(info->state));
    if (info->state == BIGHT_TASK_WAITING)
        bight__reply_add_string(answer, info->waits_for);
    else
        bight__reply_add(answer, "null");
    bight__reply_add(answer,
                     ", \"cancelled\": %s, \"deadline_ms\": ", info->cancelled ? "true" : "false");
    if (info->deadline_ms >= 0)
        bight__reply_add(answer, "%" PRId64, info->deadline_ms);
    else
        bight__reply_add(answer, "null");
    bight__reply_add(answer, ", \"stack_used\": %zu, \"stack_bytes\": %zu", info->stack_used,
                     info->stack_bytes);
}

static void show_object(struct walk *walk, const struct bight_task_info *info, unsigned depth)
{
    (void)depth;
    bight__reply_add(walk->answer, "%s", walk->shown ? ", " : "");
    add_members(walk->answer, info);
    bight__reply_add(walk->answer, "}");
}

static void begin_tasks(struct bight_answer *answer)
{
    bight__reply_add(answer, "{\"live\": %zu, \"tasks\": [", live());
}

void bight__reply_ps_json(struct bight_answer *answer)
{
    begin_tasks(answer);
    (void)walk_tasks(answer, false, show_object);
    bight__reply_add(answer, "]}");
}

/* Close what is open down to `depth`, the list there staying open. */
static void close_down(struct walk *walk, unsigned depth)
{
    for (; walk->depth >= depth && walk->depth; walk->depth--)
        bight__reply_add(walk->answer, "]}");
}

static void show_nested(struct walk *walk, const struct bight_task_info *info, unsigned depth)
{
    bool first = depth > walk->depth;

    close_down(walk, depth);
    bight__reply_add(walk->answer, "%s", first ? "" : ", ");
    add_members(walk->answer, info);
    bight__reply_add(walk->answer, ", \"children\": [");
}

void bight__reply_pstree_json(struct bight_answer *answer)
{
    struct walk walk;

    begin_tasks(answer);
    walk = walk_tasks(answer, false, show_nested);
    close_down(&walk, 1);
    bight__reply_add(answer, "]}");
}
