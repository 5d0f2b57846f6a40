/* net/stream/unix.c: paths and abstract names, whose file is replaced and removed, and a backlog
 * that is full. */
#include "tests/net/stream/wire.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/un.h>

/* A folder of the case's own, and the path of a socket in it. */
static char folder[] = "/tmp/bight-unix-XXXXXX";
static char path[64];

static void make_folder(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/socket", folder);
}

static void remove_folder(void)
{
    unlink(path);
    ck_assert_int_eq(rmdir(folder), 0); /* nothing else was left in it */
}

static bool exists(void)
{
    struct stat status;

    return lstat(path, &status) == 0;
}

static struct bight_listener *listen_there(const char *name)
{
    struct bight_listener *listener = NULL;

    ck_ok(bight_unix_listen(&listener, name, NULL));
    return listener;
}

static void talk(const char *name, struct bight_listener *listener)
{
    struct bight_stream *client = NULL, *server = NULL;
    struct bight_stream_credentials peer;
    struct bight_address address;
    char line[32];

    ck_ok(bight_unix_connect(&client, name));
    ck_ok(bight_listener_accept(&server, listener));
    ck_ok(bight_stream_write(client, "hello world!\n", 13));
    ck_assert_int_eq(bight_stream_read_line(server, line, sizeof(line)), 12);
    ck_assert_str_eq(line, "hello world!");
    ck_ok(bight_stream_peer_credentials(server, &peer));
    ck_assert_int_eq(peer.pid, getpid());
    ck_code(bight_stream_peer_address(server, &address), BIGHT_ENOTSUP);
    ck_assert_str_eq("unix", strtok(bight_stream_describe(server, line, sizeof(line)), " "));
    ck_ok(bight_stream_end(client, 0));
    ck_assert_int_eq(bight_stream_read(server, line, 1), 0);
    ck_ok(bight_stream_end(server, 0));
}

static int by_path(void *arg)
{
    struct bight_listener *listener = listen_there(path);
    struct bight_address address;
    struct bight_stream *stream;

    (void)arg;
    talk(path, listener);
    ck_code(bight_listener_address(listener, &address), BIGHT_ENOTSUP);
    ck_assert(exists());
    ck_ok(bight_listener_close(listener));
    ck_assert(!exists());
    ck_code(bight_unix_connect(&stream, path), BIGHT_ENOENT);
    return bight_listener_end(listener);
}

static int by_name(void *arg)
{
    char name[64];
    struct bight_listener *listener, *second;
    struct bight_stream *stream;

    (void)arg;
    snprintf(name, sizeof(name), "@bight-test-%d", getpid());
    talk(name, listener = listen_there(name));
    ck_code(bight_unix_listen(&second, name, NULL), BIGHT_EADDRINUSE);
    ck_ok(bight_listener_end(listener));
    ck_code(bight_unix_connect(&stream, name), BIGHT_ECONNREFUSED);
    return bight_listener_end(listen_there(name));
}

static int from_fd(void *arg)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    struct bight_listener *listener = NULL;

    (void)arg;
    strcpy(name.sun_path, path);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
    ck_assert_int_eq(listen(fd, 1), 0);
    ck_ok(bight_listener_from_fd(&listener, fd));
    talk(path, listener);
    ck_ok(bight_listener_end(listener));
    ck_assert(exists()); /* somebody else has made it */
    return 0;
}

