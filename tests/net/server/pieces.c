/* See pieces.h. */
#include "tests/net/server/pieces.h"

#include <stdio.h>
#include <string.h>

#define SECOND "GET /second HTTP/1.1\r\nHost: second\r\n\r\n"
#define SECOND_TEXT "[GET][/second][][second][]"

static int seconds; /* taken */

int pieces_take(struct bight_exchange *exchange, void *arg)
{
    const char *query = bight_exchange_query(exchange), *body;
    char text[1024];
    int bytes, rc = bight_exchange_read_all(exchange, &body, NULL);

    (void)arg;
    talk_calls++;
    seconds += strcmp(bight_exchange_path(exchange), "/second") == 0;
    if (rc)
        return rc;
    bytes = snprintf(text, sizeof(text), "[%s][%s][%s][%s][%s]", bight_exchange_method(exchange),
                     bight_exchange_path(exchange), query ? query : "",
                     bight_exchange_host(exchange), body);
    return bight_exchange_answer(exchange, 200, NULL, text, (size_t)bytes);
}

/* The server may have closed the connection in the middle of it. */
static void say(const char *bytes, size_t count)
{
    int rc = count ? bight_stream_write(talk_client, bytes, count) : 0;

    if (rc && rc != BIGHT_EPIPE)
        ck_abort_msg("%s", bight_error_name(rc));
    world_settle();
}

/* What the server says when the row's request comes in two pieces and what follows behind it. */
static const char *answer_to(const struct pieces_row *row, size_t cut,
                             const struct bight_stream_pair_options *pair)
{
    char all[4096];
    size_t count = row->count + sizeof(SECOND) - 1;

    ck_assert_uint_le(count, sizeof(all));
    memcpy(all, row->bytes, row->count);
    memcpy(all + row->count, SECOND, sizeof(SECOND) - 1);
    seconds = 0;
    talk_begin_over(pieces_take, NULL, pair);
    say(all, cut);
    say(all + cut, count - cut);
    return talk_hear();
}

static size_t times(const char *text, const char *part)
{
    size_t count = 0;

    while ((text = strstr(text, part))) {
        text += strlen(part);
        count++;
    }
    return count;
}

static bool is_refusal(const struct pieces_row *row, const char *answer)
{
    char line[32];
    size_t bytes = strlen(answer);

    snprintf(line, sizeof(line), "HTTP/1.1 %d ", row->status);
    return strncmp(answer, line, strlen(line)) == 0 && times(answer, "HTTP/1.1 ") == 1 &&
           strstr(answer, "\r\nConnection: close\r\n") && bytes > 5 &&
           strcmp(answer + bytes - 5, "<end>") == 0 && seconds == 0 && talk_failures == 0;
}

static bool is_taken(const struct pieces_row *row, const char *answer)
{
    const char *text = strstr(answer, row->text);

    return times(answer, "HTTP/1.1 200 OK\r\n") == 2 && times(answer, "HTTP/1.1 ") == 2 && text &&
           strstr(text, SECOND_TEXT) && times(answer, SECOND_TEXT) == 1 && talk_calls == 2;
}

static void check(const struct pieces_row *row, size_t cut,
                  const struct bight_stream_pair_options *pair)
{
    const char *answer = answer_to(row, cut, pair);

    if (!(row->text ? is_taken : is_refusal)(row, answer))
        ck_abort_msg("%s, in pieces of %zu and more%s:\n%s", row->name, cut,
                     pair ? ", byte by byte" : "", answer);
    ck_ok(talk_end());
}

static void check_all(const struct pieces_row *row)
{
    const struct bight_stream_pair_options slow = {.read_max = 1};

    check(row, 0, &slow);
    for (size_t cut = 0; cut <= row->count; cut++)
        check(row, cut, NULL);
}

int pieces_are_refused(void *table)
{
    const struct pieces_table *all = table;

    for (size_t i = 0; i < all->count; i++) {
        ck_assert_ptr_null(all->rows[i].text);
        check_all(&all->rows[i]);
    }
    return 0;
}

int pieces_are_taken(void *table)
{
    const struct pieces_table *all = table;

    for (size_t i = 0; i < all->count; i++) {
        ck_assert_ptr_nonnull(all->rows[i].text);
        check_all(&all->rows[i]);
    }
    return 0;
}
