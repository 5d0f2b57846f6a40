/* A fuzz target without a fuzzer: every file of a folder, every beginning of it, and every byte
 * of it changed in turn go through the target, so that targets and seeds do not rot between
 * nights.
 * usage: PROGRAM FOLDER */
#include <dirent.h>

#include "tests/fuzz/fuzz.h"

/* Longer seeds are cut and changed at this many places, evenly spread. */
#define PLACES_MAX ((size_t)256)

static uint8_t *read_whole(const char *folder, const char *name, size_t *size)
{
    char path[4096];
    long end;

    FUZZ_CHECK(snprintf(path, sizeof path, "%s/%s", folder, name) < (int)sizeof path);
    FILE *file = fopen(path, "rb");
    FUZZ_CHECK(file && fseek(file, 0, SEEK_END) == 0);
    end = ftell(file);
    FUZZ_CHECK(end >= 0);
    rewind(file);
    *size = (size_t)end;
    uint8_t *data = malloc(*size + 1);
    FUZZ_CHECK(data && fread(data, 1, *size, file) == *size);
    fclose(file);
    return data;
}

/* A copy of exactly `size` bytes: one beyond is beyond the block. */
static void run(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);

    FUZZ_CHECK(copy);
    memcpy(copy, data, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static void replay(uint8_t *data, size_t size)
{
    size_t step = size / PLACES_MAX + 1;

    run(data, size);
    for (size_t at = 0; at < size; at += step) {
        uint8_t was = data[at];

        run(data, at);
        data[at] = (uint8_t)(was ^ (1u << at % 8));
        run(data, size);
        data[at] = '\0';
        run(data, size);
        data[at] = was;
    }
}

int main(int argc, char **argv)
{
    DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
    int files = 0;

    if (!folder) {
        fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
        return 2;
    }
    for (struct dirent *entry; (entry = readdir(folder));) {
        if (entry->d_name[0] == '.')
            continue;
        size_t size;
        uint8_t *data = read_whole(argv[1], entry->d_name, &size);
        replay(data, size);
        free(data);
        files++;
    }
    closedir(folder);
    printf("%d seeds\n", files);
    return files ? 0 : 1;
}