/* Paths that cannot be. */
static int bad_paths(void *arg)
{
    struct bight_listener *listener;
    struct bight_stream *stream;
    char longest[109];

    (void)arg;
    memset(longest, 'x', sizeof(longest));
    longest[108] = '\0';
    ck_code(bight_unix_connect(&stream, longest), -ENAMETOOLONG);
    ck_code(bight_unix_listen(&listener, longest, NULL), -ENAMETOOLONG);
    longest[0] = '@';
    ck_code(bight_unix_connect(&stream, longest), -ENAMETOOLONG);
    longest[107] = '\0';
    ck_code(bight_unix_connect(&stream, longest), BIGHT_ECONNREFUSED);
    longest[0] = '/';
    ck_code(bight_unix_connect(&stream, longest), BIGHT_ENOENT);
    ck_code(bight_unix_connect(&stream, ""), BIGHT_EINVAL);
    ck_code(bight_unix_connect(&stream, "@"), BIGHT_EINVAL);
    ck_code(bight_unix_listen(&listener, "", NULL), BIGHT_EINVAL);
    ck_code(bight_unix_listen(&listener, "@", NULL), BIGHT_EINVAL);
    ck_code(bight_unix_connect(&stream, NULL), BIGHT_EINVAL);
    ck_code(bight_unix_connect(NULL, path), BIGHT_EINVAL);
    ck_code(bight_unix_listen(NULL, path, NULL), BIGHT_EINVAL);
    ck_code(bight_unix_listen(&listener, NULL, NULL), BIGHT_EINVAL);
    ck_code(bight_unix_listen(&listener, path, &(struct bight_listen_options){.mode = 010000}),
            BIGHT_EINVAL);
    ck_code(bight_unix_connect(&stream, path), BIGHT_ENOENT);
    ck_code(bight_unix_listen(&listener, "/nowhere/at/all", NULL), BIGHT_ENOENT);
    return 0;
}

/* A socket file on which nobody listens. */
static void leave_stale(void)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    strcpy(name.sun_path, path);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
    ck_assert_int_eq(listen(fd, 1), 0);
    close(fd);
    ck_assert(exists());
}

static int stale_file(void *arg)
{
    struct bight_listener *listener;
    struct bight_stream *stream;

    (void)arg;
    leave_stale();
    ck_code(bight_unix_connect(&stream, path), BIGHT_ECONNREFUSED);
    talk(path, listener = listen_there(path));
    return bight_listener_end(listener);
}

static void refuse_to_listen(void)
{
    struct bight_listener *listener;

    ck_code(bight_unix_listen(&listener, path, NULL), BIGHT_EADDRINUSE);
    ck_assert(exists());
}

static int other_file(void *arg)
{
    struct bight_listener *listener;
    int fd = open(path, O_CREAT | O_WRONLY, 0600);

    (void)arg;
    close(fd);
    refuse_to_listen();
    unlink(path);
    ck_assert_int_eq(symlink("nothing", path), 0);
    refuse_to_listen();
    unlink(path);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    refuse_to_listen();
    rmdir(path);
    talk(path, listener = listen_there(path));
    return bight_listener_end(listener);
}

static int live_file(void *arg)
{
    struct bight_listener *listener = listen_there(path);
    struct bight_stream *stream;
    char byte;

    (void)arg;
    refuse_to_listen();
    ck_ok(bight_listener_accept(&stream, listener)); /* by which the other one found out */
    ck_assert_int_eq(bight_stream_read(stream, &byte, 1), 0);
    ck_ok(bight_stream_end(stream, 0));
    talk(path, listener);
    return bight_listener_end(listener);
}

static int another_kind(void *arg)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    struct bight_stream *stream;

    (void)arg;
    strcpy(name.sun_path, path);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
    refuse_to_listen();
    ck_code(bight_unix_connect(&stream, path), -EPROTOTYPE);
    close(fd);
    return 0;
}

/* Somebody has removed our file, and another server has the path. */
static int replaced(void *arg)
{
    struct bight_listener *first = listen_there(path), *second;

    (void)arg;
    ck_assert_int_eq(unlink(path), 0);
    second = listen_there(path);
    ck_ok(bight_listener_end(first));
    ck_assert(exists());
    talk(path, second);
    ck_ok(bight_listener_end(second));
    ck_assert(!exists());
    return 0;
}

