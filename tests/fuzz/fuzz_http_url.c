/* net/http/url.c: what is said of a URL is what libcurl's parser, which has the last word when the
 * request is sent, says of the form that it is given; anything else would be a hole in the address
 * filter. */
#include <curl/curl.h>

#include <bight/errors.h>

#include "net/http/url.h"
#include "tests/fuzz/fuzz.h"

/* What libcurl takes for the host of `url`, in lower case. Gives it; NULL: no URL. */
static char *host_by_curl(const char *url, CURLU *handle)
{
    char *host = NULL;

    if (curl_url_set(handle, CURLUPART_URL, url, 0) ||
        curl_url_get(handle, CURLUPART_HOST, &host, 0))
        return NULL;
    for (char *at = host; *at; at++)
        if (*at >= 'A' && *at <= 'Z')
            *at = (char)(*at + 32);
    return host;
}

static void compare(const char *text, const struct http_url *url)
{
    CURLU *handle = curl_url();
    char *port = NULL;

    FUZZ_CHECK(handle);
    char *host = host_by_curl(text, handle);
    FUZZ_CHECK(host);
    /* Of an IPv6 address ours is without brackets, and with its zone. */
    FUZZ_CHECK(*host == '[' ? url->literal : strcmp(host, url->host) == 0);
    FUZZ_CHECK(curl_url_get(handle, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK);
    FUZZ_CHECK(strtoul(port, NULL, 10) == url->port);
    curl_free(port);
    curl_free(host);
    curl_url_cleanup(handle);
}

static const struct bight_seams seams;

/* What a URL was made into means the same, and stays as it is. */
static void parse_again(const char *text, const struct http_url *url)
{
    struct http_buffer buffer = {0};
    struct http_url again;

    FUZZ_CHECK(http_buffer_append(&seams, &buffer, text, strlen(text) + 1) == 0);
    FUZZ_CHECK(bight__http_url_parse(&seams, &buffer, &again) == 0);
    FUZZ_CHECK(bight__http_same_origin(url, &again) && url->literal == again.literal);
    FUZZ_CHECK(strcmp(buffer.data, text) == 0);
    bight__http_buffer_free(&buffer);
}

static void follow(const char *location)
{
    struct http_buffer text = {0};

    if (bight__http_url_join(&seams, "http://host.example/a/b?c#d", location, &text) == 0)
        FUZZ_CHECK(text.bytes == strlen(text.data) + 1);
    bight__http_buffer_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    struct http_buffer buffer = {0};
    struct http_url url;

    FUZZ_CHECK(http_buffer_append(&seams, &buffer, text, strlen(text) + 1) == 0);
    int rc = bight__http_url_parse(&seams, &buffer, &url);
    FUZZ_CHECK(rc == 0 || rc == BIGHT_EINVAL || rc == BIGHT_ENOTSUP || rc == BIGHT_ENOMEM);
    if (rc == 0) {
        FUZZ_CHECK(url.port && *url.host && memchr(url.host, '\0', sizeof(url.host)));
        FUZZ_CHECK(!strpbrk(url.host, "\r\n /@"));
        FUZZ_CHECK(!strpbrk(buffer.data, "\r\n "));
        compare(buffer.data, &url);
        parse_again(buffer.data, &url);
    }
    bight__http_buffer_free(&buffer);
    follow(text);
    free(text);
    return 0;
}
