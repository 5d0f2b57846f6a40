/* See postgres.h. The server refuses to run as root, for whom it runs as Debian's user postgres.
 * Nothing it writes has to outlive it, so it never waits for a disk. */
#include "tests/samples/net/postgres.h"

#include "tests/harness/program.h"
#include "tests/harness/suite.h"
#include "tests/harness/support.h"
#include "tests/samples/net/tool.h"

#include <fcntl.h>
#include <glob.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define USER "postgres"
#define TRIES 5
#define LOOK_MS 10
#define PATIENCE_MS 20000

/* Where Debian has them: one folder for each version. The last one is as good as another. */
static bool find(char *path, size_t bytes, const char *program)
{
    char pattern[64];
    glob_t found;
    bool any;

    snprintf(pattern, sizeof pattern, "/usr/lib/postgresql/*/bin/%s", program);
    any = glob(pattern, 0, NULL, &found) == 0;
    if (any)
        snprintf(path, bytes, "%s", found.gl_pathv[found.gl_pathc - 1]);
    globfree(&found);
    return any;
}

void postgres_needed(int argc, char **argv)
{
    char path[128];

    (void)argc;
    (void)argv;
    if (!find(path, sizeof path, "initdb") || (geteuid() == 0 && !getpwnam(USER)))
        test_skip("postgresql");
}

/* In a new process: the program, as a user whom the server accepts; what it prints is in
 * folder/log. */
_Noreturn static void become(const struct postgres *postgres, pid_t parent, char **argv)
{
    const struct passwd *user = getpwnam(USER);
    char path[128];
    int log;

    if (geteuid() == 0 && (setgroups(0, NULL) || setgid(user->pw_gid) || setuid(user->pw_uid)))
        _exit(126);
    test_die_with(parent, SIGQUIT); /* after that, for a change of user forgets it */
    snprintf(path, sizeof path, "%s/log", postgres->folder);
    log = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (log < 0 || dup2(log, STDOUT_FILENO) < 0 || dup2(log, STDERR_FILENO) < 0 ||
        chdir(postgres->folder) < 0 || !find(path, sizeof path, argv[0]))
        _exit(126);
    (void)execv(path, argv);
    _exit(127);
}

static pid_t start(const struct postgres *postgres, char **argv)
{
    pid_t parent = getpid(), pid = fork();

    ck_assert_int_ge(pid, 0);
    if (pid == 0)
        become(postgres, parent, argv);
    return pid;
}

static void make_database(struct postgres *postgres)
{
    char *const argv[] = {"initdb", "-D", "data", "-U",         USER,        "-A",
                          "trust",  "-E", "UTF8", "--locale=C", "--no-sync", NULL};

    strcpy(postgres->folder, "/tmp/bight-postgres-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(postgres->folder));
    if (geteuid() == 0) {
        const struct passwd *user = getpwnam(USER);

        ck_assert_int_eq(chown(postgres->folder, user->pw_uid, user->pw_gid), 0);
    }
    ck_assert_int_eq(test_program_end(start(postgres, (char **)argv), 0), 0);
}

/* It says so in the eighth line of this file. */
static bool is_ready(const struct postgres *postgres)
{
    char path[64], line[256] = "";
    FILE *file;

    snprintf(path, sizeof path, "%s/data/postmaster.pid", postgres->folder);
    file = fopen(path, "r");
    for (int i = 0; i < 8 && file; i++)
        if (!fgets(line, sizeof line, file))
            line[0] = '\0';
    if (file)
        fclose(file);
    return strncmp(line, "ready", 5) == 0;
}

static void look_again(double began_ms)
{
    ck_assert_double_lt(tool_now_ms() - began_ms, PATIENCE_MS);
    poll(NULL, 0, LOOK_MS);
}

/* Returns whether it runs; it does not where somebody else was faster to take the port. */
static bool start_at_free_port(struct postgres *postgres)
{
    struct sockaddr_in address;
    char port[8];
    char *const argv[] = {"postgres", "-D",        "data", "-F",
                          "-h",       "127.0.0.1", "-k",   postgres->folder,
                          "-p",       port,        "-c",   "shared_buffers=16MB",
                          NULL};
    double began_ms = tool_now_ms();

    close(test_bound_socket(&address));
    postgres->port = ntohs(address.sin_port);
    snprintf(port, sizeof port, "%u", postgres->port);
    postgres->pid = start(postgres, (char **)argv);
    while (!is_ready(postgres)) {
        if (waitpid(postgres->pid, NULL, WNOHANG) != 0)
            return false;
        look_again(began_ms);
    }
    return true;
}

void postgres_start(struct postgres *postgres)
{
    int tries = 0;

    make_database(postgres);
    while (!start_at_free_port(postgres))
        ck_assert_int_lt(++tries, TRIES);
    snprintf(postgres->conninfo, sizeof postgres->conninfo,
             "host=127.0.0.1 port=%u user=" USER " dbname=postgres", postgres->port);
}

/* SIGINT is its fast way down. */
void postgres_stop(struct postgres *postgres)
{
    int status = test_program_end(postgres->pid, SIGINT);

    test_remove_folder(postgres->folder);
    ck_assert_int_eq(status, 0);
}

static void keep_quiet(void *arg, const char *text)
{
    (void)arg;
    (void)text;
}

void postgres_meet(struct postgres *postgres)
{
    postgres->connection = PQconnectdb(postgres->conninfo);
    ck_assert_msg(PQstatus(postgres->connection) == CONNECTION_OK, "%s",
                  PQerrorMessage(postgres->connection));
    PQsetNoticeProcessor(postgres->connection, keep_quiet, NULL);
}

void postgres_leave(struct postgres *postgres)
{
    PQfinish(postgres->connection);
    postgres->connection = NULL;
}

void postgres_recovers(struct postgres *postgres)
{
    double began_ms = tool_now_ms();

    while (PQstatus(postgres->connection) == CONNECTION_OK) {
        PQclear(PQexec(postgres->connection, "SELECT 1"));
        look_again(began_ms);
    }
    while (PQping(postgres->conninfo) != PQPING_OK)
        look_again(began_ms);
    postgres_leave(postgres);
    postgres_meet(postgres);
}

int postgres_says(struct postgres *postgres, const char *sql)
{
    PGresult *result = PQexec(postgres->connection, sql);
    int value = 0;

    ck_assert_msg(PQresultStatus(result) == PGRES_TUPLES_OK ||
                      PQresultStatus(result) == PGRES_COMMAND_OK,
                  "%s", PQresultErrorMessage(result));
    if (PQntuples(result) > 0)
        value = atoi(PQgetvalue(result, 0, 0));
    PQclear(result);
    return value;
}

double postgres_comes_to(struct postgres *postgres, const char *sql, int value)
{
    double began_ms = tool_now_ms();

    while (postgres_says(postgres, sql) != value)
        look_again(began_ms);
    return tool_now_ms() - began_ms;
}
