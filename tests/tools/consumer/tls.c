/* The same for libbight-tls. */
#include <bight.h>
#include <bight/tls.h>

static int start(void *arg)
{
    struct bight_tls_context *context;
    int rc = bight_tls_context_new(&context, NULL, NULL);

    (void)arg;
    if (rc == 0)
        bight_tls_context_free(context);
    return rc;
}

int main(void)
{
    return bight_run(start, NULL) != 0;
}
