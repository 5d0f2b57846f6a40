/* Memory, and the system calls of a segment, that fail one after the other in a program that makes
 * a segment, gives it to workers, loses them with what they hold, and goes on. */
#include "tests/offload/shared/shared_cases.h"

#include <errno.h>

#include "runtime/runtime.h"

static struct {
    int failing; /* the number of what fails */
    int seen;
    bool counting;
} torture;

static bool fails(void)
{
    return torture.counting && torture.seen++ == torture.failing;
}

static bool fail_alloc(void *ctx, const void *site)
{
    (void)ctx;
    (void)site;
    return fails();
}

static bool fail_call(void *ctx, const void *site, const char *name, int *error, size_t *bytes)
{
    (void)ctx;
    (void)site;
    (void)bytes;
    if ((strcmp(name, "memfd_create") != 0 && strcmp(name, "socketpair") != 0) || !fails())
        return false;
    *error = EMFILE;
    return true;
}

static bool expected(int rc)
{
    return rc >= 0 || rc == BIGHT_ENOMEM || rc == BIGHT_EMFILE;
}

/* Hold the mutex until the process is killed. */
static int hold(struct bight_job *job)
{
    struct order order;
    struct board *board = find_board(job, &order);

    CHECK_EQ(bight_shared_mutex_lock(&board->mutex, -1), 0);
    atomic_fetch_add(&worker_shared->running, 1);
    for (;;)
        pause();
}
static const struct bight_job_def hold_job_here = {.name = "hold", .fn = hold};

static int lose_workers(struct bight_executor *executor, struct board *board, int number)
{
    struct order order = {.number = number};
    struct worker_call call = {.executor = executor, .def = &hold_job_here};
    int before = atomic_load(&worker_shared->running), rc = 0;

    torture.counting = false;
    begin_order(&call, &order);
    worker_await(&worker_shared->running, before + 1);
    CHECK_EQ(kill(worker_stats(executor).zygote_pid, SIGKILL), 0);
    torture.counting = true;
    rc = bight_shared_mutex_lock(&board->mutex, -1);
    torture.counting = false;
    CHECK_EQ(rc, BIGHT_EOWNERDEAD);
    worker_join(&call);
    return 0;
}

static int use(struct bight_executor *executor, struct bight_shared *segment)
{
    struct board *board = bight_shared_data(segment);
    int rc = bight_shared_mutex_init(&board->mutex);

    for (unsigned i = 0; i < 40 && !rc; i++) /* beyond the room that is made first */
        rc = bight_shared_event_init((void *)(board->storage + i * 8));
    if (rc)
        return rc;
    rc = bight_workers_share(executor, segment);
    return rc < 0 ? rc : lose_workers(executor, board, rc);
}

static int tortured(void *arg)
{
    struct bight_executor *executor = worker_open_count(1);
    struct bight_shared *segment;
    int rc;

    (void)arg;
    torture.counting = true;
    rc = bight_shared_new(&segment, sizeof(struct board));
    if (!rc) {
        rc = use(executor, segment);
        torture.counting = false;
        CHECK(expected(rc));
        CHECK_EQ(bight_shared_free(segment), 0);
    }
    torture.counting = false;
    CHECK(expected(rc));
    worker_close(executor);
    return 0;
}

static int whatever_fails_nothing_is_left(void)
{
    struct bight_seams seams = {.fail_alloc = fail_alloc, .fail_call = fail_call};
    int fds = 0;

    for (torture.failing = 0;; torture.failing++) {
        torture.seen = 0;
        CHECK_EQ(bight__run_with_seams(NULL, &seams, tortured, NULL), 0);
        if (torture.failing)
            CHECK_EQ(worker_open_fds(), fds);
        fds = worker_open_fds();
        if (torture.seen <= torture.failing)
            break;
    }
    printf("%d failures\n", torture.failing);
    CHECK(torture.failing >= 8);
    return 0;
}

static const struct suite_case cases[] = {
    worker_plain(whatever_fails_nothing_is_left, 0),
};

worker_suite("shared_alloc", cases);
