/* keyval [-d MS] PORT COMMAND...: has a Redis server of this machine perform commands, in one
 * pipeline, and prints the replies in order, as redis-cli does where there is no terminal: strings
 * and errors as they are, (nil) for none, the elements of an array one a line. Each COMMAND is an
 * argument of its own, whose words have spaces between them; there is no quoting. A reply that is
 * an error makes the exit status 1. -d is for all of it together: what has come is printed, the
 * connection is closed.
 *
 * To notice: hiredis buffers the commands, so that they leave in as few writes as the socket
 * allows, and what came, so that a read may be many replies. While there is something to write the
 * task waits for both, for a server that is not heard stops reading. hiredis writes with SIGPIPE.
 * Each command has one reply here: SUBSCRIBE and MONITOR are for another program. */
#include <bight/errors.h>
#include <bight/fd.h>
#include <bight/runtime.h>
#include <bight/scope.h>

#include <hiredis/hiredis.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct session {
    int port;
    int timeout_ms; /* negative: none */
    char **commands;
    int count;
    int answered;
    int refused; /* replies that were errors */
    redisContext *context;
};

/* Returns how many words there are; `words` and `bytes` are filled unless they are NULL. */
static int split(const char *command, const char **words, size_t *bytes)
{
    int count = 0;

    for (const char *at = command + strspn(command, " "); *at; at += strspn(at, " ")) {
        size_t length = strcspn(at, " ");

        if (words) {
            words[count] = at;
            bytes[count] = length;
        }
        count++;
        at += length;
    }
    return count;
}

static int append(redisContext *context, const char *command)
{
    int count = split(command, NULL, NULL), rc = BIGHT_ENOMEM;
    const char **words = calloc((size_t)count, sizeof *words);
    size_t *bytes = calloc((size_t)count, sizeof *bytes);

    if (words && bytes) {
        split(command, words, bytes);
        if (redisAppendCommandArgv(context, count, words, bytes) == REDIS_OK)
            rc = 0;
    }
    free(words);
    free(bytes);
    return rc;
}

/* An empty array is an empty line. */
static void print(const redisReply *reply)
{
    if (reply->type == REDIS_REPLY_NIL) {
        puts("(nil)");
    } else if (reply->type == REDIS_REPLY_INTEGER) {
        printf("%lld\n", reply->integer);
    } else if (reply->elements > 0) {
        for (size_t i = 0; i < reply->elements; i++)
            print(reply->element[i]);
    } else {
        fwrite(reply->str ? reply->str : "", 1, reply->str ? (size_t)reply->len : 0, stdout);
        putchar('\n');
    }
}

/* Read once, and print the replies that are whole. */
static int hear(struct session *session)
{
    void *reply = NULL;

    if (redisBufferRead(session->context) != REDIS_OK)
        return BIGHT_EIO;
    while (session->answered < session->count) {
        if (redisGetReplyFromReader(session->context, &reply) != REDIS_OK)
            return BIGHT_EPROTOCOL;
        if (!reply)
            break;
        print(reply);
        session->answered++;
        session->refused += ((const redisReply *)reply)->type == REDIS_REPLY_ERROR;
        freeReplyObject(reply);
    }
    return 0;
}

/* The connection is being made at first: that it stands, or why not, shows in the first read or
 * write. Reading comes first, for a server that closes may have said why. */
static int talk(void *arg)
{
    struct session *session = arg;
    redisContext *context = session->context;
    int written = 0, rc = 0;

    while (session->answered < session->count) {
        rc = bight_fd_wait(context->fd, written ? BIGHT_FD_READ : BIGHT_FD_READ | BIGHT_FD_WRITE);
        if (rc < 0)
            return rc;
        if (rc & (int)BIGHT_FD_READ) {
            rc = hear(session);
            if (rc)
                return rc;
        }
        if (!written && redisBufferWrite(context, &written) != REDIS_OK)
            return BIGHT_EIO;
    }
    return 0;
}

static int run(void *arg)
{
    struct session *session = arg;
    int rc = 0;

    for (int i = 0; i < session->count && rc == 0; i++)
        rc = append(session->context, session->commands[i]);
    return rc ? rc : bight_timeout(session->timeout_ms, talk, session);
}

static void explain(const struct session *session, int rc)
{
    fflush(stdout);
    fprintf(stderr, "keyval: ");
    if (rc == BIGHT_ETIMEDOUT)
        fprintf(stderr, "cut off after %d ms", session->timeout_ms);
    else
        fprintf(stderr, "%s",
                session->context->err ? session->context->errstr : bight_strerror(rc));
    fprintf(stderr, ", with %d of %d replies\n", session->answered, session->count);
}

static int converse(struct session *session)
{
    int rc;

    session->context = redisConnectNonBlock("127.0.0.1", session->port);
    if (!session->context) {
        fprintf(stderr, "keyval: %s\n", bight_strerror(BIGHT_ENOMEM));
        return 1;
    }
    rc = session->context->err ? BIGHT_EIO : bight_run(run, session);
    if (rc)
        explain(session, rc);
    redisFree(session->context);
    if (fflush(stdout) || ferror(stdout)) {
        fprintf(stderr, "keyval: not all could be printed\n");
        return 1;
    }
    return rc || session->refused;
}

/* A number from 1 to `most`, or 0. */
static int parse(const char *text, int most)
{
    char *end;
    long number = strtol(text, &end, 10);

    return *text && !*end && number >= 1 && number <= most ? (int)number : 0;
}

static bool are_commands(char **texts, int count)
{
    for (int i = 0; i < count; i++)
        if (split(texts[i], NULL, NULL) == 0)
            return false;
    return count > 0;
}

int main(int argc, char **argv)
{
    struct session session = {.timeout_ms = -1};
    bool usable = true;
    int option;

    opterr = 0;
    while ((option = getopt(argc, argv, "+d:")) != -1) {
        session.timeout_ms = option == 'd' ? parse(optarg, INT_MAX) : 0;
        usable &= session.timeout_ms > 0;
    }
    if (optind < argc) {
        session.port = parse(argv[optind], 65535);
        session.commands = argv + optind + 1;
        session.count = argc - optind - 1;
    }
    if (!usable || session.port == 0 || !are_commands(session.commands, session.count)) {
        fprintf(stderr, "usage: keyval [-d MS] PORT COMMAND...\n");
        return 2;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    return converse(&session);
}
