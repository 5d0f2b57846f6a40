// Tasks with BIGHT_SPAWN_CXX_EXCEPTIONS, which suspend in catch blocks and during unwinding: each sees
// its own exceptions and nobody else's. A program of its own, with public headers only, because it is
// linked in several ways: the library finds the C++ runtime by a weak reference.
#include <bight.h>

#include <cstdio>
#include <cstring>
#include <exception>
#include <stdexcept>

namespace
{

int failures;

void expect_at(int line, bool holds, const char *what)
{
    if (holds)
        return;
    std::printf("line %d: not so: %s\n", line, what);
    failures++;
}

#define EXPECT(condition) expect_at(__LINE__, condition, #condition)

// Let the others run, in another order each time.
void pause(long turn)
{
    EXPECT((turn % 3 ? bight_yield() : bight_sleep(turn % 2)) == 0);
}

// Run both at the same time, with the flag only where the runtime gives it.
int both(int (*fn)(void *arg), int (*other)(void *arg))
{
    static long ids[] = {0, 1};
    struct bight_gather calls[2] = {};

    calls[0].fn = fn;
    calls[0].arg = &ids[0];
    calls[1].fn = other;
    calls[1].arg = &ids[1];
    return bight_gather_all(calls, 2, 0);
}

const char *text(long id)
{
    return id ? "one" : "zero";
}

bool says(const std::exception &error, const char *expected)
{
    return std::strcmp(error.what(), expected) == 0;
}

// What std::current_exception() is, "" when there is none.
struct current {
    char text[16] = "";

    current()
    {
        const std::exception_ptr now = std::current_exception();

        try {
            if (now)
                std::rethrow_exception(now);
        } catch (const std::exception &error) {
            std::snprintf(text, sizeof(text), "%s", error.what());
        }
    }
};

int rethrows(void *arg)
{
    const long id = *static_cast<long *>(arg);

    for (long i = 0; i < 30; i++) {
        try {
            try {
                throw std::runtime_error(text(id));
            } catch (const std::exception &) {
                pause(i + id);
                throw;
            }
        } catch (const std::exception &error) {
            EXPECT(says(error, text(id)));
        }
    }
    return 0;
}

int two_rethrow(void *)
{
    return both(rethrows, rethrows);
}

int nests(void *arg)
{
    const long id = *static_cast<long *>(arg);

    for (long i = 0; i < 30; i++) {
        try {
            throw std::runtime_error(text(id));
        } catch (const std::exception &) {
            pause(i + id);
            try {
                throw std::logic_error(id ? "inner one" : "inner zero");
            } catch (const std::exception &inner) {
                pause(i - id + 1);
                EXPECT(says(inner, id ? "inner one" : "inner zero"));
                EXPECT(says(inner, current().text));
            }
            pause(i);
            EXPECT(std::strcmp(current().text, text(id)) == 0);
        }
        EXPECT(!std::current_exception());
    }
    return 0;
}

int two_nest(void *)
{
    return both(nests, nests);
}

// Suspends where it is destroyed, and handles another exception there.
struct guard {
    long id;
    int on_their_way;

    guard(long task, int exceptions) : id(task), on_their_way(exceptions)
    {
    }
    ~guard()
    {
        pause(id);
        EXPECT(std::uncaught_exceptions() == on_their_way);
        if (on_their_way < 3)
            handle_another();
        EXPECT(std::uncaught_exceptions() == on_their_way);
        EXPECT(!std::current_exception());
    }

