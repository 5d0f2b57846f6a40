/* net/tls: who is let in and who is not, over a pair in memory and in virtual time. */
#include "tests/net/tls/wire.h"

#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <string.h>

/* A handshake between contexts, and how it ends on both sides. */
struct meeting {
    struct wire_end client, server;
};

static void meet(struct meeting *meeting, struct bight_tls_context *client,
                 struct bight_tls_context *server, const char *host)
{
    *meeting = (struct meeting){
        .client = {.context = client, .host = host},
        .server = {.context = server},
    };
    ck_ok(bight_stream_pair(&meeting->client.below, &meeting->server.below, NULL));
    wire_shake(&meeting->client, &meeting->server);
}

static void part(struct meeting *meeting)
{
    ck_ok(bight_stream_end(meeting->client.stream, 0));
    ck_ok(bight_stream_end(meeting->server.stream, 0));
}

static void meet_well(struct meeting *meeting, struct bight_tls_context *client,
                      struct bight_tls_context *server, const char *host)
{
    char text[8];

    meet(meeting, client, server, host);
    ck_ok(meeting->client.code);
    ck_ok(meeting->server.code);
    ck_ok(bight_stream_write(meeting->server.stream, "hello", 5));
    ck_ok(bight_stream_read_exactly(meeting->client.stream, text, 5));
    ck_assert_mem_eq(text, "hello", 5);
}

static void free_both(const struct meeting *meeting)
{
    bight_tls_context_free(meeting->client.context);
    bight_tls_context_free(meeting->server.context);
}

static int talks(void *arg)
{
    struct bight_tls_info info;
    struct meeting meeting;
    char text[32];

    (void)arg;
    meet_well(&meeting, wire_client_context(NULL), wire_server_context(NULL, &localhost),
              "localhost");
    ck_ok(bight_tls_get_info(meeting.client.stream, &info));
    ck_assert_str_eq(info.version, "TLSv1.3");
    ck_assert_str_eq(info.name, "localhost");
    ck_assert_str_eq(info.alpn, "");
    ck_assert(info.has_certificate && info.verified && !info.resumed);
    ck_assert_str_eq(info.subject, "CN=the server");
    ck_ok(bight_tls_get_info(meeting.server.stream, &info));
    ck_assert_str_eq(info.name, "localhost");
    ck_assert(!info.has_certificate && !info.verified);
    ck_assert_str_eq(bight_stream_describe(meeting.client.stream, text, sizeof(text)),
                     "tls memory");
    ck_assert_ptr_nonnull(bight_tls_native(meeting.client.stream));
    part(&meeting);
    free_both(&meeting);
    return 0;
}

/* Names that the certificate is for, or not. */
static int hosts(void *arg)
{
    static const struct {
        const char *host;
        int code, verify;
    } rows[] = {
        {"localhost", 0, 0},
        {"LocalHost", 0, 0},
        {"localhost.", 0, 0},
        {"127.0.0.1", 0, 0},
        {"::1", 0, 0},
        {"[::1]", 0, 0}, /* as bight_tcp_connect takes it */
        {"::2", BIGHT_ETLS, X509_V_ERR_IP_ADDRESS_MISMATCH},
        {"fe80::1%no-such-zone", BIGHT_EINVAL, 0},
        {"[localhost]", BIGHT_EINVAL, 0},
        {"localhost:443", BIGHT_EINVAL, 0},
        {"127.0.0.2", BIGHT_ETLS, X509_V_ERR_IP_ADDRESS_MISMATCH},
        {"example.org", BIGHT_ETLS, X509_V_ERR_HOSTNAME_MISMATCH},
        {"sub.localhost", BIGHT_ETLS, X509_V_ERR_HOSTNAME_MISMATCH},
        {"the server", BIGHT_EINVAL, 0},
        {".localhost", BIGHT_EINVAL, 0},
        {".", BIGHT_EINVAL, 0},
        {"", BIGHT_EINVAL, 0},
        {"h\xc3\xb6st", BIGHT_EINVAL, 0},
    };
    struct bight_tls_context *client = wire_client_context(NULL);
    struct bight_tls_context *server = wire_server_context(NULL, &localhost);

    (void)arg;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct meeting meeting;

        meet(&meeting, client, server, rows[i].host);
        ck_code(meeting.client.code, rows[i].code);
        ck_assert_int_eq(meeting.client.failure.verify_code, rows[i].verify);
        if (rows[i].code == 0)
            part(&meeting);
        else
            ck_assert_int_ne(meeting.server.code, 0);
        if (rows[i].verify)
            ck_assert_int_eq(meeting.server.failure.alert, SSL_AD_BAD_CERTIFICATE);
    }
    bight_tls_context_free(client);
    bight_tls_context_free(server);
    return 0;
}

