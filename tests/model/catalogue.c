/* See catalogue.h. What is rare in practice is frequent here: tasks that lock in different orders,
 * leave with a mutex, ignore codes, cancel each other, close what others wait for. */
#include "tests/model/catalogue.h"

#include <string.h>

static const char *const mutex_parts[] = {
    "lock 0; yield; unlock 0",
    "lock 0; unlock 0; lock 0",
    "lock 0; lock 1; unlock 1; unlock 0",
    "lock 1; lock 0; unlock 0; unlock 1",
    "trylock 0 !; unlock 0 !",
    "scope 1; lock 0; sleep 1; end; unlock 0 !",
    "lock 0 !; lock 0 !; unlock 0 !",
    "sleep 1",
    NULL,
};

static const char *const queue_parts[] = {
    "put 0",
    "get 0",
    "get 0 !; put 0 !",
    "try_put 0 !; try_get 0 !",
    "scope 1; get 0; end",
    "scope 1; put 0; put 0; end",
    "close 0",
    "abort 0",
    "get 0; task_done 0",
    "queue_join 0",
    NULL,
};

static const char *const event_parts[] = {
    "wait 0",
    "set 0",
    "set 0; clear 0",
    "clear 0; yield",
    "wait 0 !; wait 1",
    "scope 1; wait 0; end",
    "set 1",
    "lock 0; wait 0; unlock 0",
    NULL,
};

static const char *const semaphore_parts[] = {
    "acquire 0; yield; release 0",
    "acquire 0; release 0; acquire 0",
    "release 0",
    "scope 1; acquire 0; sleep 1; end; release 0",
    "acquire 0 !; acquire 1 !; release 1 !; release 0 !",
    "try_acquire 0 !; release 1 !",
    "acquire 0",
    NULL,
};

static const char *const condition_parts[] = {
    "lock 0; wait_notified 0; unlock 0",
    "lock 0; notify 0 1; unlock 0",
    "lock 0; notify 0 2; yield; unlock 0",
    "lock 0; scope 1; wait_notified 0; end; unlock 0",
    "lock 0; wait_notified 0 !; wait_notified 0 !; unlock 0",
    "lock 0; sleep 1; unlock 0",
    "wait_notified 0 !; notify 0 1 !",
    "lock 0; join 0 !; join 1 !; unlock 0",
    NULL,
};

static const char *const rendezvous_parts[] = {
    "put 0",
    "get 0",
    "try_put 0 !; try_get 0 !",
    "scope 1; get 0; end",
    "scope 1; put 0; put 0; end",
    "close 0",
    "abort 0",
    "queue_join 0",
    "select put 0 | get 0",
    "select get 0 | put 1 | get 1",
    NULL,
};

static const char *const select_parts[] = {
    "select get 0 | get 1",
    "select get 0 | sleep 1",
    "select put 0 | get 1",
    "select put 0 | put 1",
    "select wait 0 | get 0 | put 1",
    "scope 1; select get 0 | wait 0; end",
    "put 0",
    "put 1",
    "get 0; get 1",
    "set 0",
    "close 0",
    NULL,
};

static const char *const scope_parts[] = {
    "scope 2; sleep 1; end",
    "scope 1; sleep 2 !; sleep 1; end",
    "scope 1; scope 1; wait 0; end; end",
    "scope 3; shield 2; wait 0; end; sleep 2; end",
    "shield 2; get 0; end",
    "scope -1; wait 0; cancel_scope 0 1; yield; end; yield",
    "cancel_scope 0 1; cancel_scope 1 1",
    "scope 3; set_timeout 1 1; wait 0; end",
    "wait 0 !; yield !; yield !; set 0",
    "set 0; put 0",
    "shield -1; wait 0; end",
    "scope 1; scope 3; set_shield 2 1; wait 0 !; set_shield 2 0; yield; end; end",
    "scope 0; shield 1; sleep 1; end !; lock 0 !; end",
    NULL,
};

static const char *const group_parts[] = {
    "group 0; spawn 1; wait 0; end",
    "group 0; spawn 1; spawn 2; end",
    "group 1; spawn 1; spawn 2; get 0; end",
    "scope 1; group 0; spawn 1; end; end",
    "group 0; spawn 1; yield; return EIO; end",
    "group 0; group 0; spawn 1; end; spawn 2; cancel_scope 0 1; end",
    "shield 1; group 0; spawn 1; spawn 2; end; end",
    "group 0; spawn 1; shield 2; wait 0; end; end",
    "join 1; join 2 !",
    "group 2; spawn 1; spawn 2; end",
    "scope -1; group 0; spawn 1; wait 0; end; end; cancel 2",
    "set 0; put 0",
    NULL,
};

