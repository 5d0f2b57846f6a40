/* Failures: which kind a CURLcode is, and the record that carries what a code cannot. */
#include "net/http/response.h"

#include <string.h>

#include "net/http/transfer.h"

static const int codes[] = {
    [BIGHT_HTTP_OK] = 0,
    [BIGHT_HTTP_REQUEST] = BIGHT_EINVAL,
    [BIGHT_HTTP_RESOLVE] = BIGHT_ERESOLVE,
    [BIGHT_HTTP_CONNECT] = BIGHT_ECONNECT,
    [BIGHT_HTTP_TLS] = BIGHT_ETLS,
    [BIGHT_HTTP_TIMEOUT] = BIGHT_ETIMEDOUT,
    [BIGHT_HTTP_PROTOCOL] = BIGHT_EPROTOCOL,
    [BIGHT_HTTP_TOO_BIG] = BIGHT_ETOOBIG,
    [BIGHT_HTTP_REDIRECTS] = BIGHT_EREDIRECTS,
    [BIGHT_HTTP_FORBIDDEN] = BIGHT_EFORBIDDEN,
    [BIGHT_HTTP_CANCELLED] = BIGHT_ECANCELED,
    [BIGHT_HTTP_CLOSED] = BIGHT_ECLOSED,
    [BIGHT_HTTP_UNKNOWN_OUTCOME] = BIGHT_EUNKNOWNOUTCOME,
};

enum bight_http_failure bight__http_kind(int code)
{
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
        if (codes[i] == code)
            return (enum bight_http_failure)i;
    return BIGHT_HTTP_SYSTEM;
}

int bight__http_fail(struct bight_http_response *response, enum bight_http_failure kind, int code,
                     const char *text)
{
    struct bight_http_error *error = &response->error;

    if (error->kind != BIGHT_HTTP_OK)
        return error->code;
    *error = (struct bight_http_error){.kind = kind, .code = code};
    size_t bytes = strcspn(text, "\r\n");
    if (bytes >= sizeof(error->text))
        bytes = sizeof(error->text) - 1;
    memcpy(error->text, text, bytes); /* the rest is zero */
    return code;
}

static enum bight_http_failure kind_of(CURLcode result)
{
    switch (result) {
    case CURLE_URL_MALFORMAT:
    case CURLE_BAD_FUNCTION_ARGUMENT:
        return BIGHT_HTTP_REQUEST;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        return BIGHT_HTTP_RESOLVE;
    case CURLE_COULDNT_CONNECT:
    case CURLE_INTERFACE_FAILED:
    case CURLE_PROXY:
        return BIGHT_HTTP_CONNECT;
    case CURLE_OPERATION_TIMEDOUT:
        return BIGHT_HTTP_TIMEOUT;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ENGINE_NOTFOUND:
    case CURLE_SSL_ENGINE_SETFAILED:
    case CURLE_SSL_ENGINE_INITFAILED:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CRL_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_CLIENTCERT:
    case CURLE_USE_SSL_FAILED:
        return BIGHT_HTTP_TLS;
    case CURLE_FILESIZE_EXCEEDED:
        return BIGHT_HTTP_TOO_BIG;
    case CURLE_TOO_MANY_REDIRECTS:
        return BIGHT_HTTP_REDIRECTS;
    case CURLE_OUT_OF_MEMORY:
    case CURLE_FAILED_INIT:
    case CURLE_UNKNOWN_OPTION:
        return BIGHT_HTTP_SYSTEM;
    default:
        /* So is CURLE_UNSUPPORTED_PROTOCOL: URLs of other schemes do not come this far, so it means
         * an answer that is not HTTP. */
        return BIGHT_HTTP_PROTOCOL;
    }
}

static const char *text_of(int code)
{
    switch (code) {
    case BIGHT_ETOOBIG:
        return "the response is larger than allowed";
    case BIGHT_EUNKNOWNOUTCOME:
        return "the connection ended after the request and before an answer";
    default:
        return bight_strerror(code);
    }
}

/* How it looks to libcurl when a connection ends before an answer, or when the one for a repeat
 * cannot be made. */
static bool is_broken_off(CURLcode result)
{
    switch (result) {
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE: /* of a stream of HTTP/2 */
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_FAIL_REWIND: /* it would have been sent again */
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_OPERATION_TIMEDOUT:
        return true;
    default:
        return false;
    }
}

static bool has_begun(const struct http_transfer *transfer)
{
    curl_off_t begun_us = 0;

    curl_easy_getinfo(transfer->easy, CURLINFO_STARTTRANSFER_TIME_T, &begun_us);
    return begun_us > 0;
}

/* libcurl takes lines of up to 100 KiB. For longer ones it reports a lack of memory or
 * CURLE_TOO_LARGE, which is 100 and missing from some of its headers. */
static bool header_too_long(const struct bight_http_response *response,
                            const struct http_transfer *transfer, CURLcode result)
{
    if ((result != CURLE_OUT_OF_MEMORY && (int)result != 100) ||
        response->hop.phase >= HTTP_REDIRECT)
        return false;
    return has_begun(transfer);
}

int bight__http_fail_curl(struct bight_http_response *response,
                          const struct http_transfer *transfer, CURLcode result)
{
    enum bight_http_failure kind = kind_of(result);
    int code;

    /* Older versions say this of headers where newer ones say CURLE_WEIRD_SERVER_REPLY. */
    if (result == CURLE_BAD_FUNCTION_ARGUMENT && has_begun(transfer))
        kind = BIGHT_HTTP_PROTOCOL;
    if (header_too_long(response, transfer, result))
        return bight__http_fail(response, BIGHT_HTTP_TOO_BIG, BIGHT_ETOOBIG,
                                "a header line is longer than libcurl takes");
    if (transfer->code < 0)
        return bight__http_fail(response, bight__http_kind(transfer->code), transfer->code,
                                text_of(transfer->code));
    if (is_broken_off(result) && bight__http_is_lost(transfer))
        return bight__http_fail(response, BIGHT_HTTP_UNKNOWN_OUTCOME, BIGHT_EUNKNOWNOUTCOME,
                                text_of(BIGHT_EUNKNOWNOUTCOME));
    if (kind == BIGHT_HTTP_CONNECT && transfer->filtered && !transfer->allowed)
        return bight__http_fail(response, BIGHT_HTTP_FORBIDDEN, BIGHT_EFORBIDDEN,
                                "the address filter refused the address");
    if (kind == BIGHT_HTTP_CONNECT && transfer->socket_code)
        return bight__http_fail(response, BIGHT_HTTP_SYSTEM, transfer->socket_code,
                                bight_strerror(transfer->socket_code));
    code = kind == BIGHT_HTTP_SYSTEM ? BIGHT_ENOMEM : codes[kind];
    bight__http_fail(response, kind, code,
                     transfer->error[0] ? transfer->error : curl_easy_strerror(result));
    if (response->error.curl_code == 0) {
        long system_errno = 0;
        curl_easy_getinfo(transfer->easy, CURLINFO_OS_ERRNO, &system_errno);
        response->error.curl_code = (int)result;
        response->error.system_code = (int)-system_errno;
    }
    return response->error.code;
}
