"""asyncio: rows of bench/peers. peer.h has the command line."""
import asyncio
import functools
import random
import time

import peer


def of(fn, tasks):
    return functools.partial(fn, tasks)


async def together(tasks, fn, *arguments):
    async with asyncio.TaskGroup() as group:
        for _ in range(tasks):
            group.create_task(fn(*arguments))


# Turns


async def yielder(steps):
    for _ in range(steps):
        await asyncio.sleep(0)


async def yields(tasks, count):
    steps = peer.batches(count, tasks)
    async with asyncio.TaskGroup() as group:
        for _ in range(tasks):
            group.create_task(yielder(steps + 1))
        await asyncio.sleep(0)
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
    return await rounds(batch, count, lambda: together(batch, nothing))


async def gates(count):
    async def one():
        gate = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            for _ in range(1000):
                group.create_task(gate.wait())
            await asyncio.sleep(0)
            gate.set()

    return await rounds(1000, count, one)


# Handing over


async def trips(count):
    there, back = asyncio.Queue(1), asyncio.Queue(1)

    async def answer():
        for _ in range(count):
            await back.put(await there.get())

    async with asyncio.TaskGroup() as group:
        group.create_task(answer())
        begin = time.process_time_ns()
        for number in range(count):
            await there.put(number)
            await back.get()
    return peer.each(begin, count)


async def passes(count):
    queue = asyncio.Queue(128)

    async def producer():
        for number in range(count):
            await queue.put(number)

    async with asyncio.TaskGroup() as group:
        group.create_task(producer())
        begin = time.process_time_ns()
        for _ in range(count):
            await queue.get()
    return peer.each(begin, count)


async def mutexes(tasks, count):
    each = peer.batches(count, tasks)
    lock = asyncio.Lock()

    async def locker():
        for _ in range(each):
            async with lock:
                await asyncio.sleep(0)

    begin = time.process_time_ns()
    await together(tasks, locker)
    return peer.each(begin, tasks * each)


async def selects(count):
    queues = asyncio.Queue(1), asyncio.Queue(1)

    async def producer():
        for number in range(count):
            await queues[number % 2].put(number)

    async with asyncio.TaskGroup() as group:
        group.create_task(producer())
        begin = time.process_time_ns()
        gets = {asyncio.ensure_future(queue.get()): queue for queue in queues}
        taken = 0
        while taken < count:
            done, _ = await asyncio.wait(gets, return_when=asyncio.FIRST_COMPLETED)
            for get in done:
                taken += 1
                queue = gets.pop(get)
                gets[asyncio.ensure_future(queue.get())] = queue
        value = peer.each(begin, count)
        for get in gets:
            get.cancel()
    return value


# Time


async def sleeps(count):
    times = peer.batches(count, 10000)
    gate = asyncio.Event()

    async def sleeper():
        await gate.wait()
        for _ in range(times):
            await asyncio.sleep(random.randint(1, 100) / 1000)

    async with asyncio.TaskGroup() as group:
        for _ in range(10000):
            group.create_task(sleeper())
        await asyncio.sleep(0)
        begin = time.process_time_ns()
        gate.set()
    return peer.each(begin, 10000 * times)


async def cancels(count):
    spent = 0
    for _ in range(peer.batches(count, 10000)):
        tasks = [asyncio.create_task(asyncio.sleep(random.uniform(60, 120))) for _ in range(10000)]
        await asyncio.sleep(0)
        begin = time.process_time_ns()
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        spent += time.process_time_ns() - begin
    return spent / (10000 * peer.batches(count, 10000))


async def deadlines(count):
    begin = time.process_time_ns()
    for _ in range(count):
        async with asyncio.timeout(30):
            pass
    return peer.each(begin, count)


# Memory


async def memory(count):
    gate = asyncio.Event()
    before = peer.resident_bytes()
    async with asyncio.TaskGroup() as group:
        for _ in range(10000):
            group.create_task(gate.wait())
        await asyncio.sleep(0)
        grown = peer.resident_bytes() - before
        gate.set()
    return grown / 10000


# Echo


async def echo(count):
    left = peer.ECHO_CONNECTIONS
    ended = asyncio.Event()

    async def serve(reader, writer):
        nonlocal left
        while data := await reader.read(peer.ECHO_BUFFER_BYTES):
            writer.write(data)
            await writer.drain()
        writer.close()
        left -= 1
        if left == 0:
            ended.set()

    async with await asyncio.start_server(serve, "127.0.0.1", 0, backlog=4096) as server:
        begin = time.process_time_ns()
        load = peer.start_load(server.sockets[0].getsockname()[1], count)
        await ended.wait()
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
    "select_2": selects,
    "sleep_10000": sleeps,
    "cancel_10000": cancels,
    "deadline_scope": deadlines,
    "bytes_per_task_10000": memory,
    "echo_64_c64": echo,
}


def run(row, count):
    return asyncio.run(row(count))


if __name__ == "__main__":
    peer.main(rows, run)
