/* Rows of libbight-http. */
#include <bight/http.h>

#include "tests/nulls/rows.h"

static void sessions(void)
{
    struct bight_http_response *response;

    says_einval(bight_http_session_new, NULL, NULL);
    says_einval(bight_http_session_end, NULL);
    says_einval(bight_http_fetch, NULL, (void *)some, "http://host/", NULL);
    says_einval(bight_http_fetch, &response, NULL, "http://host/", NULL);
    says_einval(bight_http_fetch, &response, (void *)some, NULL, NULL);
    says_einval(bight_http_get, NULL, (void *)some, "http://host/", NULL);
    says_einval(bight_http_get, &response, NULL, "http://host/", NULL);
    says_einval(bight_http_get, &response, (void *)some, NULL, NULL);
    says_einval(bight_http_head, NULL, (void *)some, "http://host/", NULL);
    says_einval(bight_http_head, &response, NULL, "http://host/", NULL);
    says_einval(bight_http_head, &response, (void *)some, NULL, NULL);
    says_einval(bight_http_post, NULL, (void *)some, "http://host/", NULL);
    says_einval(bight_http_post, &response, NULL, "http://host/", NULL);
    says_einval(bight_http_post, &response, (void *)some, NULL, NULL);
    says_einval(bight_http_put, NULL, (void *)some, "http://host/", NULL);
    says_einval(bight_http_put, &response, NULL, "http://host/", NULL);
    says_einval(bight_http_put, &response, (void *)some, NULL, NULL);
    says_einval(bight_http_patch, NULL, (void *)some, "http://host/", NULL);
    says_einval(bight_http_patch, &response, NULL, "http://host/", NULL);
    says_einval(bight_http_patch, &response, (void *)some, NULL, NULL);
    says_einval(bight_http_delete, NULL, (void *)some, "http://host/", NULL);
    says_einval(bight_http_delete, &response, NULL, "http://host/", NULL);
    says_einval(bight_http_delete, &response, (void *)some, NULL, NULL);
    says_einval(bight_http_open, NULL, (void *)some, "http://host/", NULL);
    says_einval(bight_http_open, &response, NULL, "http://host/", NULL);
    says_einval(bight_http_open, &response, (void *)some, NULL, NULL);
    does_nothing(bight_http_session_get_stats, NULL, (void *)some);
    does_nothing(bight_http_session_get_stats, (void *)some, NULL);
}

static void uploads(void)
{
    struct bight_http_upload upload;

    bight_http_upload_init(&upload, -1);
    does_nothing(bight_http_upload_init, NULL, 0);
    says_einval(bight_http_upload_write, NULL, some, 1);
    says_einval(bight_http_upload_write, &upload, NULL, 1);
    says_einval(bight_http_upload_close, NULL);
    does_nothing(bight_http_source_from_file, NULL, (void *)some, 0);
    does_nothing(bight_http_source_from_stream, NULL, (void *)some, 0);
}

static void responses(void)
{
    const char *text;
    size_t bytes = 1;

    says_einval(bight_http_read, NULL, some, 1);
    says_einval(bight_http_read, (void *)some, NULL, 1);
    says_einval(bight_http_save, NULL, "path", NULL);
    says_einval(bight_http_save, (void *)some, NULL, NULL);
    says_einval(bight_http_copy, NULL, (void *)some);
    says_einval(bight_http_copy, (void *)some, NULL);
    does_nothing(bight_http_response_free, NULL);
    says_einval(bight_http_response_status, NULL);
    says_einval(bight_http_response_version, NULL);
    is_null(bight_http_response_header, NULL, "name");
    is_null(bight_http_response_header, (void *)some, NULL);
    says_einval(bight_http_response_header_at, NULL, 0, &text, &text);
    says_einval(bight_http_response_header_at, (void *)some, 0, NULL, &text);
    says_einval(bight_http_response_header_at, (void *)some, 0, &text, NULL);
    is_null(bight_http_response_trailer, NULL, "name");
    is_null(bight_http_response_trailer, (void *)some, NULL);
    says_einval(bight_http_response_trailer_at, NULL, 0, &text, &text);
    says_einval(bight_http_response_trailer_at, (void *)some, 0, NULL, &text);
    says_einval(bight_http_response_trailer_at, (void *)some, 0, &text, NULL);
    says_einval(bight_http_response_hop_at, NULL, 0, (void *)some);
    says_einval(bight_http_response_hop_at, (void *)some, 0, NULL);
    says_einval(bight_http_response_remote, NULL, (void *)some);
    says_einval(bight_http_response_remote, (void *)some, NULL);
    is_null(bight_http_response_body, NULL, &bytes);
    ck_assert_uint_eq(bytes, 0);
    says_einval(bight_http_response_text, NULL, &text, &bytes);
    says_einval(bight_http_response_text, (void *)some, NULL, &bytes);
    is_null(bight_http_charset, NULL, 1);
    is_null(bight_http_response_url, NULL);
    does_nothing(bight_http_response_timing, NULL, (void *)some);
    does_nothing(bight_http_response_timing, (void *)some, NULL);
    is_null(bight_http_response_error, NULL);
}

void walk_library(void)
{
    sessions();
    uploads();
    responses();
}