/* What a client must not believe. */
static int certificates(void *arg)
{
    const struct {
        const struct authority *issuer;
        struct request request;
        int verify;
    } rows[] = {
        {&authority,
         {.name = "old", .names = "DNS:localhost", .from_day = -9, .to_day = -1},
         X509_V_ERR_CERT_HAS_EXPIRED},
        {&authority,
         {.name = "early", .names = "DNS:localhost", .from_day = 2},
         X509_V_ERR_CERT_NOT_YET_VALID},
        {NULL,
         {.name = "itself", .names = "DNS:localhost"},
         X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT},
        {&stranger,
         {.name = "strange", .names = "DNS:localhost"},
         X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY},
        {&authority, {.name = "localhost"}, X509_V_ERR_HOSTNAME_MISMATCH},
        {&authority,
         {.name = "client", .names = "DNS:localhost", .usage = "clientAuth"},
         X509_V_ERR_INVALID_PURPOSE},
        {&authority, {.name = "part", .names = "DNS:local*"}, X509_V_ERR_HOSTNAME_MISMATCH},
    };
    struct bight_tls_context *client = wire_client_context(NULL);

    (void)arg;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct bight_tls_context *server;
        struct identity identity;
        struct meeting meeting;

        authority_issue(rows[i].issuer, &rows[i].request, &identity);
        server = wire_server_context(NULL, &identity);
        meet(&meeting, client, server, "localhost");
        ck_code(meeting.client.code, BIGHT_ETLS);
        ck_assert_int_eq(meeting.client.failure.verify_code, rows[i].verify);
        ck_code(meeting.server.code, BIGHT_ETLS);
        ck_assert_int_ne(meeting.server.failure.alert, 0);
        bight_tls_context_free(server);
    }
    bight_tls_context_free(client);
    return 0;
}

/* With the system's trust, which does not know our authority; and with nobody's. */
static int trust(void *arg)
{
    const struct bight_tls_context_options careless = {.peer = BIGHT_TLS_PEER_UNCHECKED};
    struct bight_tls_context *server = wire_server_context(NULL, &localhost);
    struct bight_tls_context *client;
    struct bight_tls_info info;
    struct meeting meeting;

    (void)arg;
    meet(&meeting, NULL, server, "localhost");
    ck_code(meeting.client.code, BIGHT_ETLS);
    ck_assert_int_eq(meeting.client.failure.verify_code,
                     X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
    ck_ok(bight_tls_context_new(&client, &careless, NULL));
    meet_well(&meeting, client, server, "another.example");
    ck_ok(bight_tls_get_info(meeting.client.stream, &info));
    ck_assert(info.has_certificate && !info.verified);
    part(&meeting);
    bight_tls_context_free(client);
    bight_tls_context_free(server);
    return 0;
}

static int protocols(void *arg)
{
    static const char *const both[] = {"h2", "http/1.1"}, *const old[] = {"http/1.1"},
                             *const other[] = {"irc"};
    const struct bight_tls_context_options know_both = {.alpn = both, .alpn_count = 2},
                                           know_old = {.alpn = old, .alpn_count = 1},
                                           know_other = {.alpn = other, .alpn_count = 1};
    const struct {
        const struct bight_tls_context_options *client, *server;
        const char *agreed; /* NULL: no connection */
    } rows[] = {
        {&know_both, &know_both, "h2"},
        {&know_old, &know_both, "http/1.1"},
        {&know_both, &know_old, "http/1.1"},
        {&know_other, &know_both, NULL},
        {NULL, &know_both, ""},
        {&know_both, NULL, ""},
    };

    (void)arg;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct bight_tls_info info;
        struct meeting meeting;

        meet(&meeting, wire_client_context(rows[i].client),
             wire_server_context(rows[i].server, &localhost), "localhost");
        if (rows[i].agreed) {
            ck_ok(meeting.client.code);
            ck_ok(bight_tls_get_info(meeting.client.stream, &info));
            ck_assert_str_eq(info.alpn, rows[i].agreed);
            ck_ok(bight_tls_get_info(meeting.server.stream, &info));
            ck_assert_str_eq(info.alpn, rows[i].agreed);
            part(&meeting);
        } else {
            ck_code(meeting.client.code, BIGHT_ETLS);
            ck_assert_int_eq(meeting.client.failure.alert, SSL_AD_NO_APPLICATION_PROTOCOL);
            ck_code(meeting.server.code, BIGHT_ETLS);
        }
        free_both(&meeting);
    }
    return 0;
}

