/* See program.h. What the two sides say to each other is in the environment. */
#include "offload/pool/program.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bight/errors.h>

#include "offload/child/identity.h"
#include "offload/child/zygote.h"
#include "offload/pool/helper.h"
#include "offload/wire/control.h"
#include "offload/wire/library.h"

/* In the environment of a zygote that is executed: the process id of its host, the version of
 * bight, and 1 if it is to keep its privileges, with points between; and, of a helper, the
 * library that it is to load, and what the host's dynamic linker calls that. */
#define MARKER "BIGHT_ZYGOTE_OF"
#define MARKER_LIBRARY "BIGHT_ZYGOTE_LIBRARY"
#define MARKER_NAME "BIGHT_ZYGOTE_NAME"
#define MARKERS 3
#define VERSION (BIGHT_VERSION_MAJOR * 1000000L + BIGHT_VERSION_MINOR * 1000L + BIGHT_VERSION_PATCH)

extern char **environ;

unsigned bight__thread_count(void)
{
    struct stat tasks;

    if (stat("/proc/self/task", &tasks) < 0 || tasks.st_nlink < 3)
        return 0;
#ifdef BIGHT_TSAN
    return (unsigned)tasks.st_nlink - 3; /* ThreadSanitizer has one of its own */
#else
    return (unsigned)tasks.st_nlink - 2;
#endif
}

static size_t count_bytes(size_t *count)
{
    size_t bytes = 0;

    for (*count = 0; environ && environ[*count]; ++*count)
        bytes += strlen(environ[*count]) + 1;
    return bytes;
}

/* The next word of a program: its two parts, and a NUL. */
static char *add_word(char **text, const char *first, const char *second)
{
    char *word = *text;

    *text = stpcpy(stpcpy(word, first), second) + 1;
    return word;
}

/* Behind the `at` markers. As far as it fits: another thread may change the environment
 * meanwhile. */
static void add_environment(struct program *program, size_t at, size_t count, char *text)
{
    const char *end = (const char *)program + program->bytes;

    for (size_t i = 0; i < count && environ[i]; i++) {
        if (strlen(environ[i]) < (size_t)(end - text))
            program->environment[at++] = add_word(&text, environ[i], "");
    }
}

struct program *bight__program_make(const struct launch *launch)
{
    const char *path = launch->library ? launch->helper : "/proc/self/exe";
    char marker[64];
    size_t count, bytes = count_bytes(&count), at = 0;
    struct program *program;
    char *text;

    bytes += sizeof(*program) + (count + MARKERS + 1) * sizeof(char *) + strlen(path) +
             strlen(launch->argv0) + sizeof(marker) + 4 * sizeof(MARKER_LIBRARY);
    if (launch->library)
        bytes += strlen(launch->library) + strlen(launch->library_name);
    program = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (program == MAP_FAILED)
        return NULL;
    program->bytes = bytes;
    text = (char *)&program->environment[count + MARKERS + 1];
    program->path = add_word(&text, path, "");
    program->argv[0] = add_word(&text, launch->argv0, "");
    program->argv[1] = add_word(&text, "bight-zygote", "");
    snprintf(marker, sizeof(marker), "%ld.%ld.%d", (long)getpid(), VERSION,
             launch->keep_privileges);
    program->environment[at++] = add_word(&text, MARKER "=", marker);
    if (launch->library) {
        program->environment[at++] = add_word(&text, MARKER_LIBRARY "=", launch->library);
        program->environment[at++] = add_word(&text, MARKER_NAME "=", launch->library_name);
    }
    add_environment(program, at, count, text);
    return program;
}

void bight__launch_forget_library(struct launch *launch)
{
    free(launch->library);
    free(launch->library_name);
    free(launch->helper);
    launch->library = launch->library_name = launch->helper = NULL;
}

int bight__launch_library(struct launch *launch,
                          const struct bight_workers_prepare_options *options)
{
    const char *name = bight__library_name(options->library);
    int rc;

    if (!name)
        return BIGHT_ENOENT;
    launch->library_name = strdup(name);
    launch->library = launch->library_name ? realpath(options->library, NULL) : NULL;
    launch->helper = launch->library ? bight__helper_path(options->helper) : NULL;
    if (launch->helper)
        return 0;
    rc = errno == ENOMEM ? BIGHT_ENOMEM : BIGHT_ENOENT;
    bight__launch_forget_library(launch);
    return rc;
}

/* The zygote cannot begin. */
static _Noreturn void refuse(int number)
{
    const struct control_message message = {.kind = CONTROL_FAILED, .value = number};

    (void)bight__control_send(CONTROL_FD, &message, NULL, 0);
    _exit(1);
}

/* As a helper: have the definitions of the host's library. */
static void load_library(void)
{
    static char path[PATH_MAX], name[PATH_MAX];
    const char *library = getenv(MARKER_LIBRARY), *host = getenv(MARKER_NAME);
    int rc;

    if (!library || !host)
        return;
    if (strlen(library) >= sizeof(path) || strlen(host) >= sizeof(name))
        refuse(ENAMETOOLONG);
    (void)stpcpy(path, library);
    (void)stpcpy(name, host);
    (void)unsetenv(MARKER_LIBRARY);
    (void)unsetenv(MARKER_NAME);
    rc = bight__library_load(path, name);
    if (rc)
        refuse(-rc);
    if (bight__thread_count() > 1)
        refuse(EBUSY);
}

/* If the keeper executed this process, the marker is set, and CONTROL_FD is a
 * socket that keeps messages apart. Somebody else may do the same with a program that gains
 * privileges by being executed, and name any process as its host: so it becomes first what that
 * somebody is, for good, and loads nothing. */
void bight__program_entry(void)
{
    const char *marker = getenv(MARKER);
    bool trusted = secure_getenv(MARKER) != NULL;
    int type = 0;
    socklen_t bytes = sizeof(type);
    char *at = NULL;
    pid_t host;
    long version, keep;

    if (!marker || getsockopt(CONTROL_FD, SOL_SOCKET, SO_TYPE, &type, &bytes) < 0 ||
        type != SOCK_SEQPACKET)
        return;
    host = (pid_t)strtol(marker, &at, 10);
    version = *at == '.' ? strtol(at + 1, &at, 10) : 0;
    keep = *at == '.' ? strtol(at + 1, &at, 10) : 0;
    (void)unsetenv(MARKER);
    if (version != VERSION)
        refuse(ENOTSUP);
    if (trusted)
        load_library();
    else if (bight__identity_renounce())
        refuse(EPERM);
    bight__zygote_main(host, false, keep != 0 && trusted);
}
