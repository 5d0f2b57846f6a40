/* net/tls: what contexts are made of, how they are renewed, and what they remember. */
#include "tests/net/tls/wire.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Files */

static char folder[32];

static const char *write_file(const char *name, const char *text)
{
    static char paths[4][64];
    static int next;
    char *path = paths[next++ % 4];
    FILE *file;

    snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    ck_assert_int_eq(fclose(file), 0);
    return path;
}

static void folder_make(void)
{
    strcpy(folder, "/tmp/bight-tls-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void folder_remove(void)
{
    char command[64];

    snprintf(command, sizeof(command), "rm -r %s", folder);
    ck_assert_int_eq(system(command), 0);
}

static void meet(struct wire_end *client, struct wire_end *server)
{
    client->host = "localhost";
    ck_ok(bight_stream_pair(&client->below, &server->below, NULL));
    wire_shake(client, server);
    ck_ok(client->code);
    ck_ok(server->code);
}

/* Have both read the tickets, and part properly. */
static void part(struct wire_end *client, struct wire_end *server)
{
    char byte;

    ck_ok(bight_stream_write(server->stream, "!", 1));
    ck_ok(bight_stream_read_exactly(client->stream, &byte, 1));
    ck_ok(bight_stream_end(client->stream, 0));
    ck_ok(bight_stream_end(server->stream, 0));
}

static int from_files(void *arg)
{
    char both[sizeof(struct identity)];
    struct bight_tls_context_options server_options = {0}, client_options = {0};
    struct wire_end client = {0}, server = {0};

    (void)arg;
    folder_make();
    snprintf(both, sizeof(both), "%s%s", localhost.key, localhost.certificate);
    server_options.certificate_file = write_file("both.pem", both);
    client_options.ca_file = write_file("ca.pem", authority.pem.certificate);
    ck_ok(bight_tls_context_new(&server.context, &server_options, NULL));
    ck_ok(bight_tls_context_new(&client.context, &client_options, NULL));
    meet(&client, &server);
    part(&client, &server);
    wire_free_contexts(&client, &server);
    server_options.certificate_file = write_file("certificate.pem", localhost.certificate);
    server_options.key_file = write_file("key.pem", localhost.key);
    ck_ok(bight_tls_context_new(&server.context, &server_options, NULL));
    client_options.ca_file = NULL;
    client_options.ca_dir = folder;
    ck_ok(bight_tls_context_new(&client.context, &client_options, NULL)); /* not hashed: no one */
    client.host = "localhost";
    ck_ok(bight_stream_pair(&client.below, &server.below, NULL));
    wire_shake(&client, &server);
    ck_code(client.code, BIGHT_ETLS);
    wire_free_contexts(&client, &server);
    folder_remove();
    return 0;
}

/* The key in PEM, encrypted with "sesame". */
static void encrypt_key(char *text, size_t text_bytes)
{
    BIO *from = BIO_new_mem_buf(localhost.key, -1), *to = BIO_new(BIO_s_mem());
    EVP_PKEY *key = PEM_read_bio_PrivateKey(from, NULL, NULL, NULL);
    int count;

    ck_assert_int_eq(PEM_write_bio_PrivateKey(to, key, EVP_aes_128_cbc(),
                                              (const unsigned char *)"sesame", 6, NULL, NULL),
                     1);
    count = BIO_read(to, text, (int)text_bytes - 1);
    ck_assert_int_gt(count, 0);
    text[count] = '\0';
    EVP_PKEY_free(key);
    BIO_free(from);
    BIO_free(to);
}

static int passwords(void *arg)
{
    char key[4096];
    struct bight_tls_context_options options = {.certificate_pem = localhost.certificate,
                                                .key_pem = key};
    struct bight_tls_context *context;
    struct bight_tls_failure failure;

    (void)arg;
    encrypt_key(key, sizeof(key));
    ck_code(bight_tls_context_new(&context, &options, &failure), BIGHT_ETLS);
    options.password = "wrong";
    ck_code(bight_tls_context_new(&context, &options, &failure), BIGHT_ETLS);
    options.password = "sesame";
    ck_ok(bight_tls_context_new(&context, &options, &failure));
    bight_tls_context_free(context);
    return 0;
}

static int says_no(void *arg, struct ssl_ctx_st *native)
{
    ck_assert_ptr_nonnull(native);
    return *(const int *)arg;
}

/* What is wrong is said. */
static int bad_options(void *arg)
{
    static const char *const empty[] = {""};
    const struct request request = {.name = "another", .names = "DNS:localhost"};
    struct identity another;
    int no = BIGHT_EFORBIDDEN;
    const struct {
        struct bight_tls_context_options options;
        int code;
        const char *text; /* what it begins with */
    } rows[] = {
        {{.certificate_file = "/nowhere"}, BIGHT_ETLS, "certificate /nowhere: No such file"},
        {{.certificate_pem = "none"}, BIGHT_ETLS, "certificate (as text): no start line"},
        {{.certificate_pem = localhost.certificate}, BIGHT_ETLS, "private key (as text): "},
        {{.certificate_pem = localhost.certificate, .key_file = "/nowhere"},
         BIGHT_ETLS,
         "private key /nowhere: No such file"},
        {{.certificate_pem = localhost.certificate, .key_pem = another.key},
         BIGHT_ETLS,
         "private key (as text): "},
        {{.ca_file = "/nowhere"}, BIGHT_ETLS, "trusted certificates /nowhere: No such file"},
        {{.ca_pem = localhost.key}, BIGHT_ETLS, "trusted certificates (as text): "},
        {{.ciphers = "NONE-OF-THIS"}, BIGHT_ETLS, "ciphers: "},
        {{.ciphersuites = "NONE-OF-THIS"}, BIGHT_ETLS, "ciphersuites: "},
        {{.groups = "NONE-OF-THIS"}, BIGHT_ETLS, "groups: "},
        {{.alpn = empty, .alpn_count = 1}, BIGHT_EINVAL, "an application protocol has 1 to 255"},
        {{.alpn_count = 1}, BIGHT_EINVAL, "an application protocol"},
        {{.key_pem = localhost.key}, BIGHT_EINVAL, "a key without a certificate"},
        {{.certificate_pem = "", .certificate_file = ""}, BIGHT_EINVAL, "the certificate is given"},
        {{.certificate_pem = "", .key_pem = "", .key_file = ""}, BIGHT_EINVAL, "the key is given"},
        {{.oldest = BIGHT_TLS_VERSION_1_3, .newest = BIGHT_TLS_VERSION_1_2},
         BIGHT_EINVAL,
         "the newest version is older"},
        {{.oldest = (enum bight_tls_version)9}, BIGHT_EINVAL, "there is no such version"},
        {{.peer = (enum bight_tls_peer)9}, BIGHT_EINVAL, "there is no such peer"},
        {{.configure = says_no, .configure_arg = &no}, BIGHT_EFORBIDDEN, "the program's configure"},
    };

    (void)arg;
    authority_issue(&authority, &request, &another);
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct bight_tls_context *context = NULL;
        struct bight_tls_failure failure = {0};

        ck_code(bight_tls_context_new(&context, &rows[i].options, &failure), rows[i].code);
        ck_assert_ptr_null(context);
        if (strncmp(failure.text, rows[i].text, strlen(rows[i].text)) != 0)
            ck_abort_msg("row %zu: %s", i, failure.text);
        ck_code(failure.code, rows[i].code);
    }
    return 0;
}

static void expect_subject(struct wire_end *client, struct wire_end *server, const char *subject,
                           bool resumed)
{
    struct bight_tls_info info;

    meet(client, server);
    ck_ok(bight_tls_get_info(client->stream, &info));
    ck_assert_str_eq(info.subject, subject);
    ck_assert_int_eq(info.resumed, resumed);
}

/* New certificates while connections live. */
static int reloaded(void *arg)
{
    const struct request request = {.name = "the next", .names = "DNS:localhost"};
    struct identity next;
    struct bight_tls_context_options options = {.certificate_pem = next.certificate,
                                                .key_pem = next.key};
    struct wire_end client = {0}, server = {0}, late_client, late_server;
    struct bight_tls_failure failure;

    (void)arg;
    authority_issue(&authority, &request, &next);
    client.context = wire_client_context(NULL);
    server.context = wire_server_context(NULL, &localhost);
    late_client = client;
    late_server = server;
    late_client.options.session_key = "another";
    expect_subject(&client, &server, "CN=the server", false);
    ck_ok(bight_tls_context_reload(server.context, &options, NULL));
    expect_subject(&late_client, &late_server, "CN=the next", false);
    part(&client, &server); /* it goes on, and its ticket stays good */
    part(&late_client, &late_server);
    expect_subject(&client, &server, "CN=the server", true);
    part(&client, &server);
    options.key_pem = localhost.key;
    ck_code(bight_tls_context_reload(server.context, &options, &failure), BIGHT_ETLS);
    client.options.session_key = "a third";
    expect_subject(&client, &server, "CN=the next", false); /* nothing has changed */
    part(&client, &server);
    wire_free_contexts(&client, &server);
    return 0;
}

static bool resumes(struct wire_end *client, struct wire_end *server)
{
    struct bight_tls_info info, other;

    meet(client, server);
    ck_ok(bight_tls_get_info(client->stream, &info));
    ck_ok(bight_tls_get_info(server->stream, &other));
    ck_assert_int_eq(info.resumed, other.resumed);
    ck_assert(info.verified);
    part(client, server);
    return info.resumed;
}

static int sessions(void *arg)
{
    static const struct bight_tls_context_options either[2] = {{.newest = BIGHT_TLS_VERSION_1_2},
                                                               {.oldest = BIGHT_TLS_VERSION_1_3}};

    (void)arg;
    for (int i = 0; i < 2; i++) {
        struct wire_end client = {.context = wire_client_context(&either[i])};
        struct wire_end server = {.context = wire_server_context(NULL, &localhost)};
        struct bight_tls_context *another;

        ck_assert(!resumes(&client, &server));
        for (int round = 0; round < 5; round++)
            ck_assert(resumes(&client, &server));
        client.options.session_key = "another";
        ck_assert(!resumes(&client, &server));
        client.options.session_key = "";
        ck_assert(!resumes(&client, &server)); /* under no name nothing is kept */
        ck_assert(!resumes(&client, &server));
        client.options.session_key = NULL;
        another = server.context;
        server.context = wire_server_context(NULL, &localhost);
        ck_assert(!resumes(&client, &server)); /* it is another server's */
        ck_assert(resumes(&client, &server));
        bight_tls_context_free(another);
        wire_free_contexts(&client, &server);
    }
    return 0;
}

static int no_sessions(void *arg)
{
    static const struct bight_tls_context_options none[2] = {
        {.no_resumption = true}, {.no_resumption = true, .newest = BIGHT_TLS_VERSION_1_2}};

    (void)arg;
    for (int i = 0; i < 4; i++) {
        const struct bight_tls_context_options *options = &none[i % 2];
        struct wire_end client = {.context = wire_client_context(i < 2 ? options : NULL)};
        struct wire_end server = {.context =
                                      wire_server_context(i < 2 ? NULL : options, &localhost)};

        ck_assert(!resumes(&client, &server));
        ck_assert(!resumes(&client, &server));
        wire_free_contexts(&client, &server);
    }
    return 0;
}

/* A ticket says who the client is; when the trust is renewed it is asked again. */
static int tickets_of_clients(void *arg)
{
    const struct request request = {.name = "ann", .usage = "clientAuth"};
    struct identity ann;
    const struct bight_tls_context_options as_ann = {.certificate_pem = ann.certificate,
                                                     .key_pem = ann.key},
                                           trusts = {.peer = BIGHT_TLS_PEER_REQUIRED,
                                                     .ca_pem = authority.pem.certificate},
                                           trusts_others = {.peer = BIGHT_TLS_PEER_REQUIRED,
                                                            .ca_pem = stranger.pem.certificate,
                                                            .certificate_pem =
                                                                localhost.certificate,
                                                            .key_pem = localhost.key};
    struct wire_end client = {0}, server = {0};

    (void)arg;
    authority_issue(&authority, &request, &ann);
    client.context = wire_client_context(&as_ann);
    server.context = wire_server_context(&trusts, &localhost);
    ck_assert(!resumes(&client, &server));
    ck_assert(resumes(&client, &server));
    ck_ok(bight_tls_context_reload(server.context, &trusts_others, NULL));
    ck_ok(bight_stream_pair(&client.below, &server.below, NULL));
    wire_shake(&client, &server);
    ck_code(server.code, BIGHT_ETLS);
    ck_ok(client.code);
    ck_ok(bight_stream_end(client.stream, 0));
    wire_free_contexts(&client, &server);
    return 0;
}

/* A client that has another trust asks for the certificate again, also where the session is younger
 * than the trust, but not its connection. */
static int sessions_of_old_trust(void *arg)
{
    const struct bight_tls_context_options strangers = {.ca_pem = stranger.pem.certificate};
    struct wire_end client = {.context = wire_client_context(NULL)};
    struct wire_end server = {.context = wire_server_context(NULL, &localhost)};

    (void)arg;
    ck_assert(!resumes(&client, &server));
    meet(&client, &server);
    ck_ok(bight_tls_context_reload(client.context, &strangers, NULL));
    part(&client, &server); /* its tickets come now */
    ck_ok(bight_stream_pair(&client.below, &server.below, NULL));
    wire_shake(&client, &server);
    ck_code(client.code, BIGHT_ETLS);
    wire_free_contexts(&client, &server);
    return 0;
}

/* Two hosts never share a session, whatever their keys are. */
static int sessions_of_hosts(void *arg)
{
    struct wire_end client = {.context = wire_client_context(NULL)};
    struct wire_end server = {.context = wire_server_context(NULL, &localhost)};
    struct bight_tls_info info;

    (void)arg;
    client.options.session_key = "all of them";
    ck_assert(!resumes(&client, &server));
    client.host = "127.0.0.1";
    ck_ok(bight_stream_pair(&client.below, &server.below, NULL));
    wire_shake(&client, &server);
    ck_ok(bight_tls_get_info(client.stream, &info));
    ck_assert(!info.resumed);
    part(&client, &server);
    wire_free_contexts(&client, &server);
    return 0;
}

/* More servers than are remembered: the oldest are forgotten. */
static int many_servers(void *arg)
{
    struct wire_end client = {.context = wire_client_context(NULL)};
    struct wire_end server = {.context = wire_server_context(NULL, &localhost)};
    char key[16];

    (void)arg;
    client.options.session_key = key;
    for (int i = 0; i < 200; i++) { /* two tickets each */
        snprintf(key, sizeof(key), "%d", i);
        ck_assert(!resumes(&client, &server));
    }
    ck_assert(resumes(&client, &server));
    strcpy(key, "0");
    ck_assert(!resumes(&client, &server));
    wire_free_contexts(&client, &server);
    return 0;
}

/* The connection outlives whoever made the context. */
static int context_is_kept(void *arg)
{
    struct wire_end client, server;

    (void)arg;
    wire_connect(&client, &server, NULL);
    wire_free_contexts(&client, &server);
    part(&client, &server);
    bight_tls_context_free(NULL);
    return 0;
}

static const struct suite_case cases[] = {
    world_case(certificates_come_from_files, from_files),
    world_case(a_key_may_have_a_password, passwords),
    world_case(what_is_wrong_is_said, bad_options),
    world_case(certificates_are_renewed_without_a_restart, reloaded),
    world_case(sessions_are_resumed, sessions),
    world_case(sessions_are_not_resumed_where_not_wanted, no_sessions),
    world_case(tickets_end_with_the_trust, tickets_of_clients),
    world_case(sessions_end_with_the_trust, sessions_of_old_trust),
    world_case(sessions_are_of_one_host, sessions_of_hosts),
    world_case(the_oldest_sessions_are_forgotten, many_servers),
    world_case(a_connection_keeps_its_context, context_is_kept),
};

test_suite("tls_context", cases, .open = wire_open, .close = wire_close);
