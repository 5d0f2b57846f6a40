/* What workers do with images, by MagickWand. Each takes and gives what its comment says. */
#ifndef SAMPLES_OFFLOAD_IMAGES_H
#define SAMPLES_OFFLOAD_IMAGES_H

#include <bight/job.h>

#include <stdint.h>

/* A path goes to jobs as a part of such a record. */
struct image {
    char path[96];
    uint32_t width, height;
};

/* For bight_workers_options.init. */
extern const struct bight_job_def images_begin_job;

/* Takes and gives a struct image; writes such an image to its path. */
extern const struct bight_job_def images_paint_job;

/* Takes the bytes of an image; gives those of one that fits into IMAGES_SMALL by IMAGES_SMALL. */
extern const struct bight_job_def images_shrink_job;
#define IMAGES_SMALL 160

/* Takes and gives a struct image; sets it to the size of the image at its path. */
extern const struct bight_job_def images_measure_job;

#endif
