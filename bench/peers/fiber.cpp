// Boost.Fiber: rows of bench/peers. peer.h has the command line. It has no TCP without Boost.Asio and
// an example of its authors', no select, and no way to cancel a fiber. Stacks come from a pool: by
// default each would be mapped and unmapped, which is many times what is measured.
#include <boost/fiber/all.hpp>

#include <memory>
#include <mutex>
#include <vector>

#include "peer.h"

namespace fibers = boost::fibers;
using fibers::fiber;

// fn() in a new fiber of `all`.
template <typename Fn> static void spawn(std::vector<fiber> &all, Fn fn)
{
    static fibers::pooled_fixedsize_stack stacks;

    all.emplace_back(std::allocator_arg, stacks, fn);
}

static void join_all(std::vector<fiber> &tasks)
{
    for (auto &task : tasks)
        task.join();
    tasks.clear();
}

// Turns

static double yields(unsigned tasks, uint64_t count)
{
    const uint64_t steps = peer_batches(count, tasks) + 1;
    std::vector<fiber> all;

    for (unsigned i = 0; i < tasks; i++)
        spawn(all, [steps] {
            for (uint64_t step = 0; step < steps; step++)
                boost::this_fiber::yield();
        });
    boost::this_fiber::yield();
    const uint64_t begin = peer_cpu_ns();
    join_all(all);
    return peer_ns_each(begin, tasks * (steps - 1));
}

static double yield_2(uint64_t count)
{
    return yields(2, count);
}

static double yield_100(uint64_t count)
{
    return yields(100, count);
}

static double yield_10000(uint64_t count)
{
    return yields(10000, count);
}

// Lives

// A gate that is opened for all who wait.
struct gate {
    fibers::mutex lock;
    fibers::condition_variable opened;
    bool open = false;

    void wait()
    {
        std::unique_lock<fibers::mutex> held(lock);
        opened.wait(held, [this] { return open; });
    }

    void set()
    {
        std::unique_lock<fibers::mutex> held(lock);
        open = true;
        opened.notify_all();
    }
};

static volatile unsigned lives_lived;

static void short_life()
{
    lives_lived = lives_lived + 1;
}

template <typename Round> static double rounds(unsigned batch, uint64_t count, Round round)
{
    const uint64_t batches = peer_batches(count, batch);

    round(); // the stacks are warm afterwards
    const uint64_t begin = peer_cpu_ns();
    for (uint64_t i = 0; i < batches; i++)
        round();
    return peer_ns_each(begin, batch * batches);
}

static double lives(unsigned batch, uint64_t count)
{
    std::vector<fiber> all;

    return rounds(batch, count, [&] {
        for (unsigned i = 0; i < batch; i++)
            spawn(all, short_life);
        join_all(all);
    });
}

static double spawn_join_1000(uint64_t count)
{
    return lives(1000, count);
}

static double spawn_join_10000(uint64_t count)
{
    return lives(10000, count);
}

static double spawn_gate_1000(uint64_t count)
{
    std::vector<fiber> all;

    return rounds(1000, count, [&] {
        gate all_spawned;

        for (unsigned i = 0; i < 1000; i++)
            spawn(all, [&] { all_spawned.wait(); });
        boost::this_fiber::yield();
        all_spawned.set();
        join_all(all);
    });
}

// Handing over

static double channel_rtt(uint64_t count)
{
    fibers::unbuffered_channel<void *> there, back;
    void *item = nullptr;
    fiber answer([&] {
        void *got;
        for (uint64_t i = 0; i < count; i++) {
            there.pop(got);
            back.push(got);
        }
    });

    boost::this_fiber::yield();
    const uint64_t begin = peer_cpu_ns();
    for (uint64_t i = 0; i < count; i++) {
        there.push(item);
        back.pop(item);
    }
    answer.join();
    return peer_ns_each(begin, count);
}

static double queue_128(uint64_t count)
{
    fibers::buffered_channel<void *> queue(QUEUE_PLACES);
    void *item = nullptr;
    fiber producer([&] {
        for (uint64_t i = 0; i < count; i++)
            queue.push(&queue);
    });

    const uint64_t begin = peer_cpu_ns();
    for (uint64_t i = 0; i < count; i++)
        queue.pop(item);
    producer.join();
    return peer_ns_each(begin, count);
}

static double mutexes(unsigned tasks, uint64_t count)
{
    const uint64_t each = peer_batches(count, tasks), begin = peer_cpu_ns();
    std::vector<fiber> all;
    fibers::mutex mutex;

    for (unsigned i = 0; i < tasks; i++)
        spawn(all, [&] {
            for (uint64_t round = 0; round < each; round++) {
                std::unique_lock<fibers::mutex> held(mutex);
                boost::this_fiber::yield();
            }
        });
    join_all(all);
    return peer_ns_each(begin, tasks * each);
}

static double mutex_contended_2(uint64_t count)
{
    return mutexes(2, count);
}

static double mutex_contended_100(uint64_t count)
{
    return mutexes(100, count);
}

// Time

static double sleep_10000(uint64_t count)
{
    const uint64_t sleeps = peer_batches(count, 10000);
    std::vector<fiber> all;
    gate all_spawned;

    for (unsigned i = 0; i < 10000; i++)
        spawn(all, [&] {
            all_spawned.wait();
            for (uint64_t slept = 0; slept < sleeps; slept++)
                boost::this_fiber::sleep_for(std::chrono::milliseconds(1 + peer_random() % 100));
        });
    boost::this_fiber::yield();
    const uint64_t begin = peer_cpu_ns();
    all_spawned.set();
    join_all(all);
    return peer_ns_each(begin, 10000 * sleeps);
}

// Memory

static double bytes_per_task_10000(uint64_t)
{
    const uint64_t before = peer_resident_bytes();
    std::vector<fiber> all;
    gate all_spawned;

    for (unsigned i = 0; i < 10000; i++)
        all.emplace_back([&] { all_spawned.wait(); });
    boost::this_fiber::yield();
    const uint64_t after = peer_resident_bytes();
    all_spawned.set();
    join_all(all);
    return (double)(after - before) / 10000;
}

static const peer_row rows[] = {
    {"yield_2", yield_2},
    {"yield_100", yield_100},
    {"yield_10000", yield_10000},
    {"spawn_join_1000", spawn_join_1000},
    {"spawn_gate_1000", spawn_gate_1000},
    {"spawn_join_10000", spawn_join_10000},
    {"channel_rtt", channel_rtt},
    {"queue_128", queue_128},
    {"mutex_contended_2", mutex_contended_2},
    {"mutex_contended_100", mutex_contended_100},
    {"sleep_10000", sleep_10000},
    {"bytes_per_task_10000", bytes_per_task_10000},
};

int main(int argc, char **argv)
{
    return peer_main(argc, argv, rows, sizeof rows / sizeof *rows);
}
