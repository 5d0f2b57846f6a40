/* net/http/coding*.c without a network: each coding whole and cut at every byte, in pieces of all
 * sizes, with something behind its end, several in a row, without memory; lists of codings. */
#include "net/http/coding.h"

#include <bight/errors.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness/expect.h"
#include "tests/harness/suite.h"
#include "tests/net/http/coded_text.h"

#define TEXT_BYTES (sizeof CODED_TEXT - 1)

static const struct sample {
    const char *header; /* as in Content-Encoding */
    const uint8_t *text, *nothing;
    size_t text_bytes, nothing_bytes;
    bool many;    /* another may follow */
    bool padded;  /* zeros may follow */
    bool checked; /* the last bytes are a checksum's */
    bool bare;    /* four bytes of anything may follow */
} samples[] = {
#define SAMPLE(name) name##_text, name##_nothing, sizeof name##_text, sizeof name##_nothing
#ifdef BIGHT_HAVE_ZLIB
    {"gzip", SAMPLE(gzip), .many = true, .padded = true, .checked = true},
    {"x-GZip", SAMPLE(gzip), .many = true, .padded = true, .checked = true},
    {"deflate", SAMPLE(zlib), .padded = true, .checked = true},
    {"deflate", SAMPLE(bare), .padded = true, .bare = true},
#endif
#ifdef BIGHT_HAVE_BROTLI
    {"br", SAMPLE(br), .many = false},
#endif
#ifdef BIGHT_HAVE_ZSTD
    {"zstd", SAMPLE(zstd), .many = true, .checked = true},
#endif
};

static const struct bight_seams no_seams;

static void parse(const char *lines, struct http_codings *codings, int code)
{
    struct http_headers headers = {0};

    for (const char *feed; (feed = strchr(lines, '\n')); lines = feed + 1)
        EXPECT(http_headers_add(&no_seams, &headers, lines, (size_t)(feed + 1 - lines)) == 0);
    EXPECT(bight__http_codings_parse(&headers, codings) == code);
    bight__http_buffer_free(&headers.text);
}

static struct http_codings codings_of(const char *header)
{
    struct http_codings codings;
    char line[128];

    snprintf(line, sizeof line, "Content-Encoding: %s\r\n", header);
    parse(line, &codings, 0);
    EXPECT(codings.count > 0);
    return codings;
}

struct result {
    int rc;
    bool whole;
    size_t bytes;
    uint8_t *data; /* of which there is room for `room` */
    size_t room;
};

static int step_all(struct http_decoder *decoder, struct http_coding_io *io, size_t room,
                    struct result *result)
{
    int rc;

    do {
        size_t left = result->room - result->bytes;
        io->out = result->data + result->bytes;
        io->out_bytes = room < left ? room : left;
        EXPECT(io->out_bytes > 0);
        rc = bight__http_decoder_step(decoder, io);
        result->bytes = (size_t)(io->out - result->data);
    } while (rc == 0 && !io->out_bytes);
    EXPECT(rc || !io->in_bytes);
    return rc;
}

/* Undo `in` in pieces of `piece` bytes, into places of `room` bytes. */
static void undo(const struct http_codings *codings, const uint8_t *in, size_t bytes, size_t piece,
                 size_t room, struct result *result)
{
    struct http_decoder *decoder;

    result->bytes = 0;
    EXPECT(bight__http_decoder_new(&no_seams, codings, result->room, &decoder) == 0);
    result->rc = 0;
    for (size_t at = 0; at < bytes && result->rc == 0; at += piece) {
        /* A copy, so that a read beyond its end is seen. */
        size_t count = piece < bytes - at ? piece : bytes - at;
        uint8_t *copy = malloc(count);
        EXPECT(copy);
        memcpy(copy, in + at, count);
        struct http_coding_io io = {.in = copy, .in_bytes = count};
        result->rc = step_all(decoder, &io, room, result);
        free(copy);
    }
    result->whole = bight__http_decoder_is_whole(decoder);
    bight__http_decoder_free(decoder);
}

static uint8_t memory[4096];

static struct result undo_sample(const char *header, const uint8_t *in, size_t bytes, size_t piece,
                                 size_t room)
{
    struct http_codings codings = codings_of(header);
    struct result result = {.data = memory, .room = sizeof memory};

    undo(&codings, in, bytes, piece, room, &result);
    return result;
}

static bool is_text(const struct result *result)
{
    return result->rc == 0 && result->whole && result->bytes == TEXT_BYTES &&
           memcmp(result->data, CODED_TEXT, TEXT_BYTES) == 0;
}

