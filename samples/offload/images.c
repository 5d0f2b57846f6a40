/* See images.h. A failure of the library becomes BIGHT_EIO; standard error, which is the program's,
 * has what it says. */
#include "samples/offload/images.h"

#include "samples/offload/lesson.h"

#include <bight/errors.h>

#if __has_include(<MagickWand/MagickWand.h>)
#include <MagickWand/MagickWand.h>
#else /* before version 7 */
#include <wand/MagickWand.h>
#endif
#include <stdio.h>
#include <sys/resource.h>

static int outcome(MagickWand *wand, MagickBooleanType done)
{
    ExceptionType kind;
    char *text;

    if (done)
        return 0;
    text = MagickGetException(wand, &kind);
    (void)fprintf(stderr, "images: %s\n", text);
    MagickRelinquishMemory(text);
    return BIGHT_EIO;
}

static int begin(struct bight_job *job)
{
    (void)job;
    MagickWandGenesis();
    /* There is a worker for each processor: threads of its own would be in the others' way. */
    (void)MagickSetResourceLimit(ThreadResource, 1);
    /* Where all processors are busy, the loop goes first. */
    (void)setpriority(PRIO_PROCESS, 0, 10);
    return 0;
}

/* Both directions of a job that takes and gives a struct image. */
static int with_image(struct bight_job *job, int (*fn)(MagickWand *wand, struct image *image))
{
    struct image image;
    MagickWand *wand;
    int rc = job_input(job, &image, sizeof image);

    if (rc)
        return rc;
    wand = NewMagickWand();
    rc = fn(wand, &image);
    DestroyMagickWand(wand);
    return rc ? rc : bight_job_output_append(job, &image, sizeof image);
}

static int paint_image(MagickWand *wand, struct image *image)
{
    int rc = outcome(wand, MagickSetSize(wand, image->width, image->height));

    if (rc == 0)
        rc = outcome(wand, MagickReadImage(wand, "gradient:tomato-steelblue"));
    return rc ? rc : outcome(wand, MagickWriteImage(wand, image->path));
}

static int paint(struct bight_job *job)
{
    return with_image(job, paint_image);
}

static int measure_image(MagickWand *wand, struct image *image)
{
    int rc = outcome(wand, MagickReadImage(wand, image->path));

    image->width = (uint32_t)MagickGetImageWidth(wand);
    image->height = (uint32_t)MagickGetImageHeight(wand);
    return rc;
}

static int measure(struct bight_job *job)
{
    return with_image(job, measure_image);
}

/* The longer side becomes IMAGES_SMALL. */
static int shrink_image(MagickWand *wand)
{
    size_t width = MagickGetImageWidth(wand), height = MagickGetImageHeight(wand);
    size_t longer = width > height ? width : height;

    if (!longer)
        return BIGHT_EIO;
    return outcome(wand, MagickThumbnailImage(wand, width * IMAGES_SMALL / longer,
                                              height * IMAGES_SMALL / longer));
}

static int answer(struct bight_job *job, MagickWand *wand)
{
    size_t bytes;
    unsigned char *blob = MagickGetImageBlob(wand, &bytes);
    int rc = blob ? bight_job_output_append(job, blob, bytes) : outcome(wand, MagickFalse);

    MagickRelinquishMemory(blob);
    return rc;
}

static int shrink(struct bight_job *job)
{
    MagickWand *wand = NewMagickWand();
    int rc = outcome(wand, MagickReadImageBlob(wand, job->input, job->input_bytes));

    if (rc == 0)
        rc = shrink_image(wand);
    if (rc == 0)
        rc = answer(job, wand);
    DestroyMagickWand(wand);
    return rc;
}

const struct bight_job_def images_begin_job = {.name = "begin images", .fn = begin};
const struct bight_job_def images_paint_job = {
    .name = "paint image", .fn = paint, .flags = BIGHT_JOB_IDEMPOTENT};
const struct bight_job_def images_shrink_job = {
    .name = "shrink image", .fn = shrink, .flags = BIGHT_JOB_IDEMPOTENT};
const struct bight_job_def images_measure_job = {
    .name = "measure image", .fn = measure, .flags = BIGHT_JOB_IDEMPOTENT};
