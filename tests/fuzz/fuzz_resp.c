/* samples/net/resp.c: requests of Redis' protocol out of bytes that come. However many are there,
 * no verdict is taken back, and one that goes on says how many are missing at least, so that nobody
 * waits for too much; the arguments lie within the request, in order. */
#include "samples/net/resp.h"

#include "tests/fuzz/fuzz.h"

static void look_at_args(const struct resp_request *request, const char *data)
{
    const char *at = data;

    FUZZ_CHECK(request->count <= RESP_ARGS);
    for (size_t i = 0; i < request->count; i++) {
        const char *arg = request->args[i].data;

        FUZZ_CHECK(arg >= at && request->args[i].bytes <= RESP_REQUEST_BYTES);
        at = arg + request->args[i].bytes;
        FUZZ_CHECK(at <= data + request->bytes);
    }
}

/* What is said of the first `bytes`, in a block of exactly this size. */
static bool ask(const uint8_t *data, size_t bytes, struct resp_request *request)
{
    char *copy = malloc(bytes);

    FUZZ_CHECK(copy);
    memcpy(copy, data, bytes);
    bool is_whole = resp_parse(request, copy, bytes);
    if (is_whole) {
        FUZZ_CHECK(!request->error && request->bytes && request->bytes <= bytes);
        look_at_args(request, copy);
    } else {
        FUZZ_CHECK(request->error || request->bytes > bytes);
    }
    free(copy);
    return is_whole;
}

/* An error answer is one line, whatever the client has said. */
static void answer(const uint8_t *data, size_t size)
{
    struct resp_answers answers = {0};
    char *text = fuzz_text(data, size);

    resp_error(&answers, "ERR unknown command '%s'", text);
    FUZZ_CHECK(answers.status == 0 && answers.bytes > 3 && answers.data[0] == '-');
    FUZZ_CHECK(memchr(answers.data, '\r', answers.bytes) == answers.data + answers.bytes - 2);
    FUZZ_CHECK(memchr(answers.data, '\n', answers.bytes) == answers.data + answers.bytes - 1);
    resp_drop(&answers);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct resp_request whole, request;

    if (!size)
        return 0;
    bool is_whole = ask(data, size, &whole);
    for (size_t bytes = 1; bytes < size; bytes += size / 512 + 1) {
        bool is_whole_here = ask(data, bytes, &request);

        if (is_whole_here)
            FUZZ_CHECK(is_whole && request.bytes == whole.bytes && request.count == whole.count);
        else if (request.error)
            FUZZ_CHECK(!is_whole && whole.error && strcmp(whole.error, request.error) == 0);
        else if (is_whole)
            FUZZ_CHECK(request.bytes <= whole.bytes);
    }
    answer(data, size);
    return 0;
}
