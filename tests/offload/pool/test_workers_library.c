/* Workers for a host whose main is somebody else's: a program that already has threads loads a
 * library, and its workers are copies of a helper that loads the same one. */
#include "tests/offload/worker_cases.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/offload/plugin.h"

static void *idle(void *arg)
{
    while (!atomic_load(&worker_shared->released))
        usleep(1000);
    return arg;
}

/* Load the library as others do, by a path that its workers could not use, and among threads. */
static void *load(pthread_t *thread, const char *name)
{
    void *library;

    CHECK_EQ(chdir(PLUGINS), 0);
    CHECK_EQ(pthread_create(thread, NULL, idle, NULL), 0);
    library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (!library)
        printf("%s\n", dlerror());
    CHECK(library);
    CHECK_EQ(chdir("/"), 0);
    return library;
}

static void end(pthread_t thread)
{
    atomic_store(&worker_shared->released, 1);
    CHECK_EQ(pthread_join(thread, NULL), 0);
}

static int a_plugin_has_workers_in_a_program_with_threads(void)
{
    int (*use)(const char *library, const char *helper);
    pthread_t thread;
    void *library = load(&thread, "./libplugin.so");

    *(void **)&use = dlsym(library, "plugin_use_workers");
    CHECK_EQ(use(PLUGINS "/libplugin.so", HELPER), 0);
    end(thread);
    return 0;
}

/* The plugin asks for workers with definitions of another library. */
static int is_refused(const char *helper, int code)
{
    int (*refused)(const char *library, const char *helper, int code);
    pthread_t thread;
    void *library = load(&thread, "./libplugin.so");

    CHECK(dlopen(PLUGINS "/libstarter.so", RTLD_NOW));
    *(void **)&refused = dlsym(library, "plugin_is_refused");
    CHECK_EQ(refused(PLUGINS "/libstarter.so", helper, code), 0);
    end(thread);
    return 0;
}

static int a_library_that_starts_threads_is_refused(void)
{
    CHECK(dlopen(PLUGINS "/libstarter.so", RTLD_NOW));
    CHECK_EQ(setenv("STARTER_STARTS", "1", 1), 0); /* for the helper: here it is loaded already */
    return is_refused(HELPER, BIGHT_EBUSY);
}

static int a_program_that_is_no_helper_ends_at_once(void)
{
    return is_refused("/bin/true", BIGHT_EWORKERDIED);
}

static const struct suite_case cases[] = {
    worker_plain(a_plugin_has_workers_in_a_program_with_threads, CASE_UNPREPARED),
    worker_plain(a_library_that_starts_threads_is_refused, CASE_UNPREPARED),
    worker_plain(a_program_that_is_no_helper_ends_at_once, CASE_UNPREPARED),
};

worker_suite("workers_library", cases);
