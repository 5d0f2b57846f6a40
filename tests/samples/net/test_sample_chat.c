/* The sample chat: SAMPLE_CHAT is its path. */
#include "tests/harness/suite.h"
#include "tests/harness/support.h"
#include "tests/samples/net/programs.h"

#include <bight.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define NAME_QUESTION "* your name, in letters and digits?"

static const char *const argv[] = {SAMPLE_CHAT, NULL};

static void hears(struct bight_stream *stream, const char *expected)
{
    char line[512];

    ck_assert_int_ge(bight_stream_read_line(stream, line, sizeof line), 0);
    ck_assert_str_eq(line, expected);
}

static struct bight_stream *connect_to(const struct server *server)
{
    struct bight_stream *stream = server_dial(server);

    hears(stream, NAME_QUESTION);
    return stream;
}

/* Nobody can know when one has been let in, but by asking. */
static struct bight_stream *enter(const struct server *server, const char *name,
                                  const char *present)
{
    struct bight_stream *stream = connect_to(server);

    scene_says(stream, name);
    scene_says(stream, "\n/who\n");
    hears(stream, present);
    return stream;
}

static int hear_each_other(void *server)
{
    struct bight_stream *ann = enter(server, "ann", "* ann"), *bob, *eve;

    bob = enter(server, "bob", "* bob ann");
    hears(ann, "bob is here");
    eve = enter(server, "eve", "* eve bob ann");
    hears(ann, "eve is here");
    hears(bob, "eve is here");
    scene_says(ann, "hello\r\n\nyou \x1b[31m two\n");
    hears(bob, "ann: hello");
    hears(bob, "ann: you ?[31m two");
    hears(eve, "ann: hello");
    hears(eve, "ann: you ?[31m two");
    scene_says(eve, "/quit\nnobody hears this\n");
    scene_is_over(eve);
    hears(ann, "eve has left");
    hears(bob, "eve has left");
    bight_stream_abort(bob);
    hears(ann, "bob has left");
    scene_says(ann, "/who\n");
    hears(ann, "* ann");
    scene_says(ann, "/quit\n");
    scene_is_over(ann);
    return 0;
}

static void what_one_says_all_others_hear(void)
{
    server_play(argv, hear_each_other);
}

static int choose_names(void *server)
{
    struct bight_stream *ann = enter(server, "ann", "* ann"), *other = connect_to(server);
    static const char *const refused[] = {"ann\n", "\n", "an ne\n", "sixteenLetters16\n"};

    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        scene_says(other, refused[i]);
        hears(other, NAME_QUESTION);
    }
    scene_says(other, "fifteenLetter15\r\n/who\n");
    hears(other, "* fifteenLetter15 ann");
    hears(ann, "fifteenLetter15 is here");
    bight_stream_abort(other);
    bight_stream_abort(ann);
    return 0;
}

static void a_name_is_somebodys_own(void)
{
    server_play(argv, choose_names);
}

static int type_in_pieces(void *server)
{
    struct bight_stream *ann = enter(server, "ann", "* ann"),
                        *bob = enter(server, "bob", "* bob ann");
    char much[600], line[512];

    hears(ann, "bob is here");
    scene_says(ann, "half a ");
    for (int i = 0; i < 3; i++) {
        scene_says(bob, "the whole\n");
        hears(ann, "bob: the whole");
    }
    scene_says(ann, "line\n");
    hears(bob, "ann: half a line");
    memset(much, 'x', sizeof much);
    much[sizeof much - 1] = '\n';
    ck_assert_int_eq(bight_stream_write(ann, much, sizeof much), 0);
    ck_assert_int_eq(bight_stream_read_line(bob, line, sizeof line), 5 + 399);
    ck_assert_int_eq(bight_stream_read_line(bob, line, sizeof line), 5 + 200);
    bight_stream_abort(ann);
    bight_stream_abort(bob);
    return 0;
}

static void a_line_in_pieces_does_not_keep_others_from_being_heard(void)
{
    server_play(argv, type_in_pieces);
}

/* Bob reads each line before ann says the next one, so he misses none. Carl reads nothing until the
 * end: then he hears what had been sent to him, how many lines he missed, and the newest ones. */

#define FLOOD_LINES 12000

static void flood(struct bight_stream *from, struct bight_stream *to)
{
    char line[390], expected[512];

    for (int i = 0; i < FLOOD_LINES; i++) {
        snprintf(line, sizeof line, "%-*d\n", (int)sizeof line - 2, i);
        snprintf(expected, sizeof expected, "ann: %-*d", (int)sizeof line - 2, i);
        scene_says(from, line);
        hears(to, expected);
    }
}

static void catch_up(struct bight_stream *stream)
{
    int next = 0, at, missed, announcements = 0;
    char line[512];

    while (next < FLOOD_LINES) {
        ck_assert_int_ge(bight_stream_read_line(stream, line, sizeof line), 0);
        if (sscanf(line, "ann: %d", &at) == 1) {
            ck_assert_int_eq(at, next);
            next++;
        } else {
            ck_assert_int_eq(sscanf(line, "* too slow: you missed %d lines", &missed), 1);
            ck_assert_int_gt(missed, 0);
            next += missed;
            announcements++;
        }
    }
    ck_assert_int_gt(announcements, 0);
}

static int fall_behind(void *server)
{
    struct bight_stream *ann = enter(server, "ann", "* ann"),
                        *bob = enter(server, "bob", "* bob ann"),
                        *carl = enter(server, "carl", "* carl bob ann");
    int small = 4096;

    ck_assert_int_eq(setsockopt(bight_stream_fd(carl), SOL_SOCKET, SO_RCVBUF, &small, sizeof small),
                     0);
    hears(ann, "bob is here");
    hears(ann, "carl is here");
    hears(bob, "carl is here");
    flood(ann, bob);
    catch_up(carl);
    scene_says(carl, "back again\n");
    hears(bob, "carl: back again");
    bight_stream_abort(ann);
    bight_stream_abort(bob);
    bight_stream_abort(carl);
    return 0;
}

static void a_slow_reader_holds_nobody_up_and_is_told_what_he_missed(void)
{
    server_play(argv, fall_behind);
}

static int stay_connected(void *arg)
{
    const struct server *server = arg;
    struct bight_stream *ann = enter(server, "ann", "* ann");

    server_stop(server, SIGTERM);
    bight_stream_abort(ann);
    return 0;
}

static void it_ends_although_somebody_is_there(void)
{
    struct server server = server_start(argv);

    ck_assert_int_eq(bight_run(stay_connected, &server), 0);
}

static const struct suite_case cases[] = {
    plain_case(what_one_says_all_others_hear),
    plain_case(a_name_is_somebodys_own),
    plain_case(a_line_in_pieces_does_not_keep_others_from_being_heard),
    plain_case(a_slow_reader_holds_nobody_up_and_is_told_what_he_missed),
    plain_case(it_ends_although_somebody_is_there),
};

test_suite("sample_chat", cases);