static int versions(void *arg)
{
    const struct bight_tls_context_options old = {.newest = BIGHT_TLS_VERSION_1_2},
                                           new = {.oldest = BIGHT_TLS_VERSION_1_3};
    struct bight_tls_info info;
    struct meeting meeting;

    (void)arg;
    meet_well(&meeting, wire_client_context(&old), wire_server_context(NULL, &localhost),
              "localhost");
    ck_ok(bight_tls_get_info(meeting.client.stream, &info));
    ck_assert_str_eq(info.version, "TLSv1.2");
    part(&meeting);
    free_both(&meeting);
    meet(&meeting, wire_client_context(&new), wire_server_context(&old, &localhost), "localhost");
    ck_code(meeting.client.code, BIGHT_ETLS);
    ck_assert_int_eq(meeting.client.failure.alert, SSL_AD_PROTOCOL_VERSION);
    ck_code(meeting.server.code, BIGHT_ETLS);
    free_both(&meeting);
    return 0;
}

/* Certificates of clients */

static int clients(void *arg)
{
    const struct request known_request = {.name = "ann", .usage = "clientAuth"};
    struct identity known, unknown;
    const struct bight_tls_context_options as_known = {.certificate_pem = known.certificate,
                                                       .key_pem = known.key},
                                           as_unknown = {.certificate_pem = unknown.certificate,
                                                         .key_pem = unknown.key},
                                           required = {.peer = BIGHT_TLS_PEER_REQUIRED,
                                                       .ca_pem = authority.pem.certificate},
                                           optional = {.peer = BIGHT_TLS_PEER_OPTIONAL,
                                                       .ca_pem = authority.pem.certificate};
    const struct {
        const struct bight_tls_context_options *client, *server;
        bool enters, known;
    } rows[] = {
        {&as_known, &required, true, true},     {NULL, &required, false, false},
        {&as_unknown, &required, false, false}, {&as_known, &optional, true, true},
        {NULL, &optional, true, false},         {&as_unknown, &optional, false, false},
        {&as_known, NULL, true, false},
    };

    (void)arg;
    authority_issue(&authority, &known_request, &known);
    authority_issue(&stranger, &known_request, &unknown);
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct bight_tls_info info;
        struct meeting meeting;
        char byte;

        meet(&meeting, wire_client_context(rows[i].client),
             wire_server_context(rows[i].server, &localhost), "localhost");
        ck_ok(meeting.client.code); /* with TLS 1.3 it is told afterwards */
        if (rows[i].enters) {
            ck_ok(meeting.server.code);
            ck_ok(bight_tls_get_info(meeting.server.stream, &info));
            ck_assert_int_eq(info.verified, rows[i].known);
            ck_assert_str_eq(info.subject, rows[i].known ? "CN=ann" : "");
            ck_ok(bight_stream_end(meeting.server.stream, 0));
        } else {
            ck_code(meeting.server.code, BIGHT_ETLS);
            ck_code((int)bight_stream_read(meeting.client.stream, &byte, 1), BIGHT_ETLS);
        }
        ck_ok(bight_stream_end(meeting.client.stream, 0));
        free_both(&meeting);
    }
    return 0;
}

/* Names on the server */

struct houses {
    struct bight_tls_context *one, *two;
    char asked[64];
};

static int choose(void *arg, const char *name, struct bight_tls_context **context)
{
    struct houses *houses = arg;

    snprintf(houses->asked, sizeof(houses->asked), "%s", name ? name : "(none)");
    if (!name)
        return 0;
    if (strcmp(name, "one.example") == 0)
        *context = houses->one;
    else if (strcmp(name, "two.example") == 0)
        *context = houses->two;
    else if (strcmp(name, "nobody.example") == 0)
        return BIGHT_ENOENT;
    return 0;
}

