/* net/server/files.c: what is found beneath a directory, in each way to look it up, and what the
 * disk has yet to bring. */
#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <bight/uv.h>

#include "net/server/files.h"
#include "tests/harness/world.h"
#include "tests/net/server/site.h"

#define NOTHING BIGHT_ENOENT

static const struct {
    const char *path;
    int code;
    int code_by_steps; /* which follow no links */
} rows[] = {
    {".", 0, 0},
    {"letters.txt", 0, 0},
    {"sub", 0, 0},
    {"sub/index.html", 0, 0},
    {"fifo", 0, 0},
    {"none", NOTHING, NOTHING},
    {"sub/none", NOTHING, NOTHING},
    {"none/letters.txt", NOTHING, NOTHING},
    {"letters.txt/x", NOTHING, NOTHING},
    {"inside", 0, NOTHING},
    {"sub/up", 0, NOTHING},
    {"folder", 0, NOTHING},
    {"folder/index.html", 0, NOTHING},
    {"outside", NOTHING, NOTHING},
    {"absolute", NOTHING, NOTHING},
    {"circle", NOTHING, NOTHING},
    {"magic", NOTHING, NOTHING},
};

static void open_root(struct files_root *root, enum lookup lookup, bool no_links)
{
    static atomic_uint_least64_t seen[FILES_SEEN];

    ck_ok(bight__files_open_root(root, site_root, no_links, seen));
    ck_assert_int_le(root->lookup, lookup); /* the system knows what is tried here */
    root->lookup = lookup;
}

static int look_up_all(void *arg)
{
    const enum lookup *lookup = arg;
    struct files_root root;

    open_root(&root, *lookup, false);
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        int code = *lookup == LOOKUP_STEPS ? rows[i].code_by_steps : rows[i].code;
        struct open_file file;

        ck_code(bight__file_open(&file, &root, rows[i].path), code);
        bight__file_close(&file);
        ck_assert_int_eq(file.fd, -1);
    }
    bight__files_close_root(&root);
    return 0;
}

static int look_up_without_links(void *arg)
{
    const enum lookup *lookup = arg;
    struct files_root root;

    open_root(&root, *lookup, true);
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct open_file file;

        ck_code(bight__file_open(&file, &root, rows[i].path), rows[i].code_by_steps);
        bight__file_close(&file);
    }
    bight__files_close_root(&root);
    return 0;
}

static void each_way_finds_the_same(int lookup)
{
    enum lookup way = (enum lookup)lookup;

    ck_ok(world_run(look_up_all, &way, NULL));
}

static void each_way_can_leave_links_alone(int lookup)
{
    enum lookup way = (enum lookup)lookup;

    ck_ok(world_run(look_up_without_links, &way, NULL));
}

static int facts_are_those_of_the_file(void *arg)
{
    struct files_root root;
    struct open_file file;
    struct stat facts;

    (void)arg;
    open_root(&root, LOOKUP_STEPS, false);
    ck_ok(bight__file_open(&file, &root, "letters.txt"));
    ck_assert_int_eq(stat(site_path("letters.txt"), &facts), 0);
    ck_assert(file.is_regular && !file.is_directory);
    ck_assert_int_eq(file.bytes, 26);
    ck_assert_int_eq(file.modified_s, SITE_MODIFIED_S);
    ck_assert_uint_eq(file.modified_ns, 0);
    ck_assert_uint_eq(file.inode, facts.st_ino);
    bight__file_close(&file);
    ck_ok(bight__file_open(&file, &root, "sub"));
    ck_assert(!file.is_regular && file.is_directory);
    bight__file_close(&file);
    ck_ok(bight__file_open(&file, &root, "fifo"));
    ck_assert(!file.is_regular && !file.is_directory);
    bight__file_close(&file);
    bight__files_close_root(&root);
    return 0;
}

static void ask_too_much_of_names(const struct files_root *root)
{
    char name[2 * 256 + 2];
    struct open_file file;

    memset(name, 'a', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    ck_code(bight__file_open(&file, root, name), BIGHT_ENOENT);
    name[256] = '/';
    ck_code(bight__file_open(&file, root, name), BIGHT_ENOENT);
}

static int names_that_are_too_long_name_nothing(void *arg)
{
    struct files_root root;

    (void)arg;
    open_root(&root, LOOKUP_STEPS, false);
    ask_too_much_of_names(&root);
    root.lookup = LOOKUP_OPENAT2;
    ask_too_much_of_names(&root);
    bight__files_close_root(&root);
    return 0;
}

/* Whether the file system can say what is cached. */
static bool can_tell(const struct open_file *file)
{
    char byte;
    struct iovec piece = {&byte, 1};

    return file->in_memory || preadv2(file->fd, &piece, 1, 0, RWF_NOWAIT) >= 0 || errno == EAGAIN;
}

/* What no disk has to bring: the file as its writer left it, without the pages. */
static void make_cold(const char *path)
{
    int fd = open(site_path(path), O_RDONLY);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(fsync(fd), 0);
    ck_assert_int_eq(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), 0);
    close(fd);
}

