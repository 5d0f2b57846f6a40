"""trio: rows of bench/peers. peer.h has the command line. It has no select over channels."""
import functools
import random
import time

import trio

import peer


def of(fn, tasks):
    return functools.partial(fn, tasks)


async def together(tasks, fn, *arguments):
    async with trio.open_nursery() as nursery:
        for _ in range(tasks):
            nursery.start_soon(fn, *arguments)


# Turns


async def yielder(steps):
    for _ in range(steps):
        await trio.sleep(0)


async def yields(tasks, count):
    steps = peer.batches(count, tasks)
    async with trio.open_nursery() as nursery:
        for _ in range(tasks):
            nursery.start_soon(yielder, steps + 1)
        await trio.sleep(0)
        begin = time.process_time_ns()
    return peer.each(begin, tasks * steps)


# Lives


async def nothing():
    pass


async def rounds(batch, count, one):
    await one()
    begin = time.process_time_ns()
    for _ in range(peer.batches(count, batch)):
        await one()
    return peer.each(begin, batch * peer.batches(count, batch))


async def lives(batch, count):
    return await rounds(batch, count, functools.partial(together, batch, nothing))


async def gates(count):
    async def one():
        gate = trio.Event()
        async with trio.open_nursery() as nursery:
            for _ in range(1000):
                nursery.start_soon(gate.wait)
            await trio.sleep(0)
            gate.set()

    return await rounds(1000, count, one)


# Handing over


async def trips(count):
    (put_there, get_there), (put_back, get_back) = trio.open_memory_channel(0), trio.open_memory_channel(0)

    async def answer():
        for _ in range(count):
            await put_back.send(await get_there.receive())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(answer)
        begin = time.process_time_ns()
        for number in range(count):
            await put_there.send(number)
            await get_back.receive()
    return peer.each(begin, count)


async def passes(count):
    put, get = trio.open_memory_channel(128)

    async def producer():
        for number in range(count):
            await put.send(number)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(producer)
        begin = time.process_time_ns()
        for _ in range(count):
            await get.receive()
    return peer.each(begin, count)


async def mutexes(tasks, count):
    each = peer.batches(count, tasks)
    lock = trio.Lock()

    async def locker():
        for _ in range(each):
            async with lock:
                await trio.sleep(0)

    begin = time.process_time_ns()
    await together(tasks, locker)
    return peer.each(begin, tasks * each)


# Time


async def sleeps(count):
    times = peer.batches(count, 10000)
    gate = trio.Event()

    async def sleeper():
        await gate.wait()
        for _ in range(times):
            await trio.sleep(random.randint(1, 100) / 1000)

    async with trio.open_nursery() as nursery:
        for _ in range(10000):
            nursery.start_soon(sleeper)
        await trio.sleep(0)
        begin = time.process_time_ns()
        gate.set()
    return peer.each(begin, 10000 * times)


async def cancels(count):
    spent = 0
    for _ in range(peer.batches(count, 10000)):
        async with trio.open_nursery() as nursery:
            for _ in range(10000):
                nursery.start_soon(trio.sleep, random.uniform(60, 120))
            await trio.sleep(0)
            begin = time.process_time_ns()
            nursery.cancel_scope.cancel()
        spent += time.process_time_ns() - begin
    return spent / (10000 * peer.batches(count, 10000))


async def deadlines(count):
    begin = time.process_time_ns()
    for _ in range(count):
        with trio.fail_after(30):
            pass
    return peer.each(begin, count)


# Memory


async def memory(count):
    gate = trio.Event()
    before = peer.resident_bytes()
    async with trio.open_nursery() as nursery:
        for _ in range(10000):
            nursery.start_soon(gate.wait)
        await trio.sleep(0)
        grown = peer.resident_bytes() - before
        gate.set()
    return grown / 10000


# Echo


async def echo(count):
    left = peer.ECHO_CONNECTIONS

    async def serve(stream):
        nonlocal left
        async with stream:
            async for data in stream:
                await stream.send_all(data)
        left -= 1
        if left == 0:
            nursery.cancel_scope.cancel()

    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(functools.partial(trio.serve_tcp, serve, 0, host="127.0.0.1", backlog=4096))
        begin = time.process_time_ns()
        load = peer.start_load(listeners[0].socket.getsockname()[1], count)
    value = peer.each(begin, count)
    peer.end_load(load)
    return value


rows = {
    "yield_2": of(yields, 2),
    "yield_100": of(yields, 100),
    "yield_10000": of(yields, 10000),
    "spawn_join_1000": of(lives, 1000),
    "spawn_gate_1000": gates,
    "spawn_join_10000": of(lives, 10000),
    "channel_rtt": trips,
    "queue_128": passes,
    "mutex_contended_2": of(mutexes, 2),
    "mutex_contended_100": of(mutexes, 100),
    "sleep_10000": sleeps,
    "cancel_10000": cancels,
    "deadline_scope": deadlines,
    "bytes_per_task_10000": memory,
    "echo_64_c64": echo,
}

if __name__ == "__main__":
    peer.main(rows, trio.run)
