/* samples/scraper/utf8.c: what is UTF-8, and that it needs no conversion to stay the same. */
#include <stdlib.h>
#include <string.h>

#include "samples/scraper/charset.h"
#include "samples/scraper/utf8.h"
#include "tests/harness/suite.h"

/* Bytes around which something changes. */
static const unsigned char edges[] = {
    0x00, 0x01, 'a',  0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf,
    0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xf8, 0xff,
};
enum { edge_count = sizeof edges, room = 16 };

/* The same a character at a time. */
static bool is_text(const char *text, size_t size)
{
    while (size) {
        size_t length = *text ? utf8_character(text, size) : 0;
        if (!length)
            return false;
        text += length;
        size -= length;
    }
    return true;
}

/* All runs of four edges, alone and among other text where vectors end. */
static void check_is_the_same_as_a_character_at_a_time(int first)
{
    bool same = true;

    for (int i = 0; i < edge_count * edge_count * edge_count; i++) {
        const char run[4] = {(char)edges[first], (char)edges[i % edge_count],
                             (char)edges[i / edge_count % edge_count],
                             (char)edges[i / edge_count / edge_count]};
        for (size_t size = 0; size <= sizeof run; size++)
            same &= utf8_is_text(run, size) == is_text(run, size);
        char text[40];
        memset(text, 'x', sizeof text);
        memcpy(text + i % (int)(sizeof text - sizeof run), run, sizeof run);
        same &= utf8_is_text(text, sizeof text) == is_text(run, sizeof run);
    }
    ck_assert(same);
}

static void cut_leaves_whole_characters(void)
{
    static const char text[] = "ab\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z\xc3\xa9";

    for (size_t size = 4; size < sizeof text; size++) {
        size_t cut = utf8_cut(text, size);
        ck_assert_uint_le(cut, size);
        ck_assert_uint_gt(cut + 4, size);
        ck_assert(is_text(text, cut) && is_text(text + cut, sizeof text - 1 - cut));
    }
    ck_assert_uint_eq(utf8_cut("abcdefgh", 8), 8);
    /* Of no text any place will do, within it. */
    ck_assert_uint_le(utf8_cut("\x80\x80\x80\x80\x80\x80\x80\x80", 8), 8);
    ck_assert_uint_ge(utf8_cut("\x80\x80\x80\x80\x80\x80\x80\x80", 8), 4);
}

struct text {
    char bytes[8192];
    size_t size;
};

/* What a page of `size` bytes is in the end; `as_is` is of how many bytes nothing was changed. */
static void decode(struct text *out, size_t *as_is, const char *charset, const char *in,
                   size_t size, bool may_be_as_is)
{
    struct decoder *decoder;

    out->size = *as_is = 0;
    ck_assert_int_eq(decoder_new(&decoder, charset), 0);
    while (size) {
        size_t same = may_be_as_is ? decoder_as_is(decoder, in, size, room) : 0;
        ck_assert_uint_le(same, size < room ? size : room);
        if (same == 0) {
            out->size += decoder_run(decoder, &in, &size, out->bytes + out->size, room);
            continue;
        }
        memcpy(out->bytes + out->size, in, same);
        out->size += same;
        *as_is += same;
        in += same;
        size -= same;
    }
    decoder_free(decoder);
}

static void expect_same(const char *charset, const char *in, size_t size, bool all_as_is)
{
    static struct text quick, slow;
    size_t as_is, none;

    decode(&quick, &as_is, charset, in, size, true);
    decode(&slow, &none, charset, in, size, false);
    ck_assert_mem_eq(quick.bytes, slow.bytes, quick.size);
    ck_assert_uint_eq(quick.size, slow.size);
    ck_assert(!all_as_is || as_is == size);
    ck_assert(strcmp(charset, "UTF-8") == 0 || as_is == 0);
}

static void text_is_the_same_as_through_the_converter(void)
{
    static const char good[] =
        "plain text, caf\xc3\xa9, \xe2\x82\xac \xf0\x9f\x98\x80 and \xc2\x85.";
    static const char bad[] =
        "good for more than sixteen bytes \xff and bad and \xed\xa0\x80 good again,"
        " to the NUL\0 in it, and the end is cut \xe2\x82";

    expect_same("UTF-8", good, sizeof good - 1, true);
    expect_same("UTF-8", bad, sizeof bad - 1, false);
    expect_same("CP1252", good, sizeof good - 1, false);
    expect_same("UTF-16LE", good, sizeof good - 1, false);
}

static void random_text_is_the_same_as_through_the_converter(void)
{
    char text[1000];
    unsigned state = 1;

    for (int round = 0; round < 50; round++) {
        for (size_t i = 0; i < sizeof text; i++) {
            state = state * 1664525u + 1013904223u;
            text[i] = state >> 28 ? "abc \xc3\xa9\xe2\x82\xac"[state >> 20 & 7]
                                  : (char)edges[(state >> 16) % edge_count];
        }
        expect_same("UTF-8", text, sizeof text, false);
    }
}

static const struct suite_case cases[] = {
    each_case(check_is_the_same_as_a_character_at_a_time, edge_count),
    plain_case(cut_leaves_whole_characters),
    plain_case(text_is_the_same_as_through_the_converter),
    plain_case(random_text_is_the_same_as_through_the_converter),
};

test_suite("scraper_utf8", cases);
