/* Requests: a word, and `json` behind it. */
#include "net/monitor/answer.h"

#include <string.h>

static void help(struct bight_answer *answer)
{
    bight__reply_add(answer, "ps      each task: what it does and waits for\n"
                             "pstree  the same, under the task that opened its group\n"
                             "stats   figures of the runtime\n"
                             "stacks  how much of their stacks tasks use, by where they were "
                             "spawned\n"
                             "metrics the figures and those of executors, as OpenMetrics\n"
                             "All but metrics with `json` behind them for an answer in JSON.\n");
}

static void help_json(struct bight_answer *answer)
{
    bight__reply_add(answer, "[\"ps\", \"pstree\", \"stats\", \"stacks\", \"metrics\"]");
}

static const struct request {
    const char *word;
    void (*text)(struct bight_answer *answer);
    void (*json)(struct bight_answer *answer);
} requests[] = {
    {"ps", bight__reply_ps, bight__reply_ps_json},
    {"pstree", bight__reply_pstree, bight__reply_pstree_json},
    {"stats", bight__reply_stats, bight__reply_stats_json},
    {"stacks", bight__reply_stacks, bight__reply_stacks_json},
    {"metrics", bight__reply_metrics, bight__reply_metrics_json},
    {"help", help, help_json},
};

static void refuse(struct bight_answer *answer, const char *why, bool json)
{
    bight__reply_add(answer, json ? "{\"error\": \"%s\"}" : "error: %s\n", why);
}

static const struct request *find(const char *word)
{
    for (size_t i = 0; word && i < sizeof(requests) / sizeof(*requests); i++) {
        if (!strcmp(requests[i].word, word))
            return &requests[i];
    }
    return NULL;
}

void bight__reply_request(struct bight_answer *answer, char *line)
{
    char *rest = NULL;
    const char *word = strtok_r(line, " \t", &rest);
    const char *form = word ? strtok_r(NULL, " \t", &rest) : NULL;
    bool json = form && !strcmp(form, "json");
    const struct request *request = find(word);

    if (!request || (form && !json) || (form && strtok_r(NULL, " \t", &rest)))
        refuse(answer, "unknown request; try help", json);
    else if (json)
        request->json(answer);
    else
        request->text(answer);
    bight__reply_add(answer, "\n"); /* ends the JSON, or is the empty line behind the text */
    if (!answer->failed)
        return;
    answer->failed = false;
    answer->bytes = 0;
    refuse(answer, "no memory", json);
    bight__reply_add(answer, "\n");
}
