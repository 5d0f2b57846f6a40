/* See output.h. */
#include "samples/scraper/output.h"

#include <errno.h>

int output_open(struct output *output, const char *path)
{
    *output = (struct output){.file = path ? fopen(path, "we") : stdout};
    return output->file ? 0 : -errno;
}

int output_write(struct output *output, const struct record *record)
{
    bytes_clear(&output->line);
    int rc = record_write(&output->line, record);
    if (rc)
        return rc;
    if (fwrite(output->line.data, 1, output->line.size, output->file) != output->line.size ||
        fflush(output->file) != 0)
        return -errno;
    return 0;
}

int output_close(struct output *output)
{
    int rc = fclose(output->file) == 0 ? 0 : -errno;

    bytes_free(&output->line);
    output->file = NULL;
    return rc;
}