static int permissions(void *arg)
{
    struct bight_listen_options options = {.mode = 0620};
    struct bight_listener *listener;
    mode_t before = umask(077);
    struct stat status;

    (void)arg;
    ck_ok(bight_unix_listen(&listener, path, &options));
    ck_assert_int_eq(stat(path, &status), 0);
    ck_assert_int_eq(status.st_mode & 07777, 0620);
    ck_ok(bight_listener_end(listener));
    listener = listen_there(path);
    ck_assert_int_eq(stat(path, &status), 0);
    ck_assert_int_eq(status.st_mode & 07777, 0700);
    umask(before);
    return bight_listener_end(listener);
}

/* A connect that finds the backlog full. */
struct dial {
    struct bight_task *task;
    struct bight_stream *stream;
    bool done;
};

static int dial_main(void *arg)
{
    struct dial *dial = arg;
    int rc = bight_unix_connect(&dial->stream, path);

    dial->done = true;
    return rc;
}

static int full_backlog(void *arg)
{
    struct bight_listen_options options = {.backlog = 1};
    struct bight_listener *listener;
    struct bight_stream *stream;
    struct dial dials[4] = {{0}};
    int status, done = 0;

    (void)arg;
    ck_ok(bight_unix_listen(&listener, path, &options));
    for (int i = 0; i < 4; i++)
        ck_ok(bight_spawn(&dials[i].task, dial_main, &dials[i]));
    ck_ok(bight_sleep(200));
    for (int i = 0; i < 4; i++)
        done += dials[i].done;
    ck_assert_int_eq(done, 2); /* the kernel counts from 0 */
    ck_assert(!dials[3].done);
    bight_task_cancel(dials[3].task);
    ck_ok(bight_join(dials[3].task, &status));
    ck_code(status, BIGHT_ECANCELED);
    for (int i = 0; i < 3; i++) {
        ck_ok(bight_listener_accept(&stream, listener));
        ck_ok(bight_stream_end(stream, 0));
    }
    for (int i = 0; i < 3; i++) {
        ck_ok(bight_join(dials[i].task, &status));
        ck_ok(status);
        ck_ok(bight_stream_end(dials[i].stream, 0));
    }
    return bight_listener_end(listener);
}

static int without_descriptors(void *arg)
{
    struct bight_listener *listener = listen_there(path), *second;
    struct bight_stream *stream = NULL;
    struct rlimit before;

    (void)arg;
    before = wire_few_descriptors(0);
    ck_code(bight_unix_connect(&stream, path), BIGHT_EMFILE);
    ck_code(bight_unix_listen(&second, "@x", NULL), BIGHT_EMFILE);
    wire_descriptors_back(before);
    talk(path, listener);
    return bight_listener_end(listener);
}

static int left_open(void *arg)
{
    (void)arg;
    listen_there(path);
    return 0;
}

static void the_runtime_removes_the_file_of_a_listener_left_open(void)
{
    ck_ok(world_run(left_open, NULL, NULL));
    ck_assert(!exists());
}

static const struct suite_case cases[] = {
    world_case(connects_talks_and_ends_by_a_path, by_path),
    world_case(connects_talks_and_ends_by_an_abstract_name, by_name),
    world_case(a_socket_that_was_handed_over_keeps_its_file, from_fd),
    world_case(what_cannot_be_a_path_is_refused, bad_paths),
    world_case(a_stale_socket_file_is_replaced, stale_file),
    world_case(another_file_is_not_replaced, other_file),
    world_case(a_socket_file_in_use_is_not_replaced, live_file),
    world_case(a_socket_file_of_another_kind_is_not_replaced, another_kind),
    world_case(the_end_removes_only_the_own_file, replaced),
    world_case(the_file_has_its_permissions_from_the_beginning, permissions),
    world_case(a_full_backlog_is_waited_for, full_backlog),
    world_case(without_descriptors_nothing_is_left, without_descriptors),
    plain_case(the_runtime_removes_the_file_of_a_listener_left_open),
};

test_suite("unix", cases, .setup = make_folder, .teardown = remove_folder);