static int what_is_cold_is_loaded_piece_by_piece(void *arg)
{
    struct files_root root;
    struct open_file file;
    char *buffer = malloc(FILES_PIECE);

    (void)arg;
    ck_assert_ptr_nonnull(buffer);
    make_cold("big.bin");
    open_root(&root, LOOKUP_STEPS, false);
    ck_ok(bight__file_open(&file, &root, "big.bin"));
    bool tells = can_tell(&file);
    ck_assert(file.in_memory || !bight__file_try_read(&file, buffer, 1, SITE_BIG_BYTES - 1));
    for (int64_t at = 0; at < SITE_BIG_BYTES; at += FILES_PIECE) {
        int64_t left = SITE_BIG_BYTES - at, bytes = left < FILES_PIECE ? left : FILES_PIECE;

        ck_ok(bight__file_load(&file, at, bytes));
        ck_assert(bight__file_try_read(&file, buffer, (size_t)bytes, at) || !tells);
        for (int64_t i = 0; i < bytes && tells; i++)
            if (buffer[i] != site_big_byte((size_t)(at + i)))
                ck_abort_msg("wrong at %lld", (long long)(at + i));
    }
    /* Behind the end there is nothing, and nothing to wait for. */
    ck_ok(bight__file_load(&file, SITE_BIG_BYTES, FILES_PIECE));
    ck_assert(!bight__file_try_read(&file, buffer, 2, SITE_BIG_BYTES - 1));
    bight__file_close(&file);
    bight__files_close_root(&root);
    free(buffer);
    return 0;
}

static int a_cold_file_is_sent_whole(void *arg)
{
    struct bight_static *files;
    struct said said;

    (void)arg;
    make_cold("big.bin");
    make_cold("letters.txt");
    ck_ok(bight_static_new(&files, site_root, NULL));
    said = site_ask(files, "GET /big.bin HTTP/1.1");
    ck_assert_uint_eq(said.body_bytes, SITE_BIG_BYTES);
    for (size_t i = 0; i < SITE_BIG_BYTES; i++)
        if (said.body[i] != site_big_byte(i))
            ck_abort_msg("wrong at %zu", i);
    said_drop(&said);
    said = site_ask(files, "GET /letters.txt HTTP/1.1");
    ck_assert_str_eq(said.body, "abcdefghijklmnopqrstuvwxyz");
    said_drop(&said);
    bight_static_free(files);
    return 0;
}

/* The one thread of the pool, which does other things until it is told to go on. */
struct holder {
    struct bight_uv_req req;
    sem_t begun;
    sem_t go_on;
};

static void hold(uv_work_t *work)
{
    struct holder *holder = (struct holder *)(void *)work;

    sem_post(&holder->begun);
    sem_wait(&holder->go_on);
}

static void hold_pool(struct holder *holder)
{
    sem_init(&holder->begun, 0, 0);
    sem_init(&holder->go_on, 0, 0);
    ck_ok(bight_uv_req_init(&holder->req));
    ck_ok(uv_queue_work(bight_uv_loop(), &holder->req.u.work, hold, bight_uv_on_work));
}

static void let_go(struct holder *holder)
{
    sem_post(&holder->go_on);
    ck_ok((int)bight_uv_await(&holder->req));
    sem_destroy(&holder->begun);
    sem_destroy(&holder->go_on);
}

struct opener {
    struct files_root root;
    struct open_file file;
    int rc;
};

static int open_letters(void *arg)
{
    struct opener *opener = arg;

    opener->rc = bight__file_open(&opener->file, &opener->root, "letters.txt");
    return 0;
}

