/* metrics: the figures as OpenMetrics has them, <bight/metrics.h>. */
#include "net/monitor/answer.h"

#include <bight/metrics.h>

static void put(void *arg, const char *text, size_t bytes)
{
    bight__reply_add(arg, "%.*s", (int)bytes, text);
}

void bight__reply_metrics(struct bight_answer *answer)
{
    (void)bight_metrics_write(put, answer); /* a task runs, so there is a runtime */
}

void bight__reply_metrics_json(struct bight_answer *answer)
{
    bight__reply_add(answer, "{\"error\": \"metrics are text; stats has them in JSON\"}");
}