static void a_body_is_undone_in_pieces_of_all_sizes(int i)
{
    const struct sample *sample = &samples[i];

    for (size_t piece = 1; piece <= sample->text_bytes; piece++)
        for (size_t room = 1; room <= TEXT_BYTES + 1; room = room < 4 ? room + 1 : room * 3) {
            struct result result =
                undo_sample(sample->header, sample->text, sample->text_bytes, piece, room);
            EXPECT(is_text(&result));
        }
}

static void what_was_cut_is_not_whole_at_any_byte(int i)
{
    const struct sample *sample = &samples[i];

    for (size_t bytes = 1; bytes < sample->text_bytes; bytes++)
        for (size_t piece = 1; piece <= bytes; piece += bytes > 1 ? bytes - 1 : 1) {
            struct result result = undo_sample(sample->header, sample->text, bytes, piece, 7);
            EXPECT(result.rc == 0 && !result.whole);
            EXPECT(memcmp(result.data, CODED_TEXT, result.bytes) == 0);
        }
}

static void a_coded_nothing_and_no_byte_are_whole(int i)
{
    const struct sample *sample = &samples[i];
    struct result result =
        undo_sample(sample->header, sample->nothing, sample->nothing_bytes, 1, 1);

    EXPECT(result.rc == 0 && result.whole && result.bytes == 0);
    for (size_t bytes = 1; bytes < sample->nothing_bytes; bytes++) {
        result = undo_sample(sample->header, sample->nothing, bytes, 1, 1);
        EXPECT(result.rc == 0 && !result.whole && result.bytes == 0);
    }
    result = undo_sample(sample->header, sample->nothing, 0, 1, 1);
    EXPECT(result.rc == 0 && result.whole && result.bytes == 0);
}

/* The text in its coding, and so many bytes of `more` behind it, by pieces of one and at once. */
static void with_more(const struct sample *sample, const uint8_t *more, size_t more_bytes,
                      struct result *by_one, struct result *at_once)
{
    static uint8_t second[sizeof memory];
    uint8_t in[1024];

    memcpy(in, sample->text, sample->text_bytes);
    memcpy(in + sample->text_bytes, more, more_bytes);
    *by_one = undo_sample(sample->header, in, sample->text_bytes + more_bytes, 1, 64);
    memcpy(second, memory, sizeof memory);
    by_one->data = second;
    *at_once = undo_sample(sample->header, in, sample->text_bytes + more_bytes, 1024, 4096);
}

static void several_in_a_row_are_one_body(int i)
{
    const struct sample *sample = &samples[i];
    struct result by_one, at_once;

    with_more(sample, sample->text, sample->text_bytes, &by_one, &at_once);
    if (!sample->many) {
        EXPECT(by_one.rc == BIGHT_EPROTOCOL && at_once.rc == BIGHT_EPROTOCOL);
        return;
    }
    EXPECT(by_one.rc == 0 && by_one.whole && by_one.bytes == 2 * TEXT_BYTES);
    EXPECT(memcmp(by_one.data, CODED_TEXT CODED_TEXT, 2 * TEXT_BYTES) == 0);
    EXPECT(at_once.rc == 0 && at_once.whole && at_once.bytes == 2 * TEXT_BYTES);
    EXPECT(memcmp(at_once.data, CODED_TEXT CODED_TEXT, 2 * TEXT_BYTES) == 0);
    with_more(sample, sample->text, sample->text_bytes - 1, &by_one, &at_once);
    EXPECT(by_one.rc == 0 && !by_one.whole && at_once.rc == 0 && !at_once.whole);
}

static void zeros_behind_the_last_are_padding(int i)
{
    static const uint8_t zeros[512];
    const struct sample *sample = &samples[i];
    struct result by_one, at_once;

    with_more(sample, zeros, sizeof zeros, &by_one, &at_once);
    EXPECT(is_text(&by_one) == sample->padded && is_text(&at_once) == sample->padded);
    if (!sample->padded)
        EXPECT(by_one.rc == BIGHT_EPROTOCOL && at_once.rc == BIGHT_EPROTOCOL);
}

static void anything_else_behind_it_is_an_error(int i)
{
    static const uint8_t junk[] = {'J', 'U', 'N', 'K', 'S'}, half_magic[] = {0x1f, 0, 0, 0, 0};
    const struct sample *sample = &samples[i];
    struct result by_one, at_once;

    with_more(sample, junk, 5, &by_one, &at_once);
    EXPECT(by_one.rc == BIGHT_EPROTOCOL && at_once.rc == BIGHT_EPROTOCOL);
    with_more(sample, half_magic, 5, &by_one, &at_once);
    EXPECT(is_text(&by_one) == sample->bare && is_text(&at_once) == sample->bare);
    with_more(sample, junk, 4, &by_one, &at_once);
    EXPECT(is_text(&by_one) == sample->bare && is_text(&at_once) == sample->bare);
}

