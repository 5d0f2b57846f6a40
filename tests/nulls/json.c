/* Rows of libbight-json. */
#include <bight/http_json.h>

#include "tests/nulls/rows.h"

void walk_library(void)
{
    struct bight_http_response *response;
    struct json_t *json;

    says_einval(bight_http_fetch_json, NULL, (void *)some, "http://host/", NULL, (void *)some);
    says_einval(bight_http_fetch_json, &response, NULL, "http://host/", NULL, (void *)some);
    says_einval(bight_http_fetch_json, &response, (void *)some, NULL, NULL, (void *)some);
    says_einval(bight_http_fetch_json, &response, (void *)some, "http://host/", NULL, NULL);
    says_einval(bight_http_response_json, NULL, (void *)some, NULL);
    says_einval(bight_http_response_json, &json, NULL, NULL);
}
