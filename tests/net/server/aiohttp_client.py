"""aiohttp's client against the server of test_server_aiohttp.c.

usage: aiohttp_client.py PORT CASE"""
import asyncio
import sys

import aiohttp

LARGE = bytes(97 + i // 1000 % 26 for i in range(3 << 20))


async def pieces(count, data):
    for _ in range(count):
        yield data
        await asyncio.sleep(0)


async def case_requests(url):
    """Answers with and without a length, whole and in pieces, over kept connections."""
    async with aiohttp.ClientSession() as session:
        for _ in range(20):
            async with session.get(url + "/echo", params={"a": "b c"},
                                   headers={"X-A": "\u00e4"}) as answer:
                text = await answer.text()
                assert text.startswith("GET /echo?a=b+c 11\n"), text
                assert "\nX-A: " in text
            async with session.get(url + "/known") as answer:
                assert answer.content_length == len(LARGE) and await answer.read() == LARGE
            async with session.get(url + "/unknown") as answer:
                assert answer.content_length is None and await answer.read() == LARGE
        async with session.head(url + "/known") as answer:
            assert answer.headers["Content-Length"] == str(len(LARGE))
            assert await answer.read() == b""
        for status in 204, 304, 404, 599:
            async with session.get(f"{url}/status/{status}") as answer:
                assert answer.status == status and await answer.read() == b""
        many = [session.get(url + "/echo") for _ in range(100)]
        for answer in await asyncio.gather(*many):
            assert answer.status == 200
            await answer.read()


async def case_bodies(url):
    """With a length, in chunks, with leave to send, and in parts."""
    async with aiohttp.ClientSession() as session:
        for expect in False, True:
            for count in 0, 1, 100:
                async with session.post(url + "/echo", data=pieces(count, b"abc" * 1000),
                                        expect100=expect) as answer:
                    text = await answer.text()
                    assert f"\n{count * 3000} bytes: " in text, text
                    assert "\nTransfer-Encoding: chunked\n" in text
                async with session.put(url + "/echo", data=b"x" * count,
                                       expect100=expect) as answer:
                    assert f"\n{count} bytes: " in await answer.text()
        form = aiohttp.FormData(quote_fields=False)  # True would make it a%20b.bin
        form.add_field("name", "value")
        form.add_field("file", b"\0\r\n--" * 20000, filename="a b.bin",
                       content_type="application/x-test")
        async with session.post(url + "/parts", data=form) as answer:
            text = await answer.text()
            assert text == "name - text/plain; charset=utf-8 5\nfile a b.bin application/x-test " \
                "100000\n", text
        async with session.post(url + "/too-large", data=pieces(100, b"x" * 100000)) as answer:
            assert answer.status == 413


async def case_coded(url):
    """Compressed by the server, undone by aiohttp."""
    async with aiohttp.ClientSession() as session:
        async with session.get(url + "/coded") as answer:
            assert answer.headers.get("Content-Encoding") in ("gzip", None)
            assert await answer.read() == b"compressible " * 10000


async def case_half(url):
    """What is cut off is an error."""
    async with aiohttp.ClientSession() as session:
        for path in "/half", "/half-open":
            try:
                async with session.get(url + path) as answer:
                    await answer.read()
            except aiohttp.ClientError:
                continue
            raise AssertionError(path)


async def case_websocket(url):
    """Messages of all sizes, with compression offered, pings, and the Close of either side."""
    async with aiohttp.ClientSession() as session:
        for ours in True, False:
            async with session.ws_connect(url + "/websocket", protocols=("other", "chat"),
                                          compress=15, max_msg_size=0) as socket:
                assert socket.protocol == "chat" and not socket.compress
                for size in 0, 1, 125, 126, 65535, 65536, 1000000:
                    await socket.send_bytes(b"\xff" * size)
                    assert await socket.receive_bytes() == b"\xff" * size
                    await socket.send_str("\u20ac" * (size // 3))
                    assert await socket.receive_str() == "\u20ac" * (size // 3)
                await socket.ping(b"there?")
                if ours:
                    await socket.close(code=4000, message=b"enough")
                else:
                    await socket.send_str("close")
                    message = await socket.receive()
                    assert message.type == aiohttp.WSMsgType.CLOSE
                    assert (message.data, message.extra) == (4001, "as you wish")
        try:
            await session.ws_connect(url + "/echo")
        except aiohttp.WSServerHandshakeError as error:
            assert error.status == 200
        else:
            raise AssertionError("/echo is no WebSocket")


asyncio.run(asyncio.wait_for(globals()["case_" + sys.argv[2]](f"http://127.0.0.1:{sys.argv[1]}"),
                             60))
