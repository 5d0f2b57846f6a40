/* offload/wire/definition.c: a place and a name that another process says lead to a definition of
 * this program or to none, and never to memory that is not there. Input: the offset, the module,
 * NUL, the name. */
#include "offload/wire/definition.h"
#include "tests/fuzz/fuzz.h"

static int nothing(struct bight_job *job)
{
    (void)job;
    return 0;
}

static const struct bight_job_def known = {.name = "known", .fn = nothing};

/* The offset counts from the known definition, so that small ones lead to something. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct definition_place place;
    int64_t offset = 0;

    if (size < sizeof offset)
        return 0;
    FUZZ_CHECK(bight__definition_locate(&known, &place));
    memcpy(&offset, data, sizeof offset);
    char *module = fuzz_text(data + sizeof offset, size - sizeof offset);
    size_t used = sizeof offset + strlen(module) + 1;
    char *name = fuzz_text(data + (used < size ? used : size), used < size ? size - used : 0);
    place.module = module;
    place.offset += (uint64_t)offset;
    const struct bight_job_def *found = bight__definition_find(&place, name, 0);
    if (found)
        FUZZ_CHECK(strcmp(found->name, name) == 0);
    if (!*module && offset == 0)
        FUZZ_CHECK((found == &known) == (strcmp(name, "known") == 0));
    free(module);
    free(name);
    return 0;
}
