/* See watched.h. */
#include "tests/runtime/file/watched.h"

#include <stdio.h>
#include <string.h>

#include "tests/harness/world.h"
#include "tests/runtime/file/place.h"

struct bight_watch *watched;
static struct bight_watch_event event;

void watched_open(const char *name, unsigned flags, unsigned kinds)
{
    const struct bight_watch_options options = {.flags = flags, .kinds = kinds};

    ck_ok(bight_watch_open(&watched, *name ? place_path(name) : place_root(), &options));
}

void watched_end(void)
{
    ck_ok(bight_watch_end(watched));
}

static const char *below(const char *path)
{
    size_t bytes = strlen(place_root());

    ck_assert_int_eq(strncmp(path, place_root(), bytes), 0);
    return path[bytes] ? path + bytes + 1 : "";
}

const struct bight_watch_event *watched_next(void)
{
    ck_assert_int_eq(bight_watch_next(watched, &event), 1);
    return &event;
}

static void expect(const char *text)
{
    char is[3 * PLACE_PATH_BYTES];
    static const char *const kinds[] = {"create",  "remove", "rename", "modify", "attribute",
                                        "written", "rescan", "failed", "lost"};

    watched_next();
    snprintf(is, sizeof is, "%s%s%s %s%s%s", event.found ? "found " : "",
             kinds[__builtin_ctz(event.kind)], event.directory ? " directory" : "",
             event.from ? below(event.from) : "", event.from ? " > " : "", below(event.path));
    ck_assert_str_eq(is, text);
}

void watched_are(const char *const *texts)
{
    while (*texts)
        expect(*texts++);
}

int watched_go_on(void)
{
    struct bight_scope scope;
    int rc;

    ck_ok(bight_scope_begin(&scope, 10, 0));
    rc = bight_watch_next(watched, &event);
    rc = bight_scope_end(&scope, rc);
    return rc;
}

void watched_nothing(void)
{
    int rc;

    while ((rc = bight_watch_try_next(watched, &event)) == BIGHT_EBUSY)
        ck_code(watched_go_on(), BIGHT_ETIMEDOUT);
    ck_code(rc, BIGHT_EAGAIN);
}

void watched_over(void)
{
    ck_assert_int_eq(bight_watch_next(watched, &event), 0);
    ck_assert_int_eq(bight_watch_try_next(watched, &event), 0);
}

unsigned watched_queue_most(void)
{
    unsigned most = 0;
    FILE *limit = fopen("/proc/sys/fs/inotify/max_queued_events", "re");

    ck_assert_ptr_nonnull(limit);
    ck_assert_int_eq(fscanf(limit, "%u", &most), 1);
    fclose(limit);
    return most;
}

void place_move(const char *from, const char *to)
{
    ck_assert_int_eq(rename(place_path(from), place_path(to)), 0);
}
