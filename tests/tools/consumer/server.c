/* The same for libbight-server. */
#include <bight.h>
#include <bight/server.h>

static int hello(struct bight_exchange *exchange, void *arg)
{
    (void)arg;
    return bight_exchange_answer_status(exchange, 200);
}

static int start(void *arg)
{
    struct bight_stream *left, *right;
    int rc = bight_stream_pair(&left, &right, NULL);

    (void)arg;
    if (rc)
        return rc;
    rc = bight_stream_shutdown(right);
    if (rc == 0)
        rc = bight_http_serve_stream(left, hello, NULL, NULL);
    bight_stream_abort(left);
    bight_stream_abort(right);
    return rc;
}

int main(void)
{
    return bight_run(start, NULL) != 0;
}
