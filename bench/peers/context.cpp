// Boost.Context: the bare switch, without anything that schedules. peer.h has the command line.
#include <boost/context/fiber.hpp>

#include "peer.h"

using boost::context::fiber;

static double switches(uint64_t count)
{
    fiber other([](fiber &&back) {
        for (;;)
            back = std::move(back).resume();
        return std::move(back);
    });
    other = std::move(other).resume();
    const uint64_t begin = peer_cpu_ns();
    for (uint64_t i = 0; i < count / 2; i++)
        other = std::move(other).resume();
    return peer_ns_each(begin, count);
}

static const peer_row rows[] = {
    {"switch", switches},
};

int main(int argc, char **argv)
{
    return peer_main(argc, argv, rows, sizeof rows / sizeof *rows);
}
