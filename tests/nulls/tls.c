/* Rows of libbight-tls. */
#include <bight/tls.h>

#include "tests/nulls/rows.h"

static int handler(struct bight_stream *stream, void *arg)
{
    (void)stream;
    (void)arg;
    return 0;
}

void walk_library(void)
{
    struct bight_tls_info info;
    struct bight_stream *stream;

    says_einval(bight_tls_context_new, NULL, NULL, NULL);
    says_einval(bight_tls_context_reload, NULL, NULL, NULL);
    does_nothing(bight_tls_context_free, NULL);
    says_einval(bight_tls_client, NULL, (void *)some, "host", NULL, NULL, NULL);
    says_einval(bight_tls_client, &stream, NULL, "host", NULL, NULL, NULL);
    says_einval(bight_tls_server, NULL, (void *)some, (void *)some, NULL, NULL);
    says_einval(bight_tls_server, &stream, NULL, (void *)some, NULL, NULL);
    says_einval(bight_tls_server, &stream, (void *)some, NULL, NULL, NULL);
    says_einval(bight_tls_connect, NULL, "host", 443, NULL, NULL, NULL);
    says_einval(bight_tls_connect, &stream, NULL, 443, NULL, NULL, NULL);
    says_einval(bight_tls_serve, NULL, (void *)some, handler, NULL, NULL);
    says_einval(bight_tls_serve, (void *)some, NULL, handler, NULL, NULL);
    says_einval(bight_tls_serve, (void *)some, (void *)some, NULL, NULL, NULL);
    says_einval(bight_tls_get_info, NULL, &info);
    says_einval(bight_tls_get_info, (void *)some, NULL);
    is_null(bight_tls_native, NULL);
}
