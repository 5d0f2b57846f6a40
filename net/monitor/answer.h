/* What the monitor answers. serve.c has the socket; answer.c the text as it grows; requests.c,
 * ps.c, stats.c and stacks.c make it out of what <bight/task.h> and <bight/runtime.h> tell. */
#ifndef BIGHT_NET_MONITOR_ANSWER_H
#define BIGHT_NET_MONITOR_ANSWER_H

#include <bight/task.h>

#include "coro/base/door.h"

struct bight_seams;

/* A text that grows. When memory is short nothing more is appended, and `failed` says so. */
struct bight_answer {
    const struct bight_seams *seams;
    size_t tasks_max;
    char *text;
    size_t bytes;
    size_t room;
    bool failed;
};

/* answer.c */
__attribute__((format(printf, 2, 3))) void bight__reply_add(struct bight_answer *answer,
                                                            const char *format, ...);
/* `text`, of 128 bytes at most, as a string in JSON. */
void bight__reply_add_string(struct bight_answer *answer, const char *text);

/* The answer to a line: text, or JSON if that is asked for. */
BIGHT_INTERNAL_API void bight__reply_request(struct bight_answer *answer, char *line);

/* "new", "ready", "running", "waiting". */
const char *bight__state_name(enum bight_task_state state);

/* The kinds of answers. */
void bight__reply_ps(struct bight_answer *answer);
void bight__reply_ps_json(struct bight_answer *answer);
void bight__reply_pstree(struct bight_answer *answer);
void bight__reply_pstree_json(struct bight_answer *answer);
void bight__reply_stats(struct bight_answer *answer);
void bight__reply_stats_json(struct bight_answer *answer);
void bight__reply_stacks(struct bight_answer *answer);
void bight__reply_stacks_json(struct bight_answer *answer);
void bight__reply_metrics(struct bight_answer *answer);
void bight__reply_metrics_json(struct bight_answer *answer);

#endif
