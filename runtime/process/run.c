/* A process from its start to its end, with what it reads and writes: tasks of a group feed it and
 * collect, so that nobody waits for anybody else, while the caller waits for its end. */
#include "coro/core/source.h"
#include "runtime/process/process.h"

#include <string.h>
#include <unistd.h>

#define DEFAULT_LIMIT_BYTES ((size_t)64 << 20)
#define DEFAULT_GRACE_MS 2000
#define DEFAULT_LINGER_MS 1000

#define FIRST_BYTES 4096
/* A read of what is dropped. */
#define DROPPED_BYTES 1024

struct run;

/* Of one of the two pipes that are read. */
struct collector {
    struct run *run;
    struct bight_stream *stream;
    int child_fd;
    char **text; /* `capacity` bytes, of which `*bytes` are filled */
    size_t *bytes;
    bool *truncated;
    size_t capacity;
    size_t limit;
};

struct run {
    const struct bight_seams *seams;
    const struct bight_process_run_options *how;
    struct bight_process *process;
    struct bight_process_result *result;
    struct collector collectors[2];
    bool stoppable; /* the call is directly in such a scope */
    bool ended;     /* the process; pipes are read for a while only */
    bool held;      /* that was over before a pipe was */
};

/* A pump ends. Of one that gives up the process must not wait for more; one that is cancelled after
 * the process's end leaves a pipe that somebody holds. */
static int pumped(struct run *run, int child_fd, int rc)
{
    if (rc)
        bight_stream_abort(bight_process_take_stream(run->process, child_fd));
    if (rc == BIGHT_ECANCELED && run->ended)
        run->held = true;
    return rc;
}

/* A process need not read its input. */
static int feed(void *arg)
{
    struct run *run = arg;
    struct bight_stream *stream = bight_process_input(run->process);
    int rc = bight_stream_write(stream, run->how->input, run->how->input_bytes);

    if (rc == 0)
        rc = bight_stream_shutdown(stream);
    return pumped(run, STDIN_FILENO, rc == BIGHT_EPIPE ? 0 : rc);
}

/* Twice as much, with room for a NUL. */
static int grow(struct collector *collector)
{
    size_t capacity = collector->capacity ? 2 * collector->capacity : FIRST_BYTES;
    char *text;

    if (capacity > collector->limit)
        capacity = collector->limit;
    text = bight__alloc(collector->run->seams, capacity + 1);
    if (!text)
        return BIGHT_ENOMEM;
    if (*collector->text)
        memcpy(text, *collector->text, *collector->bytes);
    bight__free(*collector->text);
    *collector->text = text;
    collector->capacity = capacity;
    return 0;
}

/* More than 0: there may be more. */
static int64_t collect_some(struct collector *collector)
{
    int64_t count;

    if (*collector->bytes == collector->capacity) {
        int rc = grow(collector);

        if (rc)
            return rc;
    }
    count = bight_stream_read(collector->stream, *collector->text + *collector->bytes,
                              collector->capacity - *collector->bytes);
    if (count > 0)
        *collector->bytes += (size_t)count;
    return count;
}

static int64_t drop_some(const struct collector *collector)
{
    char bytes[DROPPED_BYTES];
    int64_t count = bight_stream_read(collector->stream, bytes, sizeof(bytes));

    if (count <= 0)
        return count;
    *collector->truncated = true;
    return collector->run->how->flags & BIGHT_PROCESS_TRUNCATE ? count : BIGHT_ETOOBIG;
}

static int collect(void *arg)
{
    struct collector *collector = arg;
    int64_t count;

    do {
        count =
            *collector->bytes < collector->limit ? collect_some(collector) : drop_some(collector);
    } while (count > 0);
    return pumped(collector->run, collector->child_fd, (int)count);
}

static size_t limit_of(int64_t limit_bytes)
{
    if (limit_bytes < 0)
        return SIZE_MAX - 1;
    return limit_bytes ? (size_t)limit_bytes : DEFAULT_LIMIT_BYTES;
}

/* Also of one that writes nothing there is an empty text. */
static int spawn_collector(struct run *run, struct collector *collector, struct bight_group *group)
{
    const struct bight_spawn_options options = {.name = "process output"};
    int rc;

    if (!collector->stream)
        return 0;
    collector->run = run;
    rc = grow(collector);
    return rc ? rc : bight_group_spawn(NULL, group, &options, collect, collector);
}

