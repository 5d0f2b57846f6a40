/* runtime/address.c: an address that was read is written as a text which is read as the
 * same. */
#include <bight/address.h>

#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    struct bight_address address, again;
    char normal[BIGHT_ADDRESS_TEXT_BYTES];

    if (bight_address_parse(text, &address) == 0) {
        FUZZ_CHECK(address.family == 4 || address.family == 6);
        bight_address_text(&address, normal);
        FUZZ_CHECK(bight_address_parse(normal, &again) == 0);
        FUZZ_CHECK(address.family == again.family && address.port == again.port);
        FUZZ_CHECK(address.scope_id == again.scope_id);
        FUZZ_CHECK(memcmp(address.bytes, again.bytes, sizeof(address.bytes)) == 0);
    }
    free(text);
    return 0;
}