static int names(void *arg)
{
    const struct request first = {.name = "1", .names = "DNS:one.example"};
    const struct request second = {.name = "2", .names = "DNS:two.example"};
    static const char *const h2[] = {"h2"};
    const struct bight_tls_context_options strict = {
        .oldest = BIGHT_TLS_VERSION_1_3, .alpn = h2, .alpn_count = 1};
    struct houses houses;
    const struct bight_tls_context_options choosing = {.choose = choose, .choose_arg = &houses};
    const struct bight_tls_context_options knows_h2 = {.alpn = h2, .alpn_count = 1};
    struct bight_tls_context *client = wire_client_context(&knows_h2), *server;
    struct identity one, two;
    struct bight_tls_info info;
    struct meeting meeting;

    (void)arg;
    authority_issue(&authority, &first, &one);
    authority_issue(&authority, &second, &two);
    houses.one = wire_server_context(NULL, &one);
    houses.two = wire_server_context(&strict, &two);
    server = wire_server_context(&choosing, &localhost);
    for (int i = 0; i < 2; i++) { /* the second time with sessions */
        meet_well(&meeting, client, server, "one.example");
        ck_assert_str_eq(houses.asked, "one.example");
        part(&meeting);
        meet_well(&meeting, client, server, "two.example");
        ck_ok(bight_tls_get_info(meeting.server.stream, &info));
        ck_assert_str_eq(info.alpn, "h2"); /* it is this context's */
        part(&meeting);
        meet_well(&meeting, client, server, "localhost");
        part(&meeting);
    }
    meet_well(&meeting, client, server, "127.0.0.1");
    ck_assert_str_eq(houses.asked, "(none)");
    part(&meeting);
    meet(&meeting, client, server, "nobody.example");
    ck_assert_int_eq(meeting.client.failure.alert, SSL_AD_UNRECOGNIZED_NAME);
    bight_tls_context_free(houses.one);
    bight_tls_context_free(houses.two);
    bight_tls_context_free(server);
    bight_tls_context_free(client);
    return 0;
}

static int refused(void *arg)
{
    struct bight_tls_context *client = wire_client_context(NULL), *without;
    const struct bight_tls_context_options asking = {.peer = BIGHT_TLS_PEER_REQUIRED};
    struct bight_tls_context *asks = wire_server_context(&asking, &localhost);
    struct bight_stream *stream, *left, *right;
    struct bight_tls_failure failure;

    (void)arg;
    ck_ok(bight_tls_context_new(&without, NULL, NULL));
    ck_ok(bight_stream_pair(&left, &right, NULL));
    ck_code(bight_tls_server(&stream, left, without, NULL, &failure), BIGHT_EINVAL);
    ck_assert_str_eq(failure.text, "a server needs a certificate");
    ck_code(bight_tls_server(&stream, left, asks, NULL, &failure), BIGHT_EINVAL);
    ck_code(bight_tls_client(&stream, left, NULL, client, NULL, &failure), BIGHT_EINVAL);
    ck_ok(bight_stream_shutdown(right));
    ck_code(bight_tls_client(&stream, left, "localhost", client, NULL, NULL), BIGHT_EOF);
    ck_ok(bight_stream_end(left, 0));
    ck_ok(bight_stream_end(right, 0));
    bight_tls_context_free(client);
    bight_tls_context_free(without);
    bight_tls_context_free(asks);
    return 0;
}

static const struct suite_case cases[] = {
    world_case(two_ends_meet_and_talk, talks),
    world_case(the_certificate_has_to_be_for_the_host, hosts),
    world_case(a_client_believes_no_bad_certificate, certificates),
    world_case(whom_the_system_trusts_is_the_default, trust),
    world_case(application_protocols_are_agreed_on, protocols),
    world_case(versions_are_agreed_on, versions),
    world_case(certificates_of_clients_are_checked, clients),
    world_case(a_server_chooses_by_name, names),
    world_case(contradictions_are_refused, refused),
};

test_suite("tls_handshake", cases, .open = wire_open, .close = wire_close);
