/* Programs that were started with standard input, output or error closed. */
#include <bight.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/harness/suite.h"
#include "tests/harness/support.h"

/* What is opened has a number above the three. */
static int open_some(void *arg)
{
    struct bight_stream *ends[2];
    int pair[2], rc;

    (void)arg;
    if (pipe(pair))
        return -errno;
    if (pair[0] <= STDERR_FILENO)
        return BIGHT_EBADF;
    rc = bight_stream_from_fd(&ends[0], pair[0]);
    if (!rc)
        rc = bight_stream_from_fd(&ends[1], pair[1]);
    if (!rc)
        rc = bight_stream_write(ends[1], "ab", 2);
    for (int i = 0; i < 2 && !rc; i++)
        rc = bight_stream_end(ends[i], -1);
    return rc;
}

/* In a child: 0 when all went well. */
static int run_without(unsigned closed)
{
    for (int fd = 0; fd < 3; fd++) {
        if (closed >> fd & 1)
            close(fd);
    }
    for (int round = 0; round < 2; round++) {
        if (bight_run(open_some, NULL))
            return 1;
    }
    for (int fd = 0; fd < 3; fd++) {
        if (fcntl(fd, F_GETFD) < 0 || ((closed >> fd & 1) && fcntl(fd, F_GETFD) != 0))
            return 2;
    }
    return close(dup(0)) || dup(0) != 3 ? 3 : 0; /* nothing else is left open */
}

static void a_loop_does_not_take_their_numbers(void)
{
    for (unsigned closed = 1; closed < 8; closed++) {
        pid_t pid = fork();
        int status;

        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
            /* So that nothing of Check's is in the way. */
            for (int fd = 3; fd < 256; fd++)
                close(fd);
            _exit(run_without(closed));
        }
        ck_assert_int_eq(test_waitpid(pid, &status, 0), pid);
        ck_assert_msg(status == 0, "closed %#x: wait status %#x", closed, (unsigned)status);
    }
}

static const struct suite_case cases[] = {
    plain_case(a_loop_does_not_take_their_numbers),
};

test_suite("standard_fds", cases);
