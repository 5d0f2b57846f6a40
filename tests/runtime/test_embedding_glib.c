/* A runtime inside of GLib's main loop: the libuv loop is one source of it, which asks for what
 * uv_backend_fd and uv_backend_timeout say and then lets the loop make one turn. */
#include <glib.h>
#include <unistd.h>

#include <bight.h>
#include <bight/uv.h>

#include "tests/harness/suite.h"
#include "tests/harness/support.h"
#include "tests/harness/world.h"

struct uv_source {
    GSource source;
    uv_loop_t *loop;
    gpointer tag;
};

static struct uv_source *of(GSource *source)
{
    return (struct uv_source *)source;
}

static gboolean uv_source_prepare(GSource *source, gint *timeout_ms)
{
    uv_loop_t *loop = of(source)->loop;

    uv_update_time(loop);
    *timeout_ms = uv_loop_alive(loop) ? uv_backend_timeout(loop) : -1;
    return *timeout_ms == 0;
}

static gboolean uv_source_check(GSource *source)
{
    return g_source_query_unix_fd(source, of(source)->tag) ||
           uv_backend_timeout(of(source)->loop) == 0;
}

static gboolean uv_source_dispatch(GSource *source, GSourceFunc fn, gpointer arg)
{
    (void)fn, (void)arg;
    uv_run(of(source)->loop, UV_RUN_NOWAIT);
    return G_SOURCE_CONTINUE;
}

static GSourceFuncs uv_source_funcs = {
    .prepare = uv_source_prepare,
    .check = uv_source_check,
    .dispatch = uv_source_dispatch,
};

static GSource *uv_source_add(GMainContext *context, uv_loop_t *loop)
{
    GSource *source = g_source_new(&uv_source_funcs, sizeof(struct uv_source));

    of(source)->loop = loop;
    of(source)->tag = g_source_add_unix_fd(source, uv_backend_fd(loop), G_IO_IN);
    g_source_attach(source, context);
    return source;
}

/* The application */

struct application {
    GMainContext *context;
    GMainLoop *main;
    uv_loop_t loop;
    struct bight_runtime *runtime;
    struct bight_event clicked;
    int fds[2];
    int ended, detached;
};

static int does_nothing(void *arg)
{
    (void)arg;
    return 0;
}

/* A task that GLib's callback starts, and that waits for one: by time, for a descriptor, for a
 * thread, and for the application. */
static int talks(void *arg)
{
    struct application *application = arg;
    char byte;

    ck_ok(bight_sleep(2));
    ck_assert_int_eq(write(application->fds[1], "x", 1), 1);
    ck_assert_int_eq(bight_fd_wait(application->fds[0], BIGHT_FD_READ), BIGHT_FD_READ);
    ck_assert_int_eq(read(application->fds[0], &byte, 1), 1);
    ck_ok(bight_offload(does_nothing, NULL));
    ck_ok(bight_event_wait(&application->clicked));
    application->ended++;
    g_main_loop_quit(application->main);
    return 0;
}

static void invoke_in_ms(struct application *application, unsigned ms, GSourceFunc fn)
{
    GSource *source = g_timeout_source_new(ms);

    g_source_set_callback(source, fn, application, NULL);
    g_source_attach(source, application->context);
    g_source_unref(source);
}

static gboolean on_click(gpointer arg)
{
    struct application *application = arg;

    bight_event_set(&application->clicked); /* it wakes the loop from outside of uv_run */
    return G_SOURCE_REMOVE;
}

static gboolean on_start(gpointer arg)
{
    struct application *application = arg;

    ck_ok(bight_spawn(NULL, talks, application));
    invoke_in_ms(application, 30, on_click);
    return G_SOURCE_REMOVE;
}

static void on_detached(void *arg)
{
    struct application *application = arg;

    application->detached++;
    g_main_loop_quit(application->main);
}

static void a_runtime_lives_in_glibs_main_loop(void)
{
    struct application application = {.context = g_main_context_new()};
    GSource *source;

    application.main = g_main_loop_new(application.context, FALSE);
    ck_assert_int_eq(pipe(application.fds), 0);
    bight_event_init(&application.clicked);
    ck_ok(uv_loop_init(&application.loop));
    ck_ok(bight_attach(&application.runtime, &application.loop, NULL));
    source = uv_source_add(application.context, &application.loop);
    invoke_in_ms(&application, 0, on_start);
    g_main_loop_run(application.main);
    ck_assert_int_eq(application.ended, 1);
    ck_ok(bight_detach(application.runtime, on_detached, &application));
    g_main_loop_run(application.main);
    ck_assert_int_eq(application.detached, 1);
    g_source_destroy(source);
    g_source_unref(source);
    uv_run(&application.loop, UV_RUN_DEFAULT);
    ck_ok(uv_loop_close(&application.loop));
    g_main_loop_unref(application.main);
    g_main_context_unref(application.context);
    close(application.fds[0]);
    close(application.fds[1]);
}

static const struct suite_case cases[] = {
    plain_case(a_runtime_lives_in_glibs_main_loop),
};

test_suite("embedding_glib", cases);
