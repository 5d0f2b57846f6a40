/* Reports: what a runtime notices on its own, such as a failure that no task saw, and
 * what a program has to say in the same way. Nothing is printed: reports go to a handler, and to
 * the log's (<bight/log.h>), or nowhere. */
#ifndef BIGHT_REPORT_H
#define BIGHT_REPORT_H

#include <bight/base.h>
#include <bight/errors.h>

BIGHT_BEGIN_DECLS

/* What the runtime has to report; see bight_runtime_options.on_report. */
enum bight_report_kind {
    /* A task of which nobody has a handle failed with `code`, or a task that another thread
     * submitted could not be spawned (task_id 0). */
    BIGHT_REPORT_UNSEEN_FAILURE,
    /* A task had BIGHT_ECANCELED returned many times in a row (`count`) and goes on. */
    BIGHT_REPORT_IGNORED_CANCEL,
    /* A scope or group was still open when its frame had returned, or when one around it ended. It
     * was ended; tasks of such a group were cancelled and passed to the group around. */
    BIGHT_REPORT_SCOPE_LEFT_OPEN,
    /* A task ended with a mutex locked, which was given to the next waiter. */
    BIGHT_REPORT_MUTEX_HELD,
    /* A task ended and its handle was never joined nor detached. */
    BIGHT_REPORT_NEVER_JOINED,
    /* A spawn failed with BIGHT_ENOMEM because the process has as many mappings as the system
     * allows (vm.max_map_count): the kernel has no guard regions, so each stack takes two. */
    BIGHT_REPORT_MAP_LIMIT,
    /* Every task waits for another one; the root is being cancelled. bight_dump shows who waits. */
    BIGHT_REPORT_STALLED,
    /* One step of a task, from one wait to the next, or one call, post or hook (task 0) blocked the
     * loop for `count` ms; see bight_runtime_options.slow_ms. */
    BIGHT_REPORT_SLOW_TURN,
    /* The program's own, by bight_report_send. */
    BIGHT_REPORT_PROGRAM,
    /* The abort hook of a waiter (waiter.h) returned `code`, which is neither 0 nor BIGHT_EBUSY. */
    BIGHT_REPORT_ABORT_HOOK,
    /* BIGHT_CHECK_CANCELS: a task that was told of its cancellation, or drain, by a call that
     * returned `code` is told again, in the same scope, `count` ms later. Once for each scope. */
    BIGHT_REPORT_LATE_CANCEL,
    /* BIGHT_CHECK_OPEN: a task still lived when main had returned, or the host detached, and is
     * cancelled; or the runtime has ended and closes what nobody else will: a stream, a file, a
     * process, an executor, a handle of libuv's on the runtime's own loop. `text` says what it is;
     * docs/seeing.md has all of them. */
    BIGHT_REPORT_LEFT_RUNNING,
    BIGHT_REPORT_LEFT_OPEN,
    /* BIGHT_CHECK_STACKS, as the runtime ends: `count` bytes is the most that a task spawned at
     * that place has used of its stack. */
    BIGHT_REPORT_STACK_MARK,
};

struct bight_report {
    enum bight_report_kind kind;
    int code;
    uint64_t count;
    /* The task concerned: its number (0 for none) and name. */
    uint64_t task_id;
    const char *task_name;
    /* One line, without a newline. */
    const char *text;
    /* Places in the program, for bight_place_describe: of a slow turn where it was in the middle of
     * it, innermost first, if bight_runtime_options.slow_signal asks for that; of what was left
     * open, where it was opened, likewise; of other reports about a task, where it was spawned. */
    const void *const *places;
    size_t place_count;
};

/* Who gets reports: bight_runtime_options.on_report and its argument, or what replaced them. */
struct bight_report_handler {
    void (*fn)(void *arg, const struct bight_report *report);
    void *arg;
};

/** Have this thread's runtime report to `handler` from now on; with a handler without fn, to
 *  nobody. `before`, which may be NULL, gets the handler up to now.
 *
 *  @return 0; BIGHT_ENORUNTIME.
 *  Ownership: keeps handler.arg until another handler is set or the runtime has ended.
 */
BIGHT_API int bight_report_set_handler(struct bight_report_handler handler,
                                       struct bight_report_handler *before);

/** Write a report to a file descriptor, 2 for the terminal: a line with kind, task, text, count and
 *  code, and a line for each place. Handlers may call it, also in a task of a small stack.
 *
 *  @return 0; BIGHT_EINVAL without report; the error of write(2).
 *  Suspends: no, though write(2) may block.  Thread: any.
 */
BIGHT_API int bight_report_write_fd(const struct bight_report *report, int fd);

/* Room for what bight_place_describe says, cut off where it is longer. */
#define BIGHT_PLACE_BYTES 160

/** Say as text which code is at `place`, a return address such as bight_task_info.spawned_at:
 *  "serve+0x1b (program+0x1233)", where `addr2line -e program 0x1233` tells file and line; without
 *  the function where the loader does not know its name, as that of a static one or of a program
 *  without -rdynamic; "-" for NULL. Offsets are of the last byte of the call.
 *
 *  @return the length of the text in bytes, less than text_bytes; 0 when there is no room.
 *  Thread: any.
 */
BIGHT_API size_t bight_place_describe(const void *place, char *text, size_t text_bytes);

/** Give a report of the program's own to the handler, as BIGHT_REPORT_PROGRAM; the task concerned
 *  is the calling one.
 *
 *  @return 0, also when nobody listens; BIGHT_ENORUNTIME.
 */
BIGHT_API int bight_report_send(int code, const char *text);

BIGHT_END_DECLS

#endif
