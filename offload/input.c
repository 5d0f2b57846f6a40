/* See input.h. Each worker maps the file for itself: what a job writes there is its own, and nobody
 * but the caller can change the file. So it survives a worker, and serves the next one. */
#include "offload/input.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "coro/core/source.h"
#include "runtime/runtime.h"

/* Nobody changes the file's size, and nobody else maps it to write to it: since Linux 5.1. */
#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW)

static int make(struct bight_job_input *input, const struct bight_seams *seams)
{
    struct rlimit limit;

    /* Beyond this limit ftruncate raises SIGXFSZ, which would end this process. */
    if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur < input->bytes)
        return BIGHT_EFBIG;
    if (bight__call_fails(seams, "memfd_create"))
        return -errno;
    input->fd = memfd_create("bight-input", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (input->fd < 0 || ftruncate(input->fd, (off_t)input->bytes) < 0)
        return -errno;
    input->data = mmap(NULL, input->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, input->fd, 0);
    if (input->data == MAP_FAILED)
        return -errno;
    (void)madvise(input->data, input->bytes, MADV_DONTFORK);
    if (fcntl(input->fd, F_ADD_SEALS, SEALS | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL) < 0 &&
        fcntl(input->fd, F_ADD_SEALS, SEALS | F_SEAL_SEAL) < 0)
        return -errno;
    return 0;
}

/* noinline: its return address is the site that bight__may_map asks about. */
__attribute__((noinline)) int bight_job_input_new(struct bight_job_input **out, size_t bytes)
{
    const struct bight_seams *seams = bight__sched ? &bight__sched->seams : NULL;
    struct bight_job_input *input;
    int rc;

    if (!out || !bytes || bytes > SIZE_MAX / 4)
        return BIGHT_EINVAL;
    if (seams && !bight__may_map(seams, __builtin_return_address(0)))
        return BIGHT_ENOMEM;
    input = bight__alloc(seams, sizeof(*input));
    if (!input)
        return BIGHT_ENOMEM;
    *input = (struct bight_job_input){.data = MAP_FAILED, .bytes = bytes, .fd = -1};
    rc = make(input, seams);
    if (rc)
        bight_job_input_free(input);
    else
        *out = input;
    return rc;
}

void *bight_job_input_data(const struct bight_job_input *input)
{
    return input ? input->data : NULL;
}

void bight_job_input_free(struct bight_job_input *input)
{
    if (!input)
        return;
    if (input->data != MAP_FAILED)
        munmap(input->data, input->bytes);
    if (input->fd >= 0)
        close(input->fd);
    bight__free(input);
}
