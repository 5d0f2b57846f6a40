/* The plan of a child: its options are checked, its program is to be looked for in a list of
 * places, its environment is put together. One block of memory has all of it, and the child's
 * stack. */
#include "runtime/process/process.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* Where programs are without a PATH. */
#define STANDARD_PATH "/usr/local/bin:/usr/bin:/bin"

#define ALL_FLAGS (BIGHT_PROCESS_NEW_GROUP | BIGHT_PROCESS_NEW_SESSION)

static size_t count_of(const char *const *list)
{
    size_t count = 0;

    while (list && list[count])
        count++;
    return count;
}

/* Whether both are entries of one name, or `name` is that of `entry`. */
static bool same_name(const char *entry, const char *name)
{
    size_t bytes = strcspn(name, "=");

    return strncmp(entry, name, bytes) == 0 && entry[bytes] == '=';
}

static const char *find_entry(const char *const *env, const char *name)
{
    for (; env && *env; env++) {
        if (same_name(*env, name))
            return *env;
    }
    return NULL;
}

static bool stdio_is_valid(const struct bight_process_stdio *stdio, bool is_error)
{
    switch (stdio->kind) {
    case BIGHT_PROCESS_DEFAULT:
    case BIGHT_PROCESS_INHERIT:
    case BIGHT_PROCESS_NULL:
    case BIGHT_PROCESS_PIPE:
    case BIGHT_PROCESS_FD:
    case BIGHT_PROCESS_TERMINAL:
        return true;
    case BIGHT_PROCESS_FILE:
        return stdio->path;
    case BIGHT_PROCESS_OUTPUT:
        return is_error;
    }
    return false;
}

static int check(const struct bight_process_options *options)
{
    const struct bight_process_user *user = options->user;

    if (!options->argv || !options->argv[0] || options->flags & ~ALL_FLAGS)
        return BIGHT_EINVAL;
    if (!stdio_is_valid(&options->input, false) || !stdio_is_valid(&options->output, false) ||
        !stdio_is_valid(&options->error, true))
        return BIGHT_EINVAL;
    if (user && !user->groups && user->groups_count)
        return BIGHT_EINVAL;
    if (!options->fds && options->fds_count)
        return BIGHT_EINVAL;
    for (size_t i = 0; i < options->fds_count; i++) {
        if (options->fds[i].child_fd <= STDERR_FILENO)
            return BIGHT_EINVAL;
    }
    return 0;
}

/* The environment: `env` as it is, or the list at `into`, which has room for all. */
static const char *const *merge(const char **into, const char *const *env, const char *const *extra)
{
    size_t count = 0;

    if (!extra)
        return env;
    for (; env && *env; env++) {
        if (!find_entry(extra, *env))
            into[count++] = *env;
    }
    for (; *extra; extra++)
        into[count++] = *extra;
    into[count] = NULL;
    return into;
}

static bool is_searched(const char *program)
{
    return *program && !strchr(program, '/');
}

/* The places of `program` in the directories of `path`, an empty one being the child's own. Texts
 * go to `texts`. */
static void list_candidates(const char **into, char *texts, const char *path, const char *program)
{
    size_t bytes = strlen(program) + 1;

    for (;;) {
        size_t directory = strcspn(path, ":");

        *into++ = texts;
        memcpy(texts, path, directory);
        texts += directory;
        if (directory)
            *texts++ = '/';
        memcpy(texts, program, bytes);
        texts += bytes;
        if (!path[directory])
            break;
        path += directory + 1;
    }
    *into = NULL;
}

static size_t directories_of(const char *path)
{
    size_t count = 1;

    for (; *path; path++)
        count += *path == ':';
    return count;
}

static int by_child_fd(const void *left, const void *right)
{
    const struct process_map *one = left, *other = right;

    return one->child_fd < other->child_fd ? -1 : one->child_fd > other->child_fd;
}

/* The first three are the standard ones, to be filled in. BIGHT_EINVAL: a number is there twice. */
static int list_maps(struct process_plan *plan)
{
    const struct bight_process_options *options = plan->options;

    for (int i = 0; i <= STDERR_FILENO; i++)
        plan->maps[i] = (struct process_map){i, i};
    for (size_t i = 0; i < options->fds_count; i++)
        plan->maps[3 + i] = (struct process_map){options->fds[i].fd, options->fds[i].child_fd};
    plan->maps_count = 3 + options->fds_count;
    qsort(plan->maps, plan->maps_count, sizeof(*plan->maps), by_child_fd);
    for (size_t i = 1; i < plan->maps_count; i++) {
        if (plan->maps[i].child_fd == plan->maps[i - 1].child_fd)
            return BIGHT_EINVAL;
    }
    return 0;
}

/* For systems that cannot close a range. */
static int open_limit(const struct bight_seams *seams)
{
    struct rlimit limit;

    if (bight__call_fails(seams, "getrlimit") || getrlimit(RLIMIT_NOFILE, &limit))
        return 65536;
    return limit.rlim_cur < INT32_MAX ? (int)limit.rlim_cur : INT32_MAX;
}

/* Take the block for `env_count` pointers, `path_count` places and `text_bytes` of their texts, and
 * find places in it: behind the stack, that is above it. */
static int take_memory(struct process_plan *plan, const struct bight_seams *seams, size_t env_count,
                       size_t path_count, size_t text_bytes)
{
    size_t maps_bytes = (3 + plan->options->fds_count) * sizeof(*plan->maps);
    size_t pointers_bytes = (env_count + path_count + 1) * sizeof(char *);
    char *memory =
        bight__alloc(seams, CHILD_STACK_BYTES + pointers_bytes + maps_bytes + text_bytes);

    if (!memory)
        return BIGHT_ENOMEM;
    plan->memory = memory;
    plan->stack_top = memory + CHILD_STACK_BYTES;
    plan->candidates = (const char **)(void *)plan->stack_top + env_count;
    plan->maps = (struct process_map *)(void *)(plan->stack_top + pointers_bytes);
    plan->texts = plan->stack_top + pointers_bytes + maps_bytes;
    return 0;
}

/* Where the child's environment says that programs are. */
static const char *path_of(const char *const *env, const char *const *extra)
{
    const char *entry = find_entry(extra, "PATH");

    if (!entry)
        entry = find_entry(env, "PATH");
    return entry ? entry + strlen("PATH=") : STANDARD_PATH;
}

int bight__process_plan_make(struct process_plan *plan, const struct bight_seams *seams,
                             const struct bight_process_options *options)
{
    const char *const *env = options->env ? options->env : (const char *const *)environ;
    const char *const *extra = options->env_extra;
    const char *path = path_of(env, extra);
    const char *program;
    size_t env_count = extra ? count_of(env) + count_of(extra) + 1 : 0;
    size_t path_count = directories_of(path);
    int rc = check(options);

    if (rc)
        return rc;
    program = options->program ? options->program : options->argv[0];
    *plan = (struct process_plan){.options = options,
                                  .open_max = open_limit(seams),
                                  .terminal_fd = bight__process_has_terminal(options)};
    rc = take_memory(plan, seams, env_count, path_count,
                     strlen(path) + path_count * (strlen(program) + 2));
    if (rc)
        return rc;
    plan->env = merge((const char **)(void *)plan->stack_top, env, extra);
    plan->candidates[0] = program;
    plan->candidates[1] = NULL;
    if (is_searched(program))
        list_candidates(plan->candidates, plan->texts, path, program);
    rc = list_maps(plan);
    if (rc)
        bight__process_plan_free(plan);
    return rc;
}

void bight__process_plan_free(struct process_plan *plan)
{
    bight__free(plan->memory);
}
