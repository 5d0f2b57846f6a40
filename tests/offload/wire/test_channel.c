/* The pieces under worker processes that need none: the ring of bytes, messages with
 * descriptors, and finding definitions. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bight/errors.h>

#include "offload/wire/channel.h"
#include "offload/wire/control.h"
#include "offload/wire/definition.h"
#include "offload/pool/registry.h"
#include "tests/harness/suite.h"
#include "tests/harness/support.h"

static void an_arena_gives_and_takes_back_in_order(void)
{
    struct arena arena = {.bytes = 1000};

    ck_assert_uint_eq(bight__arena_find(&arena, 1001), UINT64_MAX);
    ck_assert_uint_eq(bight__arena_find(&arena, 1000), 0);
    bight__arena_take(&arena, 0, 400);
    ck_assert_uint_eq(bight__arena_find(&arena, 600), 400);
    ck_assert_uint_eq(bight__arena_find(&arena, 601), UINT64_MAX);
    bight__arena_take(&arena, 400, 500);
    ck_assert_uint_eq(bight__arena_find(&arena, 100), 900);
    ck_assert_uint_eq(bight__arena_find(&arena, 101), UINT64_MAX);
    bight__arena_give(&arena, 400); /* the first: now there is room in front */
    ck_assert_uint_eq(bight__arena_find(&arena, 400), 0);
    bight__arena_take(&arena, 0, 400);
    ck_assert_uint_eq(bight__arena_find(&arena, 1), UINT64_MAX); /* full, head meets tail */
    bight__arena_give(&arena, 0);
    ck_assert_uint_eq(bight__arena_find(&arena, 600), 400);
    bight__arena_give(&arena, UINT64_MAX);
    ck_assert_uint_eq(bight__arena_find(&arena, 1000), 0);
}

/* Against a model: pieces never overlap, and the arena is never called full while it is empty. */
static void arena_pieces_never_overlap(void)
{
    enum { BYTES = 997, MOST = 64 };
    struct arena arena = {.bytes = BYTES};
    struct {
        uint64_t at, bytes;
    } pieces[MOST];
    unsigned first = 0, count = 0, seed = 1;

    for (int step = 0; step < 200000; step++) {
        seed = seed * 1103515245 + 12345;
        if ((seed >> 16) % 2 && count < MOST) {
            uint64_t bytes = 1 + (seed >> 20) % 300;
            uint64_t at = bight__arena_find(&arena, bytes);

            if (at == UINT64_MAX) {
                ck_assert_uint_gt(count, 0);
                continue;
            }
            ck_assert_uint_le(at + bytes, BYTES);
            for (unsigned i = 0; i < count; i++) {
                unsigned other = (first + i) % MOST;

                ck_assert(at + bytes <= pieces[other].at ||
                          pieces[other].at + pieces[other].bytes <= at);
            }
            bight__arena_take(&arena, at, bytes);
            pieces[(first + count) % MOST].at = at;
            pieces[(first + count++) % MOST].bytes = bytes;
        } else if (count) {
            first = (first + 1) % MOST;
            count--;
            bight__arena_give(&arena, count ? pieces[first].at : UINT64_MAX);
        }
    }
}

static void messages_carry_descriptors(void)
{
    struct control_message sent = {.kind = CONTROL_SPAWN, .pid = 7, .value = -3, .worker = 99};
    struct control_message got;
    int pair[2], fds[CONTROL_FDS_MAX], before;

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    before = test_open_fds();
    ck_assert_int_eq(bight__control_receive(pair[1], &got, fds), -EAGAIN);
    ck_assert_int_eq(bight__control_send(pair[0], &sent, (int[]){0, 1}, 2), 0);
    ck_assert_int_eq(bight__control_receive(pair[1], &got, fds), 1);
    ck_assert_mem_eq(&sent, &got, sizeof got);
    ck_assert_int_ge(fds[0], 0);
    ck_assert_int_ge(fds[1], 0);
    close(fds[0]);
    close(fds[1]);
    ck_assert_int_eq(bight__control_send(pair[0], &sent, NULL, 0), 0);
    ck_assert_int_eq(bight__control_receive(pair[1], &got, fds), 1);
    ck_assert_int_eq(fds[0], -1);
    /* Of a wrong shape: its descriptors are closed. */
    ck_assert_int_eq(send(pair[0], "short", 5, 0), 5);
    ck_assert_int_eq(bight__control_receive(pair[1], &got, fds), -EPROTO);
    ck_assert_int_eq(test_open_fds(), before);
    close(pair[0]);
    ck_assert_int_eq(bight__control_receive(pair[1], &got, fds), 0);
    ck_assert_int_eq(bight__control_send(pair[1], &sent, NULL, 0), -EPIPE);
    close(pair[1]);
}

static int nothing(struct bight_job *job)
{
    (void)job;
    return 0;
}

static const struct bight_job_def here = {.name = "here", .fn = nothing};

static void a_static_definition_is_found_by_its_place_and_name(void)
{
    struct bight_job_def *on_heap = malloc(sizeof *on_heap);
    struct definition_place place;

    ck_assert(bight__definition_locate(&here, &place));
    ck_assert_str_eq(place.module, "");
    ck_assert_ptr_eq(bight__definition_find(&place, "here", 0), &here);
    ck_assert_ptr_null(bight__definition_find(&place, "there", 0));
    ck_assert_ptr_null(bight__definition_find(&place, "her", 0));
    ck_assert_ptr_null(bight__definition_find(&place, "here", 1));
    for (uint64_t offset = 0; offset < 200000; offset += 8) {
        struct definition_place other = {"", offset};

        if (offset != place.offset)
            ck_assert_ptr_null(bight__definition_find(&other, "here", 0));
    }
    place.offset = UINT64_MAX - 64;
    ck_assert_ptr_null(bight__definition_find(&place, "here", 0));
    place.module = "/no/such/library.so";
    ck_assert_ptr_null(bight__definition_find(&place, "here", 0));
    *on_heap = here;
    ck_assert(!bight__definition_locate(on_heap, &place));
    free(on_heap);
}

#define MANY 100
static struct bight_job_def many[MANY];

static void definitions_are_numbered_in_order_of_their_use(void)
{
    const struct bight_seams seams = {0};
    struct registry registry = {.seams = &seams};
    struct bight_job_def local = {.name = "local", .fn = nothing};

    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < MANY; i++) {
            many[i] = (struct bight_job_def){.name = "one of many", .fn = nothing};
            ck_assert_int_eq(bight__registry_find(&registry, &many[i]), i);
        }
    }
    ck_assert_int_eq(bight__registry_find(&registry, &local), BIGHT_EUNKNOWNJOB);
    ck_assert_uint_eq(registry.count, MANY);
    bight__registry_free(&registry);
}

static const struct suite_case cases[] = {
    plain_case(an_arena_gives_and_takes_back_in_order),
    plain_case(arena_pieces_never_overlap),
    plain_case(messages_carry_descriptors),
    plain_case(a_static_definition_is_found_by_its_place_and_name),
    plain_case(definitions_are_numbered_in_order_of_their_use),
};

test_suite("channel", cases);
