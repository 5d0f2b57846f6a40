/* See forked.h. Every program of the tests is linked with --wrap for _ck_assert_failed and
 * _mark_point. */
#include "tests/harness/forked.h"

#include <check.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct reason {
    char file[128];
    int line;
    char text[1024];
};

static struct page {
    atomic_flag taken; /* set by the first that fails, until the reason is taken */
    _Atomic bool written;
    struct reason reason;
} * page;

/* The processes in which Check learns of a failure. */
static pid_t main_pid, case_pid;
static bool notes_nothing;
static const char *about;

_Noreturn void __real__ck_assert_failed(const char *file, int line, const char *expr,
                                        const char *msg, ...);
_Noreturn void __wrap__ck_assert_failed(const char *file, int line, const char *expr,
                                        const char *msg, ...) __attribute__((format(printf, 4, 5)));

void __real__mark_point(const char *file, int line);
void __wrap__mark_point(const char *file, int line);

/* Whether Check takes what this process writes into its file: two that write at a time would
 * destroy it, and so would one that writes while Check reads. */
static bool is_checks_own(void)
{
    pid_t pid = getpid();

    return !page || pid == main_pid || pid == case_pid;
}

void forked_share(void)
{
    page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) {
        perror("mmap");
        exit(EXIT_FAILURE);
    }
    main_pid = getpid();
}

void forked_case_begins(void)
{
    case_pid = getpid();
}

/* Take the reason, if there is one, and forget it. */
static bool take_reason(struct reason *reason)
{
    if (!page || !atomic_load(&page->written))
        return false;
    *reason = page->reason;
    atomic_store(&page->written, false);
    atomic_flag_clear(&page->taken);
    return true;
}

static void keep_reason(const char *file, int line, const char *text)
{
    struct reason *reason = &page->reason;

    if (atomic_flag_test_and_set(&page->taken))
        return;
    snprintf(reason->file, sizeof(reason->file), "%s", file);
    reason->line = line;
    snprintf(reason->text, sizeof(reason->text), "%s", text);
    atomic_store(&page->written, true);
}

void __wrap__ck_assert_failed(const char *file, int line, const char *expr, const char *msg, ...)
{
    char text[sizeof(page->reason.text)];
    size_t used = 0;
    struct reason reason;

    if (about)
        used = (size_t)snprintf(text, sizeof(text) / 2, "%s: ", about);
    if (msg) {
        va_list args;

        va_start(args, msg);
        vsnprintf(text + used, sizeof(text) - used, msg, args);
        va_end(args);
    } else {
        snprintf(text + used, sizeof(text) - used, "%s", expr);
    }
    if (!is_checks_own()) {
        keep_reason(file, line, text);
        _exit(EXIT_FAILURE);
    }
    if (!take_reason(&reason))
        __real__ck_assert_failed(file, line, expr, "%s", text);
    __real__ck_assert_failed(file, line, expr, "%s; in a forked process, %s:%d: %s", text,
                             reason.file, reason.line, reason.text);
}

void forked_about(const char *what)
{
    about = what;
}

void forked_note_nothing(void)
{
    notes_nothing = true;
}

/* An assertion that holds: Check notes where the last one was. */
void __wrap__mark_point(const char *file, int line)
{
    if (!notes_nothing && is_checks_own())
        __real__mark_point(file, line);
}

void forked_case_ended(void)
{
    struct reason reason;

    if (take_reason(&reason))
        __real__ck_assert_failed(reason.file, reason.line, NULL, "in a forked process: %s",
                                 reason.text);
}

bool forked_is_left(const char *name)
{
    struct reason reason;

    if (!take_reason(&reason))
        return false;
    printf("%s:%d:F:%s:%s:0: in a forked process: %s\n", reason.file, reason.line, name, name,
           reason.text);
    return true;
}