static int spawn_pumps(struct run *run, struct bight_group *group)
{
    const struct bight_spawn_options options = {.name = "process input"};
    struct bight_process_result *result = run->result;
    int rc = 0;

    run->collectors[0] = (struct collector){
        .stream = bight_process_output(run->process),
        .child_fd = STDOUT_FILENO,
        .text = &result->output,
        .bytes = &result->output_bytes,
        .truncated = &result->output_truncated,
        .limit = limit_of(run->how->output_limit_bytes),
    };
    run->collectors[1] = (struct collector){
        .stream = bight_process_error(run->process),
        .child_fd = STDERR_FILENO,
        .text = &result->error,
        .bytes = &result->error_bytes,
        .truncated = &result->error_truncated,
        .limit = limit_of(run->how->error_limit_bytes),
    };
    if (bight_process_input(run->process))
        rc = bight_group_spawn(NULL, group, &options, feed, run);
    for (int i = 0; i < 2 && rc == 0; i++)
        rc = spawn_collector(run, &run->collectors[i], group);
    return rc;
}

/* Sleep until the process has ended, as stoppable as the scope around the call. A drain ends what
 * the call has begun, its tasks too, as a cancellation does. */
static int wait_for_end(struct run *run, struct bight_group *group)
{
    struct bight_scope scope;
    int rc = bight_scope_begin(&scope, -1, run->stoppable ? BIGHT_SCOPE_STOPPABLE : 0);

    if (rc)
        return rc;
    rc = bight_scope_end(&scope, bight_process_wait(run->process, NULL));
    if (rc == BIGHT_EDRAIN)
        bight_scope_cancel(&group->scope);
    return rc;
}

/* From the end of the process on the pipes have `linger_ms`. */
static int pump(struct run *run)
{
    int64_t linger_ms = run->how->linger_ms ? run->how->linger_ms : DEFAULT_LINGER_MS;
    struct bight_group group;
    int rc = bight_group_begin(&group, 0);

    if (rc)
        return rc;
    rc = spawn_pumps(run, &group);
    if (rc == 0)
        rc = wait_for_end(run, &group);
    if (rc == 0) {
        run->ended = true;
        rc = bight_scope_set_timeout(&group.scope, linger_ms);
    }
    rc = bight_group_end(&group, rc);
    if (rc == BIGHT_ETIMEDOUT && run->ended && group.scope.expired)
        rc = 0;
    if (rc == 0 && run->held && !group.scope.expired)
        rc = BIGHT_ECANCELED;
    run->result->pipes_held = run->held;
    return rc;
}

/* With what each kind of stdio is by default. */
static int start(struct run *run, const struct bight_process_options *options)
{
    const struct bight_process_run_options *how = run->how;
    struct bight_process_options all = *options;

    if (all.input.kind == BIGHT_PROCESS_DEFAULT)
        all.input.kind = how->input_bytes ? BIGHT_PROCESS_PIPE : BIGHT_PROCESS_NULL;
    if (all.output.kind == BIGHT_PROCESS_DEFAULT)
        all.output.kind = BIGHT_PROCESS_PIPE;
    if (all.error.kind == BIGHT_PROCESS_DEFAULT)
        all.error.kind = BIGHT_PROCESS_PIPE;
    if (how->flags & ~BIGHT_PROCESS_TRUNCATE)
        return BIGHT_EINVAL;
    if (how->input_bytes && (!how->input || all.input.kind != BIGHT_PROCESS_PIPE))
        return BIGHT_EINVAL;
    return bight_process_start(&run->process, &all);
}

/* What there is room for, since the first piece is taken with it. */
static void terminate_text(char *text, size_t bytes)
{
    if (text)
        text[bytes] = '\0';
}

static int run_it(struct run *run, const struct bight_process_options *options)
{
    int64_t grace_ms = run->how->grace_ms ? run->how->grace_ms : DEFAULT_GRACE_MS;
    int rc = start(run, options), ended;

    if (rc)
        return rc;
    rc = pump(run);
    ended = bight__process_finish(run->process, grace_ms, &run->result->status);
    terminate_text(run->result->output, run->result->output_bytes);
    terminate_text(run->result->error, run->result->error_bytes);
    return rc ? rc : ended;
}

int bight_process_run(struct bight_process_result *result,
                      const struct bight_process_options *options,
                      const struct bight_process_run_options *how)
{
    static const struct bight_process_run_options defaults;
    struct run run = {.how = how ? how : &defaults, .result = result};
    struct bight_task *self;
    int rc;

    if (!result || !options)
        return BIGHT_EINVAL;
    *result = (struct bight_process_result){.output = NULL};
    rc = bight__observe(&self);
    if (rc)
        return rc;
    run.seams = &self->sched->seams;
    run.stoppable = self->scope->kind & SCOPE_STOPPABLE;
    rc = run_it(&run, options);
    bight__breathe(self);
    return rc;
}

void bight_process_result_free(struct bight_process_result *result)
{
    if (!result)
        return;
    bight__free(result->output);
    bight__free(result->error);
    *result = (struct bight_process_result){.output = NULL};
}
