/* The monitor over HTTP: its answers by the query of a request, and the page that asks for them,
 * whose parts are in page_text.h. */
#include <bight/monitor_page.h>

#include <string.h>

#include <bight/metrics.h>
#include <bight/monitor.h>

#include "coro/base/seams.h"
#include "net/monitor/answer.h"
#include "net/page/page_text.h"
#include "runtime/door.h"

#define DEFAULT_TASKS 1000

/* What is asked for by a query, and either a request to the monitor or a text. */
static const struct part {
    const char *query; /* NULL: none */
    const char *type;
    const char *request;
    const char *text;
} parts[] = {
    {NULL, "text/html; charset=utf-8", NULL, page_html},
    {"script", "text/javascript; charset=utf-8", NULL, page_script},
    {"style", "text/css; charset=utf-8", NULL, page_style},
    {"ps", "application/json", "ps json", NULL},
    {"pstree", "application/json", "pstree json", NULL},
    {"stats", "application/json", "stats json", NULL},
    {"stacks", "application/json", "stacks json", NULL},
    {"metrics", BIGHT_METRICS_TYPE, "metrics", NULL},
};

static const struct part *find(const char *query)
{
    for (size_t i = 1; query && i < sizeof(parts) / sizeof(*parts); i++) {
        if (!strcmp(parts[i].query, query))
            return &parts[i];
    }
    return query && *query ? NULL : &parts[0];
}

static bool may_ask(const struct bight_exchange *exchange)
{
    const char *method = bight_exchange_method(exchange);

    return !strcmp(method, "GET") || !strcmp(method, "HEAD");
}

/* Nothing of it is kept, put into somebody's frame, or taken for something else. */
static int add_headers(struct bight_exchange *exchange)
{
    static const struct {
        const char *name, *value;
    } headers[] = {
        {"Cache-Control", "no-store"},
        {"Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; "
                                    "connect-src 'self'; base-uri 'none'; form-action 'none'; "
                                    "frame-ancestors 'none'"},
        {"X-Content-Type-Options", "nosniff"},
        {"Referrer-Policy", "no-referrer"},
    };
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < sizeof(headers) / sizeof(*headers); i++)
        rc = bight_exchange_add_header(exchange, headers[i].name, headers[i].value);
    return rc;
}

static int refuse(struct bight_exchange *exchange, int status, const char *text)
{
    int rc = status == 405 ? bight_exchange_add_header(exchange, "Allow", "GET, HEAD") : 0;

    return rc ? rc : bight_exchange_answer(exchange, status, "text/plain", text, strlen(text));
}

/* In one turn, so that it is of one moment; then it is sent as the client takes it. */
static int answer_request(struct bight_exchange *exchange, const struct part *part,
                          const struct bight_monitor_options *options)
{
    struct bight_runtime *runtime;
    struct bight_answer answer = {
        .tasks_max = options && options->tasks_max ? options->tasks_max : DEFAULT_TASKS,
    };
    char line[32];
    int rc = bight__runtime_get(&runtime);

    if (rc)
        return rc;
    answer.seams = bight__runtime_seams(runtime);
    memcpy(line, part->request, strlen(part->request) + 1);
    bight__reply_request(&answer, line);
    if (!answer.bytes)
        rc = BIGHT_ENOMEM;
    else /* without the line feed that ends it on the socket */
        rc = bight_exchange_answer(exchange, 200, part->type, answer.text, answer.bytes - 1);
    bight__free(answer.text);
    return rc;
}

static int answer_part(struct bight_exchange *exchange, const struct part *part,
                       const struct bight_monitor_options *options)
{
    int rc;

    if (!may_ask(exchange))
        return refuse(exchange, 405, "GET or HEAD\n");
    if (!part)
        return refuse(exchange, 404, "not found\n");
    rc = add_headers(exchange);
    if (rc)
        return rc;
    if (part->request)
        return answer_request(exchange, part, options);
    return bight_exchange_answer(exchange, 200, part->type, part->text, strlen(part->text));
}

int bight_monitor_page(struct bight_exchange *exchange, void *options)
{
    if (!exchange)
        return BIGHT_EINVAL;
    return answer_part(exchange, find(bight_exchange_query(exchange)), options);
}

int bight_metrics_answer(struct bight_exchange *exchange, void *arg)
{
    (void)arg;
    return exchange ? answer_part(exchange, find("metrics"), NULL) : BIGHT_EINVAL;
}
