/* What keeps a session alive: tasks inside its calls, then libuv's handles. Whoever closes the
 * session waits for both; when the runtime ends without that, the last handle frees it. */
#include "net/http/session.h"

#include "coro/base/seams.h"
#include "net/http/limits.h"
#include "net/http/response.h"

void bight__http_session_free(struct bight_http_session *session)
{
    bight__http_limits_fini(session);
    if (session->owns_resolver)
        bight_resolver_free(session->resolver);
    bight__free((void *)session->options.user_agent); /* const for the user; this is our copy */
    bight__free((void *)session->options.headers);
    bight__free(session->accept_line);
    bight__http_buffer_free(&session->base);
    bight__free(session);
}

void bight__http_call_leave(struct bight_http_session *session)
{
    if (--session->calls == 0 && session->awaits_calls)
        bight_unpark(session->awaits_calls, 0);
}

void bight__http_call_end(struct bight_http_response *response, struct bight_http_session *session)
{
    if (session->closing)
        response->session = NULL;
    bight__http_call_leave(session);
}

void bight__http_handle_closed(struct bight_http_session *session)
{
    struct bight_runtime *runtime = session->runtime;

    if (--session->handles == 0) {
        if (session->awaits_handles)
            bight_unpark(session->awaits_handles, 0);
        else
            bight__http_session_free(session);
    }
    bight__handle_closed(runtime);
}
