/* net/http/url.c: the short way through a plain URL says what libcurl's parser says, which has
 * the last word when the request is sent; anything else would be a hole in the address filter. */
#include "net/http/http.h"
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
    FUZZ_CHECK(host && strcmp(host, url->host) == 0);
    FUZZ_CHECK(curl_url_get(handle, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK);
    FUZZ_CHECK(strtoul(port, NULL, 10) == url->port);
    curl_free(port);
    curl_free(host);
    curl_url_cleanup(handle);
}

static void follow(const char *location)
{
    char *text = NULL;
    int rc = bight__http_url_join("http://host.example/a/b?c#d", location, &text);

    FUZZ_CHECK(rc == 0 || rc == BIGHT_EPROTOCOL || rc == BIGHT_ENOMEM);
    if (rc == 0)
        FUZZ_CHECK(!strpbrk(text, "\r\n "));
    curl_free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    char *normal;
    struct http_url url;
    int rc = bight__http_url_parse(text, &url, &normal);

    FUZZ_CHECK(rc == 0 || rc == BIGHT_EINVAL || rc == BIGHT_ENOMEM);
    if (rc == 0) {
        FUZZ_CHECK(url.port && *url.host && memchr(url.host, '\0', sizeof url.host));
        FUZZ_CHECK(!strpbrk(url.host, "\r\n /@"));
    }
    if (rc == 0 && !normal)
        compare(text, &url);
    curl_free(normal);
    follow(text);
    free(text);
    return 0;
}
