// Groups and deadlines as C++ objects, and cancellation as an exception. What to take over:
//
// - An exception must not pass through a function of bight. So bight_scope_begin ... _end are used
//   and not bight_timeout, and every function that bight calls ends in returning().
// - A destructor ends what is open and throws nothing; the result, which may be a failure, is for
//   the explicit call that ends it: join() here.
// - The destructor of a group waits for its tasks, also while an exception is on its way. For this,
//   and for every wait in a catch block, tasks have BIGHT_SPAWN_CXX_EXCEPTIONS: see main().
#include <bight.h>

#include <cstdio>
#include <exception>
#include <functional>
#include <memory>
#include <new>

namespace
{

class Error : public std::exception
{
  public:
    explicit Error(int code) : code_(code)
    {
    }
    int code() const noexcept
    {
        return code_;
    }
    const char *what() const noexcept override
    {
        return bight_strerror(code_);
    }

  private:
    int code_;
};

int check(int rc)
{
    if (rc < 0)
        throw Error(rc);
    return rc;
}

using Body = std::function<void()>;

// The way back to C: what `body` throws becomes a code.
int returning(const Body &body) noexcept
{
    try {
        body();
        return 0;
    } catch (const Error &error) {
        return error.code();
    } catch (const std::bad_alloc &) {
        return BIGHT_ENOMEM;
    } catch (...) {
        return BIGHT_EINVAL;
    }
}

// Tasks that are waited for together. Left by an exception, it cancels them first.
class Group
{
  public:
    Group()
    {
        check(bight_group_begin(&group_, 0));
    }
    Group(const Group &) = delete;
    Group &operator=(const Group &) = delete;

    ~Group()
    {
        if (open_) [[maybe_unused]]
            const int rc = bight_group_end(&group_, BIGHT_ECANCELED);
    }

    void spawn(const char *name, Body body)
    {
        auto owned = std::make_unique<Body>(std::move(body));
        struct bight_spawn_options options {
        };

        options.name = name;
        options.drop = drop;
        check(bight_group_spawn(nullptr, &group_, &options, run, owned.get()));
        owned.release();
    }

    // Wait for all; throws the first failure.
    void join()
    {
        open_ = false;
        check(bight_group_end(&group_, 0));
    }

  private:
    static int run(void *arg)
    {
        const std::unique_ptr<Body> body(static_cast<Body *>(arg));
        return returning(*body);
    }

    static void drop(void *arg)
    {
        delete static_cast<Body *>(arg);
    }

    struct bight_group group_;
    bool open_ = true;
};

// A scope with a deadline or a shield; all of it is closed where the object ends.
class Scope
{
  public:
    Scope(int64_t timeout_ms, unsigned flags)
    {
        check(bight_scope_begin(&scope_, timeout_ms, flags));
    }
    Scope(const Scope &) = delete;
    Scope &operator=(const Scope &) = delete;

    ~Scope()
    {
        if (open_) [[maybe_unused]]
            const int rc = bight_scope_end(&scope_, BIGHT_ECANCELED);
    }

    int end(int rc)
    {
        open_ = false;
        return bight_scope_end(&scope_, rc);
    }

  private:
    struct bight_scope scope_;
    bool open_ = true;
};

// Run `body` within a time; throws BIGHT_ETIMEDOUT when it was not enough.
void within(int64_t timeout_ms, const Body &body)
{
    Scope scope(timeout_ms, 0);
    int rc = 0;

    try {
        body();
    } catch (const Error &error) {
        rc = error.code();
    }
    check(scope.end(rc)); // who was cancelled because of this deadline has timed out
}

void sleep(int64_t ms)
{
    check(bight_sleep(ms));
}

// Something to give back, which takes time and must happen in spite of a cancellation.
class Seat
{
  public:
    explicit Seat(const char *who) : who_(who)
    {
    }
    Seat(const Seat &) = delete;
    Seat &operator=(const Seat &) = delete;

    ~Seat()
    {
        const int rc = returning([] {
            Scope shield(1000, BIGHT_SCOPE_SHIELD);
            sleep(5);
        });
        std::printf("  %s gave the seat back (%d), %d exception on its way\n", who_, rc,
                    std::uncaught_exceptions());
    }

  private:
    const char *who_;
};

void all_go_well()
{
    Group group;

    for (const int ms : {30, 1, 15})
        group.spawn("sleeper", [ms] {
            sleep(ms);
            std::printf("  slept %d ms\n", ms);
        });
    group.join();
}

void one_fails()
{
    Group group;

    for (const char *who : {"anna", "bert"})
        group.spawn(who, [who] {
            const Seat seat(who);
            sleep(10000);
        });
    group.spawn("waiter", [] {
        sleep(1);
        throw Error(BIGHT_EADDRINUSE);
    });
    group.join();
}

void body_fails()
{
    Group group;

    group.spawn("anna", [] {
        const Seat seat("anna");
        sleep(10000);
    });
    sleep(1);
    throw Error(BIGHT_EIO); // the group's destructor waits for anna
}

void takes_too_long()
{
    within(10, [] {
        const Seat seat("carl");
        sleep(10000);
    });
}

// Waits in a catch block, like every retry with a pause, and then throws what it caught.
void gives_up(int code, int64_t pause_ms)
{
    try {
        throw Error(code);
    } catch (const Error &) {
        sleep(pause_ms);
        throw;
    }
}

void two_give_up()
{
    Group group;

    for (const int code : {BIGHT_ENOENT, BIGHT_EPIPE})
        group.spawn("retry", [code] {
            try {
                gives_up(code, code == BIGHT_ENOENT ? 1 : 2);
            } catch (const Error &error) {
                std::printf("  threw %s, caught %s\n", bight_error_name(code),
                            bight_error_name(error.code()));
            }
        });
    group.join();
}

void program()
{
    const struct {
        const char *title;
        void (*run)();
    } parts[] = {
        {"all go well", all_go_well},         {"one fails", one_fails},
        {"the body fails", body_fails},       {"it takes too long", takes_too_long},
        {"two pause and throw", two_give_up},
    };

    for (const auto &part : parts) {
        std::printf("%s\n", part.title);
        try {
            part.run();
        } catch (const Error &error) {
            std::printf("  ended with: %s\n", error.what());
        }
    }
}

} // namespace

int main()
{
    struct bight_runtime_options options {
    };

    options.spawn_flags = BIGHT_SPAWN_CXX_EXCEPTIONS; // of every task, this one's too
    return bight_run_with(
               &options, [](void *) { return returning(program); }, nullptr) != 0;
}
