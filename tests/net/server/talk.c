/* See talk.h. */
#include "tests/net/server/talk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bight_stream *talk_client;
int talk_calls;
int talk_failures, talk_last_failure;

static struct bight_stream *served;
static struct bight_task *task;
static struct bight_http_serve_options how;
static int (*handle)(struct bight_exchange *exchange, void *arg);
static bool over;
static char heard[256 << 10];

static void on_failure(void *arg, const struct bight_exchange *exchange, int code)
{
    (void)arg;
    ck_assert_ptr_nonnull(exchange);
    talk_failures++;
    talk_last_failure = code;
}

static int serve(void *arg)
{
    int rc = bight_http_serve_stream(served, handle, NULL, &how);

    (void)arg;
    if (rc >= 0)
        bight_stream_end(served, 1000);
    else
        bight_stream_abort(served);
    over = true;
    return rc;
}

void talk_begin_over(int (*handler)(struct bight_exchange *exchange, void *arg),
                     const struct bight_http_serve_options *options,
                     const struct bight_stream_pair_options *pair)
{
    handle = handler;
    how = options ? *options : (struct bight_http_serve_options){0};
    if (!how.on_failure)
        how.on_failure = on_failure;
    over = false;
    talk_calls = talk_failures = talk_last_failure = 0;
    ck_ok(bight_stream_pair(&talk_client, &served, pair));
    ck_ok(bight_spawn(&task, serve, NULL));
}

void talk_begin(int (*handler)(struct bight_exchange *exchange, void *arg),
                const struct bight_http_serve_options *options)
{
    talk_begin_over(handler, options, NULL);
}

void talk_say_bytes(const char *text, size_t bytes)
{
    ck_ok(bight_stream_write(talk_client, text, bytes));
}

void talk_say(const char *text)
{
    talk_say_bytes(text, strlen(text));
}

void talk_drop_date(char *text)
{
    char *at, *end;

    while ((at = strstr(text, "Date: "))) {
        end = strchr(at, '\n');
        if (!end) {
            *at = '\0'; /* no more came */
            return;
        }
        memmove(at, end + 1, strlen(end + 1) + 1);
    }
}

const char *talk_hear(void)
{
    size_t length = 0;
    int64_t count;

    world_settle();
    while ((count = bight_stream_try_read(talk_client, heard + length,
                                          sizeof(heard) - 16 - length)) > 0) {
        length += (size_t)count;
        world_settle();
    }
    heard[length] = '\0';
    ck_assert_uint_eq(strlen(heard), length);
    talk_drop_date(heard);
    if (count != BIGHT_EAGAIN)
        strcat(heard, count == 0 ? "<end>" : "<reset>");
    return heard;
}

const char *talk_ask(const char *request, int status)
{
    const char *answer;
    char line[32];

    talk_say(request);
    answer = talk_hear();
    snprintf(line, sizeof(line), "HTTP/1.1 %d ", status);
    if (strncmp(answer, line, strlen(line)) != 0)
        ck_abort_msg("%d expected for\n%s\nand this came:\n%s", status, request, answer);
    return answer;
}

bool talk_is_over(void)
{
    world_settle();
    return over;
}

int talk_end(void)
{
    int status;

    ck_ok(bight_stream_end(talk_client, 0));
    ck_ok(bight_join(task, &status));
    return status;
}

int talk_hello(struct bight_exchange *exchange, void *arg)
{
    (void)arg;
    talk_calls++;
    return bight_exchange_answer(exchange, 200, "text/plain", "hello\n", 6);
}

int talk_echo(struct bight_exchange *exchange, void *arg)
{
    const char *body;
    size_t bytes;
    int rc = bight_exchange_read_all(exchange, &body, &bytes);

    (void)arg;
    talk_calls++;
    return rc ? rc : bight_exchange_answer(exchange, 200, NULL, body, bytes);
}

int talk_show(struct bight_exchange *exchange, void *arg)
{
    const char *query = bight_exchange_query(exchange);
    char text[1024];
    int bytes = snprintf(text, sizeof(text), "%s %s path=%s query=%s host=%s version=%d body=%d",
                         bight_exchange_method(exchange), bight_exchange_target(exchange),
                         bight_exchange_path(exchange), query ? query : "(none)",
                         bight_exchange_host(exchange), bight_exchange_version(exchange),
                         (int)bight_exchange_body_bytes(exchange));

    (void)arg;
    talk_calls++;
    return bight_exchange_answer(exchange, 200, NULL, text, (size_t)bytes);
}
