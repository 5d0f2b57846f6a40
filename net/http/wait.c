/* How a task waits for its response: until something comes, or one of the request's times is up. */
#include "net/http/response.h"

#include <stdio.h>

#include <bight/scope.h>
#include <bight/waiter.h>

#include "coro/base/list.h"
#include "net/http/transfer.h"

struct response_waiter {
    struct bight_waiter waiter;
    struct bight_http_response *response;
};

static int abort_wait(struct bight_waiter *waiter)
{
    struct bight_http_response *response =
        container_of(waiter, struct response_waiter, waiter)->response;

    response->waiter = NULL;
    if (response->reader)
        response->reader->bytes = response->reader->filled; /* its buffer is about to go */
    return 0;
}

static void describe_wait(const struct bight_waiter *waiter, char *text, size_t bytes)
{
    snprintf(text, bytes, "%s",
             container_of(waiter, struct response_waiter, waiter)->response->url.data);
}

static const struct bight_waiter_ops wait_ops = {
    .name = "http",
    .abort = abort_wait,
    .describe = describe_wait,
    .flags = BIGHT_WAITER_OUTSIDE,
};

static int park_for(struct bight_http_response *response, int64_t limit_ms)
{
    struct response_waiter self = {.response = response};
    struct bight_scope scope;
    int rc = bight_waiter_init(&self.waiter, &wait_ops);

    if (rc)
        return rc;
    if (limit_ms >= 0 && (rc = bight_scope_begin(&scope, limit_ms, BIGHT_SCOPE_INHERIT)))
        return rc;
    response->waiter = &self.waiter;
    rc = bight_park(&self.waiter);
    return limit_ms < 0 ? rc : bight_scope_end(&scope, rc);
}

/* Whether what the task waits for has come. It may come after the timer has ended the wait and
 * before the task runs; nobody is woken then. */
static bool has_come(const struct bight_http_response *response)
{
    if (response->call)
        return !response->collect && response->hop.phase >= HTTP_BODY && !http_is_fed(response);
    return response->body.bytes > response->body_taken;
}

/* How long it may still be quiet; 0: no longer. Bytes do not move the timer; when it fires, it
 * looks whether any came. */
static int64_t idle_left(const struct bight_http_response *response, uint64_t begun_ms,
                         uint64_t now_ms)
{
    uint64_t active_ms = response->hop.active_ms;
    uint64_t quiet_ms = now_ms - (active_ms > begun_ms ? active_ms : begun_ms);

    return quiet_ms < (uint64_t)response->idle_ms ? response->idle_ms - (int64_t)quiet_ms : 0;
}

/* Whether part of the request's body went out since the last look. */
static bool has_sent(struct bight_http_response *response)
{
    curl_off_t before = response->hop.sent;

    curl_easy_getinfo(response->transfer->easy, CURLINFO_SIZE_UPLOAD_T, &response->hop.sent);
    return response->hop.sent != before;
}

/* How long to wait at most before the next look; 0: it was quiet for too long. libcurl knows how
 * much was sent but not when, so while something may be sent it is asked more often. */
static int64_t idle_limit(struct bight_http_response *response, uint64_t *begun_ms)
{
    uint64_t now_ms = uv_now(response->session->loop);
    int64_t quarter_ms = response->idle_ms / 4 + 1;
    int64_t left_ms;

    if (response->idle_ms < 0)
        return -1;
    if (!http_may_send(response->transfer))
        return idle_left(response, *begun_ms, now_ms);
    if (has_sent(response))
        *begun_ms = now_ms;
    left_ms = idle_left(response, *begun_ms, now_ms);
    return left_ms < quarter_ms ? left_ms : quarter_ms;
}

int bight__http_wait(struct bight_http_response *response)
{
    uint64_t begun_ms = uv_now(response->session->loop);

    while (response->transfer) {
        int64_t total_ms = http_time_left(response);
        int64_t idle_ms = idle_limit(response, &begun_ms);
        if (idle_ms == 0)
            return http_fail_late(
                response, "nothing that is a header or part of a body came or went for too long");
        if (total_ms == 0)
            return http_fail_late(response, "the request took too long");
        int rc = park_for(response, http_sooner(total_ms, idle_ms));
        if (rc != BIGHT_ETIMEDOUT)
            return rc;
        if (has_come(response))
            return 0;
    }
    return 0;
}

void bight__http_wake(struct bight_http_response *response)
{
    struct bight_waiter *waiter = response->waiter;

    if (!waiter)
        return;
    response->waiter = NULL;
    bight_unpark(waiter, 0);
}
