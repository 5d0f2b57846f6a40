/* See redis.h. None of them suspends, so each request is atomic without a lock. Where Redis has an
 * answer for a case, it is given in its words: clients know them. */
#include "samples/net/redis.h"

#include <bight/errors.h>
#include <bight/time.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define STORE_BYTES ((size_t)64 << 20)
#define SECOND_NS UINT64_C(1000000000)
#define SECONDS_MAX (INT64_MAX / 1000000000 / 2)
#define NUMBER_BYTES 21

static struct bight_slice arg(const struct redis_session *session, size_t index)
{
    return session->request.args[index];
}

static bool is(struct bight_slice word, const char *text)
{
    return word.bytes == strlen(text) && strncasecmp(word.data, text, word.bytes) == 0;
}

static bool parse_number(struct bight_slice word, int64_t *number)
{
    char text[NUMBER_BYTES], *end;

    if (word.bytes == 0 || word.bytes >= sizeof text ||
        strchr(" \t\n\v\f\r+", *(const char *)word.data))
        return false;
    memcpy(text, word.data, word.bytes);
    text[word.bytes] = '\0';
    errno = 0;
    *number = strtoll(text, &end, 10);
    return errno == 0 && end == text + word.bytes;
}

static bool is_number(struct redis_session *session, struct bight_slice word, int64_t *number)
{
    if (parse_number(word, number))
        return true;
    resp_error(&session->answers, "ERR value is not an integer or out of range");
    return false;
}

static void ping(struct redis_session *session)
{
    if (session->request.count > 1)
        resp_bulk(&session->answers, arg(session, 1));
    else
        resp_status(&session->answers, "PONG");
}

static void echo(struct redis_session *session)
{
    resp_bulk(&session->answers, arg(session, 1));
}

/* Returns whether it is there now; if not, that was answered. */
static bool put(struct redis_session *session, struct bight_slice value, uint64_t expires_ns)
{
    struct store *store = session->store;
    struct bight_slice key = arg(session, 1);
    int rc = BIGHT_ENOMEM;

    if (store->bytes + key.bytes + value.bytes <= STORE_BYTES)
        rc = store_set(store, key, value, expires_ns);
    if (rc)
        resp_error(&session->answers, "OOM command not allowed: %s", bight_strerror(rc));
    return rc == 0;
}

static void set(struct redis_session *session)
{
    uint64_t expires_ns = STORE_NEVER;
    int64_t seconds;

    if (session->request.count > 3) {
        if (session->request.count != 5 || !is(arg(session, 3), "EX")) {
            resp_error(&session->answers, "ERR syntax error");
            return;
        }
        if (!is_number(session, arg(session, 4), &seconds))
            return;
        if (seconds <= 0 || seconds > SECONDS_MAX) {
            resp_error(&session->answers, "ERR invalid expire time in 'set' command");
            return;
        }
        expires_ns = bight_now_ns() + (uint64_t)seconds * SECOND_NS;
    }
    if (put(session, arg(session, 2), expires_ns))
        resp_status(&session->answers, "OK");
}

static void get(struct redis_session *session)
{
    const struct store_item *item = store_find(session->store, arg(session, 1));

    if (item)
        resp_bulk(&session->answers, item->value);
    else
        resp_nil(&session->answers);
}

static void del(struct redis_session *session)
{
    int64_t removed = 0;

    for (size_t i = 1; i < session->request.count; i++) {
        struct store_item *item = store_find(session->store, arg(session, i));

        if (item) {
            store_remove(session->store, item);
            removed++;
        }
    }
    resp_number(&session->answers, removed);
}

static void exists(struct redis_session *session)
{
    int64_t found = 0;

    for (size_t i = 1; i < session->request.count; i++)
        found += store_find(session->store, arg(session, i)) != NULL;
    resp_number(&session->answers, found);
}

