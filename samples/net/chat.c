/* chat [PORT]: what one says, all others hear. /who lists them, /quit leaves.
 *
 * To notice: one task per connection waits for two things at once, what its user types and what the
 * others have said (bight_select), so that nothing needs a lock or a second task. Lines go round by
 * a broadcast that never waits: one who reads too slowly is held up in his own bight_stream_write,
 * misses lines meanwhile, and is told how many. */
#include "samples/net/serve.h"

#include <bight/broadcast.h>
#include <bight/errors.h>
#include <bight/event.h>
#include <bight/runtime.h>
#include <bight/select.h>
#include <bight/stream.h>

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define LINE_BYTES 400
#define NAME_BYTES 16
#define KEPT_LINES 64 /* for those who are behind */

struct message {
    uint64_t from;
    char text[NAME_BYTES + LINE_BYTES + 8];
};

struct room {
    uint16_t port;
    struct bight_broadcast *messages;
    struct chatter *chatters;
    uint64_t entered; /* since the start */
};

/* In the frame of its connection's task. */
struct chatter {
    struct chatter *next;
    struct room *room;
    struct bight_stream *stream;
    struct bight_subscriber subscriber;
    struct bight_event news; /* set when there is something to receive */
    uint64_t number;
    bool leaves;
    char name[NAME_BYTES];
    size_t used; /* bytes of a line that has not ended yet */
    char line[LINE_BYTES];
};

static int tell(const struct chatter *to, const char *text)
{
    return bight_stream_write(to->stream, text, strlen(text));
}

/* To everybody else. It does not suspend, so the list of chatters stays as it is. */
static int say(const struct chatter *from, const char *how, const char *what)
{
    struct message message = {.from = from->number};
    int rc;

    snprintf(message.text, sizeof message.text, "%s%s%s\n", from->name, how, what);
    rc = bight_broadcast_try_publish(from->room->messages, &message);
    for (struct chatter *to = from->room->chatters; to && rc == 0; to = to->next)
        rc = bight_event_set(&to->news);
    return rc;
}

/* The names are collected first: while they are written, somebody may leave. */
static int list_names(const struct chatter *me)
{
    char names[LINE_BYTES] = "*";
    size_t length = 1;

    for (const struct chatter *at = me->room->chatters; at; at = at->next)
        if (length + NAME_BYTES + 2 < sizeof names)
            length += (size_t)sprintf(names + length, " %s", at->name);
    strcpy(names + length, "\n");
    return tell(me, names);
}

static int obey(struct chatter *me, char *line)
{
    for (char *at = line; *at; at++)
        if (iscntrl((unsigned char)*at))
            *at = '?'; /* others see it in their terminals */
    if (strcmp(line, "/who") == 0)
        return list_names(me);
    me->leaves = strcmp(line, "/quit") == 0;
    return me->leaves || *line == '\0' ? 0 : say(me, ": ", line);
}

/* The first line of what has come, or as much as fits of one that is too long. */
static bool take_line(struct chatter *me, char *line)
{
    const char *end = memchr(me->line, '\n', me->used);
    size_t length = end ? (size_t)(end - me->line) : me->used;

    if (!end && me->used < sizeof me->line - 1)
        return false;
    memcpy(line, me->line, length);
    me->used -= length + (end != NULL);
    memmove(me->line, me->line + length + (end != NULL), me->used);
    if (length > 0 && line[length - 1] == '\r')
        length--;
    line[length] = '\0';
    return true;
}

/* A line may come in pieces, and others are to be heard meanwhile: so take what there is, and do
 * not wait for its end. */
static int hear_user(struct chatter *me)
{
    size_t room = sizeof me->line - 1 - me->used;
    int64_t count = bight_stream_read(me->stream, me->line + me->used, room);
    char line[LINE_BYTES];
    int rc = 0;

    if (count <= 0) {
        me->leaves = true;
        return (int)count;
    }
    me->used += (size_t)count;
    while (rc == 0 && !me->leaves && take_line(me, line))
        rc = obey(me, line);
    return rc;
}

static int hear_others(struct chatter *me)
{
    struct message message;
    uint64_t missed;
    int rc = 0;

    bight_event_clear(&me->news);
    while (rc == 0 && (rc = bight_broadcast_try_receive(&me->subscriber, &message, &missed)) == 0) {
        char text[64];

        snprintf(text, sizeof text, "* too slow: you missed %" PRIu64 " lines\n", missed);
        if (missed)
            rc = tell(me, text);
        if (rc == 0 && message.from != me->number)
            rc = tell(me, message.text);
    }
    return rc == BIGHT_EAGAIN ? 0 : rc;
}

static int chat(struct chatter *me)
{
    struct bight_case cases[2];
    int rc = 0;

    bight_case_readable(&cases[0], me->stream);
    bight_case_event(&cases[1], &me->news);
    while (rc == 0 && !me->leaves) {
        rc = bight_select(cases, 2, 0);
        if (rc >= 0)
            rc = rc == 0 ? hear_user(me) : hear_others(me);
    }
    return rc;
}

static bool may_be_called(const struct room *room, const char *name)
{
    for (const char *at = name; *at; at++)
        if (!isalnum((unsigned char)*at))
            return false;
    for (const struct chatter *at = room->chatters; at; at = at->next)
        if (strcmp(at->name, name) == 0)
            return false;
    return *name != '\0';
}

static int ask_name(struct chatter *me)
{
    int64_t count = BIGHT_ETOOBIG;
    int rc = 0;

    while (rc == 0 && (count == BIGHT_ETOOBIG || !may_be_called(me->room, me->name))) {
        rc = tell(me, "* your name, in letters and digits?\n");
        if (rc == 0)
            count = bight_stream_read_line(me->stream, me->name, sizeof me->name);
        if (count < 0 && count != BIGHT_ETOOBIG)
            rc = (int)count;
    }
    return rc;
}

static int stay(struct chatter *me)
{
    struct room *room = me->room;
    struct chatter **at = &room->chatters;
    int left, rc = bight_broadcast_subscribe(room->messages, &me->subscriber);

    if (rc)
        return rc;
    me->number = ++room->entered;
    me->next = room->chatters;
    room->chatters = me;
    rc = say(me, " is here", "");
    if (rc == 0)
        rc = chat(me);
    while (*at != me)
        at = &(*at)->next;
    *at = me->next;
    left = say(me, " has left", "");
    bight_broadcast_unsubscribe(&me->subscriber);
    return rc ? rc : left;
}

static int serve(struct bight_stream *stream, void *arg)
{
    struct chatter me = {.room = arg, .stream = stream};
    int rc = ask_name(&me);

    return rc ? rc : stay(&me);
}

static int run(void *arg)
{
    static const struct bight_broadcast_options options = {
        .capacity = KEPT_LINES,
        .value_bytes = sizeof(struct message),
        .policy = BIGHT_BROADCAST_DROP_OLDEST,
    };
    struct room *room = arg;
    int freed, rc = bight_broadcast_new(&room->messages, &options);

    if (rc)
        return rc;
    rc = serve_until_signal(room->port, serve, room);
    freed = bight_broadcast_free(room->messages);
    return rc ? rc : freed;
}

int main(int argc, char **argv)
{
    int wanted = argc > 1 ? parse_port(argv[1]) : 0;
    struct room room = {.port = (uint16_t)wanted};
    int rc;

    if (argc > 2 || wanted < 0) {
        fprintf(stderr, "usage: chat [PORT]\n");
        return 2;
    }
    rc = bight_run(run, &room);
    if (rc)
        fprintf(stderr, "chat: %s\n", bight_strerror(rc));
    return rc != 0;
}
