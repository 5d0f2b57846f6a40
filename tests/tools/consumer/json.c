/* The same for libbight-json, which brings libbight-http along. */
#include <bight.h>
#include <bight/http_json.h>

static int start(void *arg)
{
    struct bight_http_session *session;
    struct bight_http_response *response;
    int rc = bight_http_session_new(&session, NULL);

    (void)arg;
    if (rc)
        return rc;
    rc = bight_http_fetch_json(&response, session, "http://127.0.0.1/", NULL, NULL);
    if (rc == BIGHT_EINVAL)
        rc = bight_http_response_json(NULL, NULL, NULL);
    int ended = bight_http_session_end(session);
    return rc == BIGHT_EINVAL ? ended : -1;
}

int main(void)
{
    return bight_run(start, NULL) != 0;
}
