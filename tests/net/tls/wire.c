/* See wire.h. */
#include "tests/net/tls/wire.h"

#include <string.h>

struct authority authority, stranger;
struct identity localhost;

void wire_open(void)
{
    const struct request request = {.name = "the server",
                                    .names = "DNS:localhost,IP:127.0.0.1,IP:::1"};

    authority_open(&authority, "an authority");
    authority_open(&stranger, "a stranger");
    authority_issue(&authority, &request, &localhost);
}

void wire_close(void)
{
    authority_close(&authority);
    authority_close(&stranger);
}

static struct bight_tls_context *make(const struct bight_tls_context_options *options)
{
    struct bight_tls_context *context = NULL;
    struct bight_tls_failure failure;
    int rc = bight_tls_context_new(&context, options, &failure);

    if (rc)
        ck_abort_msg("no context: %s", failure.text);
    return context;
}

struct bight_tls_context *wire_server_context(const struct bight_tls_context_options *options,
                                              const struct identity *identity)
{
    struct bight_tls_context_options all = {0};

    if (options)
        all = *options;
    all.certificate_pem = identity->certificate;
    all.key_pem = identity->key;
    return make(&all);
}

struct bight_tls_context *wire_client_context(const struct bight_tls_context_options *options)
{
    struct bight_tls_context_options all = {0};

    if (options)
        all = *options;
    if (!all.ca_pem)
        all.ca_pem = authority.pem.certificate;
    return make(&all);
}

static int shake(void *arg)
{
    struct wire_end *end = arg;

    end->stream = NULL;
    end->code = end->host ? bight_tls_client(&end->stream, end->below, end->host, end->context,
                                             &end->options, &end->failure)
                          : bight_tls_server(&end->stream, end->below, end->context, &end->options,
                                             &end->failure);
    ck_assert_int_eq(end->failure.code, end->code);
    ck_assert_int_eq(end->failure.text[0] != '\0', end->code != 0);
    if (end->code)
        ck_ok(bight_stream_end(end->below, 0));
    return 0;
}

void wire_shake(struct wire_end *client, struct wire_end *server)
{
    struct bight_task *task;

    ck_ok(bight_spawn(&task, shake, server));
    shake(client);
    ck_ok(bight_join(task, NULL));
}

void wire_connect(struct wire_end *client, struct wire_end *server,
                  const struct bight_stream_pair_options *options)
{
    *client = (struct wire_end){.host = "localhost", .context = wire_client_context(NULL)};
    *server = (struct wire_end){.context = wire_server_context(NULL, &localhost)};
    ck_ok(bight_stream_pair(&client->below, &server->below, options));
    wire_shake(client, server);
    ck_ok(client->code);
    ck_ok(server->code);
}

void wire_free_contexts(struct wire_end *client, struct wire_end *server)
{
    bight_tls_context_free(client->context);
    bight_tls_context_free(server->context);
}

void wire_end(struct wire_end *client, struct wire_end *server)
{
    ck_ok(bight_stream_end(client->stream, 0));
    ck_ok(bight_stream_end(server->stream, 0));
    wire_free_contexts(client, server);
}