static const char *const member_parts[] = {
    "wait 0",
    "put 0",
    "get 0",
    "return EIO",
    "yield !; yield !; yield !",
    "spawn 2; sleep 1",
    "shield 1; wait 0; end",
    "set 0",
    "join 2",
    "cancel 0",
    "group 0; spawn 2; end",
    "cancel_scope 0 1",
    NULL,
};

static const char *const join_parts[] = {
    "join 0",
    "join 1",
    "join 2",
    "join 1 !; join 2 !",
    "scope 1; join 1; end",
    "yield",
    "sleep 1",
    "cancel 1",
    "lock 0; join 2; unlock 0",
    "lock 0; unlock 0",
    "select join 2 | sleep 1",
    "select join 1 | join 2",
    NULL,
};

#define ALL(parts)                                                                                 \
    {                                                                                              \
        parts, parts, parts                                                                        \
    }

const struct topic topics[] = {
    {"mutex", 3, 1, {1, 1}, ALL(mutex_parts)},
    {"queue", 3, 1, {1, 1}, ALL(queue_parts)},
    {"longer queue", 3, 0, {2, 1}, ALL(queue_parts)},
    {"rendezvous", 3, 1, {0, 0}, ALL(rendezvous_parts)},
    {"semaphore", 3, 1, {1, 1}, ALL(semaphore_parts)},
    {"condition", 3, 1, {1, 1}, ALL(condition_parts)},
    {"event", 3, 1, {1, 1}, ALL(event_parts)},
    {"select", 3, 1, {1, 1}, ALL(select_parts)},
    {"scope", 3, 1, {1, 1}, ALL(scope_parts)},
    {"group", 1, 1, {1, 1}, {group_parts, member_parts, member_parts}},
    {"join", 3, 1, {1, 1}, ALL(join_parts)},
};
const int topic_count = (int)(sizeof topics / sizeof topics[0]);

static size_t count(const char *const *fragments)
{
    size_t n = 0;

    while (fragments[n])
        n++;
    return n;
}

/* One fragment, or two. */
static size_t scripts(const char *const *fragments)
{
    return count(fragments) * (count(fragments) + 1);
}

size_t topic_programs(const struct topic *topic, unsigned tasks)
{
    size_t programs = 1;

    for (unsigned task = 0; task < tasks; task++)
        programs *= scripts(topic->fragments[task]);
    return programs;
}

static void make_script(struct script *script, const char *const *fragments, size_t index)
{
    size_t n = count(fragments);

    script_parse(script, fragments[index % n]);
    if (index >= n)
        script_parse(script, fragments[index / n - 1]);
}

/* Steps that name a task tell apart what is otherwise alike. */
static bool names_tasks(const struct program *program)
{
    for (unsigned task = 0; task < program->tasks; task++) {
        const struct script *script = &program->scripts[task];

        for (unsigned i = 0; i < script->length; i++) {
            const struct step *step = &script->steps[i];

            if (step->op == OP_JOIN || step->op == OP_SPAWN || step->op == OP_CANCEL ||
                step->op == OP_CANCEL_SCOPE)
                return true;
            for (unsigned which = 0; which < step->count; which++) {
                if (step->cases[which].op == OP_JOIN)
                    return true;
            }
        }
    }
    return false;
}

bool topic_program(const struct topic *topic, unsigned tasks, size_t index, struct program *program)
{
    size_t previous = 0;
    bool sorted = true;

    memset(program, 0, sizeof *program);
    program->tasks = TOPIC_TASKS_MAX;
    program->lifo[0] = index % 2;
    program->begun = (uint8_t)(topic->begun < tasks ? topic->begun : tasks);
    memcpy(program->capacity, topic->capacity, sizeof program->capacity);
    for (unsigned task = 0; task < tasks; task++) {
        size_t of_task = scripts(topic->fragments[task]);

        if (of_task == 0)
            return false;

        make_script(&program->scripts[task], topic->fragments[task], index % of_task);
        sorted &= index % of_task >= previous;
        previous = index % of_task;
        index /= of_task;
    }
    return sorted || topic->begun < tasks || names_tasks(program);
}
