/* The seam to libcurl: options of easy handles that <bight/http.h> does not wrap, such as a CA
 * file, a client certificate, a proxy or authentication. One of the two public headers that include
 * a foreign one. */
#ifndef BIGHT_CURL_H
#define BIGHT_CURL_H

#include <curl/curl.h>

#include <bight/http.h>

BIGHT_BEGIN_DECLS

/* Set in bight_http_session_options.curl (called once per handle, for all its requests) or in
 * bight_http_request.curl (called before each hop of that request).
 *
 * The session's own stay as they are: URL, CURLU, PATH_AS_IS, PRIVATE, ERRORBUFFER, NOSIGNAL,
 * FOLLOWLOCATION, RESOLVE, DNS_CACHE_TIMEOUT, CONNECT_ONLY, SHARE, HTTP_CONTENT_DECODING, and the
 * functions and data for write, header, prereq, opensocket and closesocket; and of a request with
 * an upload UPLOAD, INFILESIZE_LARGE, CUSTOMREQUEST, and function and data for read. Content
 * codings are undone by the session, whatever ACCEPT_ENCODING asks for; a list for HTTPHEADER takes
 * the place of the session's Accept-Encoding. A proxy is used only if CURLOPT_PROXY and
 * CURLOPT_NOPROXY ("") are both set here, never because of the environment; libcurl or the proxy
 * then resolves names, and the address filter sees the proxy's address.
 *
 * CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE without TLS works once per connection with libcurl 7.88: what
 * follows on a kept one fails. Set CURLOPT_FORBID_REUSE as well.
 *
 * Once a redirect has left the request's origin, what was meant for that origin is not sent: after
 * the hooks USERPWD (USERNAME, PASSWORD), XOAUTH2_BEARER, COOKIE and HTTPHEADER are cleared. A
 * client certificate and the proxy's credentials stay. A request's hook finds out where a hop goes
 * with curl_easy_getinfo(easy, CURLINFO_EFFECTIVE_URL, &url). */
struct bight_curl_hook {
    /* Returns 0, or a negative code that the request fails with. Must not suspend, nor perform,
     * add, pause or clean up `easy`. A CURLOPT_HTTPHEADER list set here must outlive the
     * request. */
    int (*prepare)(void *arg, CURL *easy);
    void *arg;
};

BIGHT_END_DECLS

#endif
