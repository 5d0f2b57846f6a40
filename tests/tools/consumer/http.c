/* The same for libbight-http. */
#include <bight.h>
#include <bight/http.h>

static int start(void *arg)
{
    struct bight_http_session *session;
    int rc = bight_http_session_new(&session, NULL);

    (void)arg;
    return rc ? rc : bight_http_session_end(session);
}

int main(void)
{
    return bight_run(start, NULL) != 0;
}
