"""What CPython's pools take for what the rows of bench/workers.c, offload.c and workers_start.c do: the row's name
and the number of operations on the command line; prints the value in the row's unit."""
import asyncio
import sys
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, wait
from multiprocessing import Pool

MIB = 1 << 20
STARTS = 8


def echo(data):
    return data


def nothing():
    pass


def per_operation(fn, operations):
    begin = time.perf_counter_ns()
    fn()
    return (time.perf_counter_ns() - begin) / 1000 / operations


def one_at_a_time(payload, operations):
    with ProcessPoolExecutor(1) as pool:
        pool.submit(echo, payload).result()
        return per_operation(lambda: [pool.submit(echo, payload).result() for _ in range(operations)], operations)


def a_thousand(operations):
    with ProcessPoolExecutor(2) as pool:
        pool.submit(echo, b"").result()

        def run():
            left = operations
            pending = set()
            while left or pending:
                while left and len(pending) < 1000:
                    pending.add(pool.submit(echo, bytes(16)))
                    left -= 1
                pending = wait(pending, return_when="FIRST_COMPLETED").not_done

        return per_operation(run, operations)


def mapped(operations):
    with ProcessPoolExecutor(2) as pool:
        pool.submit(echo, b"").result()
        items = (bytes(16) for _ in range(operations))
        return per_operation(lambda: sum(1 for _ in pool.map(echo, items, chunksize=256)), operations)


def large(payload_bytes, operations):
    jobs = -(-operations * MIB // payload_bytes)
    return one_at_a_time(bytes(payload_bytes), jobs) * MIB / payload_bytes


def thread_round_trips(operations):
    async def main():
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1) as pool:
            await loop.run_in_executor(pool, nothing)
            begin = time.perf_counter_ns()
            for _ in range(operations):
                await loop.run_in_executor(pool, nothing)
            return (time.perf_counter_ns() - begin) / 1000 / operations

    return asyncio.run(main())


def starts(operations):
    def run():
        for _ in range(operations):
            with Pool(STARTS) as pool:
                pool.map(echo, range(STARTS), chunksize=1)

    return per_operation(run, operations)


rows = {
    "worker_rtt": lambda n: one_at_a_time(bytes(16), n),
    "worker_1000": a_thousand,
    "map_100000": mapped,
    "worker_1m": lambda n: large(MIB, n),
    "worker_64m": lambda n: large(64 * MIB, n),
    "offload_rtt": thread_round_trips,
    "worker_start8_small": starts,
}

if __name__ == "__main__":
    print(rows[sys.argv[1]](int(sys.argv[2])))