static void incr(struct redis_session *session)
{
    const struct store_item *item = store_find(session->store, arg(session, 1));
    char text[NUMBER_BYTES];
    int64_t number = 0;
    int length;

    if (item && !is_number(session, item->value, &number))
        return;
    if (number == INT64_MAX) {
        resp_error(&session->answers, "ERR increment or decrement would overflow");
        return;
    }
    length = snprintf(text, sizeof text, "%" PRId64, number + 1);
    if (put(session, (struct bight_slice){text, (size_t)length},
            item ? item->expires_ns : STORE_NEVER))
        resp_number(&session->answers, number + 1);
}

static void expire(struct redis_session *session)
{
    struct store_item *item = store_find(session->store, arg(session, 1));
    int64_t seconds;

    if (!is_number(session, arg(session, 2), &seconds))
        return;
    if (seconds > SECONDS_MAX) {
        resp_error(&session->answers, "ERR invalid expire time in 'expire' command");
        return;
    }
    if (item && seconds <= 0)
        store_remove(session->store, item);
    else if (item)
        item->expires_ns = bight_now_ns() + (uint64_t)seconds * SECOND_NS;
    resp_number(&session->answers, item != NULL);
}

/* Rounded to the next second, -1 of a key that stays, -2 of none. */
static void ttl(struct redis_session *session)
{
    const struct store_item *item = store_find(session->store, arg(session, 1));
    int64_t seconds = -2;

    if (item)
        seconds = item->expires_ns == STORE_NEVER
                      ? -1
                      : (int64_t)((item->expires_ns - bight_now_ns() + SECOND_NS / 2) / SECOND_NS);
    resp_number(&session->answers, seconds);
}

static void dbsize(struct redis_session *session)
{
    resp_number(&session->answers, (int64_t)session->store->count);
}

static void flushall(struct redis_session *session)
{
    store_clear(session->store);
    resp_status(&session->answers, "OK");
}

static void config(struct redis_session *session)
{
    if (is(arg(session, 1), "GET"))
        resp_empty_array(&session->answers);
    else
        resp_error(&session->answers, "ERR there is nothing to configure");
}

static void command(struct redis_session *session)
{
    resp_empty_array(&session->answers);
}

/* Clients that hear this go on with version 2. */
static void hello(struct redis_session *session)
{
    resp_error(&session->answers, "NOPROTO unsupported protocol version");
}

static void quit(struct redis_session *session)
{
    session->over = true;
    resp_status(&session->answers, "OK");
}

/* Those that come most are first. */
static const struct {
    const char *name;
    size_t least, most; /* words, its name included */
    void (*run)(struct redis_session *session);
} commands[] = {
    {"get", 2, 2, get},
    {"set", 3, RESP_ARGS, set},
    {"incr", 2, 2, incr},
    {"exists", 2, RESP_ARGS, exists},
    {"del", 2, RESP_ARGS, del},
    {"expire", 3, 3, expire},
    {"ttl", 2, 2, ttl},
    {"ping", 1, 2, ping},
    {"echo", 2, 2, echo},
    {"dbsize", 1, 1, dbsize},
    {"flushall", 1, 2, flushall},
    {"config", 2, RESP_ARGS, config},
    {"command", 1, RESP_ARGS, command},
    {"hello", 1, RESP_ARGS, hello},
    {"quit", 1, RESP_ARGS, quit},
};

void redis_command(struct redis_session *session)
{
    struct bight_slice name = arg(session, 0);
    size_t count = session->request.count;

    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (!is(name, commands[i].name))
            continue;
        if (count < commands[i].least || count > commands[i].most)
            resp_error(&session->answers, "ERR wrong number of arguments for '%s' command",
                       commands[i].name);
        else
            commands[i].run(session);
        return;
    }
    resp_error(&session->answers, "ERR unknown command '%.*s'",
               (int)(name.bytes < 64 ? name.bytes : 64), (const char *)name.data);
}
