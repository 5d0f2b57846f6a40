/* The latest value: versions, who is woken, what is passed over. */
#include "tests/harness/suite.h"
#include "tests/harness/world.h"

struct reader {
    struct bight_latest *latest;
    uint64_t version;
    int value;
    int rc;
    struct bight_task *task;
};

static int reads(void *arg)
{
    struct reader *reader = arg;

    reader->rc = bight_latest_wait(reader->latest, &reader->version, &reader->value);
    return 0;
}

static void spawn_reader(struct reader *reader, struct bight_latest *latest, uint64_t version)
{
    *reader = (struct reader){.latest = latest, .version = version};
    ck_ok(bight_spawn(&reader->task, reads, reader));
    world_settle();
}

static void join_reader(struct reader *reader, int rc, uint64_t version, int value)
{
    ck_ok(bight_join(reader->task, NULL));
    ck_code(reader->rc, rc);
    ck_assert_uint_eq(reader->version, version);
    ck_assert_int_eq(reader->value, value);
}

static int is_read(void *arg)
{
    int place = 10, value = 0;
    struct bight_latest latest;
    uint64_t version = UINT64_MAX;

    (void)arg;
    bight_latest_init(&latest, &place, sizeof(place));
    ck_assert_uint_eq(bight_latest_get(&latest, &value), 0);
    ck_assert_int_eq(value, 10);
    ck_ok(bight_latest_wait(&latest, &version, &value)); /* what is there, without sleeping */
    ck_assert_uint_eq(version, 0);
    ck_ok(bight_latest_set(&latest, &(int){11}));
    ck_ok(bight_latest_set(&latest, &(int){12}));
    ck_ok(bight_latest_wait(&latest, &version, &value)); /* 11 is passed over */
    ck_assert_uint_eq(version, 2);
    ck_assert_int_eq(value, 12);
    ck_assert_uint_eq(bight_latest_get(&latest, NULL), 2);
    ck_assert_int_eq(place, 12);
    return 0;
}

static int wakes(void *arg)
{
    struct reader readers[3];
    struct bight_latest latest;
    int place = 0;

    (void)arg;
    bight_latest_init(&latest, &place, sizeof(place));
    for (int i = 0; i < 3; i++)
        spawn_reader(&readers[i], &latest, 0);
    bight_task_cancel(readers[0].task);
    ck_ok(bight_latest_set(&latest, &(int){1}));
    bight_task_cancel(readers[1].task);          /* woken, then cancelled: woken */
    ck_ok(bight_latest_set(&latest, &(int){2})); /* before they run: they get the newest */
    join_reader(&readers[0], BIGHT_ECANCELED, 0, 0);
    join_reader(&readers[1], 0, 2, 2);
    join_reader(&readers[2], 0, 2, 2);
    spawn_reader(&readers[0], &latest, 2);
    ck_ok(bight_latest_set(&latest, &(int){2})); /* the same value again is a change */
    join_reader(&readers[0], 0, 3, 2);
    return 0;
}

static int closes(void *arg)
{
    struct reader asleep, late;
    struct bight_latest latest;
    int place = 0;

    (void)arg;
    bight_latest_init(&latest, &place, sizeof(place));
    ck_ok(bight_latest_set(&latest, &(int){1}));
    spawn_reader(&asleep, &latest, 1);
    bight_latest_close(&latest);
    bight_latest_close(&latest);
    join_reader(&asleep, BIGHT_ECLOSED, 1, 0);
    ck_code(bight_latest_set(&latest, &(int){2}), BIGHT_ECLOSED);
    spawn_reader(&late, &latest, 0); /* has not seen the last one yet */
    join_reader(&late, 0, 1, 1);
    spawn_reader(&late, &latest, 1);
    join_reader(&late, BIGHT_ECLOSED, 1, 0);
    return 0;
}

static const struct suite_case cases[] = {
    world_case(latest_is_what_was_set_last, is_read),
    world_case(latest_wakes_all_who_wait_and_gives_the_newest, wakes),
    world_case(latest_closed_is_told_to_those_who_have_seen_all, closes),
};

test_suite("latest", cases);
