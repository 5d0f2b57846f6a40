/* Runs: a main task on a loop of the runtime's own, from its spawn until the last task has ended. A
 * runtime has one run (bight_run) or several (<bight/runner.h>). The loop does not run between
 * runs. runtime.c makes and closes runtimes. */
#include "runtime/runtime.h"
#include "coro/core/group.h"

#include <bight/runner.h>

/* A runner is a runtime under another name: one with several runs. */
static struct bight_runtime *of_runner(struct bight_runner *runner)
{
    return (struct bight_runtime *)runner;
}

static const struct bight_seams no_seams;

static int spawn_main(struct bight_runtime *runtime, int (*fn)(void *arg), void *arg)
{
    struct bight_sched *sched = &runtime->sched;
    struct bight_spawn_options options = {
        .name = "main",
        .stack_bytes = sched->options.main_stack_bytes,
    };
    int rc = bight__spawn(sched, &sched->root, &runtime->main, &options, fn, arg, NULL);

    if (rc)
        return rc;
    runtime->main->flags = (runtime->main->flags & ~TASK_HANDLE) | TASK_MAIN;
    return 0;
}

/* Run the loop until drive.c finds that everything has ended. */
static void run_loop(struct bight_runtime *runtime)
{
    runtime->running = true;
    while (runtime->running)
        uv_run(runtime->loop, UV_RUN_ONCE);
}

static int run(struct bight_runtime *runtime, int (*fn)(void *arg), void *arg)
{
    int rc = bight__interrupt_begin(runtime);

    if (rc)
        return rc;
    rc = spawn_main(runtime, fn, arg);
    if (rc) {
        bight__interrupt_end(runtime);
        return rc;
    }
    run_loop(runtime);
    return runtime->stalled ? BIGHT_ESTALLED
                            : bight__interrupt_outcome(runtime, runtime->sched.main_status);
}

/* Handles that the user left open would keep the loop running for ever, so count only our own. */
static void close_down(struct bight_runtime *runtime)
{
    runtime->ending = true;
    runtime->sched.closing = true;
    bight__runtime_close(runtime);
    while (runtime->handles)
        uv_run(runtime->loop, UV_RUN_ONCE);
    bight__runtime_free(runtime);
}

int bight__run_with_seams(const struct bight_runtime_options *options,
                          const struct bight_seams *seams, int (*fn)(void *arg), void *arg)
{
    struct bight_runtime *runtime;
    int rc;

    if (!fn)
        return BIGHT_EINVAL;
    if (bight__sched)
        return BIGHT_EALREADY;
    rc = bight__runtime_new(&runtime, NULL, options, seams ? seams : &no_seams);
    if (rc)
        return rc;
    rc = run(runtime, fn, arg);
    close_down(runtime);
    return rc;
}

int bight_run_with(const struct bight_runtime_options *options, int (*fn)(void *arg), void *arg)
{
    return bight__run_with_seams(options, NULL, fn, arg);
}

int bight_run(int (*fn)(void *arg), void *arg)
{
    return bight__run_with_seams(NULL, NULL, fn, arg);
}

int bight__runner_open_with_seams(struct bight_runner **out,
                                  const struct bight_runtime_options *options,
                                  const struct bight_seams *seams)
{
    struct bight_runtime *runtime;
    int rc;

    if (!out)
        return BIGHT_EINVAL;
    if (bight__sched)
        return BIGHT_EALREADY;
    rc = bight__runtime_new(&runtime, NULL, options, seams);
    if (rc == 0)
        *out = (struct bight_runner *)runtime;
    return rc;
}

int bight_runner_open(struct bight_runner **out, const struct bight_runtime_options *options)
{
    return bight__runner_open_with_seams(out, options, &no_seams);
}

/* Bring the runtime back to the state before the run. */
static void run_over(struct bight_runtime *runtime)
{
    struct bight_sched *sched = &runtime->sched;

    bight__group_setup(&sched->root, BIGHT_GROUP_COLLECT);
    sched->closing = false;
    sched->main_done = false;
    runtime->ending = false;
    runtime->stalled = false;
}

int bight_runner_run(struct bight_runner *runner, int (*fn)(void *arg), void *arg)
{
    struct bight_runtime *runtime = of_runner(runner);
    int rc;

    if (!runtime)
        return BIGHT_ECLOSED;
    if (!fn)
        return BIGHT_EINVAL;
    if (bight__runtime() != runtime)
        return BIGHT_EPERM;
    if (runtime->running)
        return BIGHT_EALREADY;
    rc = run(runtime, fn, arg);
    if (runtime->ending)
        run_over(runtime);
    return rc;
}

int bight_runner_end(struct bight_runner **runner)
{
    struct bight_runtime *runtime;

    if (!runner)
        return BIGHT_EINVAL;
    runtime = of_runner(*runner);
    if (!runtime)
        return 0;
    if (bight__runtime() != runtime)
        return BIGHT_EPERM;
    if (runtime->running)
        return BIGHT_EBUSY;
    if (runtime->sched.live) {
        bight__runtime_end(runtime);
        run_loop(runtime);
    }
    close_down(runtime);
    *runner = NULL;
    return 0;
}
