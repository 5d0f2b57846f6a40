/* How the service is, for those who watch it: a load balancer, and Prometheus. */
#include "samples/service/api.h"

#include <stdarg.h>
#include <stdio.h>

#include <bight/errors.h>
#include <bight/runtime.h>
#include <bight/workers.h>

#include "samples/service/reply.h"

/* While it drains it still answers, but no new clients are to be sent here. */
int health(struct bight_exchange *exchange, void *arg)
{
    const struct service *service = arg;

    return reply_json(exchange, service->draining ? 503 : 200,
                      json_pack("{ss}", "status", service->draining ? "draining" : "ok"));
}

struct page {
    char text[4096];
    size_t bytes;
};

__attribute__((format(printf, 2, 3))) static void add(struct page *page, const char *format, ...)
{
    size_t room = sizeof page->text - page->bytes;
    va_list values;

    va_start(values, format);
    int bytes = vsnprintf(page->text + page->bytes, room, format, values);
    va_end(values);
    if (bytes > 0 && (size_t)bytes < room)
        page->bytes += (size_t)bytes;
}

static void add_value(struct page *page, const char *name, const char *type, uint64_t value)
{
    add(page, "# TYPE %s %s\n%s %llu\n", name, type, name, (unsigned long long)value);
}

static void add_requests(struct page *page, const struct service *service)
{
    add_value(page, "service_requests_begun_total", "counter", service->begun);
    add_value(page, "service_requests_failed_total", "counter", service->failed);
    add_value(page, "service_requests_refused_total", "counter", service->refused);
    add(page, "# TYPE service_requests_answered_total counter\n");
    for (int digit = 2; digit < 6; digit++)
        add(page, "service_requests_answered_total{status=\"%dxx\"} %llu\n", digit,
            (unsigned long long)service->answered[digit]);
}

static int add_runtime(struct page *page)
{
    struct bight_runtime_stats stats;
    int rc = bight_runtime_get_stats(&stats);

    if (rc)
        return rc;
    add_value(page, "bight_tasks", "gauge", stats.live);
    add_value(page, "bight_tasks_spawned_total", "counter", stats.spawned);
    add_value(page, "bight_stacks", "gauge", stats.stacks_used + stats.stacks_cached);
    add_value(page, "bight_timers", "gauge", stats.timers);
    return 0;
}

static int add_workers(struct page *page, const struct bight_executor *workers)
{
    struct bight_executor_stats stats;
    int rc = bight_executor_get_stats(workers, &stats);

    if (rc)
        return rc;
    add_value(page, "bight_workers_ready", "gauge", stats.ready);
    add_value(page, "bight_jobs", "gauge", stats.jobs);
    add_value(page, "bight_jobs_ended_total", "counter", stats.ended);
    add_value(page, "bight_workers_died_total", "counter", stats.died);
    return 0;
}

int metrics(struct bight_exchange *exchange, void *arg)
{
    const struct service *service = arg;
    struct page *page = bight_exchange_keep(exchange, sizeof *page);
    int rc;

    if (!page)
        return BIGHT_ENOMEM;
    page->bytes = 0;
    add_requests(page, service);
    rc = add_runtime(page);
    if (rc == 0)
        rc = add_workers(page, service->workers);
    return rc ? rc
              : bight_exchange_answer(exchange, 200, "text/plain; version=0.0.4", page->text,
                                      page->bytes);
}