static int an_open_that_has_not_begun_is_cancelled(void *arg)
{
    struct holder holder;
    struct opener opener;
    struct bight_task *task;

    (void)arg;
    open_root(&opener.root, LOOKUP_OPENAT2, false);
    hold_pool(&holder);
    ck_ok(bight_spawn(&task, open_letters, &opener));
    world_settle();
    ck_assert(bight_task_cancel(task));
    ck_ok(bight_join(task, NULL));
    ck_code(opener.rc, BIGHT_ECANCELED);
    ck_assert_int_eq(opener.file.fd, -1);
    let_go(&holder);
    bight__files_close_root(&opener.root);
    return 0;
}

/* The pool's one thread has come to what stands behind the open: so that is done, and nobody has
 * heard of it yet. */
static int an_open_that_is_done_is_not_lost_by_a_cancellation(void *arg)
{
    struct holder holder;
    struct opener opener;
    struct bight_task *task;

    (void)arg;
    open_root(&opener.root, LOOKUP_OPENAT2, false);
    ck_ok(bight_spawn(&task, open_letters, &opener));
    ck_ok(bight_yield());
    hold_pool(&holder);
    sem_wait(&holder.begun);
    ck_assert(bight_task_cancel(task));
    ck_ok(bight_join(task, NULL));
    ck_code(opener.rc, 0);
    ck_assert_int_eq(opener.file.bytes, 26);
    bight__file_close(&opener.file);
    let_go(&holder);
    bight__files_close_root(&opener.root);
    return 0;
}

/* What is cached needs no thread. */
static int what_is_known_does_not_wait_for_the_pool(void *arg)
{
    struct holder holder;
    struct opener opener;

    (void)arg;
    open_root(&opener.root, LOOKUP_CACHED, false);
    ck_ok(open_letters(&opener));
    ck_ok(opener.rc);
    bool tells = can_tell(&opener.file);
    bight__file_close(&opener.file);
    hold_pool(&holder);
    ck_ok(open_letters(&opener));
    ck_ok(opener.rc);
    if (tells)
        ck_ok(bight__file_load(&opener.file, 0, 26));
    bight__file_close(&opener.file);
    let_go(&holder);
    bight__files_close_root(&opener.root);
    return 0;
}

static bool is_cached(const struct open_file *file)
{
    char byte;

    return bight__file_try_read(file, &byte, 1, 0);
}

/* A second is the time for which one look holds. */
static int what_was_seen_is_not_looked_at_again_for_a_while(void *arg)
{
    struct holder holder;
    struct files_root root;
    struct open_file file;

    (void)arg;
    open_root(&root, LOOKUP_STEPS, false);
    ck_ok(bight__file_open(&file, &root, "big.bin"));
    ck_ok(bight__file_load(&file, 0, FILES_PIECE));
    bool tells = can_tell(&file);
    make_cold("big.bin");
    hold_pool(&holder);
    ck_ok(bight__file_load(&file, 0, FILES_PIECE)); /* without the pool */
    let_go(&holder);
    ck_assert(file.in_memory || !is_cached(&file));
    make_cold("big.bin"); /* the look itself may have begun to read */
    ck_ok(bight_sleep(2000));
    ck_ok(bight__file_load(&file, 0, FILES_PIECE));
    ck_assert(is_cached(&file) || !tells);
    bight__file_close(&file);
    bight__files_close_root(&root);
    return 0;
}

static void one_thread(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    setenv("UV_THREADPOOL_SIZE", "1", 1);
}

static const struct suite_case cases[] = {
    each_case(each_way_finds_the_same, LOOKUP_STEPS + 1),
    each_case(each_way_can_leave_links_alone, LOOKUP_STEPS + 1),
    world_case(facts_are_those_of_the_file, facts_are_those_of_the_file),
    world_case(names_that_are_too_long_name_nothing, names_that_are_too_long_name_nothing),
    world_case(what_is_cold_is_loaded_piece_by_piece, what_is_cold_is_loaded_piece_by_piece),
    world_case(a_cold_file_is_sent_whole, a_cold_file_is_sent_whole),
    world_case(an_open_that_has_not_begun_is_cancelled, an_open_that_has_not_begun_is_cancelled),
    world_case(an_open_that_is_done_is_not_lost_by_a_cancellation,
               an_open_that_is_done_is_not_lost_by_a_cancellation),
    world_case(what_is_known_does_not_wait_for_the_pool, what_is_known_does_not_wait_for_the_pool),
    world_case(what_was_seen_is_not_looked_at_again_for_a_while,
               what_was_seen_is_not_looked_at_again_for_a_while),
};

test_suite("files", cases, .setup = site_make, .teardown = site_remove, .begin = one_thread);
