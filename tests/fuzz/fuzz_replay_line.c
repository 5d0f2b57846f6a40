/* runtime/testing/line.c: a line that was read and written again has the same numbers and the
 * same name. */
#include "runtime/testing/testing.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    struct bight_test_options options = {0}, again = {0};
    char name[TEST_NAME_BYTES], name_again[TEST_NAME_BYTES], line[BIGHT_TEST_LINE_BYTES];
    char line_again[BIGHT_TEST_LINE_BYTES];

    if (bight__test_parse(text, &options, name) == 0) {
        size_t bytes = bight__test_line(&options, name, NULL, line, sizeof line);
        FUZZ_CHECK(bytes < sizeof line);
        FUZZ_CHECK(bight__test_parse(line, &again, name_again) == 0);
        bytes = bight__test_line(&again, name_again, NULL, line_again, sizeof line_again);
        FUZZ_CHECK(bytes < sizeof line_again && strcmp(line, line_again) == 0);
        FUZZ_CHECK(strcmp(name, name_again) == 0);
    }
    free(text);
    return 0;
}
