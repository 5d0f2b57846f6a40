/* See sweep_programs.h. */
#include "tests/harness/sweep_programs.h"

#include <unistd.h>

#include <bight/errors.h>

#include "tests/harness/support.h"
#include "tests/harness/sweep.h"

static struct sweep sweep;

static int program_main(void *arg)
{
    return ((const struct sweep_program *)arg)->fn();
}

static int run(const struct sweep_program *program, struct bight_seams *seams, size_t from,
               size_t count)
{
    sweep_start(&sweep, seams, from, count);
    return bight__run_with_seams(NULL, seams, program_main, (void *)program);
}

/* A lookup that nobody waits for any more goes on in its thread, and may have a socket: the name of
 * an address is the system's to find. */
static bool descriptors_become(int fds)
{
    for (int ms = 0; ms < 20000 && test_open_fds() != fds; ms++)
        usleep(1000);
    return test_open_fds() == fds;
}

/* Whether a run in which the sweep said yes may end like that. */
static bool is_expected(const struct sweep_program *program, int rc, int code)
{
    if (rc == 0)
        return true;
    if (!sweep.said)
        return false;
    return rc == code || (code == BIGHT_ECANCELED && rc == program->code_of_peer);
}

static void sweep_all(const struct sweep_program *program, struct bight_seams *seams, size_t count,
                      int code)
{
    size_t surfaced = 0;
    int fds;

    for (int i = 0; i < 2; i++) /* what libraries keep for good they take now */
        ck_assert_int_eq(run(program, seams, SIZE_MAX, 0), 0);
    fds = test_open_fds();
    for (size_t from = 0;; from++) {
        int rc = run(program, seams, from, count);

        if (!is_expected(program, rc, code))
            ck_abort_msg("%s, visit %zu: %s", program->name, from, bight_error_name(rc));
        if (!descriptors_become(fds))
            ck_abort_msg("%s, visit %zu: %+d descriptors", program->name, from,
                         test_open_fds() - fds);
        surfaced += rc != 0;
        if (!sweep.said)
            break;
    }
    ck_assert_uint_gt(surfaced, 0);
}

void one_failed_allocation_leaves_nothing(int i)
{
    struct bight_seams seams = {.fail_alloc = sweep_visit};

    sweep_all(&sweep_programs[i], &seams, 1, BIGHT_ENOMEM);
}

void without_memory_from_somewhere_on_nothing_is_left(int i)
{
    struct bight_seams seams = {.fail_alloc = sweep_visit};

    sweep_all(&sweep_programs[i], &seams, SIZE_MAX, BIGHT_ENOMEM);
}

void one_cancelled_suspension_leaves_nothing(int i)
{
    struct bight_seams seams = {.cancel_here = sweep_cancel};

    sweep_all(&sweep_programs[i], &seams, 1, BIGHT_ECANCELED);
}

void cancelled_from_a_suspension_on_everything_ends(int i)
{
    struct bight_seams seams = {.cancel_here = sweep_cancel};

    sweep_all(&sweep_programs[i], &seams, SIZE_MAX, BIGHT_ECANCELED);
}
