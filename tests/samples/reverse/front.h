/* What the suites of samples/reverse share: the program, in front of a server of this process. */
#ifndef TESTS_SAMPLES_REVERSE_FRONT_H
#define TESTS_SAMPLES_REVERSE_FRONT_H

#include "tests/net/server/listened.h"
#include "tests/samples/net/programs.h"

/* The program: its path, which the suite has, and the one that runs. */
extern const char front_program[];
extern struct server front;
/* A scene has told it to end. */
extern bool front_told;

/* Options for front_play, up to a NULL. */
typedef const char *const *front_options;

/* Run `scene` as a main task with `handler` behind the program, which begins with those options,
 * NULL for none, and the route "/" to it. The scene ends its clients. */
void front_play(int (*scene)(void), int (*handler)(struct bight_exchange *exchange, void *arg),
                front_options options);

/* The same with a server that is not one of bight's: of each request it reads the head, and writes
 * what `says` has for its target. What begins with "!" is followed by a reset, what begins with "."
 * by the end of the connection, and what begins with "1" is said to the first request of a
 * connection, which otherwise ends. `asked` counts the heads. */
struct canned {
    const char *target;
    const char *says;
};

extern int asked;
void front_play_canned(int (*scene)(void), const struct canned *says, front_options options);

/* A client of the program. */
struct bight_stream *front_dial(void);
/* Ask over a connection of its own, and hear all that comes, as listened_hear has it. "Connection:
 * close" and the end of the head are added to `head`. */
const char *front_ask(const char *head);

/* Insist on text in `heard`. */
void front_has(const char *heard, const char *part);

#endif
