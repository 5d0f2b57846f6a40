#!/bin/sh
# aiohttp: a file "a b.bin" is sent in a form as "a%20b.bin", and that is what servers take for its name.
#
# Expected: what a browser sends. HTML, "multipart/form-data encoding algorithm", escapes line ends and quotation marks
# in names, as %0A, %0D and %22, and nothing else. RFC 7578, 4.2, permits percent-encoding for the sake of systems that
# read only US-ASCII, where a space is; curl, and Python's requests, send the name as it is. The reference of aiohttp
# 3.8 has quote_fields=True among the arguments of FormData and does not say what it does.
# Found: everything in the name of a file but letters, digits and "_.-~" becomes %XX of its UTF-8. aiohttp's own server
# does not decode that, and no server could: "a%20b.bin" is a good name, and who decodes would change what a browser
# sends.
# What helps: aiohttp.FormData(quote_fields=False). With data={"file": file}, without a FormData, there is no way to say so.
# shellcheck source=findings/common.sh
. "$(dirname "$0")/common.sh"

unpack python3-aiohttp=3.8.4-1+deb12u2 python3-multidict=6.0.4-1+b1 python3-yarl=1.8.2-1+b1 \
    python3-idna=3.3-1+deb12u1 python3-aiosignal=1.3.1-1 python3-frozenlist=1.3.3-1+b1 \
    python3-async-timeout=4.0.2-1 python3-attr=22.2.0-1 python3-charset-normalizer=3.0.1-2
export PYTHONPATH="$root/usr/lib/python3/dist-packages"
/usr/bin/python3 -B -c 'import aiohttp' >"$work/log" 2>&1 || unavailable "this Python cannot load aiohttp"
cat >"$work/program.py" <<'PY'
import asyncio
import io

import aiohttp
from aiohttp import web

NAMES = "a b.bin", "a%20b.bin", "a(1).bin", "\u00fc.bin"


async def show(request):
    """Of one request the form as aiohttp reads it, of the other what was sent."""
    if request.path == "/form":
        form = await request.post()
        print(f"    aiohttp's server: {form['file'].filename}")
    else:
        lines = (await request.read()).decode().split("\r\n")
        print("    sent:", next(line for line in lines if line.startswith("Content-Disposition:")))
    return web.Response()


async def main():
    application = web.Application()
    application.router.add_post("/{path}", show)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = "http://127.0.0.1:%d/" % runner.addresses[0][1]
    async with aiohttp.ClientSession() as session:
        for quote in True, False:
            print(f"quote_fields={quote}")
            for name in NAMES:
                print(f"  {name}")
                for path in "sent", "form":
                    form = aiohttp.FormData(quote_fields=quote)
                    form.add_field("file", io.BytesIO(b"content"), filename=name)
                    async with session.post(url + path, data=form) as answer:
                        assert answer.status == 200
    await runner.cleanup()


print("aiohttp", aiohttp.__version__)
asyncio.run(main())
PY
PYTHONIOENCODING=utf-8 shows /usr/bin/python3 -B "$work/program.py" <<'OUTPUT'
aiohttp 3.8.4
quote_fields=True
  a b.bin
    sent: Content-Disposition: form-data; name="file"; filename="a%20b.bin"
    aiohttp's server: a%20b.bin
  a%20b.bin
    sent: Content-Disposition: form-data; name="file"; filename="a%2520b.bin"
    aiohttp's server: a%2520b.bin
  a(1).bin
    sent: Content-Disposition: form-data; name="file"; filename="a%281%29.bin"
    aiohttp's server: a%281%29.bin
  ü.bin
    sent: Content-Disposition: form-data; name="file"; filename="%C3%BC.bin"
    aiohttp's server: %C3%BC.bin
quote_fields=False
  a b.bin
    sent: Content-Disposition: form-data; name="file"; filename="a b.bin"
    aiohttp's server: a b.bin
  a%20b.bin
    sent: Content-Disposition: form-data; name="file"; filename="a%20b.bin"
    aiohttp's server: a%20b.bin
  a(1).bin
    sent: Content-Disposition: form-data; name="file"; filename="a(1).bin"
    aiohttp's server: a(1).bin
  ü.bin
    sent: Content-Disposition: form-data; name="file"; filename="ü.bin"
    aiohttp's server: ü.bin
OUTPUT
