/* The same for libbight-websocket, which brings libbight-server along. */
#include <bight.h>
#include <bight/websocket.h>

static int start(void *arg)
{
    struct bight_stream *left, *right;
    struct bight_websocket *socket;
    int rc = bight_stream_pair(&left, &right, NULL);

    (void)arg;
    if (rc)
        return rc;
    bight_stream_abort(right);
    rc = bight_websocket_connect(&socket, left, "example.org", "/", NULL, NULL);
    bight_stream_abort(left);
    return rc == BIGHT_EPIPE || rc == BIGHT_ECONNRESET ? 0 : -1;
}

int main(void)
{
    return bight_run(start, NULL) != 0;
}
