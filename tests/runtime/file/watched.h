/* A watch, and what comes from it as texts: "create a", "rename directory a > b/c", "found create
 * d"; paths are those below the suite's directory. */
#ifndef TESTS_RUNTIME_FILE_WATCHED_H
#define TESTS_RUNTIME_FILE_WATCHED_H

#include <bight/watch.h>

extern struct bight_watch *watched;

/* Of `name`, or with "" of the suite's directory. */
void watched_open(const char *name, unsigned flags, unsigned kinds);
void watched_end(void);
const struct bight_watch_event *watched_next(void);
/* Insist that these come next. */
void watched_are(const char *const *texts);
#define watched_say(...) watched_are((const char *const[]){__VA_ARGS__, NULL})
/* Have a thread go on with what it has to do first: what bight_watch_next says. */
int watched_go_on(void);
/* That nothing is there. */
void watched_nothing(void);
/* That the watch is over. */
void watched_over(void);

/* How many events the kernel keeps. */
unsigned watched_queue_most(void);

void place_move(const char *from, const char *to);

#endif
