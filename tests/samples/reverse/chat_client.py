"""Two visitors of the sample web_chat, by Python's websockets.

usage: chat_client.py PORT"""
import asyncio
import sys

import websockets


async def hears(visitor, text):
    said = await asyncio.wait_for(visitor.recv(), 30)
    assert said == text, said


async def main():
    url = f"ws://127.0.0.1:{sys.argv[1]}/chat?name="
    async with websockets.connect(url + "ann") as ann:
        await hears(ann, "* ann is here")
        async with websockets.connect(url + "bob") as bob:
            await hears(bob, "* bob is here")
            await hears(ann, "* bob is here")
            for number in range(100):
                await ann.send(f"{number} \u20ac")
                await hears(ann, f"ann: {number} \u20ac")
                await hears(bob, f"ann: {number} \u20ac")
            await asyncio.wait_for(await bob.ping("there?"), 30)
        await hears(ann, "* bob has left")
        try:
            await websockets.connect(url)
        except websockets.InvalidStatusCode as error:
            assert error.status_code == 400
        else:
            raise AssertionError("without a name")
        print("talked", flush=True)
        try:
            await asyncio.wait_for(ann.recv(), 30)
        except websockets.ConnectionClosed as end:
            print(end.code, end.reason, flush=True)


asyncio.run(main())
