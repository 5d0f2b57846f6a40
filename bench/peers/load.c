/* The load of the row echo_64_c64 of bench/peers: PORT and the number of messages on the command
 * line. The same closed loop as that of bench_echo, on the other core. */
#include "bench/bench.h"
#include "bench/echo.h"
#include "bench/peers/peer.h"

int main(int argc, char **argv)
{
    const struct serving serving = {.connections = ECHO_CONNECTIONS, .bytes = ECHO_BYTES};

    if (argc != 3)
        return 2;
    bench_pin(1);
    echo_put(&serving, (uint16_t)strtoul(argv[1], NULL, 10), strtoull(argv[2], NULL, 10));
    return 0;
}
