/* libcurl's multi interface on libuv: its one timer, what it is told of sockets (watch.c), and the
 * messages of finished transfers. */
#include "net/http/transfer.h"

#include <pthread.h>

#include "coro/base/list.h"
#include "net/http/limits.h"
#include "net/http/response.h"

/* libcurl has done something: finish the transfers that ended. Outside of its callbacks. */
static void drain(struct bight_http_session *session)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(session->multi, &left))) {
        CURLcode result = message->data.result;
        char *transfer = NULL;
        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
        if (!transfer)
            continue; /* idle.c's */
        bight__http_transfer_done((struct http_transfer *)(void *)transfer, result);
    }
}

void bight__http_multi_attend(struct http_transfer *transfer)
{
    if (link_empty(&transfer->attention))
        link_append(&transfer->session->attention, &transfer->attention);
}

/* Before 8.4 libcurl, when an attempt to connect fails, prepares the next address and waits for an
 * event of a socket that it has not opened yet. To end a pause is the way to have it go on. */
static CURLcode go_on(const struct bight_http_session *session, CURL *easy)
{
    CURLcode rc;

    if (!session->forgets_to_go_on)
        return CURLE_OK;
    curl_easy_pause(easy, CURLPAUSE_RECV);
    rc = curl_easy_pause(easy, CURLPAUSE_CONT);
    return rc == CURLE_BAD_FUNCTION_ARGUMENT ? CURLE_OK : rc; /* it has no connection just now */
}

/* The transfers that libcurl would leave as they are. Outside of its callbacks. */
static void attend(struct bight_http_session *session)
{
    struct bight_link *link;

    while ((link = link_take(&session->attention))) {
        struct http_transfer *transfer = container_of(link, struct http_transfer, attention);
        if (transfer->code < 0)
            bight__http_transfer_done(transfer, CURLE_FAILED_INIT);
        else if (!transfer->paused && go_on(session, transfer->easy))
            bight__http_transfer_done(transfer, CURLE_OUT_OF_MEMORY);
    }
}

static int on_timeout(CURLM *multi, long timeout_ms, void *arg);

static int multi_new(struct bight_http_session *session)
{
    int limit = session->options.max_total;

    session->multi = curl_multi_init();
    if (!session->multi)
        return BIGHT_ENOMEM;
    curl_multi_setopt(session->multi, CURLMOPT_SOCKETFUNCTION, bight__http_on_socket);
    curl_multi_setopt(session->multi, CURLMOPT_SOCKETDATA, session);
    curl_multi_setopt(session->multi, CURLMOPT_TIMERFUNCTION, on_timeout);
    curl_multi_setopt(session->multi, CURLMOPT_TIMERDATA, session);
    if (limit > 0)
        curl_multi_setopt(session->multi, CURLMOPT_MAXCONNECTS, (long)limit);
    return 0;
}

/* No transfer is on it. */
static void multi_free(struct bight_http_session *session)
{
    curl_multi_cleanup(session->multi); /* closes the kept connections through our callback */
    session->multi = NULL;
    session->due_ms = UINT64_MAX;
    bight__http_watches_free(session);
}

int bight__http_multi_add(struct http_transfer *transfer)
{
    struct bight_http_session *session = transfer->session;

    if (!session->multi && multi_new(session))
        return BIGHT_ENOMEM;
    if (session->added_ms == UINT64_MAX)
        session->added_ms = uv_now(session->loop);
    return curl_multi_add_handle(session->multi, transfer->easy) ? BIGHT_ENOMEM : 0;
}

void bight__http_multi_remove(struct http_transfer *transfer)
{
    curl_multi_remove_handle(transfer->session->multi, transfer->easy);
    link_remove(&transfer->attention);
    http_held_end(transfer);
    bight__http_watches_forget(transfer);
}

/* libcurl has had no memory where it cannot say whose transfer that is for: one of them has lost
 * its socket or its time, and would wait for ever. So they all end, and libcurl begins anew; where
 * there is no memory for that either, with the next request. */
static void start_over(struct bight_http_session *session)
{
    for (struct bight_link *link = session->live.next; link != &session->live; link = link->next) {
        struct http_transfer *transfer =
            container_of(link, struct bight_http_response, link)->transfer;
        if (!transfer)
            continue;
        transfer->code = BIGHT_ENOMEM;
        bight__http_transfer_done(transfer, CURLE_FAILED_INIT);
    }
    multi_free(session);
    bight__http_names_forget(session); /* libcurl has */
    (void)multi_new(session);
}

