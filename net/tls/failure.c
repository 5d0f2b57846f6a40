/* What OpenSSL says when something failed, as codes and words. */
#include "net/tls/tls.h"

#include <openssl/x509_vfy.h>

#include <stdio.h>
#include <string.h>

/* Reasons of libssl from here on are alerts that the peer sent. */
#define FIRST_ALERT 1000

/* Of the first error in the queue, which is the most exact: those behind it are of its callers. */
static const char *reason_text(unsigned long error)
{
    const char *text;

    if (!error)
        return "no reason is known";
    if (ERR_SYSTEM_ERROR(error))
        return strerror(ERR_GET_REASON(error));
    text = ERR_reason_error_string(error);
    return text ? text : "unknown reason";
}

static bool is_no_memory(unsigned long error)
{
    return error && !ERR_SYSTEM_ERROR(error) && ERR_GET_REASON(error) == ERR_R_MALLOC_FAILURE;
}

static void fill(struct bight_tls_failure *failure, int code, const char *what, const char *why)
{
    if (!failure)
        return;
    *failure = (struct bight_tls_failure){.code = code};
    snprintf(failure->text, sizeof(failure->text), "%s%s%s", what, why ? ": " : "", why ? why : "");
}

int bight__tls_fail(struct bight_tls_failure *failure, const char *what)
{
    unsigned long error = ERR_peek_error();
    int code = is_no_memory(error) ? BIGHT_ENOMEM : BIGHT_ETLS;

    fill(failure, code, what, reason_text(error));
    ERR_clear_error();
    return code;
}

int bight__tls_refuse(struct bight_tls_failure *failure, int code, const char *text)
{
    fill(failure, code, text, NULL);
    return code;
}

static int alert_of(unsigned long error)
{
    int reason = ERR_GET_REASON(error);

    if (!error || ERR_GET_LIB(error) != ERR_LIB_SSL)
        return 0;
    return reason > FIRST_ALERT && reason < FIRST_ALERT + 256 ? reason - FIRST_ALERT : 0;
}

void bight__tls_explain(struct bight_tls_failure *failure, const struct tls *tls, int code)
{
    unsigned long error = ERR_peek_error();

    if (failure && code == BIGHT_ETLS && ERR_GET_REASON(error) == SSL_R_CERTIFICATE_VERIFY_FAILED) {
        long verify = SSL_get_verify_result(tls->ssl);

        fill(failure, code, "the peer's certificate is refused",
             X509_verify_cert_error_string(verify));
        failure->verify_code = (int)verify;
    } else if (failure && code == BIGHT_ETLS) {
        fill(failure, code, "the handshake failed", reason_text(error));
        failure->alert = alert_of(error);
    } else {
        fill(failure, code, "the handshake failed", bight_strerror(code));
    }
    ERR_clear_error();
}

static int fatal_code(const struct tls *tls, int kind)
{
    unsigned long error = ERR_peek_error();

    if (tls->below_code)
        return tls->below_code;
    if (is_no_memory(error))
        return BIGHT_ENOMEM;
    if (kind == SSL_ERROR_SSL && ERR_GET_REASON(error) != SSL_R_UNEXPECTED_EOF_WHILE_READING)
        return BIGHT_ETLS;
    /* The connection below is over, and nobody said that this one is. */
    return tls->established ? BIGHT_EPROTOCOL : BIGHT_EOF;
}

int bight__tls_error(struct tls *tls, int result)
{
    int code, kind = SSL_get_error(tls->ssl, result);

    if (kind == SSL_ERROR_WANT_READ)
        return BIGHT_EAGAIN;
    if (kind == SSL_ERROR_ZERO_RETURN)
        return 0;
    code = fatal_code(tls, kind);
    tls->failed = code;
    return code;
}