static void a_wrong_checksum_is_an_error(int i)
{
    const struct sample *sample = &samples[i];
    size_t back = strcasestr(sample->header, "gzip") ? 8 : 4;
    uint8_t in[256];

    memcpy(in, sample->text, sample->text_bytes);
    for (size_t at = sample->text_bytes - back; at < sample->text_bytes; at++) {
        in[at] ^= 1;
        struct result result = undo_sample(sample->header, in, sample->text_bytes, 5, 50);
        EXPECT(!is_text(&result));
        EXPECT(!sample->checked || result.rc == BIGHT_EPROTOCOL);
        in[at] ^= 1;
    }
}

static void what_is_not_coded_is_an_error(int i)
{
    static const char text[] = "<!doctype html><title>not coded at all, whatever is said</title>";
    const struct sample *sample = &samples[i];
    struct result result =
        undo_sample(sample->header, (const uint8_t *)text, sizeof text - 1, 1, 64);

    EXPECT(result.rc == BIGHT_EPROTOCOL);
}

static bool fails_at(void *ctx, const void *site)
{
    size_t *left = ctx;

    (void)site;
    return (*left)-- == 0;
}

static void want_of_memory_is_said_and_leaves_nothing(int i)
{
    const struct sample *sample = &samples[i];
    const struct http_codings codings = codings_of(sample->header);
    size_t from = 0, left, failed = 0;
    struct bight_seams seams = {.ctx = &left, .fail_alloc = fails_at};

    do {
        struct result result = {.data = memory, .room = sizeof memory};
        struct http_coding_io io = {.in = sample->text, .in_bytes = sample->text_bytes};
        struct http_decoder *decoder;
        left = from++;
        result.rc = bight__http_decoder_new(&seams, &codings, UINT64_MAX, &decoder);
        if (result.rc == 0) {
            result.rc = step_all(decoder, &io, 16, &result);
            bight__http_decoder_free(decoder);
        }
        EXPECT(result.rc == 0 || result.rc == BIGHT_ENOMEM);
        failed += result.rc != 0;
    } while (left == SIZE_MAX); /* it failed */
    EXPECT(failed >= 2);
}

#if defined(BIGHT_HAVE_ZLIB) && defined(BIGHT_HAVE_BROTLI) && defined(BIGHT_HAVE_ZSTD)
static void several_codings_are_undone_from_the_last_to_the_first(void)
{
    static const struct {
        const char *header;
        const uint8_t *in;
        size_t bytes;
    } bodies[] = {
        {"gzip, gzip", gzip_gzip_text, sizeof gzip_gzip_text},
        {"gzip , zstd", gzip_zstd_text, sizeof gzip_zstd_text},
        {"gzip,identity,, zstd\t,br", gzip_zstd_br_text, sizeof gzip_zstd_br_text},
    };

    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        for (size_t piece = 1; piece <= bodies[i].bytes; piece++) {
            struct result result =
                undo_sample(bodies[i].header, bodies[i].in, bodies[i].bytes, piece, piece);
            EXPECT(is_text(&result));
        }
        for (size_t bytes = 1; bytes < bodies[i].bytes; bytes++) {
            struct result result = undo_sample(bodies[i].header, bodies[i].in, bytes, 3, 64);
            EXPECT(result.rc == 0 && !result.whole);
        }
    }
}

static void what_all_this_can_undo_is_known(void)
{
    ck_assert_str_eq(bight__http_codings_known(), "gzip, deflate, br, zstd");
}
#endif

#ifdef BIGHT_HAVE_ZLIB
/* The end of a coding inside of another must be seen as its own is. */
static void the_inner_of_two_codings_may_be_cut_too(void)
{
    /* gzip_text without its last byte, as one stored block of a second gzip. */
    enum { BYTES = sizeof gzip_text - 1 };
    uint8_t in[10 + 5 + BYTES] = {0x1f, 0x8b, 8, 0,     0, 0,           0,  0,
                                  0,    255,  1, BYTES, 0, 255 - BYTES, 255};

    memcpy(in + 15, gzip_text, BYTES);
    struct result result = undo_sample("gzip, gzip", in, sizeof in, 1, 64);
    EXPECT(result.rc == 0 && !result.whole && result.bytes == TEXT_BYTES);
}