void bight__http_multi_act(struct bight_http_session *session, curl_socket_t fd, int events)
{
    int running;
    CURLMcode rc = curl_multi_socket_action(session->multi, fd, events, &running);

    drain(session);
    if (!link_empty(&session->attention))
        attend(session);
    if (rc)
        start_over(session);
}

static void on_timer(uv_timer_t *timer);

static void timer_arm(struct bight_http_session *session)
{
    uint64_t now_ms = uv_now(session->loop);

    session->timer_due_ms = session->due_ms;
    uv_timer_start(&session->timer, on_timer,
                   session->due_ms > now_ms ? session->due_ms - now_ms : 0, 0);
}

/* Call libcurl, which wants it now. What has come of idle connections that the loop has not told of
 * is looked for where new transfers may get them. */
static void act_in_time(struct bight_http_session *session, bool look)
{
    session->due_ms = UINT64_MAX;
    if (look)
        bight__http_idle_look(session);
    session->added_ms = UINT64_MAX;
    bight__http_multi_act(session, CURL_SOCKET_TIMEOUT, 0);
}

static void on_timer(uv_timer_t *timer)
{
    struct bight_http_session *session = timer->data;

    session->timer_due_ms = UINT64_MAX;
    if (session->due_ms == UINT64_MAX || !session->multi)
        return;
    if (session->due_ms > uv_now(session->loop)) {
        timer_arm(session);
        return;
    }
    /* What a task did since the loop looked at the sockets may have taken long. */
    act_in_time(session, session->added_ms < uv_now(session->loop));
}

static void run_now(void *arg)
{
    struct bight_http_session *session = arg;

    act_in_time(session, session->added_ms != UINT64_MAX);
}

void bight__http_multi_now(struct bight_http_session *session)
{
    bight__runtime_errand(session->runtime, run_now, session);
}

void bight__http_multi_soon(struct bight_http_session *session)
{
    session->due_ms = uv_now(session->loop);
    timer_arm(session);
}

/* libcurl's callback. A timeout of 0 means "as soon as you are out of here", which is the loop's
 * next turn; rounding it up to a millisecond would cost each request one. A timer that is armed for
 * too early is left as it is: libcurl changes its mind about twice per request. */
static int on_timeout(CURLM *multi, long timeout_ms, void *arg)
{
    struct bight_http_session *session = arg;

    (void)multi;
    if (timeout_ms < 0) {
        session->due_ms = UINT64_MAX;
        return 0;
    }
    session->due_ms = uv_now(session->loop) + (uint64_t)timeout_ms;
    if (session->due_ms < session->timer_due_ms)
        timer_arm(session);
    return 0;
}

static void on_timer_closed(uv_handle_t *handle)
{
    bight__http_handle_closed(handle->data);
}

static pthread_once_t global_once = PTHREAD_ONCE_INIT;
static CURLcode global_result;

static void global_init(void)
{
    global_result = curl_global_init(CURL_GLOBAL_DEFAULT);
}

static void timer_init(struct bight_http_session *session, uv_timer_t *timer)
{
    uv_timer_init(session->loop, timer);
    uv_unref((uv_handle_t *)timer);
    timer->data = session;
    session->handles++;
    bight__handle_opened(session->runtime);
}

int bight__http_multi_init(struct bight_http_session *session)
{
    unsigned version = curl_version_info(CURLVERSION_NOW)->version_num;

    link_init(&session->attention);
    link_init(&session->held);
    session->forgets_to_go_on = version < 0x080400;
    session->spoils_handles = version < 0x080100;
    pthread_once(&global_once, global_init);
    if (global_result)
        return BIGHT_ENOMEM;
    session->due_ms = UINT64_MAX;
    if (multi_new(session))
        return BIGHT_ENOMEM;
    timer_init(session, &session->timer);
    timer_init(session, &session->sweep_timer);
    timer_init(session, &session->held_timer);
    session->timer_due_ms = session->added_ms = UINT64_MAX;
    return 0;
}

void bight__http_multi_fini(struct bight_http_session *session)
{
    multi_free(session);
    uv_close((uv_handle_t *)&session->timer, on_timer_closed);
    uv_close((uv_handle_t *)&session->sweep_timer, on_timer_closed);
    uv_close((uv_handle_t *)&session->held_timer, on_timer_closed);
}