    void handle_another() const
    {
        try {
            const guard deeper(id + 1, on_their_way + 1);
            throw std::runtime_error("another");
        } catch (const std::exception &error) {
            pause(id);
            EXPECT(says(error, "another"));
            EXPECT(std::uncaught_exceptions() == on_their_way);
        }
    }
};

int unwinds(void *arg)
{
    const long id = *static_cast<long *>(arg);

    for (long i = 0; i < 10; i++) {
        try {
            const guard slow(id + i, 1);
            throw std::runtime_error(text(id));
        } catch (const std::exception &error) {
            EXPECT(says(error, text(id)));
        }
        EXPECT(std::uncaught_exceptions() == 0);
    }
    return 0;
}

// Never handles anything itself.
int looks_on(void *)
{
    for (long i = 0; i < 100; i++) {
        pause(i);
        EXPECT(std::uncaught_exceptions() == 0);
        EXPECT(!std::current_exception());
    }
    return 0;
}

int two_unwind(void *)
{
    return both(unwinds, unwinds);
}

int one_unwinds_one_looks_on(void *)
{
    return both(unwinds, looks_on);
}

int waiting;

// Two tasks wait in catch blocks until they are cancelled, and unwind.
int waits_in_catch(void *arg)
{
    const long id = *static_cast<long *>(arg);

    try {
        const guard slow(id, 1);

        throw std::runtime_error(text(id));
    } catch (const std::exception &error) {
        waiting++;
        const int rc = bight_sleep(100000);

        EXPECT(rc == BIGHT_ECANCELED);
        EXPECT(says(error, text(id)));
        EXPECT(std::strcmp(current().text, text(id)) == 0);
        return rc;
    }
}

int cancels(void *scope)
{
    while (waiting < 2)
        EXPECT(bight_yield() == 0);
    bight_scope_cancel(static_cast<struct bight_scope *>(scope));
    return 0;
}

int cancelled(void *)
{
    struct bight_scope scope;
    struct bight_task *canceller;

    waiting = 0;
    EXPECT(bight_scope_begin(&scope, -1, 0) == 0);
    EXPECT(bight_spawn(&canceller, cancels, &scope) == 0);
    const int rc = both(waits_in_catch, waits_in_catch);
    EXPECT(!std::current_exception());
    EXPECT(rc == BIGHT_ECANCELED);
    EXPECT(bight_scope_end(&scope, rc) == 0);
    EXPECT(bight_join(canceller, nullptr) == 0);
    return 0;
}

// A task begins without the exceptions of the one that spawns it, and takes none of them along.
int spawned_in_catch(void *)
{
    struct bight_task *task;

    try {
        throw std::runtime_error("spawner's");
    } catch (const std::exception &error) {
        EXPECT(bight_spawn(&task, looks_on, nullptr) == 0);
        EXPECT(bight_join(task, nullptr) == 0);
        EXPECT(says(error, current().text));
    }
    EXPECT(!std::current_exception());
    return 0;
}

// The flag at a spawn, in a runtime that does not give it to all: the others share the thread's
// exceptions, which they may have as long as they do not wait meanwhile.
int throws_at_once(void *)
{
    for (long i = 0; i < 60; i++) {
        pause(i);
        try {
            throw std::runtime_error("at once");
        } catch (const std::exception &error) {
            EXPECT(says(error, current().text));
        }
        EXPECT(std::uncaught_exceptions() == 0);
        EXPECT(!std::current_exception());
    }
    return 0;
}

int flagged_beside_plain(void *)
{
    static long ids[] = {0, 1};
    struct bight_spawn_options options = {};
    struct bight_task *first, *second;

    options.flags = BIGHT_SPAWN_CXX_EXCEPTIONS;
    EXPECT(bight_spawn_with(&first, &options, unwinds, &ids[0]) == 0);
    options.flags |= BIGHT_SPAWN_FLOAT_CONTROL;
    EXPECT(bight_spawn_with(&second, &options, nests, &ids[1]) == 0);
    EXPECT(throws_at_once(nullptr) == 0);
    EXPECT(bight_join(first, nullptr) == 0);
    EXPECT(bight_join(second, nullptr) == 0);
    return 0;
}

const struct {
    const char *name;
    int (*fn)(void *arg);
    unsigned spawn_flags;
} cases[] = {
    {"two tasks rethrow after a wait", two_rethrow, BIGHT_SPAWN_CXX_EXCEPTIONS},
    {"nested catch blocks wait", two_nest, BIGHT_SPAWN_CXX_EXCEPTIONS},
    {"destructors wait during unwinding", two_unwind, BIGHT_SPAWN_CXX_EXCEPTIONS},
    {"nobody else sees it", one_unwinds_one_looks_on, BIGHT_SPAWN_CXX_EXCEPTIONS},
    {"catch blocks are cancelled", cancelled, BIGHT_SPAWN_CXX_EXCEPTIONS},
    {"a task is spawned in a catch block", spawned_in_catch, BIGHT_SPAWN_CXX_EXCEPTIONS},
    {"tasks with the flag beside others", flagged_beside_plain, 0},
};

} // namespace

int main()
{
    for (const auto &one : cases) {
        struct bight_runtime_options options = {};
        const int before = failures;

        options.spawn_flags = one.spawn_flags;
        EXPECT(bight_run_with(&options, one.fn, nullptr) == 0);
        EXPECT(std::uncaught_exceptions() == 0 && !std::current_exception());
        std::printf("%s: %s\n", failures == before ? "ok" : "FAILED", one.name);
    }
    return failures != 0;
}