static void what_lies_between_two_codings_is_bounded(void)
{
    /* A member of nothing, then zeros for ever, each in a stored block: nothing ever comes out. */
    static const uint8_t head[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255};
    static uint8_t block[5 + 65535] = {0, 255, 255, 0, 0};
    static uint8_t first[5 + sizeof gzip_nothing] = {0, sizeof gzip_nothing, 0,
                                                     255 - sizeof gzip_nothing, 255};
    struct http_codings codings = codings_of("gzip, gzip");
    struct result result = {.data = memory, .room = sizeof memory};
    struct http_decoder *decoder;
    struct http_coding_io io = {.in = head, .in_bytes = sizeof head};
    int rc, blocks = 0;

    memcpy(first + 5, gzip_nothing, sizeof gzip_nothing);
    EXPECT(bight__http_decoder_new(&no_seams, &codings, 1 << 20, &decoder) == 0);
    EXPECT(step_all(decoder, &io, 64, &result) == 0);
    io = (struct http_coding_io){.in = first, .in_bytes = sizeof first};
    EXPECT(step_all(decoder, &io, 64, &result) == 0);
    do {
        io = (struct http_coding_io){.in = block, .in_bytes = sizeof block};
        rc = step_all(decoder, &io, 64, &result);
    } while (rc == 0 && ++blocks < 100);
    EXPECT(rc == BIGHT_ETOOBIG && blocks >= 16 && blocks <= 18 && result.bytes == 0);
    bight__http_decoder_free(decoder);
}

static void lists_are_read_as_headers_have_them(void)
{
    static const struct {
        const char *lines;
        int code;
        unsigned count;
    } lists[] = {
        {"Other: gzip\n", 0, 0},
        {"Content-Encoding:\n", 0, 0},
        {"Content-Encoding: identity\n", 0, 0},
        {"content-encoding: GZIP\r\n", 0, 1},
        {"Content-Encoding: , gzip ,\tdeflate ,\n", 0, 2},
        {"Content-Encoding: gzip\nX: y\nCONTENT-ENCODING: deflate\n", 0, 2},
        {"Content-Encoding: gzip,\n deflate\n", 0, 2},
        {"Content-Encoding: gzip\nContent-Encoding: identity\n", 0, 1},
        /* Not known: left as it is, as browsers do. */
        {"Content-Encoding: none\n", 0, 0},
        {"Content-Encoding: UTF-8\n", 0, 0},
        {"Content-Encoding: gzip, unheard-of\n", 0, 0},
        {"Content-Encoding: unheard-of\nContent-Encoding: gzip\n", 0, 0},
        {"Content-Encoding: gzip deflate\n", 0, 0},
        {"Content-Encoding: gzip;q=1\n", 0, 0},
        {"Content-Encoding: gzi\n", 0, 0},
        {"Content-Encoding: gzip, gzip, gzip, gzip\n", 0, 4},
        {"Content-Encoding: gzip, gzip, gzip, gzip, gzip\n", BIGHT_EPROTOCOL, 4},
        {"Content-Encoding: gzip, gzip, gzip, gzip, identity\n", 0, 4},
    };

    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        struct http_codings codings;
        parse(lists[i].lines, &codings, lists[i].code);
        ck_assert_msg(codings.count == lists[i].count, "%s", lists[i].lines);
    }
}
#endif

#define SAMPLES (int)(sizeof samples / sizeof samples[0])

static const struct suite_case cases[] = {
    each_case(a_body_is_undone_in_pieces_of_all_sizes, SAMPLES),
    each_case(what_was_cut_is_not_whole_at_any_byte, SAMPLES),
    each_case(a_coded_nothing_and_no_byte_are_whole, SAMPLES),
    each_case(several_in_a_row_are_one_body, SAMPLES),
    each_case(zeros_behind_the_last_are_padding, SAMPLES),
    each_case(anything_else_behind_it_is_an_error, SAMPLES),
    each_case(a_wrong_checksum_is_an_error, SAMPLES),
    each_case(what_is_not_coded_is_an_error, SAMPLES),
    each_case(want_of_memory_is_said_and_leaves_nothing, SAMPLES),
#if defined(BIGHT_HAVE_ZLIB) && defined(BIGHT_HAVE_BROTLI) && defined(BIGHT_HAVE_ZSTD)
    plain_case(several_codings_are_undone_from_the_last_to_the_first),
    plain_case(what_all_this_can_undo_is_known),
#endif
#ifdef BIGHT_HAVE_ZLIB
    plain_case(the_inner_of_two_codings_may_be_cut_too),
    plain_case(what_lies_between_two_codings_is_bounded),
    plain_case(lists_are_read_as_headers_have_them),
#endif
};

test_suite("http_coding", cases);
