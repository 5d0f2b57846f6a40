/* tls_proxy PORT HOST HOST_PORT CERTIFICATE KEY: speaks TLS with its clients and passes what they
 * say on to HOST, which need not know of it. SIGHUP has it read the two files again.
 *
 * To notice: the TLS connection is a stream above that of bight_serve and is ended first; the relay
 * is that of proxy.c and does not see the difference. A new certificate is for connections that
 * begin from then on; where the files are no good, the old one stays. */
#include "samples/common/relay.h"
#include "samples/net/serve.h"

#include <bight/background.h>
#include <bight/errors.h>
#include <bight/runtime.h>
#include <bight/signal.h>
#include <bight/tls.h>

#include <signal.h>
#include <stdio.h>

#define GOODBYE_MS 5000

struct proxy {
    uint16_t port;
    struct relay_host host;
    struct bight_tls_context_options files;
    struct bight_tls_context *context;
};

static int serve(struct bight_stream *client, void *arg)
{
    const struct bight_tls_options options = {.keep_below = true}; /* bight_serve ends that one */
    const struct proxy *proxy = arg;
    struct bight_stream *stream;
    int rc = bight_tls_server(&stream, client, proxy->context, &options, NULL);

    if (rc)
        return rc;
    rc = relay(stream, &proxy->host);
    if (rc)
        bight_stream_abort(stream);
    else
        rc = bight_stream_end(stream, GOODBYE_MS);
    return rc;
}

static int renew_at_hangup(void *arg)
{
    const struct proxy *proxy = arg;
    struct bight_tls_failure failure;
    struct bight_signal *hangup;
    int rc = bight_signal_open(&hangup, SIGHUP);

    if (rc)
        return rc;
    while ((rc = bight_signal_wait(hangup)) >= 0) {
        if (bight_tls_context_reload(proxy->context, &proxy->files, &failure))
            fprintf(stderr, "tls_proxy: the certificate stays: %s\n", failure.text);
    }
    bight_signal_end(hangup);
    return rc;
}

static int run_with_context(const struct proxy *proxy)
{
    struct bight_background *renewal;
    int ended, rc = bight_background_new(&renewal, NULL, NULL);

    if (rc)
        return rc;
    rc = bight_background_spawn(NULL, renewal, NULL, renew_at_hangup, (void *)proxy);
    if (rc == 0)
        rc = serve_until_signal(proxy->port, serve, (void *)proxy);
    ended = bight_background_end(renewal);
    return rc ? rc : ended;
}

static int run(void *arg)
{
    struct proxy *proxy = arg;
    struct bight_tls_failure failure;
    int rc = bight_tls_context_new(&proxy->context, &proxy->files, &failure);

    if (rc) {
        fprintf(stderr, "tls_proxy: %s\n", failure.text);
        return rc;
    }
    rc = run_with_context(proxy);
    bight_tls_context_free(proxy->context);
    return rc;
}

int main(int argc, char **argv)
{
    int port = argc == 6 ? parse_port(argv[1]) : -1;
    int host_port = argc == 6 ? parse_port(argv[3]) : -1;
    struct proxy proxy;
    int rc;

    if (port < 0 || host_port <= 0) {
        fprintf(stderr, "usage: tls_proxy PORT HOST HOST_PORT CERTIFICATE KEY\n");
        return 2;
    }
    proxy = (struct proxy){
        .port = (uint16_t)port,
        .host = {argv[2], (uint16_t)host_port},
        .files = {.certificate_file = argv[4], .key_file = argv[5]},
    };
    rc = bight_run(run, &proxy);
    if (rc)
        fprintf(stderr, "tls_proxy: %s\n", bight_strerror(rc));
    return rc != 0;
}
